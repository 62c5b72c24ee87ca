"""Bytes of one direction as they come, and readers that pause where bytes are missing.

A reader is a generator that yields whenever it needs more; `Flow` runs it on. So parsers read like the grammar, and any
split of the bytes gives the same result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")
Steps = Generator[None, None, T]


class ProtocolFault(Exception):  # noqa: N818 - a fault of theirs, never seen outside
    """Nothing more can be read in this direction; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Ended(Exception):  # noqa: N818 - not an error: the bytes are over
    """The bytes ended inside something."""


class Feed:
    """Bytes not read yet.

    Attributes:
        at: when the newest bytes came.
        ended: no more will come.
    """

    __slots__ = ("_data", "_position", "at", "ended")

    def __init__(self) -> None:
        self._data: bytes | bytearray = b""
        self._position = 0
        self.at = 0
        self.ended = False

    def push(self, data: bytes, at: int) -> None:
        """More bytes."""
        self.at = at
        if self._position == len(self._data):
            self._data, self._position = data, 0
            return
        if isinstance(self._data, bytearray):
            del self._data[: self._position]
        else:
            self._data = bytearray(memoryview(self._data)[self._position :])
        self._data += data
        self._position = 0

    @property
    def available(self) -> int:
        """Bytes at hand."""
        return len(self._data) - self._position

    def take(self, most: int) -> bytes:
        """What is at hand, up to `most` bytes."""
        start, end = self._position, min(self._position + most, len(self._data))
        self._position = end
        if isinstance(self._data, bytes):
            return self._data[start:end]  # the same object when it is the whole
        return bytes(memoryview(self._data)[start:end])

    def ready(self) -> Steps[bool]:
        """Wait for a byte; False at the end."""
        while self._position == len(self._data):
            if self.ended:
                return False
            yield
        return True

    def peek(self, size: int) -> Steps[bytes]:
        """Wait for `size` bytes or the end, and leave them."""
        while self.available < size and not self.ended:
            yield
        return bytes(self._data[self._position : self._position + size])

    def some(self, most: int) -> Steps[bytes]:
        """At least one byte; Ended."""
        while self._position == len(self._data):
            if self.ended:
                raise Ended
            yield
        return self.take(most)

    def exactly(self, size: int) -> Steps[bytes]:
        """`size` bytes; Ended."""
        while len(self._data) - self._position < size:
            if self.ended:
                raise Ended
            yield
        return self.take(size)

    def line(self, limit: int, code: str) -> Steps[bytes]:
        """Bytes to the next line feed; Ended, ProtocolFault over `limit`."""
        looked = 0
        while True:
            end = self._data.find(b"\n", self._position + looked) + 1
            looked = self.available
            if (end - self._position if end else looked) > limit:
                raise ProtocolFault(code)
            if end:
                return self.take(end - self._position)
            if self.ended:
                raise Ended
            yield

    def through(self, end: re.Pattern[bytes], limit: int, code: str) -> Steps[bytes]:
        """Bytes to the end of a match of `end` of at most 3 bytes; Ended, ProtocolFault over `limit`."""
        looked = 0
        while True:
            found = end.search(self._data, self._position + max(0, looked - 2))
            if found is not None and found.end() - self._position <= limit:
                return self.take(found.end() - self._position)
            looked = self.available
            if found is not None or looked > limit:
                raise ProtocolFault(code)
            if self.ended:
                raise Ended
            yield


class Flow:
    """One direction: a feed and the reader that is run on it.

    Attributes:
        stopped: the reader is done, by itself or by a fault.
    """

    def __init__(self, reader: Callable[[Feed], Steps[None]], report: Callable[[str], None]) -> None:
        self.feed = Feed()
        self.stopped = False
        self._steps = reader(self.feed)
        self._report = report

    def push(self, data: bytes, at: int) -> None:
        """More bytes; ignored when the reader is done."""
        if not self.stopped:
            self.feed.push(data, at)
            self._run()

    def end(self) -> None:
        """No more bytes."""
        self.feed.ended = True
        if not self.stopped:
            self._run()
        self.stopped = True

    def _run(self) -> None:
        try:
            next(self._steps)
        except (StopIteration, Ended):
            self.stopped = True
        except ProtocolFault as fault:
            self.stopped = True
            self._report(fault.code)

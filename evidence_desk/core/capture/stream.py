"""Recorded streams: the bytes of one connection as they passed the proxy, in order, with direction and time.

A stream is a sequence of chunks: direction (1 byte, ``>`` from the browser, ``<`` to it), moment (8 bytes, microseconds of
the Unix epoch, UTC), length (4 bytes), data; numbers big-endian. See docs/spec/capture.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

from evidence_desk.errors import BugError, MalformedError

MAX_CHUNK: Final = 1 << 20
_HEAD: Final = struct.Struct(">cQI")
HEAD_SIZE: Final = _HEAD.size


class Direction(StrEnum):
    """Which way bytes went."""

    OUT = ">"
    """From the browser to the server."""
    IN = "<"
    """From the server to the browser."""


_MARKS: Final = {direction: direction.value.encode() for direction in Direction}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Bytes that passed at one moment; `at` in microseconds of the Unix epoch."""

    direction: Direction
    at: int
    data: bytes


def encode_chunk(chunk: Chunk) -> bytes:
    """One chunk as it lies in a stream.

    Raises:
        BugError: ``bug.chunk`` when it is empty or over `MAX_CHUNK`.
    """
    if not 0 < len(chunk.data) <= MAX_CHUNK:
        raise BugError("bug.chunk", size=len(chunk.data))
    return _HEAD.pack(chunk.direction.value.encode(), chunk.at, len(chunk.data)) + chunk.data


def put_head(target: bytearray | memoryview, direction: Direction, at: int, length: int) -> None:
    """Write the head of a chunk into the first `HEAD_SIZE` bytes of a buffer whose `length` data bytes follow there."""
    _HEAD.pack_into(target, 0, _MARKS[direction], at, length)


class StreamReader:
    """Chunks of a stream, read strictly and one at a time.

    Attributes:
        torn: the stream ended inside a chunk: the recorder was killed there. What came before is whole.
    """

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self.torn = False

    def __iter__(self) -> Iterator[Chunk]:
        """All whole chunks.

        Raises:
            MalformedError: ``malformed.stream``.
        """
        while head := self._source.read(_HEAD.size):
            if len(head) < _HEAD.size:
                self.torn = True
                return
            mark, at, length = _HEAD.unpack(head)
            if mark not in (b">", b"<") or not 0 < length <= MAX_CHUNK:
                raise MalformedError("malformed.stream")
            data = self._source.read(length)
            if len(data) < length:
                self.torn = True
                return
            yield Chunk(direction=Direction(mark.decode()), at=at, data=data)

"""Bodies: written piece by piece to one spool file a connection, hashed on the way, read again by extent."""

from __future__ import annotations

import hashlib
import io
import threading
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Final, cast

from evidence_desk.errors import BugError

Extent = tuple[int, int]
"""(offset in the spool, length)."""

_FLUSH: Final = 64 * 1024


class Spool:
    """The bodies of one connection in one file, made when the first byte comes. Reading is safe from any thread."""

    def __init__(self, factory: Callable[[], BinaryIO]) -> None:
        self._factory = factory
        self._file: BinaryIO | None = None
        self._end = 0
        self._lock = threading.Lock()

    def append(self, data: bytes | bytearray) -> int:
        """Write at the end; gives the offset."""
        with self._lock:
            if self._file is None:
                self._file = self._factory()
            self._file.seek(self._end)
            self._file.write(data)
            offset = self._end
            self._end += len(data)
            return offset

    def read(self, offset: int, size: int) -> bytes:
        """Bytes at an offset; BugError ``bug.spool_closed``."""
        with self._lock:
            if self._file is None:
                raise BugError("bug.spool_closed")
            self._file.seek(offset)
            return self._file.read(size)

    def close(self) -> None:
        """Give the file back; bodies cannot be read afterwards."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Bytes of a body: size, SHA-256, and where they lie."""

    size: int
    sha256: bytes
    extents: tuple[Extent, ...] = field(repr=False, compare=False)
    spool: Spool = field(repr=False, compare=False)

    def open(self) -> BinaryIO:
        """The bytes from the beginning, seekable; any number of readers at once."""
        return cast("BinaryIO", io.BufferedReader(_Reader(self.spool, self.extents), 256 * 1024))


class BodySink:
    """Takes a body as it comes; small pieces are gathered, so that neither extents nor hashing cost by the piece."""

    __slots__ = ("_extents", "_hash", "_pending", "_spool", "size")

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._hash = hashlib.sha256()
        self._pending = bytearray()
        self._extents: list[Extent] = []
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Next bytes of the body."""
        self.size += len(piece)
        self._pending += piece
        if len(self._pending) >= _FLUSH:
            self._flush()

    def _flush(self) -> None:
        self._hash.update(self._pending)
        offset, length = self._spool.append(self._pending), len(self._pending)
        if self._extents and sum(self._extents[-1]) == offset:
            offset, before = self._extents.pop()
            length += before
        self._extents.append((offset, length))
        self._pending = bytearray()

    def body(self) -> Body:
        """What came so far."""
        if self._pending:
            self._flush()
        return Body(
            size=self.size, sha256=self._hash.digest(), extents=tuple(self._extents), spool=self._spool
        )


class _Reader(io.RawIOBase):
    """Reads extents one after the other."""

    def __init__(self, spool: Spool, extents: tuple[Extent, ...]) -> None:
        super().__init__()
        self._spool = spool
        self._extents = extents
        self._starts = [0]
        for _, length in extents:
            self._starts.append(self._starts[-1] + length)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(cast("bytearray", buffer))
        index = bisect_right(self._starts, self._position) - 1
        if index >= len(self._extents):
            return 0
        offset, length = self._extents[index]
        skip = self._position - self._starts[index]
        data = self._spool.read(offset + skip, min(len(view), length - skip))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

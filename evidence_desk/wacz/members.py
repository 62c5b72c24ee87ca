"""Gzip members (RFC 1952), one a WARC record: written the same each time, read with every byte accounted for.

The header is constant: no name, no time, no system. Data that would not shrink is stored (RFC 1951 §3.2.4) in blocks that
depend on nothing but the data.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from typing import BinaryIO, Final

from evidence_desk.errors import MalformedError

HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""ID, deflate, no flags, time 0, no extra flags, unknown system (RFC 1952 §2.3)."""
TRAILER: Final = struct.Struct("<II")
STORED: Final = 0
FAST: Final = 1
USUAL: Final = 6
_BLOCK: Final = 0xFFFF
_PIECE: Final = 1 << 16


class MemberWriter:
    """One gzip member on the way to `out`.

    Attributes:
        length: bytes written so far.
    """

    def __init__(self, out: BinaryIO, level: int) -> None:
        self._out = out
        self._sha256 = hashlib.sha256()
        self._crc = 0
        self._size = 0
        self._held = b""
        self._deflate = zlib.compressobj(level, zlib.DEFLATED, -15) if level else None
        self.length = 0
        self._emit(HEADER)

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        if self._deflate is not None:
            self._emit(self._deflate.compress(data))
            return
        held = memoryview(self._held + data if self._held else data)
        whole = len(held) // _BLOCK * _BLOCK
        pieces: list[bytes | memoryview] = []
        for start in range(0, whole, _BLOCK):
            pieces += (b"\x00\xff\xff\x00\x00", held[start : start + _BLOCK])
        self._held = bytes(held[whole:])
        if pieces:
            self._emit(b"".join(pieces))

    def finish(self) -> bytes:
        """Close the member; its SHA-256."""
        if self._deflate is not None:
            self._emit(self._deflate.flush())
        else:
            size = len(self._held)
            self._emit(struct.pack("<BHH", 1, size, size ^ _BLOCK) + self._held)
        self._emit(TRAILER.pack(self._crc, self._size & 0xFFFFFFFF))
        return self._sha256.digest()

    def _emit(self, data: bytes) -> None:
        if data:
            self._out.write(data)
            self._sha256.update(data)
            self.length += len(data)


class MemberReader(io.RawIOBase):
    """Content of one member, as it is needed; the end of the stream means that CRC-32 and size were right.

    Args:
        source: gives the member's bytes, and possibly those of the next one.
        refuse: error for a reason.
        limit: greatest size of the content in bytes.

    Attributes:
        rest: after the end, bytes that were read beyond the member.
        length: after the end, bytes of the member.
    """

    def __init__(
        self, source: BinaryIO, refuse: Callable[[str], MalformedError], limit: int, ahead: bytes = b""
    ) -> None:
        super().__init__()
        self._source = source
        self._refuse = refuse
        self._limit = limit
        self._ahead = ahead
        self._inflate = zlib.decompressobj(-15)
        self._crc = 0
        self._size = 0
        self._ended = False
        self.length = 0
        if self._take(len(HEADER)) != HEADER:
            raise refuse("gzip_header")

    @property
    def rest(self) -> bytes:
        """Bytes read beyond the member."""
        return self._ahead

    @property
    def ended(self) -> bool:
        """Whether the trailer was reached and right."""
        return self._ended

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Next bytes of the content; 0 at the end.

        Raises:
            MalformedError: reasons ``truncated``, ``gzip``, ``gzip_trailer``, ``too_large``.
        """
        while not self._ended and len(buffer):
            data = self._ahead or self._source.read(_PIECE)
            if not data:
                raise self._refuse("truncated")
            try:
                plain = self._inflate.decompress(data, min(len(buffer), _PIECE))
            except zlib.error as error:
                raise self._refuse("gzip") from error
            self._ahead = self._inflate.unconsumed_tail or self._inflate.unused_data
            self.length += len(data) - len(self._ahead)
            self._crc = zlib.crc32(plain, self._crc)
            self._size += len(plain)
            if self._size > self._limit:
                raise self._refuse("too_large")
            if self._inflate.eof:
                self._finish()
            if plain:
                buffer[: len(plain)] = plain
                return len(plain)
        return 0

    def _finish(self) -> None:
        if self._take(TRAILER.size) != TRAILER.pack(self._crc, self._size & 0xFFFFFFFF):
            raise self._refuse("gzip_trailer")
        self._ended = True

    def _take(self, size: int) -> bytes:
        while len(self._ahead) < size:
            more = self._source.read(_PIECE)
            if not more:
                raise self._refuse("truncated")
            self._ahead += more
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        self.length += size
        return taken

"""Frames of the ABCI socket: an unsigned varint with the length, then that many bytes. Sans-IO; knows no message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evidence_desk.errors import MalformedError

FRAME_LIMIT: Final = 32 << 20
"""Greatest message in bytes: a block of ours has at most 4 MiB, its hashes and votes a fraction of that."""
_VARINT_LIMIT: Final = 5
"""Bytes of a varint below 2^35; no length within the limit needs more."""


def frame(message: bytes) -> bytes:
    """`message` with its length before it."""
    length, prefix = len(message), bytearray()
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + message


class FrameReader:
    """Cuts a stream into messages; after an error it takes nothing more."""

    def __init__(self, limit: int = FRAME_LIMIT) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._broken = False

    @property
    def pending(self) -> int:
        """Bytes of a message that is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Messages completed by `data`, in order; iterate to the end before feeding again.

        Raises:
            MalformedError: ``malformed.abci_frame`` for a length that is not minimal, or beyond the limit.
        """
        self._buffer += data
        start = 0
        try:
            while (found := self._length(start)) is not None:
                length, begin = found
                if len(self._buffer) - begin < length:
                    break
                yield bytes(self._buffer[begin : begin + length])
                start = begin + length
        finally:
            del self._buffer[:start]

    def _length(self, start: int) -> tuple[int, int] | None:
        """(length, position after it) of the message that begins at `start`; None when bytes are missing."""
        if self._broken:
            raise MalformedError("malformed.abci_frame", limit=self._limit)
        length = 0
        for count, byte in enumerate(self._buffer[start : start + _VARINT_LIMIT]):
            length |= (byte & 0x7F) << 7 * count
            if byte < 0x80:
                if length > self._limit or (byte == 0 and count):
                    break
                return length, start + count + 1
        else:
            if len(self._buffer) - start < _VARINT_LIMIT:
                return None
        self._broken = True
        raise MalformedError("malformed.abci_frame", limit=self._limit)

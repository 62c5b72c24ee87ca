"""Reading of the presentation language of TLS (RFC 8446 §3): numbers and length-prefixed vectors, bounds checked."""

from __future__ import annotations

from collections.abc import Iterator

from evidence_desk.wacz.tls.faults import Fault


class Cursor:
    """Position inside the bytes of a message."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        """The next `size` bytes; Fault ``tls.message.malformed`` when there are fewer."""
        end = self._at + size
        if end > len(self._data):
            raise Fault(code="tls.message.malformed")
        found = self._data[self._at : end]
        self._at = end
        return found

    def number(self, size: int) -> int:
        """The next `size` bytes as a number."""
        return int.from_bytes(self.take(size))

    def vector(self, size: int) -> bytes:
        """The content of a vector whose length is written in `size` bytes."""
        return self.take(self.number(size))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)

    def done(self) -> None:
        """Refuse trailing bytes."""
        if self:
            raise Fault(code="tls.message.malformed")


def vectors(data: bytes, size: int) -> Iterator[bytes]:
    """The vectors that `data` is a list of."""
    cursor = Cursor(data)
    while cursor:
        yield cursor.vector(size)


def numbers(data: bytes, size: int) -> tuple[int, ...]:
    """The numbers that `data` is a list of."""
    if len(data) % size:
        raise Fault(code="tls.message.malformed")
    return tuple(int.from_bytes(data[at : at + size]) for at in range(0, len(data), size))

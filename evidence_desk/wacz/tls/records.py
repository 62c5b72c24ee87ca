"""Cutting a stream into records (RFC 8446 §5.1), whatever pieces it comes in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from evidence_desk.wacz.tls.faults import Fault

HEADER: Final = 5
MAX_PAYLOAD: Final = (1 << 14) + 2048
"""Greatest record of TLS 1.2 (RFC 5246 §6.2.3); one of TLS 1.3 holds 256 over 2^14."""
CHANGE_CIPHER_SPEC: Final = 20
ALERT: Final = 21
HANDSHAKE: Final = 22
APPLICATION_DATA: Final = 23


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `at` is the moment its last byte passed."""

    kind: int
    header: bytes
    payload: bytes
    at: int


class RecordReader:
    """Collects pieces, gives records; pieces are joined only when they complete one."""

    def __init__(self) -> None:
        self._buffer = b""
        self._offset = 0
        self._pieces: list[bytes] = []
        self._read = 0
        self._fed = 0
        self._needed = HEADER
        self._moments: deque[tuple[int, int]] = deque()

    @property
    def waiting(self) -> int:
        """Bytes that are not given out yet."""
        return self._fed - self._read

    def feed(self, at: int, data: bytes) -> None:
        """Take in the next piece."""
        if data:
            self._pieces.append(data)
            self._fed += len(data)
            self._moments.append((self._fed, at))

    def drop(self) -> int:
        """Throw away what waits; its size."""
        size = self.waiting
        self.__init__()  # type: ignore[misc]
        return size

    def next(self) -> Record | None:
        """The next whole record, None until more comes; Fault ``tls.record.malformed``."""
        if self.waiting < self._needed:
            return None
        if self._pieces:
            rest = self._buffer[self._offset :]
            self._buffer = (
                b"".join((rest, *self._pieces)) if rest or len(self._pieces) > 1 else self._pieces[0]
            )
            self._offset = 0
            self._pieces = []
        start = self._offset + HEADER
        header = self._buffer[self._offset : start]
        length = header[3] << 8 | header[4]
        if not CHANGE_CIPHER_SPEC <= header[0] <= APPLICATION_DATA or header[1] != 3 or length > MAX_PAYLOAD:
            raise Fault(code="tls.record.malformed")
        if self.waiting < HEADER + length:
            self._needed = HEADER + length
            return None
        self._needed = HEADER
        self._offset = start + length
        self._read += HEADER + length
        while self._moments[0][0] < self._read:
            self._moments.popleft()
        return Record(header[0], header, self._buffer[start : self._offset], self._moments[0][1])

"""A time source for the clock guard: SNTP version 4 (RFC 4330), unauthenticated, so good for doubt and not for proof."""

from __future__ import annotations

import secrets
import socket
from datetime import UTC, datetime, timedelta
from typing import Final

from evidence_desk.errors import RemoteError

PORT: Final = 123
SECONDS: Final = 2.0
_SIZE: Final = 48
_CLIENT: Final = 0x23
_SERVER_MODE: Final = 4
_EPOCH: Final = datetime(1900, 1, 1, tzinfo=UTC)
_ERA: Final = 1 << 32


class SntpSource:
    """Asks one server for the time; call it.

    Raises:
        RemoteError: ``authority.clock_source_silent`` when it is silent, not synchronized or answers another question.
    """

    def __init__(self, host: str, port: int = PORT, *, seconds: float = SECONDS) -> None:
        self._host = host
        self._port = port
        self._seconds = seconds

    def __call__(self) -> datetime:
        """The server's time when it answered, UTC."""
        # The server copies our transmit timestamp; random bits in it keep others from answering blindly (§5).
        cookie = secrets.token_bytes(8)
        try:
            info = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, address = info[0]
            with socket.socket(family, kind, protocol) as query:
                query.settimeout(self._seconds)
                query.connect(address)
                query.send(bytes([_CLIENT]) + bytes(39) + cookie)
                answer = query.recv(_SIZE)
        except (OSError, UnicodeError) as error:
            raise self._silent() from error
        return self._read(answer, cookie)

    def _read(self, answer: bytes, cookie: bytes) -> datetime:
        if len(answer) < _SIZE or answer[24:32] != cookie:
            raise self._silent()
        leap, mode, stratum = answer[0] >> 6, answer[0] & 7, answer[1]
        sent = int.from_bytes(answer[40:48], "big")
        if leap == 3 or mode != _SERVER_MODE or not 1 <= stratum <= 15 or not sent:
            raise self._silent()
        seconds, fraction = divmod(sent, _ERA)
        if seconds < _ERA // 2:  # RFC 4330 §3: the era that began in 2036
            seconds += _ERA
        return _EPOCH + timedelta(seconds=seconds, microseconds=fraction * 1_000_000 // _ERA)

    def _silent(self) -> RemoteError:
        return RemoteError("authority.clock_source_silent", source=self._host[:80])

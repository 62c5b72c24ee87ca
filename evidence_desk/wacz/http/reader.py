"""Application bytes of one connection, whichever HTTP they speak."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.http.body import Body
from evidence_desk.wacz.http.exchange import Exchange, WebSocketMessage
from evidence_desk.wacz.http.frames import PREFACE
from evidence_desk.wacz.http.http1 import Http1
from evidence_desk.wacz.http.http2 import Http2
from evidence_desk.wacz.http.ledger import End, Ledger
from evidence_desk.wacz.http.limits import DEFAULT_LIMITS, Limits

_MAX_UNDECIDED: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResult:
    """What a connection was read into; `close` gives the spool file back."""

    exchanges: tuple[Exchange, ...]
    messages: tuple[WebSocketMessage, ...]
    faults: tuple[str, ...]
    surplus: Body | None
    close: Callable[[], None] = field(repr=False, compare=False)


class HttpReader:
    """Feeds bytes to HTTP/1 or HTTP/2: by ALPN where there is one, else by the first bytes of the browser."""

    def __init__(
        self,
        *,
        number: int,
        scheme: str,
        host: str,
        port: int,
        spool: Callable[[], BinaryIO],
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        name = f"[{host}]" if ":" in host and not host.startswith("[") else host
        default = _PORTS.get(scheme) == port
        authority = name if default else f"{name}:{port}"
        self._ledger = Ledger(
            number=number, scheme=scheme, authority=authority.encode("utf-8"), default_port=default,
            spool=spool, limits=limits,
        )  # fmt: skip
        self._protocol: Http1 | Http2 | None = None
        self._first = b""
        self._early: list[tuple[Direction, int, bytes]] = []
        self._held = 0
        self._last_at = 0

    def choose(self, alpn: str | None) -> None:
        """The protocol that the handshake agreed on; None or an unknown one leaves it to the bytes."""
        if self._protocol is None and alpn in ("h2", "http/1.1", "http/1.0"):
            self._set(Http2(self._ledger) if alpn == "h2" else Http1(self._ledger))

    def feed(self, direction: Direction, at: int, data: bytes) -> None:
        """Next bytes of a direction; `at` in microseconds of the Unix epoch."""
        self._last_at = at
        if self._protocol is not None:
            self._protocol.feed(direction, at, data)
            return
        self._early.append((direction, at, data))
        self._held += len(data)
        if direction is Direction.OUT:
            self._first += data[: len(PREFACE)]
        undecided = PREFACE.startswith(self._first[: len(PREFACE)]) and len(self._first) < len(PREFACE)
        if not undecided or self._held > _MAX_UNDECIDED:
            self._decide()

    def _decide(self) -> None:
        self._set(Http2(self._ledger) if self._first.startswith(PREFACE) else Http1(self._ledger))

    def _set(self, protocol: Http1 | Http2) -> None:
        self._protocol = protocol
        early, self._early = self._early, []
        for direction, at, data in early:
            protocol.feed(direction, at, data)

    def finish(self, end: End) -> HttpResult:
        """The connection is over, in the way `end` says."""
        if self._protocol is None:
            self._decide()
        ledger = self._ledger
        ledger.end = end
        if self._protocol is not None:
            self._protocol.finish(self._last_at)
        return HttpResult(
            exchanges=ledger.exchanges(), messages=tuple(ledger.messages), faults=tuple(ledger.faults),
            surplus=None if ledger.surplus is None else ledger.surplus.body(), close=ledger.spool.close,
        )  # fmt: skip

"""What one connection gives, while it is being read: drafts of exchanges, messages, faults."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import BinaryIO, Final

from evidence_desk.wacz.http.body import Body, BodySink, Spool
from evidence_desk.wacz.http.exchange import Exchange, Framing, WebSocketMessage
from evidence_desk.wacz.http.feed import ProtocolFault
from evidence_desk.wacz.http.heads import Field
from evidence_desk.wacz.http.limits import Limits

_MAX_FAULTS: Final = 64
_OVERHEAD: Final = 200
"""Bytes that a kept head or field costs beside its own."""


class End(Enum):
    """What the end of a connection says about a body that ends with it."""

    ORDERLY = "orderly"
    UNPROVEN = "unproven"
    """TCP was closed without the close_notify of TLS: the browser takes it for whole, a cut cannot be excluded."""
    BROKEN = "broken"


class Draft:
    """An exchange that is not whole yet; the attributes are those of `Exchange`."""

    def __init__(self, spool: Spool, *, connection: int, ordinal: int, stream: int | None, at: int) -> None:
        self.spool = spool
        self.connection = connection
        self.ordinal = ordinal
        self.stream = stream
        self.protocol = "h2" if stream is not None else "http/1.1"
        self.method = self.url = ""
        self.request_head = b""
        self.request = BodySink(spool)
        self.request_payload: BodySink | None = None
        self.request_trailers: list[Field] = []
        self.informational: list[bytes] = []
        self.status: int | None = None
        self.response_head: bytes | None = None
        self.response: BodySink | None = None
        self.payload: BodySink | None = None
        self.framing = Framing.H2 if stream is not None else Framing.NONE
        self.trailers: list[Field] = []
        self.started_at = at
        self.head_at: int | None = None
        self.ended_at = at
        self.request_done = self.response_done = self.broken = False
        self.fault: str | None = None
        self.reset: str | None = None
        self.pushed = False
        self.wants: str | None = None
        self.upgraded: str | None = None

    @property
    def done(self) -> bool:
        """Request and response came to their ends."""
        return self.request_done and self.response_done

    def remark(self, code: str) -> None:
        """Something is odd, but it is read on; the first remark stays."""
        self.fault = self.fault or code

    def fail(self, code: str) -> None:
        """It never becomes whole."""
        self.broken = True
        self.remark(code)

    def build(self) -> Exchange:
        """The exchange as it stands."""
        request = self.request.body()
        response = None if self.response is None else self.response.body()
        return Exchange(
            connection=self.connection, stream=self.stream, protocol=self.protocol, method=self.method, url=self.url,
            request_head=self.request_head, request_body=request,
            request_payload=_payload(self.request_payload, request), request_trailers=tuple(self.request_trailers),
            informational=tuple(self.informational), status=self.status, response_head=self.response_head,
            response_body=response, payload=None if response is None else _payload(self.payload, response),
            framing=self.framing, trailers=tuple(self.trailers), started_at=self.started_at, head_at=self.head_at,
            ended_at=self.ended_at, complete=self.done and not self.broken, fault=self.fault, reset=self.reset,
            pushed=self.pushed, upgraded=self.upgraded,
        )  # fmt: skip


def _payload(payload: BodySink | None, body: Body) -> Body:
    return body if payload is None else payload.body()


class Ledger:
    """Everything found on one connection.

    Attributes:
        scheme, authority: what a URL begins with when the request does not say.
        default_port: the port is the scheme's own.
        end: how the connection ended, once it did.
        surplus: bytes of the server that answer no request.
    """

    def __init__(
        self,
        *,
        number: int,
        scheme: str,
        authority: bytes,
        default_port: bool,
        spool: Callable[[], BinaryIO],
        limits: Limits,
    ) -> None:
        self.number = number
        self.scheme = scheme
        self.authority = authority
        self.default_port = default_port
        self.limits = limits
        self.spool = Spool(spool)
        self.messages: list[WebSocketMessage] = []
        self.faults: list[str] = []
        self.surplus: BodySink | None = None
        self.end = End.BROKEN
        self.received = 0
        self.inflated = 0
        self._drafts: list[tuple[int, Exchange]] = []
        self._ordinal = 0
        self._heads = 0

    def fault(self, code: str) -> None:
        """Something wrong with the connection; each code once."""
        if code not in self.faults and len(self.faults) < _MAX_FAULTS:
            self.faults.append(code)

    def begin(self, at: int, stream: int | None = None) -> Draft:
        """A new exchange; ProtocolFault when there are too many."""
        if self._ordinal == self.limits.exchanges:
            raise ProtocolFault("http.too_many_exchanges")
        self._ordinal += 1
        return Draft(self.spool, connection=self.number, ordinal=self._ordinal, stream=stream, at=at)

    def close(self, draft: Draft, at: int) -> None:
        """An exchange that is over."""
        draft.ended_at = at
        self._drafts.append((draft.ordinal, draft.build()))

    def count_head(self, head: bytes) -> bytes:
        """Account for a head that is kept; ProtocolFault when all together are too large."""
        self._count(len(head) + _OVERHEAD)
        return head

    def count_fields(self, found: list[Field]) -> list[Field]:
        """Account for fields that are kept one by one; ProtocolFault."""
        self._count(sum(len(name) + len(value) + _OVERHEAD for name, value in found))
        return found

    def _count(self, size: int) -> None:
        self._heads += size
        if self._heads > self.limits.heads:
            raise ProtocolFault("http.heads_too_large")

    def add_message(self, message: WebSocketMessage) -> None:
        """Keep a message."""
        if len(self.messages) < self.limits.messages:
            self.messages.append(message)
        else:
            self.fault("websocket.too_many_messages")

    def add_surplus(self, data: bytes) -> None:
        """Bytes that answer no request."""
        if self.surplus is None:
            self.fault("http.surplus")
            self.surplus = BodySink(self.spool)
        self.surplus.write(data)

    def exchanges(self) -> tuple[Exchange, ...]:
        """All, in the order of their requests."""
        return tuple(exchange for _, exchange in sorted(self._drafts, key=lambda item: item[0]))

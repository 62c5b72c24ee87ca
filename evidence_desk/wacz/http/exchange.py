"""What a connection is read into: exchanges (a request with its response) and WebSocket messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.http.body import Body
from evidence_desk.wacz.http.heads import Field, fields


class Framing(StrEnum):
    """How the end of a body was told."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"
    H2 = "h2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and what came back; moments in microseconds of the Unix epoch.

    Attributes:
        connection: its number.
        stream: HTTP/2 stream, None in HTTP/1.
        protocol: ``http/0.9`` (a response without head), ``http/1.0``, ``http/1.1`` or ``h2``; of the response, if any.
        url: absolute, without fragment; bytes that no URL has are percent-encoded. A WebSocket's too begins with http.
        request_head, response_head: HTTP/1: as on the wire, to the empty line. HTTP/2: the header block in the form of
            HTTP/1.1, in order, pseudo-header fields mapped (docs/spec/capture-http.md).
        request_body, response_body: HTTP/1: as on the wire, chunk framing and trailers included. HTTP/2: data without
            padding.
        request_payload, payload: without chunk framing; the same as the body where there is none.
        informational: heads of 1xx responses, in order.
        head_at: when the head of the final response was whole.
        complete: request and response came whole, as far as the protocol can tell.
        fault: code of the first thing wrong, None when nothing is.
        reset: HTTP/2 error code (name of RFC 9113 §7, or number) when a side reset the stream.
        upgraded: what the connection or stream became, ``websocket`` or another token in lower case.
    """

    connection: int
    stream: int | None
    protocol: str
    method: str
    url: str
    request_head: bytes
    request_body: Body
    request_payload: Body
    request_trailers: tuple[Field, ...]
    informational: tuple[bytes, ...]
    status: int | None
    response_head: bytes | None
    response_body: Body | None
    payload: Body | None
    framing: Framing
    trailers: tuple[Field, ...]
    started_at: int
    head_at: int | None
    ended_at: int
    complete: bool
    fault: str | None
    reset: str | None
    pushed: bool
    upgraded: str | None

    @property
    def request_headers(self) -> list[Field]:
        """Fields of the request, in order, duplicates kept, folded lines joined."""
        return fields(self.request_head)

    @property
    def response_headers(self) -> list[Field]:
        """Fields of the response, in order, duplicates kept, folded lines joined."""
        return fields(self.response_head or b"")


class MessageKind(StrEnum):
    """WebSocket messages and control frames (RFC 6455 §5.2)."""

    TEXT = "text"
    BINARY = "binary"
    CLOSE = "close"
    PING = "ping"
    PONG = "pong"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketMessage:
    """One message, put together from its frames, unmasked and inflated; control frames too.

    Attributes:
        at, ended_at: first and last byte, microseconds of the Unix epoch.
        compressed: it came compressed (RFC 7692). With fault ``websocket.not_inflated`` the body is as it came.
        frames: how many frames it came in.
    """

    connection: int
    stream: int | None
    direction: Direction
    at: int
    ended_at: int
    kind: MessageKind
    body: Body
    compressed: bool
    frames: int
    complete: bool
    fault: str | None

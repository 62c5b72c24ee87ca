"""HTTP/1 on one connection: requests and responses as on the wire, paired in order (RFC 9112), read as Chromium reads."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.http.body import BodySink
from evidence_desk.wacz.http.chunked import read_chunked
from evidence_desk.wacz.http.exchange import Framing
from evidence_desk.wacz.http.feed import Ended, Feed, Flow, ProtocolFault, Steps
from evidence_desk.wacz.http.heads import (
    HEAD_END,
    Field,
    Version,
    absolute_url,
    content_length,
    fields,
    fields_conflict,
    first,
    is_chunked,
    lengths_conflict,
    request_line,
    status_line,
    values,
)
from evidence_desk.wacz.http.ledger import Draft, End, Ledger
from evidence_desk.wacz.http.websocket import WebSocket

_SLOP: Final = 4
"""Stray bytes that Chromium skips before a status line."""
_BODYLESS: Final = frozenset({204, 205, 304})
_WHOLE: Final = 1 << 62
_HTTP: Final = re.compile(rb"http", re.IGNORECASE)


class Http1:
    """A connection that speaks HTTP/1."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: deque[Draft] = deque()
        self._socket: WebSocket | None = None
        self._opaque: Draft | None = None
        self._flows = {
            Direction.OUT: Flow(self._requests, ledger.fault),
            Direction.IN: Flow(self._responses, ledger.fault),
        }

    def feed(self, direction: Direction, at: int, data: bytes) -> None:
        """Next bytes of a direction."""
        self._flows[direction].push(data, at)

    def finish(self, at: int) -> None:
        """The connection is over."""
        for flow in self._flows.values():
            flow.end()
        for draft in [*self._waiting, *([self._opaque] if self._opaque else [])]:
            if not draft.done:
                begun = draft.response_head is not None or draft.response is not None or draft.informational
                draft.fail("http.truncated" if begun else "http.no_response")
            self._ledger.close(draft, at)
        self._waiting.clear()
        if self._socket is not None:
            self._socket.finish()

    # --- requests -------------------------------------------------------------------------------------------------

    def _requests(self, feed: Feed) -> Steps[None]:
        while (yield from feed.ready()):
            if self._socket is not None:
                yield from self._socket.read(feed, Direction.OUT)
                return
            if self._opaque is not None:
                yield from _rest(feed, self._opaque.request)
                return
            yield from self._request(feed)

    def _request(self, feed: Feed) -> Steps[None]:
        started = feed.at
        try:
            head = yield from feed.through(HEAD_END, self._ledger.limits.head, "http.head_too_large")
        except Ended:
            raise ProtocolFault("http.request_truncated") from None
        line = request_line(head)
        if line is None:
            raise ProtocolFault("http1.request_malformed")
        method, target, version = line
        found = fields(head)
        draft = self._ledger.begin(started)
        draft.request_head = self._ledger.count_head(head)
        draft.method = method
        draft.protocol = f"http/{version[0]}.{version[1]}"
        draft.url = absolute_url(self._ledger.scheme, first(found, b"host") or self._ledger.authority, target)
        wanted = first(found, b"upgrade")
        draft.wants = None if wanted is None else wanted.decode("latin-1").lower()
        self._waiting.append(draft)
        if is_chunked(found, version):
            draft.request_payload = BodySink(self._ledger.spool)
            trailers = yield from read_chunked(feed, draft.request, draft.request_payload)
            draft.request_trailers = self._ledger.count_fields(trailers)
        else:
            yield from _counted(feed, content_length(found) or 0, draft.request)
        draft.request_done = True
        self._settle(feed.at)

    # --- responses ------------------------------------------------------------------------------------------------

    def _responses(self, feed: Feed) -> Steps[None]:
        while (yield from feed.ready()):
            if self._socket is not None:
                yield from self._socket.read(feed, Direction.IN)
                return
            if self._opaque is not None and self._opaque.response is not None:
                yield from _rest(feed, self._opaque.response)
                return
            draft = next((item for item in self._waiting if not item.response_done), None)
            if draft is None:
                while (yield from feed.ready()):
                    self._ledger.add_surplus(feed.take(_WHOLE))
                return
            try:
                yield from self._response(feed, draft)
            except (ProtocolFault, Ended) as why:
                draft.fail(why.code if isinstance(why, ProtocolFault) else "http.truncated")
                if draft.response is None:  # not even a head: what came is kept as a body
                    draft.response, draft.framing = BodySink(self._ledger.spool), Framing.CLOSE
                yield from _rest(feed, draft.response)
                return
            self._settle(feed.at)

    def _response(self, feed: Feed, draft: Draft) -> Steps[None]:
        """One final response with its body, and the 1xx before it."""
        while True:
            if not (yield from self._at_status_line(feed, draft)):
                yield from self._headless(feed, draft)
                return
            head = yield from feed.through(HEAD_END, self._ledger.limits.head, "http.head_too_large")
            self._ledger.count_head(head)
            status, version = status_line(head)
            if status // 100 != 1 or status == 101:
                break
            draft.informational.append(head)
        draft.status, draft.response_head, draft.head_at = status, head, feed.at
        draft.protocol = f"http/{version[0]}.{version[1]}"
        found = fields(head)
        if b"\0" in head:
            raise ProtocolFault("http1.head_malformed")
        if fields_conflict(found):
            draft.remark("http1.fields_conflict")
        if status == 101:
            self._switch(draft, first(found, b"upgrade"), found)
            return
        draft.response = sink = BodySink(self._ledger.spool)
        if draft.method != "HEAD" and status not in _BODYLESS:
            yield from self._body(feed, draft, sink, found, version)
        draft.response_done = True

    def _at_status_line(self, feed: Feed, draft: Draft) -> Steps[bool]:
        """Go to where the status line begins; False when none does (HTTP/0.9)."""
        seen = yield from feed.peek(_SLOP + 4)
        found = _HTTP.search(seen)
        if found is None:
            return False
        if found.start():
            draft.remark("http1.stray_bytes")
            feed.take(found.start())
        return True

    def _headless(self, feed: Feed, draft: Draft) -> Steps[None]:
        """No status line: a response of HTTP/0.9 where Chromium takes it for one, at the default port; else a fault."""
        draft.protocol = "http/0.9"
        if not self._ledger.default_port or draft.informational:
            raise ProtocolFault("http1.no_status_line")
        draft.remark("http1.no_status_line")
        draft.head_at = feed.at
        draft.response = sink = BodySink(self._ledger.spool)
        yield from self._to_end(feed, draft, sink)
        draft.response_done = True

    def _to_end(self, feed: Feed, draft: Draft, sink: BodySink) -> Steps[None]:
        """A body that the end of the connection ends."""
        draft.framing = Framing.CLOSE
        yield from _rest(feed, sink)
        if self._ledger.end is End.BROKEN:
            raise ProtocolFault("http.truncated")
        if self._ledger.end is End.UNPROVEN:
            draft.remark("http1.end_unproven")

    def _body(
        self, feed: Feed, draft: Draft, sink: BodySink, found: list[Field], version: Version
    ) -> Steps[None]:
        length = content_length(found)
        if is_chunked(found, version):
            if length is not None:
                draft.remark("http1.length_and_chunked")
            draft.framing, draft.payload = Framing.CHUNKED, BodySink(self._ledger.spool)
            trailers = yield from read_chunked(feed, sink, draft.payload)
            draft.trailers = self._ledger.count_fields(trailers)
            return
        if values(found, b"transfer-encoding"):
            draft.remark("http1.coding_ignored")
        if lengths_conflict(found):
            draft.framing = Framing.CLOSE
            raise ProtocolFault("http1.lengths_conflict")
        elif length is not None:
            draft.framing = Framing.LENGTH
            yield from _counted(feed, length, sink)
        else:
            yield from self._to_end(feed, draft, sink)

    def _switch(self, draft: Draft, token: bytes | None, found: list[Field]) -> None:
        """The protocol changes after 101 (RFC 9110 §7.8)."""
        token = (token or b"").lower()
        draft.upgraded = token.decode("latin-1") or None
        draft.response_done = draft.request_done = True
        if token == b"websocket" and draft.wants == "websocket":
            self._socket = WebSocket(self._ledger, None, values(found, b"sec-websocket-extensions"))
            return
        self._waiting.remove(draft)
        draft.response, draft.framing = BodySink(self._ledger.spool), Framing.CLOSE
        draft.remark("http.protocol_unknown")
        self._opaque = draft

    def _settle(self, at: int) -> None:
        """Give the exchanges at the head of the line that are over."""
        while self._waiting and self._waiting[0].done:
            self._ledger.close(self._waiting.popleft(), at)


def _counted(feed: Feed, length: int, sink: BodySink) -> Steps[None]:
    while length:
        piece = yield from feed.some(length)
        sink.write(piece)
        length -= len(piece)


def _rest(feed: Feed, sink: BodySink) -> Steps[None]:
    while (yield from feed.ready()):
        sink.write(feed.take(_WHOLE))

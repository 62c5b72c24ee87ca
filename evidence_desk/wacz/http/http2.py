"""HTTP/2 on one connection (RFC 9113): frames of both directions to exchanges; flow control is theirs, not ours."""

from __future__ import annotations

from functools import partial
from typing import Final

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.http.body import BodySink
from evidence_desk.wacz.http.feed import Feed, Flow, ProtocolFault, Steps
from evidence_desk.wacz.http.frames import (
    ERRORS,
    PREFACE,
    Flag,
    FrameHead,
    Kind,
    Setting,
    read_head,
    read_settings,
    unpadded,
)
from evidence_desk.wacz.http.header_block import HeaderDecoder, Message, request_head, response_head
from evidence_desk.wacz.http.heads import content_length, fields, values
from evidence_desk.wacz.http.ledger import Draft, Ledger
from evidence_desk.wacz.http.websocket import WebSocket

_MAX_FRAME: Final = 1 << 14


class _Stream:
    """An open stream."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.socket: dict[Direction, Flow] | None = None
        self.both: WebSocket | None = None


class _Side:
    """What one direction needs: HPACK state of its sender, what its receiver allows."""

    def __init__(self, limits_head: int) -> None:
        self.headers = HeaderDecoder(limits_head)
        self.max_frame = _MAX_FRAME


class Http2:
    """A connection that speaks HTTP/2."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._streams: dict[int, _Stream] = {}
        self._highest = {Direction.OUT: 0, Direction.IN: 0}
        self._sides = {direction: _Side(ledger.limits.head) for direction in Direction}
        self._controls = 0
        self._refused_above: int | None = None
        self._flows = {
            direction: Flow(partial(self._frames, direction=direction), ledger.fault)
            for direction in Direction
        }

    def feed(self, direction: Direction, at: int, data: bytes) -> None:
        """Next bytes of a direction."""
        self._flows[direction].push(data, at)

    def finish(self, at: int) -> None:
        """The connection is over."""
        for flow in self._flows.values():
            flow.end()
        for number, stream in list(self._streams.items()):
            draft = stream.draft
            refused = self._refused_above is not None and number > self._refused_above and not draft.pushed
            if draft.response_head is not None:
                draft.fail("http.truncated")
            else:
                draft.fail("http2.refused" if refused else "http.no_response")
            self._close(number, stream, at)

    # --- frames ---------------------------------------------------------------------------------------------------

    def _frames(self, feed: Feed, direction: Direction) -> Steps[None]:
        if direction is Direction.OUT and (yield from feed.exactly(len(PREFACE))) != PREFACE:
            raise ProtocolFault("http2.preface")
        while (yield from feed.ready()):
            started = feed.at
            head = read_head(feed.take(9) if feed.available >= 9 else (yield from feed.exactly(9)))
            if head.length > self._sides[direction].max_frame:
                raise ProtocolFault("http2.frame_too_large")
            if head.kind == Kind.DATA:
                yield from self._data(feed, direction, head)
                continue
            payload = yield from feed.exactly(head.length)
            match head.kind:
                case Kind.HEADERS | Kind.PUSH_PROMISE:
                    yield from self._block(feed, direction, head, payload, started)
                case Kind.CONTINUATION:
                    raise ProtocolFault("http2.continuation")
                case Kind.SETTINGS:
                    self._settings(direction, head, payload)
                case Kind.RST_STREAM:
                    self._reset(direction, head, payload, feed.at)
                case Kind.GOAWAY:
                    self._goaway(direction, head, payload)
                case _:
                    self._control()

    def _control(self) -> None:
        self._controls += 1
        if self._controls == self._ledger.limits.controls:
            self._ledger.fault("http2.flood")

    def _data(self, feed: Feed, direction: Direction, head: FrameHead) -> Steps[None]:
        padded = head.flags & Flag.PADDED
        if padded and not head.length:
            raise ProtocolFault("http2.frame_malformed")
        padding = (yield from feed.exactly(1))[0] if padded else 0
        left = head.length - padding - bool(padded)
        if left < 0 or not head.stream:
            raise ProtocolFault("http2.frame_malformed")
        if not left:
            self._control()
        stream = self._streams.get(head.stream)
        sink = None
        if left and stream is not None and stream.socket is None:
            sink = self._sink(stream, direction)
        while left:
            piece = feed.take(left) or (yield from feed.some(left))
            left -= len(piece)
            if stream is not None and stream.socket is not None:
                stream.socket[direction].push(piece, feed.at)
            elif sink is not None:
                sink.write(piece)
        if padding:
            yield from feed.exactly(padding)
        if stream is not None and head.flags & Flag.END_STREAM and head.stream in self._streams:
            self._end(head.stream, stream, direction, feed.at)

    def _sink(self, stream: _Stream, direction: Direction) -> BodySink | None:
        draft = stream.draft
        if direction is Direction.OUT:
            sink = None if draft.request_done else draft.request
        else:
            sink = None if draft.response_done else draft.response
        if sink is None:  # after the end, or before the head
            draft.remark("http2.stray_data")
        return sink

    # --- header blocks --------------------------------------------------------------------------------------------

    def _block(
        self, feed: Feed, direction: Direction, head: FrameHead, payload: bytes, started: int
    ) -> Steps[None]:
        fragment = unpadded(head, payload)
        promised = 0
        if head.kind == Kind.PUSH_PROMISE:
            if len(fragment) < 4:
                raise ProtocolFault("http2.frame_malformed")
            promised, fragment = int.from_bytes(fragment[:4]) & 0x7FFFFFFF, fragment[4:]
        elif head.flags & Flag.PRIORITY:
            if len(fragment) < 5:
                raise ProtocolFault("http2.frame_malformed")
            fragment = fragment[5:]
        block = bytearray(fragment)
        flags, frames = head.flags, 1
        while not flags & Flag.END_HEADERS:
            following = read_head((yield from feed.exactly(9)))
            frames += 1
            if following.kind != Kind.CONTINUATION or following.stream != head.stream:
                raise ProtocolFault("http2.continuation")
            if len(block) + following.length > self._ledger.limits.head:
                raise ProtocolFault("http.head_too_large")
            if frames > self._ledger.limits.continuations:
                raise ProtocolFault("http2.flood")
            block += yield from feed.exactly(following.length)
            flags = following.flags
        message = self._sides[direction].headers.decode(bytes(block))
        if promised:
            self._promise(direction, promised, message, started)
        elif direction is Direction.OUT:
            self._request(head, message, started, feed.at)
        else:
            self._response(head, message, feed.at)

    def _open(self, number: int, message: Message, at: int) -> _Stream:
        if len(self._streams) >= self._ledger.limits.streams:
            raise ProtocolFault("http2.too_many_streams")
        draft = self._ledger.begin(at, number)
        draft.request_head = self._ledger.count_head(request_head(message))
        draft.method = message.pseudo.get(b":method", b"").decode("latin-1")
        draft.url = message.url(self._ledger.scheme, self._ledger.authority)
        protocol = message.pseudo.get(b":protocol")
        draft.wants = None if protocol is None else protocol.decode("latin-1").lower()
        if message.fault or not draft.method:
            draft.remark(message.fault or "http2.pseudo_malformed")
        stream = self._streams[number] = _Stream(draft)
        return stream

    def _request(self, head: FrameHead, message: Message, started: int, at: int) -> None:
        stream = self._streams.get(head.stream)
        if stream is None:
            if head.stream % 2 == 0 or head.stream <= self._highest[Direction.OUT]:
                self._ledger.fault("http2.stray_headers")
                return
            self._highest[Direction.OUT] = head.stream
            stream = self._open(head.stream, message, started)
        else:
            stream.draft.request_trailers.extend(self._ledger.count_fields(message.fields))
        if head.flags & Flag.END_STREAM:
            self._end(head.stream, stream, Direction.OUT, at)

    def _promise(self, direction: Direction, number: int, message: Message, at: int) -> None:
        if direction is Direction.OUT or number % 2 or number <= self._highest[Direction.IN]:
            raise ProtocolFault("http2.frame_malformed")
        self._highest[Direction.IN] = number
        stream = self._open(number, message, at)
        stream.draft.pushed = stream.draft.request_done = True

    def _response(self, head: FrameHead, message: Message, at: int) -> None:
        stream = self._streams.get(head.stream)
        if stream is None or stream.draft.response_done:
            known = self._highest[Direction.OUT if head.stream % 2 else Direction.IN]
            if not 0 < head.stream <= known:
                self._ledger.fault("http2.stray_headers")
            return
        draft = stream.draft
        if message.fault:
            draft.remark(message.fault)
        if draft.response_head is not None:
            draft.trailers.extend(self._ledger.count_fields(message.fields))
        elif message.informational:
            draft.informational.append(self._ledger.count_head(response_head(message)))
        else:
            draft.status, draft.head_at = message.status, at
            draft.response_head = self._ledger.count_head(response_head(message))
            draft.response = BodySink(self._ledger.spool)
            if draft.status is None:
                draft.fail("http2.pseudo_malformed")
            self._upgrade(head.stream, stream)
        if head.flags & Flag.END_STREAM:
            self._end(head.stream, stream, Direction.IN, at)

    def _upgrade(self, number: int, stream: _Stream) -> None:
        """Extended CONNECT that was accepted (RFC 8441 §4)."""
        draft = stream.draft
        if draft.method != "CONNECT" or draft.wants is None or (draft.status or 0) // 100 != 2:
            return
        draft.upgraded = draft.wants
        if draft.wants != "websocket":
            draft.remark("http.protocol_unknown")
            return
        draft.response = None
        extensions = values(fields(draft.response_head or b""), b"sec-websocket-extensions")
        socket = WebSocket(self._ledger, number, extensions)
        stream.both = socket
        stream.socket = {
            direction: Flow(partial(socket.read, direction=direction), draft.remark)
            for direction in Direction
        }

    # --- ends -----------------------------------------------------------------------------------------------------

    def _end(self, number: int, stream: _Stream, direction: Direction, at: int) -> None:
        draft = stream.draft
        if direction is Direction.OUT:
            draft.request_done = True
        elif draft.response_head is None:
            draft.fail("http2.no_head")
            draft.response_done = True
        else:
            draft.response_done = True
            draft.ended_at = at
            length = content_length(fields(draft.response_head))
            bodyless = draft.method == "HEAD" or draft.status in (204, 304)
            if draft.response is not None and not bodyless and length not in (None, draft.response.size):
                draft.remark("http2.length_mismatch")
        if draft.done:
            self._close(number, stream, at)

    def _close(self, number: int, stream: _Stream, at: int) -> None:
        del self._streams[number]
        if stream.socket is not None and stream.both is not None:
            for flow in stream.socket.values():
                flow.end()
            stream.both.finish()
        self._ledger.close(stream.draft, at)

    def _reset(self, direction: Direction, head: FrameHead, payload: bytes, at: int) -> None:
        if len(payload) != 4:
            raise ProtocolFault("http2.frame_malformed")
        stream = self._streams.get(head.stream)
        if stream is None:
            self._control()
            return
        code = int.from_bytes(payload)
        draft = stream.draft
        draft.reset = ERRORS.get(code, str(code))
        if draft.response_done and code == 0 and direction is Direction.IN:
            draft.request_done = (
                True  # the server has answered and wants no more of the request (RFC 9113 §8.1)
            )
            self._close(head.stream, stream, at)
            return
        draft.fail("http2.reset_by_browser" if direction is Direction.OUT else "http2.reset_by_server")
        self._close(head.stream, stream, at)

    def _goaway(self, direction: Direction, head: FrameHead, payload: bytes) -> None:
        if len(payload) < 8 or head.stream:
            raise ProtocolFault("http2.frame_malformed")
        self._control()
        if direction is Direction.IN:
            self._refused_above = int.from_bytes(payload[:4]) & 0x7FFFFFFF
        if int.from_bytes(payload[4:8]):
            self._ledger.fault(
                "http2.goaway_by_browser" if direction is Direction.OUT else "http2.goaway_by_server"
            )

    def _settings(self, direction: Direction, head: FrameHead, payload: bytes) -> None:
        """What a side allows the other; the greatest value counts, since the other may use it until it acknowledges."""
        self._control()
        other = self._sides[Direction.IN if direction is Direction.OUT else Direction.OUT]
        for name, value in read_settings(head, payload):
            if name == Setting.HEADER_TABLE_SIZE:
                other.headers.allow_table(min(value, self._ledger.limits.table))
            elif name == Setting.MAX_FRAME_SIZE and _MAX_FRAME <= value < 1 << 24:
                other.max_frame = max(other.max_frame, value)

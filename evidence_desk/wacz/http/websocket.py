"""WebSocket frames to messages (RFC 6455), inflated within bounds (RFC 7692); strict as Chromium's frame parser is."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.capture.stream import Direction
from evidence_desk.wacz.http.body import BodySink
from evidence_desk.wacz.http.exchange import MessageKind, WebSocketMessage
from evidence_desk.wacz.http.feed import Feed, ProtocolFault, Steps
from evidence_desk.wacz.http.ledger import Ledger

_KINDS: Final = {
    1: MessageKind.TEXT,
    2: MessageKind.BINARY,
    8: MessageKind.CLOSE,
    9: MessageKind.PING,
    10: MessageKind.PONG,
}
_MAX_CONTROL: Final = 125
_STEP: Final = 64 * 1024
_SYNC: Final = b"\x00\x00\xff\xff"
_MALFORMED: Final = "websocket.malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """Head of a frame (RFC 6455 §5.2)."""

    final: bool
    compressed: bool
    opcode: int
    length: int
    key: bytes


class _Message:
    """A message that is being put together."""

    def __init__(self, ledger: Ledger, kind: MessageKind, at: int, *, compressed: bool) -> None:
        self.kind = kind
        self.at = at
        self.compressed = compressed
        self.sink = BodySink(ledger.spool)
        self.frames = 0
        self.fault: str | None = None


class _Side:
    """One direction: its unfinished message and its inflater."""

    def __init__(self, direction: Direction, *, fresh: bool) -> None:
        self.direction = direction
        self.message: _Message | None = None
        self.control: _Message | None = None
        self.fresh = fresh
        """Each message begins with an empty window (no_context_takeover)."""
        self.inflater: zlib._Decompress | None = zlib.decompressobj(-15)


class WebSocket:
    """Both directions of a WebSocket, whatever carries it."""

    def __init__(self, ledger: Ledger, stream: int | None, extensions: list[bytes]) -> None:
        self._ledger = ledger
        self._stream = stream
        agreed = [[part.strip() for part in item.lower().split(b";")] for item in extensions]
        options = next((item[1:] for item in agreed if item[0] == b"permessage-deflate"), None)
        self._deflate = options is not None
        self._sides = {
            Direction.OUT: _Side(Direction.OUT, fresh=b"client_no_context_takeover" in (options or ())),
            Direction.IN: _Side(Direction.IN, fresh=b"server_no_context_takeover" in (options or ())),
        }
        self._last_at = 0

    def read(self, feed: Feed, direction: Direction) -> Steps[None]:
        """All frames of a direction.

        Raises:
            ProtocolFault: ``websocket.malformed``: Chromium would have failed the connection there.
        """
        side = self._sides[direction]
        while (yield from feed.ready()):
            started = feed.at
            head = yield from _head(feed, masked=direction is Direction.OUT)
            message = self._place(side, head, started)
            message.frames += 1
            left, offset = head.length, 0
            while left:
                piece = yield from feed.some(min(left, _STEP))
                self._last_at = feed.at
                self._write(side, message, unmask(piece, head.key, offset))
                left -= len(piece)
                offset += len(piece)
            self._last_at = feed.at
            if head.final:
                self._end(side, message)

    def finish(self) -> None:
        """Give what has begun and did not end."""
        for side in self._sides.values():
            for message in (side.message, side.control):
                if message is not None:
                    message.fault = message.fault or "http.truncated"
                    self._give(side, message, complete=False)
            side.message = side.control = None

    def _place(self, side: _Side, head: _Head, at: int) -> _Message:
        """The message that a frame belongs to."""
        if head.compressed and not self._deflate:
            raise ProtocolFault(_MALFORMED)
        if head.opcode == 0:
            if side.message is None or head.compressed:
                raise ProtocolFault(_MALFORMED)
            return side.message
        kind = _KINDS.get(head.opcode)
        if kind is None:
            raise ProtocolFault(_MALFORMED)
        message = _Message(self._ledger, kind, at, compressed=head.compressed)
        if head.opcode >= 8:
            if not head.final or head.length > _MAX_CONTROL or head.compressed:
                raise ProtocolFault(_MALFORMED)
            side.control = message
            return message
        if side.message is not None:
            raise ProtocolFault(_MALFORMED)
        if head.compressed and side.inflater is None:
            message.fault = "websocket.not_inflated"
        side.message = message
        return message

    def _write(self, side: _Side, message: _Message, piece: bytes) -> None:
        self._ledger.received += len(piece)
        if message.compressed and side.inflater is not None:
            self._inflate(side, message, piece)
        elif not message.compressed or message.fault == "websocket.not_inflated":
            message.sink.write(piece)

    def _inflate(self, side: _Side, message: _Message, piece: bytes) -> None:
        while side.inflater is not None:
            try:
                data = side.inflater.decompress(piece, _STEP)
            except zlib.error:
                message.fault, side.inflater = "websocket.deflate_malformed", None
                return
            self._ledger.inflated += len(data)
            if self._too_large(message.sink.size + len(data)):
                message.fault, side.inflater = "websocket.too_large", None
                return
            message.sink.write(data)
            piece = side.inflater.unconsumed_tail
            if side.inflater.eof:  # a block marked last: the next one begins anew (RFC 7692 §7.2.3.4)
                piece = side.inflater.unused_data
                side.inflater = zlib.decompressobj(-15)
            if not piece and len(data) < _STEP:
                return

    def _too_large(self, size: int) -> bool:
        limits = self._ledger.limits
        return size > limits.message or self._ledger.inflated > max(
            limits.inflated, 50 * self._ledger.received
        )

    def _end(self, side: _Side, message: _Message) -> None:
        if message.compressed and side.inflater is not None:
            self._inflate(side, message, _SYNC)
            if side.fresh and side.inflater is not None:
                side.inflater = zlib.decompressobj(-15)
        if message is side.control:
            side.control = None
        else:
            side.message = None
        self._give(side, message, complete=message.fault is None)

    def _give(self, side: _Side, message: _Message, *, complete: bool) -> None:
        self._ledger.add_message(
            WebSocketMessage(
                connection=self._ledger.number, stream=self._stream, direction=side.direction,
                at=message.at, ended_at=self._last_at or message.at, kind=message.kind,
                body=message.sink.body(), compressed=message.compressed, frames=message.frames,
                complete=complete, fault=message.fault,
            )
        )  # fmt: skip


def _head(feed: Feed, *, masked: bool) -> Steps[_Head]:
    first, second = yield from feed.exactly(2)
    length = second & 0x7F
    if length >= 126:
        size = 2 if length == 126 else 8
        least = 126 if size == 2 else 1 << 16
        length = int.from_bytes((yield from feed.exactly(size)))
        if not least <= length < 1 << 63:
            raise ProtocolFault(_MALFORMED)
    if first & 0x30 or bool(second & 0x80) is not masked:
        raise ProtocolFault(_MALFORMED)
    key = (yield from feed.exactly(4)) if masked else b""
    return _Head(
        final=bool(first & 0x80), compressed=bool(first & 0x40), opcode=first & 0x0F, length=length, key=key
    )


def unmask(data: bytes, key: bytes, offset: int) -> bytes:
    """Take the mask off (RFC 6455 §5.3); `offset` is where `data` lies in its frame. No key, no mask."""
    if not key:
        return data
    size, turn = len(data), offset % 4
    mask = ((key[turn:] + key[:turn]) * (size // 4 + 1))[:size]
    return (int.from_bytes(data) ^ int.from_bytes(mask)).to_bytes(size)

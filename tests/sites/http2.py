"""HTTP/2 test site: a thread a connection, streams interleaved, flow control kept, every answer logged."""

from __future__ import annotations

import select
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import H2Error, StreamClosedError
from h2.settings import SettingCodes

from tests.sites.answer import Answer, Ending, Framing, Pause, Piece, Request, Routes, find, text
from tests.sites.record import Header, Sent
from tests.sites.server import Link, Server, Stopped, Tls

_FULL = 256 * 1024


class Http2Site(Server):
    """Serves routes over HTTP/2 on a free loopback port while it is entered.

    `padding` bytes go into every DATA frame (RFC 9113 §6.1).
    """

    alpn = ("h2",)

    def __init__(self, name: str, routes: Routes, *, tls: Tls, padding: int = 0) -> None:
        super().__init__(name, routes, tls=tls)
        self.padding = padding

    def serve(self, link: Link) -> None:
        """Speak until either side closes."""
        session = _Session(self, link)
        try:
            session.run()
        except H2Error as error:
            self.log.faults.append(f"{link.number}: {type(error).__name__} {error}")
        finally:
            session.abandon()


@dataclass(slots=True)
class _Stream:
    sent: Sent
    answer: Answer | None = None
    rest: Iterator[Piece] = field(default_factory=lambda: iter(()))
    pending: bytes = b""
    due: float = 0.0
    drained: bool = False


class _Session:
    def __init__(self, site: Http2Site, link: Link) -> None:
        self._site, self._link = site, link
        self._connection = H2Connection(
            H2Configuration(
                client_side=False,
                header_encoding=None,
                normalize_outbound_headers=False,  # what a handler gives is what goes out and is logged
                validate_outbound_headers=False,
                normalize_inbound_headers=False,  # else crumbs of a cookie are put together
            )
        )
        self._streams: dict[int, _Stream] = {}
        self._last = False

    def run(self) -> None:
        self._connection.initiate_connection()
        self._connection.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 100})
        self._connection.increment_flow_control_window(8 << 20)
        self._flush()
        while not (self._last and not self._streams):
            if self._readable(0 if self._send_ready() else self._patience()):
                data = self._link.socket.recv(1 << 16)
                if not data:
                    break
                for event in self._connection.receive_data(data):
                    self._take(event)
            self._flush()
            if self._site.stopping:
                raise Stopped
        self._connection.close_connection()
        self._flush()

    def abandon(self) -> None:
        """The connection is over: nothing more is sent for what was open."""
        for number in list(self._streams):
            self._drop(number)

    def _drop(self, number: int) -> _Stream | None:
        stream = self._streams.pop(number, None)
        if stream is not None:
            stream.sent.settled.set()
        return stream

    def _readable(self, timeout: float) -> bool:
        plain = self._link.socket
        if isinstance(plain, ssl.SSLSocket) and plain.pending():
            return True
        return bool(select.select([plain], [], [], timeout)[0])

    def _patience(self) -> float:
        dues = [stream.due for stream in self._streams.values() if stream.due]
        return max(0.0, min([*(due - time.monotonic() for due in dues), 0.2]))

    def _flush(self) -> None:
        if data := self._connection.data_to_send():
            self._link.socket.sendall(data)

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(number), headers=headers):
                self._streams[number] = self._begin(
                    number, tuple((bytes(a), bytes(b)) for a, b in headers or ())
                )
            case DataReceived(stream_id=int(number), data=data, flow_controlled_length=length):
                if number in self._streams:
                    self._streams[number].sent.request_body += data or b""
                self._connection.acknowledge_received_data(length or 0, number)
            case StreamEnded(stream_id=int(number)) if number in self._streams:
                self._reply(number, self._streams[number])
            case StreamReset(stream_id=int(number), error_code=code):
                if stream := self._drop(number):
                    stream.sent.fault = f"client reset {code}"
            case WindowUpdated():
                pass  # the loop looks at every window anyway

    def _begin(self, number: int, headers: tuple[Header, ...]) -> _Stream:
        pseudo = dict(headers)
        sent = Sent(
            number=0, site=self._site.name, connection=self._link.number, peer=self._link.peer, protocol="h2",
            method=pseudo.get(b":method", b""), target=pseudo.get(b":path", b""), stream=number, request_headers=headers,
        )  # fmt: skip
        self._site.log.begin(sent)
        return _Stream(sent=sent)

    def _reply(self, number: int, stream: _Stream) -> None:
        sent, pseudo = stream.sent, dict(stream.sent.request_headers)
        request = Request(
            scheme="https",
            host=pseudo.get(b":authority", b"").decode("latin-1"),
            method=sent.method.decode("latin-1"),
            target=sent.target.decode("latin-1"),
            headers=sent.request_headers,
            body=sent.request_body,
            protocol="h2",
        )
        reply = find(self._site.routes, request.path)(request)
        answer = reply if isinstance(reply, Answer) else text("此路径只由 HTTP/1.1 提供。\n", status=421)
        stream.answer, stream.rest = answer, answer.pieces()
        sent.ending, sent.trailers = answer.ending.value, answer.trailers
        sent.remake = lambda: (piece for piece in answer.pieces() if isinstance(piece, bytes))
        for status, fields in answer.informational:
            sent.informational.append(self._headers(number, status, fields, end=False))
        empty = request.method == "HEAD" or answer.status in (204, 304) or answer.body == b""
        end = empty and not answer.trailers and answer.ending is not Ending.RESET
        sent.status = answer.status
        sent.headers = self._headers(number, answer.status, _fields(answer), end=end)
        if empty:
            stream.rest = iter(())
        if end:
            self._done(number, stream)

    def _headers(
        self, number: int, status: int, fields: tuple[Header, ...], *, end: bool
    ) -> tuple[Header, ...]:
        headers = ((b":status", str(status).encode()), *((name.lower(), value) for name, value in fields))
        self._connection.send_headers(number, headers, end_stream=end)
        return headers

    def _send_ready(self) -> bool:
        """One frame of each stream that may send; whether any could go on at once."""
        ready, queued = False, 0
        for number, stream in list(self._streams.items()):
            if stream.answer is None or stream.due > time.monotonic():
                continue
            stream.due = 0.0
            try:
                ready |= self._frame(number, stream)
            except StreamClosedError:
                self._drop(number)
            queued += 1
            if queued * self._connection.max_outbound_frame_size > _FULL:
                self._flush()
                queued = 0
        self._flush()
        return ready

    def _frame(self, number: int, stream: _Stream) -> bool:
        assert stream.answer is not None
        if not stream.pending and not stream.drained:
            piece = next(stream.rest, None)
            if isinstance(piece, Pause):
                stream.due = time.monotonic() + piece.seconds
                return False
            stream.pending, stream.drained = piece or b"", piece is None
        if stream.drained:
            self._finish(number, stream)
            return False
        padding = self._site.padding
        window = self._connection.local_flow_control_window(number)
        room = min(window, self._connection.max_outbound_frame_size) - (padding + 1 if padding else 0)
        if room <= 0:
            return False
        data, stream.pending = stream.pending[:room], stream.pending[room:]
        self._connection.send_data(number, data, pad_length=padding or None)
        stream.sent.body.add(data)
        stream.sent.payload = stream.sent.body
        return True

    def _finish(self, number: int, stream: _Stream) -> None:
        assert stream.answer is not None
        answer = stream.answer
        if answer.ending is Ending.RESET:
            self._connection.reset_stream(number, error_code=answer.reset_code)
            self._drop(number)
            return
        if answer.ending is Ending.CUT:
            self._flush()
            self._link.end(Ending.CUT)
            raise Stopped
        if answer.trailers:
            self._connection.send_headers(number, answer.trailers, end_stream=True)
        else:
            self._connection.end_stream(number)
        self._done(number, stream)

    def _done(self, number: int, stream: _Stream) -> None:
        assert stream.answer is not None
        stream.sent.completed = True
        self._drop(number)
        if stream.answer.ending is Ending.CLOSE:
            self._connection.close_connection(error_code=ErrorCodes.NO_ERROR, last_stream_id=number)
            self._last = True


def _fields(answer: Answer) -> tuple[Header, ...]:
    size = len(answer.body) if isinstance(answer.body, bytes) else answer.size
    if (
        size is None
        or answer.trailers
        or answer.framing not in (None, Framing.LENGTH)
        or answer.status in (204, 304)
    ):
        return answer.headers
    return (*answer.headers, (b"content-length", str(size).encode()))

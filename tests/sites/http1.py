"""HTTP/1.1 test site: a thread a connection, plain or TLS, sends exactly the bytes it is told and logs them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator

from tests.sites import websocket
from tests.sites.answer import Answer, Ending, Framing, Pause, Piece, Raw, Request, Upgrade, find
from tests.sites.record import Header, Sent
from tests.sites.server import Link, Server, Stopped

MAX_HEAD = 256 * 1024
MAX_BODY = 64 << 20
REASONS = {
    100: "Continue", 101: "Switching Protocols", 103: "Early Hints", 200: "OK", 204: "No Content", 206: "Partial Content",
    301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect",
    308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    416: "Range Not Satisfiable", 500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip


class Http1Site(Server):
    """Serves routes over HTTP/1.1 on a free loopback port while it is entered."""

    alpn = ("http/1.1",)

    def serve(self, link: Link) -> None:
        """Answer requests until either side has enough."""
        reader = _Reader(link.socket)
        while True:
            head = reader.head()
            if head is None:
                return
            if not self._one(link, reader, head):
                return

    def _one(self, link: Link, reader: _Reader, head: bytes) -> bool:
        method, target, headers = parse_head(head)
        request = Request(
            scheme=self.scheme,
            host=_first(headers, b"host").decode("latin-1"),
            method=method.decode("latin-1"),
            target=target.decode("latin-1"),
            headers=headers,
            body=reader.body(headers, link.socket),
            protocol="http/1.1",
        )
        sent = Sent(
            number=0, site=self.name, connection=link.number, peer=link.peer, protocol="http/1.1",
            method=method, target=target, request_head=head, request_headers=headers, request_body=request.body,
        )  # fmt: skip
        self.log.begin(sent)
        reply = find(self.routes, request.path)(request)
        if isinstance(reply, Upgrade):
            try:
                websocket.talk(self, link, sent, reply, reader.left())
            finally:
                sent.settled.set()
            return False
        raw = reply if isinstance(reply, Raw) else to_raw(reply, request.method)
        self._send(link, sent, raw, reply)
        if raw.ending is not Ending.KEEP:
            link.end(raw.ending)
            return False
        return _first(headers, b"connection").lower() != b"close"

    def _send(self, link: Link, sent: Sent, raw: Raw, reply: Answer | Raw) -> None:
        sent.ending, sent.trailers = raw.ending.value, raw.trailers
        sent.remake = lambda: (piece for piece in raw.pieces() if isinstance(piece, bytes))
        try:
            for before in raw.before:
                link.socket.sendall(before)
                sent.informational.append(before)
            sent.status, sent.head, sent.headers = _status(raw.head), raw.head, head_fields(raw.head)
            link.socket.sendall(raw.head)
            for piece in raw.pieces():
                if isinstance(piece, Pause):
                    self.pause(piece.seconds)
                    continue
                link.socket.sendall(piece)
                sent.body.add(piece)
            sent.completed = raw.ending is not Ending.RESET or isinstance(reply, Raw)
        except (OSError, Stopped) as error:
            sent.fault = type(error).__name__
            raise
        finally:
            self._payload(sent, raw, reply)
            sent.settled.set()

    @staticmethod
    def _payload(sent: Sent, raw: Raw, reply: Answer | Raw) -> None:
        if raw.payload is not None:
            sent.payload.add(raw.payload)
        elif isinstance(reply, Answer) and sent.body.size and _chunked(reply):
            if sent.completed:
                for piece in reply.pieces():
                    sent.payload.add(piece if isinstance(piece, bytes) else b"")
        else:
            sent.payload = sent.body


class _Reader:
    """Requests out of a socket."""

    def __init__(self, connection: socket.socket | ssl.SSLSocket) -> None:
        self._socket = connection
        self._buffer = b""

    def head(self) -> bytes | None:
        """Bytes up to and with the empty line; None when the client has gone."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD or not self._more():
                return None
            if not self._buffer[:1].isalpha():  # TLS at a plain port: browsers try https first
                return None
        return self._take(end + 4)

    def body(self, headers: tuple[Header, ...], connection: socket.socket) -> bytes:
        """The request's body, framing taken off."""
        if _first(headers, b"expect").lower() == b"100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if _first(headers, b"transfer-encoding").lower() == b"chunked":
            return b"".join(self._chunks())
        return self._exactly(int(_first(headers, b"content-length") or b"0"))

    def left(self) -> bytes:
        """What came beyond the last request."""
        return self._take(len(self._buffer))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().partition(b";")[0], 16):
            yield self._exactly(size)
            self._line()
        while self._line():
            pass

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if not self._more():
                raise ConnectionError
        return self._take(end + 2)[:-2]

    def _exactly(self, size: int) -> bytes:
        if size > MAX_BODY:
            raise ConnectionError
        while len(self._buffer) < size:
            if not self._more():
                raise ConnectionError
        return self._take(size)

    def _take(self, size: int) -> bytes:
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _more(self) -> bool:
        data = self._socket.recv(1 << 16)
        self._buffer += data
        return bool(data)


def to_raw(answer: Answer, method: str) -> Raw:
    """The exact bytes of an answer, its framing fields added after its own."""
    framing = answer.framing or _natural(answer)
    fields = list(answer.headers)
    if framing is Framing.LENGTH:
        size = len(answer.body) if isinstance(answer.body, bytes) else answer.size
        fields.append((b"Content-Length", str(size).encode()))
    elif framing is Framing.CHUNKED:
        fields.append((b"Transfer-Encoding", b"chunked"))
    if answer.ending is Ending.CLOSE or framing is Framing.CLOSE:
        fields.append((b"Connection", b"close"))
    ending = Ending.CLOSE if framing is Framing.CLOSE and answer.ending is Ending.KEEP else answer.ending
    return Raw(
        head=encode_head(answer.status, fields),
        before=tuple(encode_head(status, headers) for status, headers in answer.informational),
        body=b"" if framing is Framing.NONE or method == "HEAD" else lambda: _framed(answer, framing),
        trailers=answer.trailers,
        ending=ending,
    )


def encode_head(status: int, fields: Iterable[Header]) -> bytes:
    """Status line, fields and empty line."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}".encode()]
    lines += [name + b": " + value for name, value in fields]
    return b"\r\n".join([*lines, b"", b""])


def parse_head(head: bytes) -> tuple[bytes, bytes, tuple[Header, ...]]:
    """Method, target and fields of a request."""
    method, target, _version = head.split(b"\r\n", 1)[0].split(b" ", 2)
    return method, target, head_fields(head)


def head_fields(head: bytes) -> tuple[Header, ...]:
    """Fields of a head as they lie there, continuation lines joined by CRLF to what they continue."""
    fields: list[Header] = []
    for line in head.split(b"\r\n")[1:]:
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1] = (fields[-1][0], fields[-1][1] + b"\r\n" + line)
        elif line:
            name, _, value = line.partition(b":")
            fields.append((name, value.strip(b" \t")))
    return tuple(fields)


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    """One chunk (RFC 9112 §7.1)."""
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


def _framed(answer: Answer, framing: Framing) -> Iterator[Piece]:
    if framing is not Framing.CHUNKED:
        yield from answer.pieces()
        return
    for piece in answer.pieces():
        yield chunk(piece) if isinstance(piece, bytes) else piece
    if answer.ending is not Ending.RESET and answer.ending is not Ending.CUT:
        trailers = b"".join(name + b": " + value + b"\r\n" for name, value in answer.trailers)
        yield b"0\r\n" + trailers + b"\r\n"


def _natural(answer: Answer) -> Framing:
    if answer.status in (204, 304) or answer.status < 200:
        return Framing.NONE
    if answer.trailers:
        return Framing.CHUNKED
    return Framing.LENGTH if isinstance(answer.body, bytes) or answer.size is not None else Framing.CHUNKED


def _chunked(answer: Answer) -> bool:
    return (answer.framing or _natural(answer)) is Framing.CHUNKED


def _status(head: bytes) -> int | None:
    words = head.split(b" ", 2)
    return int(words[1][:3]) if len(words) > 1 and words[1][:3].isdigit() else None


def _first(headers: Iterable[Header], name: bytes) -> bytes:
    return next((value for key, value in headers if key.lower() == name), b"")

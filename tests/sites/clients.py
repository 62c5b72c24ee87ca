"""Bare clients for the test sites, straight or through a SOCKS5 proxy: what arrives, byte for byte."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.settings import SettingCodes

from tests.sites.record import Header

PATIENCE = 20.0


@dataclass(slots=True)
class Got:
    """What came for one request; for HTTP/1.1 `head` and the framed `body`, for HTTP/2 the header lists and DATA."""

    head: bytes = b""
    headers: tuple[Header, ...] = ()
    informational: list[bytes | tuple[Header, ...]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    trailers: tuple[Header, ...] = ()
    reset: int | None = None
    ended: bool = False


def trusting(root_pem: bytes, alpn: Sequence[str], key_log: Path | None = None) -> ssl.SSLContext:
    """A client's context that trusts this root alone, and writes its secrets where asked."""
    context = ssl.create_default_context(cadata=root_pem.decode())
    context.set_alpn_protocols(list(alpn))
    if key_log is not None:
        context.keylog_filename = str(key_log)
    return context


def dial(address: tuple[str, int], via: int | None = None) -> socket.socket:
    """Connect to a host by name, through a SOCKS5 proxy on this loopback port (RFC 1928), or straight to 127.0.0.1."""
    name, port = address
    connection = socket.create_connection(("127.0.0.1", via or port), timeout=PATIENCE)
    if via is not None:
        connection.sendall(b"\x05\x01\x00")
        assert exactly(connection, 2) == b"\x05\x00"
        asked = name.encode()
        connection.sendall(b"\x05\x01\x00\x03" + bytes([len(asked)]) + asked + port.to_bytes(2, "big"))
        status = exactly(connection, 4)
        exactly(connection, {1: 6, 4: 18}[status[3]])
        if status[1]:
            connection.close()
            raise ConnectionRefusedError(status[1])
    return connection


def exactly(connection: socket.socket, size: int) -> bytes:
    """This many bytes.

    Raises:
        ConnectionError: fewer came.
    """
    data = b""
    while len(data) < size:
        block = connection.recv(size - len(data))
        if not block:
            raise ConnectionError
        data += block
    return data


class Http1Client:
    """Requests one after the other over one connection."""

    def __init__(self, connection: socket.socket, authority: str) -> None:
        self._connection, self._authority, self._buffer = connection, authority, bytearray()

    def get(self, target: str, *headers: Header, method: str = "GET", body: bytes = b"") -> Got:
        """Send a request and read its whole answer, framing kept."""
        fields = [(b"Host", self._authority.encode()), *headers]
        if body:
            fields.append((b"Content-Length", str(len(body)).encode()))
        lines = [f"{method} {target} HTTP/1.1".encode(), *(name + b": " + value for name, value in fields)]
        self._connection.sendall(b"\r\n".join([*lines, b"", b""]) + body)
        return self._answer(method)

    def _answer(self, method: str) -> Got:
        got = Got()
        while (head := self._until(b"\r\n\r\n")).split(b" ", 2)[1].startswith(b"1"):
            got.informational.append(head)
        got.head = head
        got.body += self._body(head.lower(), method)
        got.ended = True
        return got

    def _body(self, head: bytes, method: str) -> bytes:
        if method == "HEAD" or head.split(b" ", 2)[1] in (b"204", b"304"):
            return b""
        if b"\r\ntransfer-encoding: chunked" in head:
            return self._chunks()
        for line in head.split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return self._take(int(line.partition(b":")[2]))
        return self.rest()

    def _chunks(self) -> bytes:
        body = b""
        while True:
            line = self._until(b"\r\n")
            body += line
            if not (size := int(line.partition(b";")[0], 16)):
                break
            body += self._take(size + 2)
        while (line := self._until(b"\r\n")) != b"\r\n":
            body += line
        return body + line

    def rest(self) -> bytes:
        """All until the connection ends, however it ends."""
        try:
            while block := self._connection.recv(1 << 16):
                self._buffer += block
        except OSError:
            pass
        return self._take(len(self._buffer))

    def _until(self, mark: bytes) -> bytes:
        while (end := self._buffer.find(mark)) < 0:
            self._more()
        return self._take(end + len(mark))

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        data = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return data

    def _more(self) -> None:
        block = self._connection.recv(1 << 16)
        if not block:
            raise ConnectionError
        self._buffer += block


class Http2Client:
    """Requests at once over one connection."""

    def __init__(self, connection: socket.socket, authority: str) -> None:
        self._socket, self._authority = connection, authority
        self._connection = H2Connection(H2Configuration(header_encoding=None, validate_inbound_headers=False))
        self._connection.initiate_connection()
        self._connection.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 16 << 20})
        self._connection.increment_flow_control_window(16 << 20)
        self._got: dict[int, Got] = {}

    def get(self, targets: Iterable[str], *, method: str = "GET", body: bytes = b"") -> list[Got]:
        """All the answers, in the order of the targets."""
        numbers = [self._ask(target, method, body) for target in targets]
        self._flush()
        while not all(self._got[number].ended for number in numbers):
            data = self._socket.recv(1 << 16)
            if not data:
                break
            for event in self._connection.receive_data(data):
                self._take(event)
            self._flush()
        return [self._got[number] for number in numbers]

    def _ask(self, target: str, method: str, body: bytes) -> int:
        number: int = self._connection.get_next_available_stream_id()
        headers = [
            (":method", method),
            (":scheme", "https"),
            (":authority", self._authority),
            (":path", target),
        ]
        self._connection.send_headers(number, headers, end_stream=not body)
        if body:
            self._connection.send_data(number, body, end_stream=True)
        self._got[number] = Got()
        return number

    def _flush(self) -> None:
        if data := self._connection.data_to_send():
            self._socket.sendall(data)

    def _take(self, event: Event) -> None:
        match event:
            case InformationalResponseReceived(stream_id=int(number), headers=headers):
                self._got[number].informational.append(_bytes(headers))
            case ResponseReceived(stream_id=int(number), headers=headers):
                self._got[number].headers = _bytes(headers)
            case TrailersReceived(stream_id=int(number), headers=headers):
                self._got[number].trailers = _bytes(headers)
            case DataReceived(stream_id=int(number), data=data, flow_controlled_length=length):
                self._got[number].body += data or b""
                self._connection.acknowledge_received_data(length or 0, number)
            case StreamEnded(stream_id=int(number)):
                self._got[number].ended = True
            case StreamReset(stream_id=int(number), error_code=code):
                self._got[number].reset, self._got[number].ended = int(code or 0), True
            case ConnectionTerminated(last_stream_id=last):
                for number, got in self._got.items():
                    got.ended |= number > (last or 0)


def _bytes(headers: Iterable[tuple[bytes | str, bytes | str]] | None) -> tuple[Header, ...]:
    return tuple((_byte(name), _byte(value)) for name, value in headers or ())


def _byte(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)

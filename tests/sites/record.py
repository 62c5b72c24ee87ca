"""What a test site sent, exactly: the measure against which a capture is compared."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Header = tuple[bytes, bytes]
KEPT = 1 << 20


class Sending:
    """Bytes handed to the socket so far: size, SHA-256, and the bytes themselves while they are few."""

    def __init__(self) -> None:
        self.size = 0
        self._digest = hashlib.sha256()
        self._kept: bytearray | None = bytearray()

    def add(self, data: bytes) -> None:
        """Count what was sent."""
        self.size += len(data)
        self._digest.update(data)
        if self._kept is not None:
            self._kept += data
            if len(self._kept) > KEPT:
                self._kept = None

    @property
    def sha256(self) -> bytes:
        """Digest of all of it."""
        return self._digest.digest()

    @property
    def data(self) -> bytes:
        """The bytes; only for bodies up to `KEPT`."""
        assert self._kept is not None, "too large to be kept; compare size and sha256"
        return bytes(self._kept)

    @property
    def kept(self) -> bool:
        """Whether `data` can be asked for."""
        return self._kept is not None


@dataclass(slots=True, kw_only=True)
class Sent:
    """One request and what was sent in answer to it.

    Attributes:
        connection: number of the connection at this site, from 1.
        peer: port of the client's side: the `local` port of the proxy's connection.
        stream: HTTP/2 stream, or None.
        request_head: HTTP/1.1 only: the bytes up to the empty line.
        request_body: as it came, framing taken off.
        informational: heads of 1xx answers, bytes (HTTP/1.1) or header lists (HTTP/2).
        head: HTTP/1.1: bytes up to the empty line. HTTP/2: None, see `headers`.
        headers: HTTP/2: the list as given to HPACK, pseudo-headers included. HTTP/1.1: as they lie in the head.
        body: HTTP/1.1: the framed bytes; HTTP/2: content of the DATA frames.
        payload: the body without chunk framing.
        completed: the whole answer was handed to the socket.
        ending: how the connection or stream was to end after it.
        settled: set when nothing more will be sent for it; until then the counts may lag behind what the client has.
        remake: the framed pieces again, for digests of what arrived of an unfinished body.
    """

    number: int
    site: str
    connection: int
    peer: int
    protocol: str
    method: bytes
    target: bytes
    stream: int | None = None
    request_head: bytes = b""
    request_headers: tuple[Header, ...] = ()
    request_body: bytes = b""
    informational: list[bytes | tuple[Header, ...]] = field(default_factory=list)
    status: int | None = None
    head: bytes | None = None
    headers: tuple[Header, ...] = ()
    body: Sending = field(default_factory=Sending)
    payload: Sending = field(default_factory=Sending)
    trailers: tuple[Header, ...] = ()
    completed: bool = False
    ending: str = "keep"
    fault: str | None = None
    settled: threading.Event = field(default_factory=threading.Event)
    remake: Callable[[], Iterable[bytes]] | None = None

    def prefix_sha256(self, size: int) -> bytes:
        """Digest of the first bytes of the framed body, for an answer that was cut short."""
        digest, left = hashlib.sha256(), size
        for piece in self.remake() if self.remake else ([self.body.data] if self.body.size else []):
            digest.update(piece[:left])
            left -= min(left, len(piece))
            if not left:
                break
        assert not left, f"{size} bytes arrived, fewer were to be sent"
        return digest.digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """One TLS connection at a site, failed ones too."""

    connection: int
    peer: int
    version: str | None
    cipher: str | None
    alpn: str | None
    resumed: bool
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One WebSocket message at a site; `direction` ``>`` came, ``<`` was sent."""

    connection: int
    peer: int
    direction: str
    text: bool
    data: bytes


class SiteLog:
    """All that a site sent, in the order requests came; safe to be read while it runs."""

    def __init__(self, site: str) -> None:
        self.site = site
        self._lock = threading.Lock()
        self._sent: list[Sent] = []
        self._handshakes: list[Handshake] = []
        self._messages: list[Message] = []
        self._connections = 0
        self.faults: list[str] = []

    def connection(self) -> int:
        """Number for a connection that was just accepted."""
        with self._lock:
            self._connections += 1
            return self._connections

    @property
    def connections(self) -> int:
        """How many connections were accepted."""
        with self._lock:
            return self._connections

    def begin(self, sent: Sent) -> Sent:
        """Enter a request."""
        with self._lock:
            sent.number = len(self._sent) + 1
            self._sent.append(sent)
            return sent

    def shook(self, handshake: Handshake) -> None:
        """Enter a handshake."""
        with self._lock:
            self._handshakes.append(handshake)

    def message(self, message: Message) -> None:
        """Enter a WebSocket message."""
        with self._lock:
            self._messages.append(message)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """All requests so far."""
        with self._lock:
            return tuple(self._sent)

    @property
    def handshakes(self) -> tuple[Handshake, ...]:
        """All TLS handshakes so far."""
        with self._lock:
            return tuple(self._handshakes)

    @property
    def messages(self) -> tuple[Message, ...]:
        """All WebSocket messages so far."""
        with self._lock:
            return tuple(self._messages)

    def settle(self, patience: float = 20.0) -> tuple[Sent, ...]:
        """All requests so far, each waited for until nothing more is sent."""
        for sent in self.sent:
            assert sent.settled.wait(patience), f"{self.site}{sent.target.decode()} is still being sent"
        return self.sent

    def to(self, target: str) -> tuple[Sent, ...]:
        """Requests for this target."""
        return tuple(sent for sent in self.sent if sent.target == target.encode())

    def on_peer(self, peer: int) -> tuple[Sent, ...]:
        """Requests of the connection whose client side had this port, in order."""
        return tuple(sent for sent in self.sent if sent.peer == peer)

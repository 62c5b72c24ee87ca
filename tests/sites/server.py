"""What HTTP/1.1 and HTTP/2 sites share: listening, TLS, threads, clean stop."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import ssl
import struct
import termios
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.sites.answer import Ending, Routes
from tests.sites.authority import Leaf, with_pem
from tests.sites.record import Handshake, SiteLog
from tests.sites.stapling import staple

LINGER_NONE = struct.pack("ii", 1, 0)


class Stopped(Exception):  # noqa: N818
    """The site is being stopped while it was sending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One accepted connection, its TLS done."""

    number: int
    peer: int
    socket: socket.socket | ssl.SSLSocket

    def end(self, how: Ending) -> None:
        """End the connection in this way; bytes sent before it have reached the other side's system."""
        with contextlib.suppress(OSError, ValueError):
            if how is Ending.RESET:
                _drained(self.socket)
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
            elif how is Ending.CUT:
                self.socket.shutdown(socket.SHUT_WR)
            else:
                _close_notify(self.socket)
        if how is not Ending.RESET:
            _until_gone(self.socket)
        self.socket.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How a site does TLS.

    Attributes:
        versions: lowest and highest.
        ciphers: OpenSSL's names, for TLS 1.2.
        group: the only group the site accepts; with ``secp384r1`` Chromium has to be asked again (HelloRetryRequest).
        tickets: whether sessions can be resumed.
    """

    leaf: Leaf
    versions: tuple[ssl.TLSVersion, ssl.TLSVersion] = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    ciphers: str | None = None
    group: str | None = None
    tickets: bool = True

    def context(self, alpn: Sequence[str]) -> ssl.SSLContext:
        """A server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with with_pem(self.leaf) as folder:
            context.load_cert_chain(Path(folder) / "site.pem")
        context.minimum_version, context.maximum_version = self.versions
        context.set_alpn_protocols(list(alpn))
        if self.ciphers:
            context.set_ciphers(self.ciphers)
        if self.group:
            context.set_ecdh_curve(self.group)
        if not self.tickets:
            context.options |= ssl.OP_NO_TICKET
            context.num_tickets = 0
        if self.leaf.staple:
            staple(context, self.leaf.staple)
        return context


TLS12 = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
TLS13 = (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)


class Server:
    """A site on a free port of 127.0.0.1; `serve` is the protocol's affair."""

    alpn: tuple[str, ...] = ()

    def __init__(self, name: str, routes: Routes, *, tls: Tls | None = None) -> None:
        self.name = name
        self.routes = routes
        self.log = SiteLog(name)
        self._tls = tls
        self.scheme = "http" if tls is None else "https"
        self._context = None if tls is None else tls.context(self.alpn)
        self._stop = threading.Event()
        self._listener: socket.socket | None = None
        self._links: dict[int, tuple[threading.Thread, socket.socket]] = {}
        self._lock = threading.Lock()
        self._accepting: threading.Thread | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self._listener.settimeout(0.05)
        self.port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, name=f"{self.name} accepts", daemon=True)
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def leaf(self) -> Leaf:
        """The site's certificate."""
        assert self._tls is not None
        return self._tls.leaf

    @property
    def origin(self) -> str:
        """Scheme, name and port as a browser asks for it."""
        return f"{self.scheme}://{self.name}:{self.port}"

    def url(self, target: str = "/") -> str:
        """Address of a page."""
        return self.origin + target

    def stop_soon(self) -> None:
        """Tell all threads to stop, without waiting for them."""
        self._stop.set()

    def stop(self) -> None:
        """Stop accepting, cut what is open, and wait for all threads."""
        self.stop_soon()
        assert self._accepting is not None
        assert self._listener is not None
        self._accepting.join(5)
        self._listener.close()
        with self._lock:
            links = list(self._links.values())
        for _thread, connection in links:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread, _connection in links:
            thread.join(5)
            assert not thread.is_alive(), f"{self.name}: a connection does not end"

    def pause(self, seconds: float) -> None:
        """Wait, unless the site is stopped meanwhile."""
        if self._stop.wait(seconds):
            raise Stopped

    @property
    def stopping(self) -> bool:
        """Whether the site was told to stop."""
        return self._stop.is_set()

    def serve(self, link: Link) -> None:
        """Speak the protocol until the connection ends."""
        raise NotImplementedError

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._stop.is_set():
            try:
                connection, address = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = self.log.connection()
            thread = threading.Thread(
                target=self._run,
                args=(number, connection, address[1]),
                name=f"{self.name} {number}",
                daemon=True,
            )
            with self._lock:
                self._links[number] = (thread, connection)
            thread.start()

    def _run(self, number: int, connection: socket.socket, peer: int) -> None:
        secured: socket.socket | ssl.SSLSocket = connection
        try:
            secured = self._secure(number, connection, peer)
            self.serve(Link(number=number, peer=peer, socket=secured))
            Link(number=number, peer=peer, socket=secured).end(Ending.CLOSE)
        except (OSError, Stopped, ValueError) as error:
            if isinstance(error, ValueError):  # a request no client of ours should send
                self.log.faults.append(f"{number}: {error}")
        finally:
            secured.close()
            connection.close()
            with self._lock:
                self._links.pop(number, None)

    def _secure(self, number: int, connection: socket.socket, peer: int) -> socket.socket | ssl.SSLSocket:
        if self._context is None:
            return connection
        version = cipher = alpn = fault = None
        resumed = False
        secured: ssl.SSLSocket | None = None
        try:
            secured = self._context.wrap_socket(connection, server_side=True)
            with self._lock:
                if number in self._links:
                    self._links[number] = (self._links[number][0], secured)
            chosen = secured.cipher()
            version, cipher = secured.version(), chosen[0] if chosen else None
            alpn, resumed = secured.selected_alpn_protocol(), bool(secured.session_reused)
        except OSError as error:
            fault = getattr(error, "reason", None) or type(error).__name__
            raise
        finally:
            self.log.shook(
                Handshake(
                    connection=number,
                    peer=peer,
                    version=version,
                    cipher=cipher,
                    alpn=alpn,
                    resumed=resumed,
                    fault=fault,
                )
            )
        return secured


def _close_notify(connection: socket.socket | ssl.SSLSocket) -> None:
    if isinstance(connection, ssl.SSLSocket):
        connection.settimeout(0)
        with contextlib.suppress(OSError, ValueError):
            connection.unwrap()  # sends ours; the other side's is not waited for
    connection.shutdown(socket.SHUT_WR)


def _until_gone(connection: socket.socket | ssl.SSLSocket, patience: float = 2.0) -> None:
    """Read until the other side closes too: closing with unread bytes would send RST and lose what was sent."""
    with contextlib.suppress(OSError, ValueError):
        connection.settimeout(patience)
        while connection.recv(1 << 16):
            pass


def _drained(connection: socket.socket, patience: float = 2.0) -> None:
    """Wait until the other side's system acknowledged everything; a reset discards what is still queued here."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        queued = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0]
        if not queued:
            return
        time.sleep(0.002)

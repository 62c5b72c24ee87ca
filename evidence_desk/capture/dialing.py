"""Connecting to the first of several addresses that the guard lets pass and that answers, one after the other."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from evidence_desk.capture.guard import Guard, Refusal
from evidence_desk.capture.limits import Limits
from evidence_desk.capture.pump import ABORT
from evidence_desk.capture.reactor import WRITE, Reactor
from evidence_desk.capture.socks import Reply
from evidence_desk.core.capture.connection import Fate

_PROGRESS: Final = frozenset(
    {
        errno.EINPROGRESS,
        errno.EWOULDBLOCK,
        errno.EALREADY,
        getattr(errno, "WSAEWOULDBLOCK", errno.EWOULDBLOCK),
    }
)
_REPLIES: Final = {
    "ECONNREFUSED": Reply.CONNECTION_REFUSED,
    "ENETUNREACH": Reply.NETWORK_UNREACHABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no connection, and what the client is told."""

    fate: Fate
    reason: str
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialed:
    """A connection, with its own end as the system gave it."""

    server: socket.socket
    own: tuple[str, int]


class Dialer:
    """One attempt to reach a port at one of several addresses. Everything runs in the reactor's thread.

    Args:
        reactor: waits for the sockets.
        limits: patience.
        guard: asked when it counts, so that a port forbidden meanwhile is.
        passed_over: told of a refused address that is not the only one.
        done: told once; the socket is the listener's from then on.
    """

    def __init__(
        self,
        reactor: Reactor,
        limits: Limits,
        guard: Callable[[], Guard],
        *,
        passed_over: Callable[[Refusal, str], None],
        done: Callable[[Dialed | Failure], None],
    ) -> None:
        self._reactor = reactor
        self._limits = limits
        self._guard = guard
        self._passed_over = passed_over
        self._done = done
        self._todo: list[str] = []
        self._several = False
        self._port = 0
        self._server: socket.socket | None = None
        self._due = 0.0
        self._why = Failure(fate=Fate.UNREACHABLE, reason="no-address", reply=Reply.HOST_UNREACHABLE)
        self.address: str | None = None
        """The last one that was tried."""

    def dial(self, addresses: Sequence[str], port: int) -> None:
        """Begin."""
        self._todo = list(addresses[: self._limits.addresses])
        self._several = len(addresses) > 1
        self._port = port
        self._next()

    def look(self, now: float) -> None:
        """Give up an address that does not answer."""
        if now > self._due:
            self._why = Failure(fate=Fate.UNREACHABLE, reason="timeout", reply=Reply.HOST_UNREACHABLE)
            self._next()

    def drop(self) -> None:
        """Try no more."""
        if self._server is not None:
            self._reactor.forget(self._server)
            with suppress(OSError):
                self._server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            self._server.close()
            self._server = None

    def _next(self) -> None:
        self.drop()
        while self._todo:
            address = self._todo.pop(0)
            refusal = self._guard().refuses(address, self._port)
            if refusal is not None:
                self._refused(address, refusal)
                continue
            self._due = time.monotonic() + (self._limits.attempt if self._todo else self._limits.connecting)
            if self._connect(address):
                return
        self._done(self._why)

    def _refused(self, address: str, refusal: Refusal) -> None:
        if self._several:
            self._passed_over(refusal, address)
        if self.address is None:  # a refusal tells less than an address that was tried
            self._why = Failure(fate=Fate.REFUSED, reason=refusal.value, reply=Reply.NOT_ALLOWED)

    def _connect(self, address: str) -> bool:
        """Whether there is something to wait for."""
        self.address = address
        try:
            family, kind, protocol, _, target = socket.getaddrinfo(
                address, self._port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_NUMERICHOST
            )[0]  # fmt: skip
            self._server = socket.socket(family, kind, protocol)
            self._server.setblocking(False)
            code = self._server.connect_ex(target)
        except OSError as error:
            code = error.errno or errno.EIO
        if (code and code not in _PROGRESS) or self._server is None:
            self._unreachable(code)
            self.drop()
            return False
        self._reactor.watch(self._server, WRITE, self._on_ready)
        return True

    def _on_ready(self, _events: int) -> None:
        server = self._server
        if server is None:
            return
        try:
            code = server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not code:
                own, other = server.getsockname(), server.getpeername()
        except OSError as error:
            code = error.errno or errno.EIO
        if code:
            self._unreachable(code)
            self._next()
            return
        refusal = self._guard().refuses(other[0], other[1], own=own[0] == other[0])
        if refusal is not None:
            self._why = Failure(fate=Fate.REFUSED, reason=refusal.value, reply=Reply.NOT_ALLOWED)
            self._next()
            return
        self._reactor.forget(server)
        self._server = None
        self._done(Dialed(server=server, own=(own[0].partition("%")[0], own[1])))

    def _unreachable(self, code: int) -> None:
        reason = errno.errorcode.get(code, "unknown")
        reply = _REPLIES.get(reason, Reply.HOST_UNREACHABLE)
        self._why = Failure(fate=Fate.UNREACHABLE, reason=reason, reply=reply)

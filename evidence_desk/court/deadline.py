"""One deadline for a whole exchange over HTTP, whatever it waits for.

Timeouts of an HTTP client bound each single read: who sends a byte a second, in headers, in a TLS handshake, or as
interim responses without end, is never late by them.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self
from weakref import WeakKeyDictionary, WeakSet

import httpx

_CONNECTED: Final = ("connect_tcp.complete", "start_tls.complete")
_opened: Final[WeakKeyDictionary[httpx.Client, dict[str, WeakSet[socket.socket]]]] = WeakKeyDictionary()
"""Connections of clients by the address they were opened for; a pool does not tell which one it uses again."""
_lock: Final = threading.Lock()


class Deadline:
    """Shuts the connections to an address down when an exchange takes longer; the exchange then fails by itself.

    Args:
        http: the client.
        url: address that is asked.
        seconds: limit.
    """

    def __init__(self, http: httpx.Client, url: str, seconds: float) -> None:
        self.expired = False
        with _lock:
            self._sockets = _opened.setdefault(http, {}).setdefault(url, WeakSet())
        self._handles: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with _lock:
            for handle in self._handles:
                handle.close()
            self._handles.clear()

    def trace(self, event: str, facts: Mapping[str, Any]) -> None:
        """The extension `trace` of a request: notes the connections that are opened for it."""
        if not event.endswith(_CONNECTED):
            return
        connection = facts["return_value"].get_extra_info("socket")
        with _lock:
            self._sockets.add(connection)
            if event.endswith(_CONNECTED[0]):
                # The handshake takes the descriptor out of this socket: a second one keeps it within reach.
                self._handles.append(connection.dup())
            if self.expired:
                self._shut()

    def _expire(self) -> None:
        with _lock:
            self.expired = True
            self._shut()

    def _shut(self) -> None:
        for item in (*self._sockets, *self._handles):
            with contextlib.suppress(OSError):
                # The method of an SSLSocket would take its state from under the thread that reads.
                socket.socket.shutdown(item, socket.SHUT_RDWR)

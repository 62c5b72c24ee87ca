"""The HTTP client of a session, which can be broken off from another thread: a program that closes waits for nobody."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final
from weakref import WeakSet

import httpx

_CONNECTED: Final = ("connect_tcp.complete", "start_tls.complete")


class BreakableClient(httpx.Client):
    """As httpx's own until `hang_up`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._mutex = threading.Lock()
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._hung_up = False

    def send(self, request: httpx.Request, **settings: Any) -> httpx.Response:
        """See `httpx.Client.send`; ConnectError once it was hung up."""
        if self._hung_up:
            raise httpx.ConnectError("hung up", request=request)
        request.extensions = {**request.extensions, "trace": self._noting(request.extensions.get("trace"))}
        return super().send(request, **settings)

    def hang_up(self) -> None:
        """Break off what goes on, and begin nothing more; safe from any thread, and at once."""
        with self._mutex:
            self._hung_up = True
            for item in self._sockets:
                _shut(item)

    def _noting(
        self, before: Callable[[str, Mapping[str, Any]], None] | None
    ) -> Callable[[str, Mapping[str, Any]], None]:
        def trace(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith(_CONNECTED):
                self._note(info["return_value"].get_extra_info("socket"))
            if before is not None:
                before(event, info)

        return trace

    def _note(self, found: object) -> None:
        if isinstance(found, socket.socket):
            with self._mutex:
                self._sockets.add(found)
                if self._hung_up:
                    _shut(found)


def _shut(item: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # the method of an SSLSocket would take its state from under the thread that reads
        socket.socket.shutdown(item, socket.SHUT_RDWR)

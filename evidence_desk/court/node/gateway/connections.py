"""Connections of clients: how many one may hold, and how long it may take to say what it wants.

Who holds too many loses his own oldest one on which nothing is being served; so connections that say nothing keep out
neither others nor, behind a shared address, neighbors who do ask.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from evidence_desk.court.node.gateway.limits import client_key

HEAD_SECONDS: Final = 10.0
"""For the head of a request, from the connection or from its first byte; for the TLS handshake as well."""
ALL: Final = 1_000
"""Connections of everybody."""
_UNREAD_SECONDS: Final = 60.0
"""For an answer to be read, after its connection is due to be closed."""


class Connection(socket.socket):
    """An accepted connection; its closing is noted.

    Attributes:
        client: whose it is, as `client_key` counts.
        serving: whether a request on it is being served.
    """

    client: str = ""
    serving: Callable[[], bool]
    _table: Connections | None = None
    _deadline: asyncio.TimerHandle | None = None

    def begin(self, table: Connections, address: tuple[Any, ...], client: str) -> None:
        """Belong to a table until closed; end unless `greeted` in time."""
        self._table, self._address, self.client = table, address, client
        self.serving = _idle
        self._deadline = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.end)

    def greeted(self, serving: Callable[[], bool]) -> None:
        """The connection stands, with TLS where there is TLS; the protocol now watches the time."""
        self.serving = serving
        self._forget_deadline()

    def end(self) -> None:
        """Hang up; the event loop then closes it."""
        self._leave()
        try:
            self.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # gone already

    def close(self) -> None:
        """Close."""
        self._leave()
        super().close()

    def _leave(self) -> None:
        self._forget_deadline()
        if self._table is not None:
            self._table.drop(self._address, self)
            self._table = None

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Connections:
    """The open connections, by client.

    Args:
        most: connections of one client; `proxies`, addresses or networks, may have any number.
        everybody: connections of all.
    """

    def __init__(self, most: int, proxies: Sequence[str] = (), *, everybody: int = ALL) -> None:
        self._most = most
        self._everybody = everybody
        self._any = "*" in proxies
        self._proxies = [ip_network(item, strict=False) for item in proxies if _is_network(item)]
        self._open: dict[tuple[Any, ...], Connection] = {}
        self._clients: dict[str, dict[tuple[Any, ...], Connection]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def take(self, connection: Connection, address: tuple[Any, ...]) -> bool:
        """Count a new connection, if need be in place of an idle one; False where it must be refused."""
        client = client_key(str(address[0]))
        mine = self._clients.get(client, {})
        if len(mine) >= self._most and not self._proxy(str(address[0])):
            if not _end_oldest(mine):
                return False
        elif len(self._open) >= self._everybody:
            fullest = max(self._clients.values(), key=len)
            if not _end_oldest(fullest):
                return False
        connection.begin(self, address, client)
        self._open[address] = connection
        self._clients.setdefault(client, {})[address] = connection
        return True

    def find(self, address: tuple[Any, ...]) -> Connection | None:
        """The open connection of a peer."""
        return self._open.get(address)

    def drop(self, address: tuple[Any, ...], connection: Connection) -> None:
        """Count a connection no more."""
        if self._open.get(address) is not connection:
            return
        del self._open[address]
        mine = self._clients[connection.client]
        del mine[address]
        if not mine:
            del self._clients[connection.client]

    def _proxy(self, client: str) -> bool:
        address = ip_address(client.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return self._any or any(address in network for network in self._proxies)


class Listener(socket.socket):
    """A listening socket whose connections are counted before anything is read from them."""

    table: Connections

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection that is not refused."""
        while True:
            plain, address = super().accept()
            made = Connection(self.family, self.type, self.proto, fileno=plain.detach())
            made.setblocking(False)
            if self.table.take(made, address):
                return made, address
            made.close()


class WatchedProtocol(H11Protocol):
    """HTTP/1.1 whose request heads arrive in time."""

    def __init__(self, table: Connections, **how: Any) -> None:
        super().__init__(**how)
        self._table = table
        self._head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection stands."""
        super().connection_made(transport)
        connection = self._table.find(transport.get_extra_info("peername"))
        if connection is not None:
            connection.greeted(self._serving)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._watch()
        else:
            self._unwatch()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing more came; an answer that nobody reads does not keep the connection open."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(_UNREAD_SECONDS, self.transport.abort)

    def _serving(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _watch(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(HEAD_SECONDS, self._late)

    def _unwatch(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _late(self) -> None:
        self._head = None
        self.transport.abort()


def watched(table: Connections) -> Any:
    """What uvicorn makes its protocols with."""
    return partial(WatchedProtocol, table)


def _end_oldest(connections: dict[tuple[Any, ...], Connection]) -> bool:
    """End the oldest connection on which nothing is served; False where there is none."""
    for connection in connections.values():
        if not connection.serving():
            connection.end()
            return True
    return False


def _idle() -> bool:
    return False


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True

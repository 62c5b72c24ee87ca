"""The gateway process of a node: serves until the supervisor ends it."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
from typing import Final

import uvicorn

from evidence_desk.court.node.gateway.app import create_app
from evidence_desk.court.node.gateway.connections import ALL, Connections, Listener, watched
from evidence_desk.court.node.gateway.context import GatewayContext, open_context
from evidence_desk.court.node.home import NodeHome
from evidence_desk.errors import ConfigurationError, HostError

_FILES: Final = 4_096
"""Open files that a gateway wants to be allowed, more than its connections need."""
_BACKLOG: Final = 512
_KEEP_SECONDS: Final = 20
_STOP_SECONDS: Final = 5


def serve_gateway(home: NodeHome, *, supervised: bool) -> None:
    """Serve the node's gateway until SIGTERM or, when supervised, the end of stdin.

    Raises:
        HostError: ``api.listen``.
        ConfigurationError: see `open_context`; ``api.tls`` for a certificate or key that can't be used.
    """
    context = open_context(home)
    _allow_files()
    with listen(context.settings.listen, context.settings.port) as listener:
        # uvicorn raises the signal again after it has shut down; a clean stop shall end with status 0.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _ignore)
        asyncio.run(_serve(context, home, listener, supervised=supervised))


async def _serve(context: GatewayContext, home: NodeHome, listener: Listener, *, supervised: bool) -> None:
    settings = context.settings
    listener.table = Connections(settings.connections, settings.proxies)
    config = uvicorn.Config(
        create_app(context),
        log_level="warning",
        access_log=False,
        server_header=False,
        http=watched(listener.table),
        limit_concurrency=2 * ALL,  # connections are counted by the listener, requests by the door
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
        lifespan="on",
        ws="none",
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
        ssl_certfile=home.path / settings.certificate if settings.certificate else None,
        ssl_keyfile=home.path / settings.key if settings.key else None,
    )
    try:
        config.load()
    except OSError as error:  # ssl.SSLError is one too
        raise ConfigurationError("api.tls", path=settings.certificate) from error
    server = uvicorn.Server(config)
    if supervised:
        _watch_supervisor(server)
    await server.serve(sockets=[listener])


def _watch_supervisor(server: uvicorn.Server) -> None:
    """Stop when our stdin ends: the supervisor is gone, and another one will want the port."""
    loop = asyncio.get_running_loop()

    def spoke() -> None:
        if not os.read(sys.stdin.fileno(), 1):
            loop.remove_reader(sys.stdin.fileno())
            server.should_exit = True

    loop.add_reader(sys.stdin.fileno(), spoke)


def _allow_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(host: str, port: int) -> Listener:
    """Listening socket.

    Raises:
        HostError: ``api.listen``.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        raise HostError("api.listen", host=host[:80], port=port) from error
    # asyncio turns Nagle's delay off only where the socket names its protocol; else each reply waits 40 ms.
    return Listener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=made.detach())


def _ignore(_number: int, _frame: object) -> None:
    return

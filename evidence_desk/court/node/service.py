"""The application process of a node: state machine and store behind the ABCI server, until the supervisor ends it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from evidence_desk.court.node.abci.server import AbciServer, unix_listener
from evidence_desk.court.node.app.machine import CourtMachine
from evidence_desk.court.node.app.sqlite_store import SqliteStore
from evidence_desk.court.node.home import SOCKET, NodeHome


def serve_application(home: NodeHome, *, supervised: bool) -> None:
    """Serve the node's application on its socket until SIGTERM or, when supervised, the end of stdin.

    Raises:
        HostError: the store cannot be used.
        IntegrityError: what is stored is not what was committed.
    """
    os.chdir(home.path)  # the engine and we name the socket relative to it
    store = SqliteStore(home.store_file)
    try:
        asyncio.run(_serve(CourtMachine(store), supervised=supervised))
    finally:
        store.close()


async def _serve(machine: CourtMachine, *, supervised: bool) -> None:
    server = AbciServer(machine)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    if supervised:

        def supervisor_spoke() -> None:
            if not os.read(sys.stdin.fileno(), 1):
                loop.remove_reader(sys.stdin.fileno())
                server.stop()

        loop.add_reader(sys.stdin.fileno(), supervisor_spoke)
    await server.serve(unix_listener(Path(SOCKET)))

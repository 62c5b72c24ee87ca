"""ABCI server on asyncio: the engine's four connections (consensus, mempool, query, snapshot) over one listening socket.

Answers go out in the order of the requests. The application is called on the event loop, so that calls never overlap.
A foreign or broken message ends its connection; a fault of the application on any method ends the server, because a
node that went on after it might vote for a state it does not hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog

from evidence_desk.court.node.abci.application import Application
from evidence_desk.court.node.abci.framing import FrameReader, frame
from evidence_desk.court.node.abci.messages import answer, exception, kind_of, parse_request
from evidence_desk.errors import EvidenceDeskError, MalformedError

CONNECTIONS: Final = 16
"""Connections at a time; the engine opens four, and an engine that was killed leaves its own for a moment."""
_CHUNK: Final = 256 << 10

_log = structlog.get_logger()


def unix_listener(path: Path) -> socket.socket:
    """A Unix socket that only this user may connect to; a stale one is replaced. The path may have about 100 bytes."""
    staging = path.with_name(f"{path.name}.new")
    staging.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(os.fspath(staging))
        staging.chmod(0o600)
        listener.listen(CONNECTIONS)
        staging.replace(path)  # who sees the name can connect
    except OSError:
        listener.close()
        raise
    return listener


def loopback_listener(port: int = 0) -> socket.socket:
    """A port of the loopback interface, 0 for any free one."""
    return socket.create_server(("127.0.0.1", port))


class AbciServer:
    """Serves one application until `stop` is called or the application fails."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._connections: set[asyncio.Task[None]] = set()
        self._done: asyncio.Future[None] | None = None

    async def serve(self, listener: socket.socket) -> None:
        """Serve on a listening socket, which is closed at the end.

        Raises:
            Exception: what the application failed with.
        """
        self._done = asyncio.get_running_loop().create_future()
        server = await _start(self._connected, listener)
        try:
            await self._done
        finally:
            server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            await server.wait_closed()

    def stop(self) -> None:
        """End serving after the present call."""
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= CONNECTIONS:
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except MalformedError as error:
            _log.warning("abci.connection_refused", code=error.code, **error.parameters)
            with contextlib.suppress(OSError):
                writer.write(frame(exception(error.code).SerializeToString()))
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass  # the engine went away, or the server ends: nobody waits for this task
        except Exception as error:  # noqa: BLE001 - whatever it is, the node must not go on
            await self._failed(error, writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = FrameReader()
        while data := await reader.read(_CHUNK):
            for message in frames.feed(data):
                request = parse_request(message)
                response = answer(self._application, request)
                writer.write(frame(response.SerializeToString()))
                if kind_of(request) == "flush":
                    await writer.drain()
            await writer.drain()

    async def _failed(self, error: Exception, writer: asyncio.StreamWriter) -> None:
        code = error.code if isinstance(error, EvidenceDeskError) else type(error).__name__
        _log.error("abci.application_failed", code=code)
        with contextlib.suppress(OSError):
            writer.write(frame(exception(code).SerializeToString()))
            await writer.drain()
        if self._done is not None and not self._done.done():
            self._done.set_exception(error)


_Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _start(connected: _Connected, listener: socket.socket) -> asyncio.Server:
    if listener.family == socket.AF_UNIX:
        return await asyncio.start_unix_server(connected, sock=listener)
    return await asyncio.start_server(connected, sock=listener)

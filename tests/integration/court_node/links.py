"""Connections between nodes that can be cut: each node reaches each other through a proxy of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")
Link = tuple[int, int]
"""Who dials whom."""


class Links:
    """Proxies on loopback in a thread of their own."""

    def __init__(self, targets: dict[int, int]) -> None:
        self._targets = targets
        self._cut: set[Link] = set()
        self._open: dict[Link, set[asyncio.StreamWriter]] = {}
        self.ports: dict[Link, int] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._servers = self._call(self._listen())

    def cut(self, one: Iterable[int], other: Iterable[int]) -> None:
        """No bytes between these nodes any more, in either direction."""
        others = list(other)
        self._call(self._break({(a, b) for i in one for j in others for a, b in ((i, j), (j, i))}))

    def heal(self) -> None:
        """All connections may be made again."""
        self._loop.call_soon_threadsafe(self._cut.clear)

    def close(self) -> None:
        self._call(self._break(set(self.ports)))
        for server in self._servers:
            self._loop.call_soon_threadsafe(server.close)
        self._call(self._settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _call(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _listen(self) -> list[asyncio.Server]:
        servers = []
        for link in [(a, b) for a in self._targets for b in self._targets if a != b]:
            server = await asyncio.start_server(partial(self._serve, link), "127.0.0.1", 0)
            self.ports[link] = server.sockets[0].getsockname()[1]
            servers.append(server)
        return servers

    async def _break(self, links: set[Link]) -> None:
        self._cut |= links
        for link in links:
            for writer in list(self._open.get(link, ())):
                writer.transport.abort()

    async def _settle(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.wait(others, timeout=5) if others else None
        for task in others:
            task.cancel()

    async def _serve(self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if link in self._cut:
            writer.transport.abort()
            return
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._targets[link[1]])
        except OSError:
            writer.transport.abort()
            return
        writers = {writer, forth}
        self._open.setdefault(link, set()).update(writers)
        if link in self._cut:  # while we were dialing
            await self._break({link})
        await asyncio.gather(_pump(reader, forth), _pump(back, writer))
        self._open[link] -= writers


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()

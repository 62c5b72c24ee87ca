"""Keeps one node running: application first, then the engine; when either ends, both are started anew.

The engine exits with code 0 when its application dies, and an application must not meet an engine of another life, so
there is no case in which only one of them is restarted. So it is when the engine lives and decides nothing any more
(`watch`). A gateway, where the settings have one, lives beside them and is
restarted alone: it holds nothing that they need.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import structlog

from evidence_desk.court.node.home import SOCKET, NodeHome
from evidence_desk.court.node.processes import Child
from evidence_desk.court.node.watch import fallen_behind
from evidence_desk.errors import BusyError
from evidence_desk.launch import Role, command_for

_log = structlog.get_logger()

_SOCKET_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_FIRST_DELAY: Final = 0.2
_LAST_DELAY: Final = 10.0
_HEALTHY_SECONDS: Final = 30.0
"""A life at least this long forgets the failures before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Process ids of a node as its supervisor wrote them; 0 for one that is not running."""

    application: int = 0
    engine: int = 0
    restarts: int = 0
    gateway: int = 0
    gateway_restarts: int = 0


class Supervisor:
    """One node's processes. `run` returns after `stop`; nothing but `stop` ends it."""

    def __init__(self, home: NodeHome, engine: Path, *, log_to_files: bool) -> None:
        self.home = home
        self._engine = engine
        self._log_to_files = log_to_files
        self._stopping = asyncio.Event()
        self._running = Running()

    def stop(self) -> None:
        """Ask `run` to end all processes and return."""
        self._stopping.set()

    async def run(self) -> None:
        """Start, watch, restart."""
        lives = [self._keep(self._live, self._restarted)]
        if self.home.settings().gateway is not None:
            lives.append(self._keep(self._gateway_life, self._gateway_restarted))
        try:
            async with asyncio.TaskGroup() as group:
                for life in lives:
                    group.create_task(life)
        finally:
            self._note(application=0, engine=0, gateway=0)

    async def _keep(self, live: Callable[[], Awaitable[str]], restarted: Callable[[], int]) -> None:
        """One life after the other until we are to stop."""
        delay, clock = _FIRST_DELAY, asyncio.get_running_loop().time
        while not self._stopping.is_set():
            begun = clock()
            try:
                ended = await live()
            except OSError as error:
                ended = type(error).__name__
            if self._stopping.is_set():
                break
            delay = _FIRST_DELAY if clock() - begun > _HEALTHY_SECONDS else min(2 * delay, _LAST_DELAY)
            _log.warning("node.restart", node=self.home.path.name, ended=ended, restarts=restarted())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)

    def _restarted(self) -> int:
        self._note(application=0, engine=0, restarts=self._running.restarts + 1)
        return self._running.restarts

    def _gateway_restarted(self) -> int:
        self._note(gateway=0, gateway_restarts=self._running.gateway_restarts + 1)
        return self._running.gateway_restarts

    def _note(self, **changes: int) -> None:
        self._running = replace(self._running, **changes)
        with contextlib.suppress(OSError):  # a full disk stops no process; the note is for people
            write_running(self.home, self._running)

    async def _gateway_life(self) -> str:
        child = await Child.start(
            "gateway", self._command("gateway"), folder=self.home.path, log=self._log("gateway")
        )
        try:
            self._note(gateway=child.pid)
            return await self._first_to_end(child)
        finally:
            await child.stop()

    def _command(self, name: str) -> list[str | Path]:
        return [*command_for(Role.COURT_NODE), name, "--home", self.home.path]

    async def _live(self) -> str:
        """One life of both processes; returns the name of the one that ended first."""
        socket = self.home.path / SOCKET
        socket.unlink(missing_ok=True)
        application = await Child.start(
            "application", self._command("application"), folder=self.home.path, log=self._log("application")
        )
        try:
            if not await self._accepts(socket, application):
                return application.name
            command: list[str | Path] = [self._engine, "start", "--home", self.home.path]
            engine = await Child.start("engine", command, folder=self.home.path, log=self._log("engine"))
            try:
                self._note(application=application.pid, engine=engine.pid)
                standstill = asyncio.create_task(fallen_behind(self.home.settings().rpc_url))
                return await self._first_to_end(application, engine, standstill=standstill)
            finally:
                await engine.stop()
        finally:
            await application.stop()

    async def _first_to_end(self, *children: Child, standstill: asyncio.Task[None] | None = None) -> str:
        waits: dict[asyncio.Task[Any], str] = {
            asyncio.create_task(child.process.wait()): child.name for child in children
        }
        if standstill is not None:
            waits[standstill] = "consensus"
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait({*waits, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*waits, stopping):
                task.cancel()
        return ", ".join(sorted(name for task, name in waits.items() if task in done))

    async def _accepts(self, socket: Path, application: Child) -> bool:
        """Wait until the application answers on its socket; False when it ended, was too slow, or we are to stop."""
        deadline = asyncio.get_running_loop().time() + _SOCKET_SECONDS
        while application.running and not self._stopping.is_set():
            if await asyncio.to_thread(socket.exists):
                return True
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return False

    def _log(self, name: str) -> Path | None:
        return self.home.logs / f"{name}.log" if self._log_to_files else None


@contextmanager
def exclusive(home: NodeHome) -> Iterator[None]:
    """Hold a node's folder: two supervisors would run two validators with one key.

    Raises:
        BusyError: ``node.running`` when another process holds it.
    """
    with (home.path / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError("node.running", path=os.fspath(home.path)) from error
        yield


def write_running(home: NodeHome, running: Running) -> None:
    """Note the process ids in ``run.json``."""
    value = asdict(running)
    staging = home.path / "run.json.new"
    staging.write_text(json.dumps(value), "ascii")
    staging.replace(home.path / "run.json")


def read_running(home: NodeHome) -> Running:
    """Process ids as noted; zeros when nothing is, or a process of the note has ended."""
    try:
        value = json.loads((home.path / "run.json").read_text("ascii"))
        return Running(
            application=_alive(value["application"]),
            engine=_alive(value["engine"]),
            restarts=int(value["restarts"]),
            gateway=_alive(value.get("gateway", 0)),
            gateway_restarts=int(value.get("gateway_restarts", 0)),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Running()


def _alive(pid: int) -> int:
    if pid <= 0:
        return 0
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return 0
    except PermissionError:
        pass
    return pid

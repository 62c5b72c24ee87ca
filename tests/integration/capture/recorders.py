"""A recorder with servers of the test's own around it."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from evidence_desk.capture.folder import FolderWorkspace
from evidence_desk.capture.guard import Guard
from evidence_desk.capture.limits import Limits
from evidence_desk.capture.peers import Peers
from evidence_desk.capture.proxy import LOOPBACK, BlindProxy
from evidence_desk.core.capture.connection import Connection, parse_index, stream_name
from evidence_desk.core.capture.lookup import Lookup, Outcome, parse_lookups
from evidence_desk.core.capture.notice import Notice, NoticeKind
from evidence_desk.core.capture.stream import Chunk, Direction, StreamReader
from evidence_desk.core.moment import format_moment

Handler = Callable[[socket.socket], None]
RESET = struct.pack("ii", 1, 0)
PATIENCE = 20.0


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Names:
    """A resolver that knows what it is told; a name may keep it waiting."""

    known: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hold: Mapping[str, threading.Event] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> Lookup:  # noqa: ARG002
        self.asked.append(host)
        if host in self.hold:
            self.hold[host].wait(PATIENCE)
        answers = tuple(self.known.get(host, ()))
        return Lookup(
            host=host, kind="system", server=None, transport="system", asked_at=format_moment(datetime.now(UTC)),
            microseconds=0, outcome=Outcome.ANSWERED if answers else Outcome.UNKNOWN_NAME, answers=answers,
        )  # fmt: skip


class Server:
    """Accepts on a port of loopback; each connection has a thread of its own for `handler`."""

    def __init__(self, handler: Handler, address: str = LOOPBACK, backlog: int = 512) -> None:
        self._listener = socket.create_server((address, 0), backlog=backlog)
        self.port: int = self._listener.getsockname()[1]
        self._handler = handler
        self.accepted = 0
        self.over = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                end, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(end,), daemon=True).start()

    def _serve(self, end: socket.socket) -> None:
        with end, suppress(OSError):
            self._handler(end)
        self.over.set()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def serving(handler: Handler, address: str = LOOPBACK) -> Iterator[Server]:
    server = Server(handler, address)
    try:
        yield server
    finally:
        server.close()


def echo(end: socket.socket) -> None:
    """Back what comes, until the other side has ended."""
    while data := end.recv(65536):
        end.sendall(data)
    end.shutdown(socket.SHUT_WR)


def reset(end: socket.socket) -> None:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    end.close()


def until(true: Callable[[], bool]) -> None:
    """Wait for what other threads bring about."""
    due = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < due, "it did not come about"
        time.sleep(0.005)


def exactly(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = end.recv(size - len(data))
        assert more, data
        data += more
    return data


def drained(end: socket.socket) -> bytes:
    """Everything until the end, or until a reset."""
    parts = []
    with suppress(ConnectionError):
        while data := end.recv(1 << 20):
            parts.append(data)
    return b"".join(parts)


@dataclass
class Recorder:
    proxy: BlindProxy
    port: int
    workspace: FolderWorkspace
    notices: list[Notice]

    def ask(self, host: str, port: int) -> tuple[socket.socket, int]:
        """(connection, reply code) of a well-behaved client."""
        end = socket.create_connection((LOOPBACK, self.port), timeout=PATIENCE)
        try:
            end.sendall(b"\5\1\0")
            assert exactly(end, 2) == b"\5\0"
            name = host.encode()
            end.sendall(b"\5\1\0\3" + bytes((len(name),)) + name + port.to_bytes(2, "big"))
            version, code, reserved, kind = exactly(end, 4)
            assert (version, reserved) == (5, 0)
            exactly(end, {1: 4, 4: 16}[kind] + 2)
        except BaseException:
            end.close()
            raise
        return end, code

    def connect(self, host: str, port: int) -> socket.socket:
        end, code = self.ask(host, port)
        if code:
            end.close()
        assert code == 0
        return end

    def refused(self, host: str, port: int) -> int:
        end, code = self.ask(host, port)
        with end:
            assert end.recv(1) == b""
        return code

    def index(self) -> tuple[Connection, ...]:
        """After `stop`."""
        with self.workspace.open("connections.jsonl") as file:
            return parse_index(file.read())

    def line(self) -> Connection:
        (line,) = self.index()
        return line

    def lookups(self) -> tuple[Lookup, ...]:
        with self.workspace.open("lookups.jsonl") as file:
            return parse_lookups(file.read())

    def chunks(self, number: int) -> list[Chunk]:
        with self.workspace.open(stream_name(number)) as file:
            reader = StreamReader(file)
            chunks = list(reader)
        assert not reader.torn
        return chunks

    def way(self, number: int, direction: Direction) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks(number) if chunk.direction is direction)

    def kinds(self) -> list[NoticeKind]:
        return [notice.kind for notice in self.notices]


@contextmanager
def recording(
    path: Path, *, limits: Limits | None = None, names: Names | None = None, guard: Guard | None = None,
    peers: Peers | None = None, allow: bool = True, dns_servers: Sequence[str] = (),
) -> Iterator[Recorder]:  # fmt: skip
    """A recorder that serves this process, private addresses allowed; stopped at the end, which the test may do before."""
    notices: list[Notice] = []
    workspace = FolderWorkspace(path / "capture")
    proxy = BlindProxy(
        workspace, guard or Guard(allow_private=True), WallClock(), limits, resolver=names, peers=peers,
        dns_servers=dns_servers, events=notices.append,
    )  # fmt: skip
    port = proxy.start()
    if allow:
        proxy.allow_pid(os.getpid())
    try:
        yield Recorder(proxy, port, workspace, notices)
    finally:
        proxy.stop(2.0)

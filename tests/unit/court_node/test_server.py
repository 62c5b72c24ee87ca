import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from evidence_desk.court.node.abci.framing import FrameReader, frame
from evidence_desk.court.node.abci.pb.tendermint.abci import types_pb2 as pb
from evidence_desk.court.node.abci.server import CONNECTIONS, AbciServer, loopback_listener, unix_listener
from evidence_desk.court.node.app.store import Changes
from evidence_desk.errors import HostError
from tests.unit.court_node.chain import Chain

ECHO = pb.Request(echo=pb.RequestEcho(message="hello"))
FLUSH = pb.Request(flush=pb.RequestFlush())


class Engine:
    """One connection as the engine holds it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.frames = reader, writer, FrameReader()
        self.waiting: list[pb.Response] = []

    @classmethod
    async def connect(cls, path: Path) -> "Engine":
        return cls(*await asyncio.open_unix_connection(path))

    def send(self, *requests: pb.Request) -> None:
        self.writer.write(b"".join(frame(item.SerializeToString()) for item in requests))

    async def receive(self) -> pb.Response | None:
        """Next response, None at the end."""
        while not self.waiting:
            data = await asyncio.wait_for(self.reader.read(65536), 10)
            if not data:
                return None
            self.waiting += [pb.Response.FromString(item) for item in self.frames.feed(data)]
        return self.waiting.pop(0)

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@asynccontextmanager
async def served(
    tmp_path: Path, chain: Chain
) -> AsyncIterator[tuple[Path, AbciServer, "asyncio.Task[None]"]]:
    path = tmp_path / "a.sock"
    server = AbciServer(chain.machine)
    task = asyncio.create_task(server.serve(unix_listener(path)))
    try:
        yield path, server, task
    finally:
        server.stop()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(task, 10)


def test_four_connections_in_order(tmp_path):
    async def run() -> None:
        async with served(tmp_path, Chain()) as (path, _, _):
            engines = [await Engine.connect(path) for _ in range(4)]
            for engine in engines:
                engine.send(ECHO, pb.Request(info=pb.RequestInfo()), FLUSH, ECHO, FLUSH)
            for engine in engines:
                kinds = [(await engine.receive()) for _ in range(5)]
                assert [item.WhichOneof("value") for item in kinds if item] == [
                    "echo", "info", "flush", "echo", "flush",
                ]  # fmt: skip
                await engine.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "garbage", [b"\x80\x00", b"\xff" * 20, frame(b""), frame(b"\xff\xff"), frame(b"\x0a\x05ab")]
)
def test_garbage_ends_its_connection_only(tmp_path, garbage):
    async def run() -> None:
        async with served(tmp_path, Chain()) as (path, _, task):
            good, bad = await Engine.connect(path), await Engine.connect(path)
            bad.send(ECHO)
            bad.writer.write(garbage)
            assert (await bad.receive()) is not None
            refusal = await bad.receive()
            assert refusal is not None
            assert refusal.exception.error.startswith("malformed.abci")
            assert await bad.receive() is None
            good.send(ECHO, FLUSH)
            answered = await good.receive()
            assert answered is not None
            assert answered.echo.message == "hello"
            assert not task.done()
            await good.close()
            await bad.close()

    asyncio.run(run())


def test_a_request_in_single_bytes(tmp_path):
    async def run() -> None:
        async with served(tmp_path, Chain()) as (path, _, _):
            engine = await Engine.connect(path)
            for byte in frame(ECHO.SerializeToString()):
                engine.writer.write(bytes([byte]))
                await engine.writer.drain()
            answered = await engine.receive()
            assert answered is not None
            assert answered.echo.message == "hello"
            await engine.close()

    asyncio.run(run())


def test_a_failing_application_ends_the_server(tmp_path):
    chain = Chain()

    def full(changes: Changes) -> None:
        raise HostError("node.store", reason=f"SQLITE_FULL at {len(changes)}")

    chain.store.commit = full  # type: ignore[method-assign]

    async def run() -> None:
        async with served(tmp_path, chain) as (path, _, task):
            engine = await Engine.connect(path)
            engine.send(
                pb.Request(finalize_block=pb.RequestFinalizeBlock(height=1)),
                pb.Request(commit=pb.RequestCommit()),
                FLUSH,
            )
            first, second = await engine.receive(), await engine.receive()
            assert first is not None
            assert first.HasField("finalize_block")
            assert second is not None
            assert second.exception.error == "node.store"
            with pytest.raises(HostError):
                await asyncio.wait_for(asyncio.shield(task), 10)
            await engine.close()

    asyncio.run(run())
    assert chain.machine.head.height == 0


def test_too_many_connections_are_closed(tmp_path):
    async def run() -> None:
        async with served(tmp_path, Chain()) as (path, _, _):
            engines = []
            for _ in range(CONNECTIONS):
                engine = await Engine.connect(path)
                engine.send(ECHO, FLUSH)
                assert await engine.receive() is not None
                engines.append(engine)
            surplus = await Engine.connect(path)
            surplus.send(ECHO)
            with contextlib.suppress(ConnectionError):
                assert await surplus.receive() is None
            await engines[0].close()
            await surplus.close()
            for engine in engines[1:]:
                await engine.close()

    asyncio.run(run())


def test_the_socket_is_for_this_user_and_replaces_a_stale_one(tmp_path):
    path = tmp_path / "a.sock"
    first = unix_listener(path)
    first.close()
    second = unix_listener(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second.close()


def test_loopback_port():
    async def run() -> None:
        server = AbciServer(Chain().machine)
        listener = loopback_listener()
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        task = asyncio.create_task(server.serve(listener))
        await asyncio.sleep(0)
        engine = Engine(*await asyncio.open_connection(host, port))
        engine.send(ECHO)
        assert await engine.receive() is not None
        server.stop()
        await asyncio.wait_for(task, 10)
        assert await engine.receive() is None
        await engine.close()

    asyncio.run(run())

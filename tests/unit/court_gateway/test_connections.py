"""Connections that say nothing, too little, or two things at once: real sockets before a real server."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from evidence_desk.court.node.gateway import connections
from evidence_desk.court.node.gateway.app import HANDLERS
from evidence_desk.court.node.gateway.connections import Connection, Connections, watched
from evidence_desk.court.node.gateway.door import make_door
from evidence_desk.court.node.gateway.serve import listen

PATIENCE = 20.0
HEAD = b"GET /fine HTTP/1.1\r\nHost: x\r\n"


async def fine(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


class Held:
    """An endpoint that answers when it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()

    async def __call__(self, _: Request) -> Response:
        self.begun.release()
        while not self.go.is_set():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.01)
        return PlainTextResponse("at last")


@contextmanager
def serving(most: int, held: Held | None = None, **how: Any) -> Iterator[int]:
    """Port of a server in a thread."""
    inner = Starlette(
        routes=[
            Route("/fine", fine, methods=["GET", "POST"]),
            Route("/held", (held or Held()).__call__),
        ],
        exception_handlers=HANDLERS,
    )
    with listen("127.0.0.1", 0) as listener:
        listener.table = Connections(most, **how)
        config = uvicorn.Config(
            make_door(10_000, 10_000, tls=False)(inner), http=watched(listener.table), lifespan="off",
            log_level="error", ws="none", timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=[listener]),))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
        assert len(listener.table) == 0, "every connection is counted down again"


def connect(port: int, data: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    made.sendall(data)
    return made


def is_closed(connection: socket.socket) -> bool:
    """Wait for the end; fails with a timeout when there is none."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def served(port: int) -> bool:
    return httpx.get(f"http://127.0.0.1:{port}/fine", timeout=PATIENCE, trust_env=False).text == "0"


@pytest.mark.parametrize("data", [b"", b"G", HEAD, HEAD + b"\r\n" + HEAD, b"\r\n" * 3])
def test_a_head_that_does_not_come_in_time(monkeypatch, data):
    """Not the first of a connection, and not a later one."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    with serving(8) as port, connect(port, data) as slow:
        while slow.recv(4096):
            pass  # what was asked whole is answered
        assert served(port)


def trickle(connection: socket.socket) -> None:
    """Send header after header until the other side hangs up."""
    connection.settimeout(0.05)
    while True:
        try:
            connection.sendall(b"X-A: b\r\n")
            if connection.recv(1) == b"":
                return
        except TimeoutError:
            continue
        except ConnectionError:
            return


def test_bytes_that_trickle_win_no_time(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    with serving(8) as port, connect(port, HEAD) as slow:
        trickle(slow)
        assert served(port)


def test_an_answer_that_takes_long_is_not_cut_off(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    held = Held()
    with serving(8, held) as port, connect(port, b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n") as slow:
        assert held.begun.acquire(timeout=PATIENCE)
        with connect(port) as idle:
            assert is_closed(idle), "by now the time of a head has passed"
        held.go.set()
        assert slow.recv(4096).startswith(b"HTTP/1.1 200")


def test_who_opens_too_many_loses_his_own_idle_ones():
    with ExitStack() as stack, serving(4) as port:
        idle = [stack.enter_context(connect(port, HEAD)) for _ in range(40)]
        assert all(is_closed(item) for item in idle[:36])
        assert served(port)
        assert is_closed(idle[36])


def test_none_is_lost_while_it_is_served():
    held = Held()
    with ExitStack() as stack, serving(3, held) as port:
        busy = [
            stack.enter_context(connect(port, b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n")) for _ in range(3)
        ]
        for _ in busy:
            assert held.begun.acquire(timeout=PATIENCE)
        assert is_closed(stack.enter_context(connect(port))), "no place"
        held.go.set()
        for item in busy:
            assert item.recv(4096).startswith(b"HTTP/1.1 200")
        assert served(port)


def test_a_proxy_is_not_limited_but_the_whole_is():
    with ExitStack() as stack, serving(2, proxies=["127.0.0.0/8"], everybody=10) as port:
        idle = [stack.enter_context(connect(port, HEAD)) for _ in range(12)]
        assert is_closed(idle[0])
        assert is_closed(idle[1])
        idle[2].sendall(b"\r\n")
        assert idle[2].recv(4096).startswith(b"HTTP/1.1 200")


def test_when_all_places_are_taken_the_fullest_client_gives_one():
    async def run() -> None:
        table = Connections(4, everybody=6)
        with ExitStack() as stack:

            def taken(client: str, number: int) -> Connection | None:
                made = stack.enter_context(Connection())
                return made if table.take(made, (client, number)) else None

            for number in range(4):
                assert taken("192.0.2.1", number)
            assert taken("192.0.2.2", 1)
            assert taken("192.0.2.3", 1)
            assert taken("192.0.2.4", 1)
            assert table.find(("192.0.2.1", 0)) is None
            assert table.find(("192.0.2.1", 1)) is not None
            assert all(table.find((f"192.0.2.{last}", 1)) for last in (2, 3, 4))
            assert len(table) == 6
        assert len(table) == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    "lengths",
    [b"Transfer-Encoding: chunked\r\nContent-Length: 4", b"Content-Length: 4\r\nTransfer-Encoding: chunked"],
)
def test_a_body_with_two_lengths(lengths):
    with (
        serving(8) as port,
        connect(port, b"POST /fine HTTP/1.1\r\nHost: x\r\n" + lengths + b"\r\n\r\n0\r\n\r\n") as both,
    ):
        answer = b""
        while part := both.recv(4096):
            answer += part
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"malformed.api_framing" in answer
        assert b"connection: close" in answer.lower()

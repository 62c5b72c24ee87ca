"""A gateway that is flooded, fed too much, or fed nonsense goes on; so does its node. Loopback only, bounded."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from evidence_desk.core.verdict import Status
from tests.integration.court_gateway.asking import Asker, refusal
from tests.integration.court_node.network import wait_until

pytestmark = pytest.mark.engine
FLOOD = 2_000
AT_ONCE = 40


def served(asker: Asker, index: int = 0) -> bool:
    return asker.get("/v1/network", index).status_code == 200


def test_a_transaction_of_10_megabytes(asker):
    before = asker.network.running(0)
    answer = asker.post("/v1/transactions", os.urandom(10 << 20))
    assert refusal(answer) == (413, "malformed.too_large")
    assert refusal(asker.post("/v1/transactions", bytes((1 << 20) + 1))) == (413, "malformed.too_large")
    assert refusal(asker.post("/v1/transactions", bytes(1 << 20))) == (422, "court.tx_refused")
    assert served(asker)
    assert asker.network.running(0) == before


def test_a_body_without_end(asker):
    def chunks() -> Iterator[bytes]:
        for _ in range(64):
            yield bytes(64 << 10)

    try:
        answer = asker.clients[0].post("/v1/transactions", content=chunks())
    except httpx.TransportError:
        pass  # the gateway hung up before all was sent
    else:
        assert refusal(answer) == (413, "malformed.too_large")
    assert served(asker)


def test_bytes_that_are_no_http(asker):
    port = int(str(asker.clients[0].base_url.port))
    for data in (
        b"\x00" * 1000,
        b"GET / HTTP/9.9\r\n\r\n",
        b"A" * 200_000,
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
            except OSError:
                continue  # it hung up
    assert served(asker)


async def flood(url: str) -> list[int]:
    """Requests that cost a gateway much, from one client, as fast as they are answered."""
    statuses: list[int] = []

    async def ask(client: httpx.AsyncClient, count: int) -> None:
        for _ in range(count):
            answer = await client.post("/v1/registrations", content=b"garbage")
            statuses.append(answer.status_code)
            wanted = "api.too_many" if answer.status_code == 429 else "court.tx_refused"
            assert refusal(answer)[1] == wanted

    async with httpx.AsyncClient(base_url=url, timeout=60) as client, asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(ask(client, FLOOD // AT_ONCE))
    return statuses


def test_a_flood_is_turned_away_and_the_network_goes_on(asker):
    desk = asker.registered(index=1)
    before = asker.network.running(0)
    statuses = asyncio.run(flood(asker.network.ready["gateways"][0]))
    assert set(statuses) == {422, 429}, "answered or told to wait, never broken"
    answer = asker.anchored(desk, b"under flood", index=1)
    assert asker.judged(desk, answer, desk.leaves[0]).status is Status.PASSED
    wait_until(lambda: served(asker))
    assert asker.network.running(0) == before


def test_slow_clients_do_not_keep_others_out(asker):
    """Connections that say nothing hold no place."""
    port = int(str(asker.clients[2].base_url.port))
    idle = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(300)]
    try:
        for connection in idle[:150]:
            connection.sendall(b"GET /v1/network HTTP/1.1\r\nHost: x\r\n")
        begun = time.monotonic()
        assert served(asker, 2)
        assert time.monotonic() - begun < 30, "not kept waiting until the idle ones are dropped"
    finally:
        for connection in idle:
            connection.close()

"""Four validators on loopback, and writers that each send one transaction after the other: ours, and kvstore's as ceiling.

Same engine, same configuration, same writers; only the application differs.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from evidence_desk.court.node.engine import find_engine
from evidence_desk.court.node.localnet import open_localnet

NODES = 4
PATIENCE = 120.0


@dataclass
class Load:
    """What became of the transactions: (sent, seen in a block) by the driver's clock."""

    sent: dict[bytes, float] = field(default_factory=dict)
    seen: dict[bytes, float] = field(default_factory=dict)
    refused: int = 0

    @property
    def rate(self) -> float:
        """Transactions a second between the first sent and the last committed."""
        return len(self.seen) / (max(self.seen.values()) - min(self.sent.values()))


Writer = Callable[[int, int], bytes]
"""Transaction number `round` of writer `number`."""


async def drive(urls: list[str], writers: int, rounds: int, make: Writer) -> Load:
    """Each writer sends to one node and waits until its transaction is in a block, `rounds` times."""
    load, arrived = Load(), asyncio.Condition()
    limits = httpx.Limits(max_connections=writers + 8)
    async with httpx.AsyncClient(timeout=30, trust_env=False, limits=limits) as client:
        watching = asyncio.create_task(_watch(client, urls[0], load, arrived, writers * rounds))
        await asyncio.gather(
            *(
                _write(client, urls[number % len(urls)], number, rounds, make, load, arrived)
                for number in range(writers)
            )
        )
        await asyncio.wait_for(watching, PATIENCE)
    return load


async def _write(
    client: httpx.AsyncClient, url: str, number: int, rounds: int, make: Writer, load: Load, arrived: asyncio.Condition
) -> None:  # fmt: skip
    for turn in range(rounds):
        tx = make(number, turn)
        digest = hashlib.sha256(tx).digest()
        load.sent[digest] = time.monotonic()
        answer = await rpc(client, url, "broadcast_tx_sync", tx=base64.b64encode(tx).decode())
        if answer["code"]:
            load.refused += 1
            load.seen[digest] = time.monotonic()
            continue
        async with arrived:
            await arrived.wait_for(partial(load.seen.__contains__, digest))


async def _watch(
    client: httpx.AsyncClient, url: str, load: Load, arrived: asyncio.Condition, wanted: int
) -> None:
    height = int((await rpc(client, url, "status"))["sync_info"]["latest_block_height"])
    while len(load.seen) < wanted:
        try:
            block = (await rpc(client, url, "block", height=str(height + 1)))["block"]
        except (KeyError, httpx.HTTPError):
            await asyncio.sleep(0.02)
            continue
        height += 1
        now = time.monotonic()
        async with arrived:
            for tx in block["data"]["txs"] or ():
                load.seen[hashlib.sha256(base64.b64decode(tx)).digest()] = now
            arrived.notify_all()


async def rpc(client: httpx.AsyncClient, url: str, method: str, **parameters: str) -> dict[str, Any]:
    """Result of a call; KeyError when there is none."""
    request = {"jsonrpc": "2.0", "id": 0, "method": method, "params": parameters}
    answer: dict[str, Any] = (await client.post(url, json=request)).json()["result"]
    return answer


@contextmanager
def kvstore_network(folder: Path) -> Iterator[list[str]]:
    """Four engines with the built-in kvstore application; their RPC addresses."""
    net, engine = open_localnet(folder, NODES), find_engine()
    processes: list[subprocess.Popen[bytes]] = []
    urls = [home.settings().rpc_url for home in net.homes]
    try:
        for home in net.homes:
            with (home.path / "kvstore.log").open("wb") as log:
                command: list[str | Path] = [
                    engine,
                    "start",
                    "--home",
                    home.path,
                    "--proxy_app",
                    "kvstore",
                    "--abci",
                    "local",
                ]
                processes.append(subprocess.Popen(command, stdout=log, stderr=log))
        _wait_for_blocks(urls)
        yield urls
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def _wait_for_blocks(urls: list[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    for url in urls:
        while True:
            request = {"jsonrpc": "2.0", "id": 0, "method": "status", "params": {}}
            with suppress(httpx.HTTPError, KeyError):
                answer = httpx.post(url, json=request, trust_env=False).json()
                if int(answer["result"]["sync_info"]["latest_block_height"]) >= 1:
                    break
            assert time.monotonic() < deadline, "the network does not start"
            time.sleep(0.1)


def kvstore_payload(number: int, turn: int) -> bytes:
    """500 bytes, each transaction another key."""
    return f"key-{number}-{turn}={'v' * 480}".encode()[:500]

"""The court network: four validators on this machine, loopback only, against the engine's built-in kvstore."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx

from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import PlainObject
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.anchor import parse_anchor_answer
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.network_file import parse_network
from evidence_desk.court.protocol.search import parse_search_answer, verify_search
from evidence_desk.court.protocol.verdict import TokenTime
from evidence_desk.court.protocol.verify import verify_court
from tests.bench.load import NODES, drive, kvstore_network, kvstore_payload
from tests.bench.report import Figure, percentile
from tests.integration.court_node.network import Network
from tests.unit.court_node.chain import Desk

WRITERS = 200
FILL_LEAVES = 250
FIRST_PAUSE, PAUSE = 0.5, 0.35
"""Seconds before a desk asks for its proof, and asks again: asking more often keeps the two cores from agreeing."""


def throughput(folder: Path, small: bool) -> Iterator[Figure]:
    """Transactions of one leaf each by 200 desks, each waiting for its own; then leaves only, 400 a transaction."""
    writers, rounds = (40, 3) if small else (WRITERS, 20)
    with kvstore_network(folder / "kvstore") as urls:
        peer = asyncio.run(drive(urls, writers, rounds, kvstore_payload))
    yield Figure(
        "ceiling: kvstore, 500 bytes", peer.rate, "tx/s", 0, f"{writers} writers × {rounds}", at_least=True
    )
    with ours(folder) as network:
        desks = register(network, writers)
        prepared = one_leaf_each(desks, rounds)
        load = asyncio.run(
            drive(rpc_urls(network), writers, rounds, lambda number, turn: prepared[number][turn])
        )
        assert not load.refused
        size = len(prepared[0][0])
        yield Figure("transactions of one leaf, share of the ceiling", load.rate / peer.rate, "×", 0.4,
                     f"{load.rate:.0f} tx/s of {size} bytes, 0 refused; each looked up by SHA-256 and SM3", at_least=True)  # fmt: skip
        count, leaves = (4, 200) if small else (16, 400)
        bulk = many_leaves(desks[:count], 2 if small else 6, leaves)
        load = asyncio.run(
            drive(rpc_urls(network), count, len(bulk[0]), lambda number, turn: bulk[number][turn])
        )
        assert not load.refused
        yield Figure("records anchored, leaves only", load.rate * leaves, "leaf/s", 1_000,
                     f"{load.rate:.2f} tx/s of {leaves} leaves ({len(bulk[0][0]):,} bytes), {count} desks", at_least=True)  # fmt: skip


@contextmanager
def ours(folder: Path, count: int = NODES) -> Iterator[Network]:
    """Our network, running."""
    network = Network(folder / "net", count)
    network.start()
    try:
        yield network
    finally:
        network.stop()


def rpc_urls(network: Network) -> list[str]:
    """RPC of all nodes: consensus is measured without gateways here."""
    return [network.home(index).settings().rpc_url for index in range(network.count)]


def register(network: Network, count: int) -> list[Desk]:
    """Desks known to the network."""
    desks = [Desk(name=f"bench {number}", chain_id=network.chain_id) for number in range(count)]
    transactions = [network.approved(desk.registration()) for desk in desks]
    load = asyncio.run(drive(rpc_urls(network), count, 1, lambda number, _turn: transactions[number]))
    assert not load.refused
    return desks


def one_leaf_each(desks: list[Desk], rounds: int) -> list[list[bytes]]:
    """Signed before the clock runs."""
    prepared: list[list[bytes]] = []
    for number, desk in enumerate(desks):
        for turn in range(rounds):
            desk.leaf(b"%d-%d" % (number, turn))
        prepared.append([desk.submission(turn, turn + 1) for turn in range(rounds)])
    return prepared


def many_leaves(desks: list[Desk], rounds: int, leaves: int) -> list[list[bytes]]:
    """Transactions of many leaves."""
    prepared: list[list[bytes]] = []
    for number, desk in enumerate(desks):
        start = len(desk.leaves)
        for place in range(rounds * leaves):
            desk.leaf(b"bulk %d-%d" % (number, place))
        prepared.append(
            [desk.submission(start + turn * leaves, start + (turn + 1) * leaves) for turn in range(rounds)]
        )
    return prepared


def lookup(folder: Path, small: bool) -> Iterator[Figure]:
    """One validator whose map holds a million keys; its gateway asked for digests, one after the other."""
    wanted = 20_000 if small else 1_000_000
    with ours(folder, 1) as network:
        (desk,) = register(network, 1)
        keys = fill(network, desk, wanted)
        trust = parse_network((Path(str(network.ready["trust"])) / "network.json").read_bytes())
        served: list[float] = []
        checked: list[float] = []
        size = 0
        with httpx.Client(base_url=str(network.ready["gateways"][0]), timeout=30, trust_env=False) as client:
            for number in range(50 if small else 1_000):
                digest = random.choice(keys) if number % 2 else os.urandom(32)
                start = time.perf_counter()
                answer = client.get(f"/v1/lookup/{digest.hex()}")
                served.append((time.perf_counter() - start) * 1000)
                assert answer.status_code == 200, answer.text
                start = time.perf_counter()
                verdict = verify_search(parse_search_answer(answer.content), digest=digest, trust=trust,
                                        token=no_token, now=datetime.now(UTC))  # fmt: skip
                checked.append((time.perf_counter() - start) * 1000)
                assert verdict.status is Status.PASSED
                assert verdict.present is (number % 2 == 1)
                size = max(size, len(answer.content))
                time.sleep(0.02)
    method = (
        f"{len(served)} digests, half of them absent, {len(keys) * 2:,} keys, answers up to {size:,} bytes"
    )
    yield Figure("look-up with proofs served, p99", percentile(served, 0.99), "ms", 50, method)
    yield Figure("look-up checked, p99", percentile(checked, 0.99), "ms", 20, "five kinds and the found leaf")


def finality(folder: Path, small: bool) -> Iterator[Figure]:
    """100 desks that each submit one checkpoint a second by a gateway and ask for its proof until it holds."""
    count, seconds_each = (20, 3) if small else (100, 15)
    with ours(folder) as network:
        desks = register(network, count)
        trust = parse_network((Path(str(network.ready["trust"])) / "network.json").read_bytes())
        prepared = one_leaf_each(desks, seconds_each)
        latencies = asyncio.run(_submit_all(network.ready["gateways"], desks, prepared, trust))
    method = f"{count} tx/s for {seconds_each} s by {NODES} gateways, every proof verified by its desk"
    yield Figure("submit to verified finality, p50", percentile(latencies, 0.50), "s", 1.5, method)
    yield Figure("submit to verified finality, p99", percentile(latencies, 0.99), "s", 4, method)


async def _submit_all(
    gateways: list[str], desks: list[Desk], prepared: list[list[bytes]], trust: NetworkTrust
) -> list[float]:
    limits = httpx.Limits(max_connections=2 * len(desks))
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=limits) as client:
        found = await asyncio.gather(
            *(
                _submit_each_second(client, gateways[number % len(gateways)], desk, prepared[number], trust, number / len(desks))
                for number, desk in enumerate(desks)
            )
        )  # fmt: skip
    return [latency for some in found for latency in some]


async def _submit_each_second(
    client: httpx.AsyncClient, gateway: str, desk: Desk, transactions: list[bytes], trust: NetworkTrust, offset: float
) -> list[float]:  # fmt: skip
    latencies: list[float] = []
    begun = time.monotonic() + offset
    for turn, transaction in enumerate(transactions):
        await asyncio.sleep(max(0.0, begun + turn - time.monotonic()))
        start = time.monotonic()
        while (
            sent := await client.post(f"{gateway}/v1/transactions", content=transaction)
        ).status_code != 202:
            assert sent.status_code in {429, 503}, sent.text
            await asyncio.sleep(0.2)
        leaf = leaf_hash(desk.leaves[turn])
        checkpoint, _ = parse_checkpoint(desk.note(turn + 1))
        url = f"{gateway}/v1/proofs/{desk.origin}/{turn + 1}?leaf={leaf.hex()}"
        await asyncio.sleep(FIRST_PAUSE)
        answer = await client.get(url)
        while answer.status_code != 200:
            await asyncio.sleep(PAUSE)
            answer = await client.get(url)
        verdict = verify_court(parse_anchor_answer(answer.content).part(leaf), trust=trust, checkpoint=checkpoint,
                               leaf_hash=leaf, token=no_token, now=datetime.now(UTC))  # fmt: skip
        assert verdict.status is Status.PASSED
        latencies.append(time.monotonic() - start)
    return latencies


def no_token(token: bytes, imprint: bytes) -> TokenTime:  # noqa: ARG001
    """No answer here leans on a token: its headers are fresh."""
    return TokenTime(status=Status.UNDETERMINED)


def fill(network: Network, desk: Desk, keys: int) -> list[bytes]:
    """Leaves of 16 objects each until the map holds so many keys; the SHA-256 digests among them."""
    digests: list[bytes] = []
    place, before = len(desk.leaves), len(desk.leaves)
    while 2 * len(digests) < keys:
        for _ in range(FILL_LEAVES):
            pairs = [DigestPair(sha256=os.urandom(32), sm3=os.urandom(32)) for _ in range(16)]
            digests += [pair.sha256 for pair in pairs]
            desk.leaf(b"", objects=tuple(PlainObject(digests=pair, size=1) for pair in pairs))
            place += 1
        transaction, before = desk.submission(before, place), place
        load = asyncio.run(drive(rpc_urls(network), 1, 1, partial(_same, transaction)))
        assert not load.refused
    return digests


def _same(transaction: bytes, _number: int, _turn: int) -> bytes:
    return transaction

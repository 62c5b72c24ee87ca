"""The court network: four validators on this machine, loopback only, against the engine's built-in kvstore."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.load import NODES, drive, kvstore_network, kvstore_payload
from tests.bench.report import Figure
from tests.integration.court_node.network import Network
from tests.unit.court_node.chain import Desk

WRITERS = 200


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
def ours(folder: Path) -> Iterator[Network]:
    """Our network, running."""
    network = Network(folder / "net", NODES)
    network.start()
    try:
        yield network
    finally:
        network.stop()


def rpc_urls(network: Network) -> list[str]:
    """RPC of all nodes: consensus is measured without gateways here."""
    return [network.home(index).settings().rpc_url for index in range(NODES)]


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

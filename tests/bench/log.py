"""A log of a million leaves: opening, proving, auditing."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from evidence_desk.bootstrap.opening import open_session
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.log import TrustedLog, note_keys
from evidence_desk.core.merkle import TileTree, leaf_hash, root_from_inclusion
from evidence_desk.services.audit import audit
from evidence_desk.services.desk import Desk, LeafMaker
from tests.bench.files import PASSPHRASE, demo_session
from tests.bench.report import Figure, median, percentile, seconds

BATCH = 10_000


def million(folder: Path, small: bool) -> Iterator[Figure]:
    """1,000,000 heartbeat leaves in batches of 10,000, each batch one checkpoint and one transaction."""
    size = 20_000 if small else 1_000_000
    session = demo_session(folder / "vault")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    desk = session.desk

    def maker(origin: str) -> LeafMaker:
        return lambda seq, _at: Leaf(log=origin, seq=seq, type=LeafType.HEARTBEAT, at=moment)

    makers = [maker(desk.origin)] * BATCH
    filling = seconds(lambda: _fill(desk, makers, size))
    session.close()
    with open_session(folder / "vault", PASSPHRASE) as opened:
        keys = note_keys(opened.vault.origin, opened.vault.signer)
        yield Figure("open the log: signatures and right edge", median(lambda: TrustedLog.open(opened.vault.log, keys), 5),
                     "s", 1, f"{size:,} leaves (filled at {size / filling:,.0f}/s)")  # fmt: skip
        times: list[float] = []
        log = opened.desk.log
        for _ in range(2_000):
            index = random.randrange(log.size)
            start = time.perf_counter()
            path = TileTree(opened.vault.log, log.size).inclusion(index)
            times.append((time.perf_counter() - start) * 1000)
            digest = leaf_hash(opened.vault.log.leaf(index).leaf)
            root = root_from_inclusion(index=index, size=log.size, digest=digest, path=path)
            assert log.checkpoint is not None
            assert root == log.checkpoint.root
        yield Figure("inclusion proof, p99", percentile(times, 0.99), "ms", 5, "2,000 random leaves, checked")
        outcome = []
        took = seconds(lambda: outcome.append(audit(opened.desk, job=Job())))
        assert not outcome[0].faults
        yield Figure("audit: every leaf, tile, root and signature", took, "s", 30, f"{size:,} leaves")


def _fill(desk: Desk, makers: list[LeafMaker], size: int) -> None:
    while desk.log.size < size:
        with desk.appending() as appender:
            appender.append(makers[: size - desk.log.size])

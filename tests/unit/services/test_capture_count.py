"""Counting captures by the log: other cases and other logs are in the number, an ending counts once and for its beginning."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from evidence_desk.core.capture.rows import CaptureTally
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.rows import LeafRow
from evidence_desk.services.capture_count import tally
from evidence_desk.services.desk import Desk
from tests.fixed import AT, ORIGIN, MemoryLog, sealed_leaf

EARLIER = "earlier.example"


def put(log: MemoryLog, leaf: Leaf) -> bytes:
    data = leaf.encode()
    log.rows.append(LeafRow(seq=leaf.seq, type=leaf.type, leaf_hash=leaf_hash(data), leaf=data))
    return leaf_hash(data)


def started(log: MemoryLog) -> bytes:
    seq = len(log.rows)
    digests = DigestPair.of(b"started %d" % seq).to_json()
    leaf = Leaf(log=ORIGIN, seq=seq, type=LeafType.CAPTURE_STARTED, at=AT, facts={"commitment": {**digests}})
    return put(log, leaf)


def abandoned(log: MemoryLog, ref: bytes) -> bytes:
    return put(
        log, Leaf(log=ORIGIN, seq=len(log.rows), type=LeafType.CAPTURE_ABANDONED, at=AT, ref=ref)
    )  # fmt: skip


def sealed(log: MemoryLog, ref: bytes) -> bytes:
    made = sealed_leaf(len(log.rows))
    return put(
        log,
        Leaf(
            log=ORIGIN, seq=len(log.rows), type=LeafType.CAPTURE_SEALED, at=AT, statement=made.statement,
            objects=made.objects, ref=ref,
        ),
    )  # fmt: skip


def desk(log: MemoryLog, *earlier: MemoryLog) -> Desk:
    logs = {f"{at}.{EARLIER}": item for at, item in enumerate(earlier)}
    store = SimpleNamespace(log=log, origins=[*logs, ORIGIN], archived_log=logs.__getitem__)
    return cast("Desk", SimpleNamespace(store=store, origin=ORIGIN))


def test_every_beginning_counts_however_it_ended():
    log = MemoryLog()
    first, second, third, _ = (started(log) for _ in range(4))
    put(log, sealed_leaf(4))
    sealed(log, first)
    sealed(log, second)
    abandoned(log, third)
    assert tally(desk(log)) == CaptureTally(logs=1, leaves=8, started=4, sealed=2, abandoned=1, unsealed=1)


def test_endings_of_nothing_hide_no_beginning_and_second_ones_are_counted():
    log = MemoryLog()
    first, _ = started(log), started(log)
    abandoned(log, bytes(32))
    sealed(log, first)
    abandoned(log, first)
    assert tally(desk(log)) == CaptureTally(logs=1, leaves=5, started=2, sealed=1, abandoned=2, unsealed=1)


def test_logs_from_before_a_restore_count_too():
    log, earlier = MemoryLog(), MemoryLog()
    begun = started(earlier)
    sealed(log, begun)
    assert tally(desk(log, earlier)) == CaptureTally(
        logs=2, leaves=2, started=1, sealed=1, abandoned=0, unsealed=0
    )


def test_a_desk_without_captures_says_so():
    log = MemoryLog()
    put(log, sealed_leaf(0))
    assert tally(desk(log)) == CaptureTally(logs=1, leaves=1, started=0, sealed=0, abandoned=0, unsealed=0)

"""Audit: recompute the whole log from its leaves, compare every checkpoint, and check what hangs on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import parse_leaf
from evidence_desk.core.log import TrustedLog, ed25519_checkpoint
from evidence_desk.core.merkle import TILE_WIDTH, CompactRange, extend_tiles, leaf_hash
from evidence_desk.core.ports import LeafRow
from evidence_desk.errors import EvidenceDeskError, IntegrityError, MalformedError
from evidence_desk.services.desk import Desk

CHUNK: Final = 4096
MAX_FAULTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing found wrong: code of ``texts`` and where."""

    code: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOutcome:
    """What an audit looked at and what it found; sound when `faults` is empty."""

    origin: str
    size: int
    root: bytes
    checkpoints: int
    exhibits: int
    faults: tuple[Fault, ...]


def audit(desk: Desk, *, job: Job) -> AuditOutcome:
    """Recompute leaves, tiles, roots and signatures of the active log, and compare exhibits with their leaves.

    A fault is a result, not an exception; at most 100 are listed.
    """
    faults: list[Fault] = []
    store = desk.store.log
    try:
        TrustedLog.open(store, desk.keys)
    except (IntegrityError, MalformedError):
        faults.append(Fault(code="audit.newest", seq=store.size()))
    size = store.size()
    heads = _checkpoints(desk, faults)
    expected = next(heads, None)
    edge, checked = CompactRange(), 0
    for start in range(0, size, CHUNK):
        job.step("audit", start, size)
        rows = list(store.leaves(start, min(start + CHUNK, size)))
        hashes = [_leaf(desk, row, start + offset, faults) for offset, row in enumerate(rows)]
        if len(rows) != min(CHUNK, size - start):
            faults.append(Fault(code="audit.leaf_missing", seq=start + len(rows)))
            break
        for digest in hashes:
            edge.append(digest)
            while expected is not None and expected[0] == edge.size:
                if expected[1] != edge.root():
                    faults.append(Fault(code="audit.root", seq=edge.size))
                checked += 1
                expected = next(heads, None)
        _tiles(desk, start, hashes, faults)
        if len(faults) >= MAX_FAULTS:
            break
    if expected is not None:
        faults.append(Fault(code="audit.size", seq=expected[0]))
    exhibits = _exhibits(desk, faults, job)
    newest = store.checkpoint()
    if size and (not newest or parse_checkpoint(newest)[0].size != size):
        faults.append(Fault(code="audit.size", seq=size))
    return AuditOutcome(
        origin=desk.origin, size=size, root=edge.root(), checkpoints=checked, exhibits=exhibits,
        faults=tuple(faults[:MAX_FAULTS]),
    )  # fmt: skip


def _checkpoints(desk: Desk, faults: list[Fault]) -> Iterator[tuple[int, bytes]]:
    """(size, root) of every stored checkpoint whose signatures hold.

    Ed25519 is checked on all; SM2, of which the second implementation takes 7 ms, on the newest: `TrustedLog.open` does it.
    """
    keys = desk.keys
    for size, note in desk.store.log.checkpoints():
        try:
            checkpoint = ed25519_checkpoint(note, keys)
        except EvidenceDeskError:
            faults.append(Fault(code="audit.signature", seq=size))
            continue
        if checkpoint.size != size:
            faults.append(Fault(code="audit.size", seq=size))
        yield checkpoint.size, checkpoint.root


def _leaf(desk: Desk, row: LeafRow, seq: int, faults: list[Fault]) -> bytes:
    """Leaf hash recomputed from the stored bytes, which must parse and say their own place."""
    digest = leaf_hash(row.leaf)
    try:
        leaf = parse_leaf(row.leaf)
        right = leaf.seq == seq == row.seq and leaf.log == desk.origin and digest == row.leaf_hash
    except MalformedError:
        right = False
    if not right:
        faults.append(Fault(code="audit.leaf", seq=seq))
    return digest


def _tiles(desk: Desk, start: int, hashes: list[bytes], faults: list[Fault]) -> None:
    """Stored tiles at level 0 and above equal those that the leaves give."""
    for (level, index), blob in extend_tiles(desk.store.log.tile, start, hashes).items():
        stored = desk.store.log.tile(level, index)
        if stored[: len(blob)] != blob:
            faults.append(Fault(code="audit.tile", seq=index * TILE_WIDTH ** (level + 1)))


def _exhibits(desk: Desk, faults: list[Fault], job: Job) -> int:
    """Each exhibit's statement is the one its leaf commits to."""
    count = 0
    for exhibit in desk.store.exhibits.exhibits():
        if exhibit.origin != desk.origin:
            continue
        if count % 1000 == 0:
            job.step("audit.exhibits", count, 0)
        count += 1
        row = desk.store.log.leaf(exhibit.seq)
        try:
            leaf = parse_leaf(row.leaf)
        except MalformedError:
            continue
        if row.leaf_hash != exhibit.leaf_hash or leaf.statement is None:
            faults.append(Fault(code="audit.exhibit", seq=exhibit.seq))
        elif not leaf.statement.matches(DigestPair.of(exhibit.statement)):
            faults.append(Fault(code="audit.statement", seq=exhibit.seq))
    return count

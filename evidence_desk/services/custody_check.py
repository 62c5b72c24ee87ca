"""Compare stored custody events with the log before they are printed: none changed, none added, none left out.

Every leaf of the active log is hashed again and the root compared with the signed one, so that an event whose leaf was
hidden together with its row is noticed too. Of a log from before a restore not every event need be here (the network
gives no envelopes of 仅哈希 cases): what cannot be compared there is told as such.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.documents import CustodyLine, Standing
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType, parse_leaf
from evidence_desk.core.log import TrustedLog, ed25519_checkpoint
from evidence_desk.core.merkle import CompactRange, TileTree, leaf_hash, root_from_inclusion, root_of
from evidence_desk.core.ports import LogStore
from evidence_desk.core.rows import CustodyRow
from evidence_desk.core.trust import Trust
from evidence_desk.errors import EvidenceDeskError, IntegrityError
from evidence_desk.services.custody import custody_entry
from evidence_desk.services.desk import Desk

_CHUNK = 4096
_MAX_DETAILS = 1 << 20
_SECRETS = frozenset({"salt", "commitment_salt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A leaf that says something about an exhibit."""

    origin: str
    seq: int
    leaf_hash: bytes


@dataclass(slots=True, kw_only=True)
class CheckedCustody:
    """What the log carries.

    Attributes:
        lines: leaf hash of an exhibit → its custody events, oldest first.
        attested: SHA-256 of a token → the leaf of the active log that attests it.
    """

    lines: dict[bytes, list[CustodyLine]] = field(default_factory=lambda: defaultdict(list))
    attested: dict[bytes, Place] = field(default_factory=dict)


def checked_custody(desk: Desk, exhibits: Sequence[bytes], *, trust: Trust, job: Job) -> CheckedCustody:
    """Custody events of exhibits (leaf hashes), each compared with its leaf.

    Raises:
        IntegrityError: ``documents.log`` when the leaves are not those that were signed, ``documents.custody`` when
            events are not those that a leaf commits to. MalformedError: ``malformed.json``.
    """
    found = CheckedCustody()
    log = desk.log
    proven = _active_log(desk, log, found, job)
    earlier: list[CustodyRow] = []
    for exhibit in exhibits:
        for row in desk.store.exhibits.custody(exhibit):
            if row.leaf_seq is None:
                found.lines[exhibit].append(_line(row, Standing.PENDING))
            elif row.leaf_origin != desk.origin:
                earlier.append(row)
            elif row.leaf_seq >= log.size:
                continue  # appended meanwhile
            elif (place := proven.get(row.id)) is not None:
                found.lines[exhibit].append(_line(row, Standing.LOGGED, place))
            else:
                raise IntegrityError("documents.custody", seq=row.leaf_seq)
    if earlier:
        _earlier_logs(desk, earlier, found, trust)
    return found


def _active_log(desk: Desk, log: TrustedLog, found: CheckedCustody, job: Job) -> Mapping[int, Place]:
    """One pass over the log: places of the custody events that its leaves commit to, by the events' ids."""
    store = desk.store.log
    edge, proven = CompactRange(), dict[int, Place]()
    for start in range(0, log.size, _CHUNK):
        job.step("document.log", start, log.size)
        for row in store.leaves(start, min(start + _CHUNK, log.size)):
            digest = leaf_hash(row.leaf)
            edge.append(digest)
            if row.type != LeafType.EXHIBIT_SEALED:
                _event(desk, parse_leaf(row.leaf), digest, found, proven)
            elif b'"type":"exhibit.sealed"' not in row.leaf:
                raise IntegrityError("documents.log", size=log.size)
    if edge.size != log.size or (log.checkpoint is not None and edge.root() != log.checkpoint.root):
        raise IntegrityError("documents.log", size=log.size)
    return proven


def _event(desk: Desk, leaf: Leaf, digest: bytes, found: CheckedCustody, proven: dict[int, Place]) -> None:
    place = Place(origin=leaf.log, seq=leaf.seq, leaf_hash=digest)
    if leaf.type is LeafType.TIME_ATTESTED:
        found.attested[bytes.fromhex(str(leaf.facts["token_sha256"]))] = place
    elif leaf.type is LeafType.CUSTODY_EVENT:
        rows = desk.store.exhibits.custody_of_leaf(leaf.seq)
        if not _committed(leaf, rows):
            raise IntegrityError("documents.custody", seq=leaf.seq)
        proven.update((row.id, place) for row in rows)


def _committed(leaf: Leaf, rows: Sequence[CustodyRow]) -> bool:
    root = root_of(leaf_hash(custody_entry(row)) for row in rows)
    return leaf.facts["events"] == {"count": len(rows), "root": root.hex()}


def _earlier_logs(desk: Desk, rows: Sequence[CustodyRow], found: CheckedCustody, trust: Trust) -> None:
    """A leaf commits to the events of many exhibits; the store finds those of an earlier log by exhibit only."""
    wanted: dict[tuple[str, int], list[CustodyRow]] = {
        (row.leaf_origin, row.leaf_seq): [] for row in rows if row.leaf_seq is not None
    }
    for exhibit in desk.store.exhibits.exhibits():
        for row in desk.store.exhibits.custody(exhibit.leaf_hash):
            if row.leaf_seq is not None and (row.leaf_origin, row.leaf_seq) in wanted:
                wanted[row.leaf_origin, row.leaf_seq].append(row)
    places = {
        key: _earlier_place(desk, *key, sorted(held, key=lambda row: row.id), trust)
        for key, held in wanted.items()
    }
    for row in rows:
        place = places[row.leaf_origin, row.leaf_seq or 0]
        standing = Standing.UNCOMPARED if place is None else Standing.LOGGED
        found.lines[row.exhibit].append(_line(row, standing, place))
    for lines in found.lines.values():
        lines.sort(key=lambda line: line.at)


def _earlier_place(
    desk: Desk, origin: str, seq: int, rows: Sequence[CustodyRow], trust: Trust
) -> Place | None:
    """Where an earlier log commits to exactly these events; None when that cannot be shown."""
    try:
        log = desk.store.archived_log(origin)
        checkpoint = _signed(log, origin, trust)
        data = log.leaf(seq).leaf
        leaf, digest = parse_leaf(data), leaf_hash(data)
        path = TileTree(log, checkpoint.size).inclusion(seq)
        root = root_from_inclusion(index=seq, size=checkpoint.size, digest=digest, path=path)
    except (EvidenceDeskError, KeyError):
        return None
    if root != checkpoint.root or leaf.type is not LeafType.CUSTODY_EVENT or not _committed(leaf, rows):
        return None
    return Place(origin=origin, seq=seq, leaf_hash=digest)


def _signed(log: LogStore, origin: str, trust: Trust) -> Checkpoint:
    return ed25519_checkpoint(log.checkpoint(), trust.desks[origin])


def _line(row: CustodyRow, standing: Standing, place: Place | None = None) -> CustodyLine:
    return CustodyLine(
        at=row.at,
        action=row.action,
        standing=standing,
        operator=row.operator,
        details=_details(row.details),
        origin=row.leaf_origin,
        seq=row.leaf_seq,
        leaf_hash=None if place is None else place.leaf_hash,
    )


def _details(data: bytes) -> tuple[tuple[str, str | int], ...]:
    """Named facts of an event; of a list its length counts."""
    value = decode(data, what="custody", limit=_MAX_DETAILS)
    members = value.items() if isinstance(value, dict) else ()
    return tuple((name, _fact(item)) for name, item in members if name not in _SECRETS)


def _fact(value: JSON) -> str | int:
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, str | int) else ""

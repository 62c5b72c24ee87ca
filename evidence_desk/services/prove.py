"""Assemble the proof of one exhibit from the store: leaf and path, checkpoint, time records, attesting leaves, court part.

The checkpoint is the one that the network's stored answer is about: the smallest anchored one that covers leaf and
attesting leaves, else the smallest that covers the leaf. Without any it is the newest, and the proof has no court part.
"""

from __future__ import annotations

from itertools import groupby

from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.merkle import TileTree
from evidence_desk.core.ports import LogStore
from evidence_desk.core.proof import Proof, ProvenLeaf, ProvenNote, TimeProof
from evidence_desk.core.rows import ExhibitRow, TimeRecordRow
from evidence_desk.core.time_record import issue_record
from evidence_desk.services.anchor_records import court_part
from evidence_desk.services.desk import Desk


def prove(desk: Desk, exhibit: ExhibitRow) -> Proof:
    """Proof of an exhibit.

    Raises:
        IntegrityError: the log cannot be read as it was signed.
    """
    log, newest = _log(desk, exhibit)
    anchored = desk.store.court.exhibit_anchor(exhibit.leaf_hash)
    checkpoint = (log.checkpoint_at(anchored.anchor.size) if anchored is not None else b"") or newest
    size = parse_checkpoint(checkpoint)[0].size
    tree = TileTree(log, size)
    records = desk.store.exhibits.time_records(exhibit.leaf_hash)
    return Proof(
        number=exhibit.number,
        leaf=_proven(log, tree, exhibit.seq),
        checkpoint=checkpoint,
        times=tuple(
            _time(desk, exhibit, log, tree, token, list(group))
            for token, group in groupby(records, key=lambda item: item.token_sha256)
        ),
        court=None
        if anchored is None or size != anchored.anchor.size
        else court_part(desk, anchored).to_json(),
    )


def _log(desk: Desk, exhibit: ExhibitRow) -> tuple[LogStore, bytes]:
    """The log that holds the exhibit: the active one (verified), or an archived one from before a restore."""
    if exhibit.origin in {"", desk.origin}:
        return desk.store.log, desk.log.note
    archived = desk.store.archived_log(exhibit.origin)
    return archived, archived.checkpoint()


def _reached(checkpoint: TimeRecordRow, origin: str, size: int) -> bool:
    stamped = parse_checkpoint(checkpoint.data)[0]
    return stamped.origin == origin and stamped.size <= size


def _proven(log: LogStore, tree: TileTree, seq: int) -> ProvenLeaf:
    return ProvenLeaf(leaf=log.leaf(seq).leaf, seq=seq, path=tree.inclusion(seq))


def _time(
    desk: Desk,
    exhibit: ExhibitRow,
    log: LogStore,
    tree: TileTree,
    token_sha256: bytes,
    records: list[TimeRecordRow],
) -> TimeProof:
    """A token taken after a restore is attested in the successor's log, which says nothing about the exhibit's."""
    token = desk.store.exhibits.token(token_sha256)
    origin = exhibit.origin or desk.origin
    checkpoint = desk.store.exhibits.checkpoint_record(token_sha256)
    # A token taken since stands beside a checkpoint that the proof's does not reach yet.
    if checkpoint is not None and not _reached(checkpoint, origin, tree.size):
        checkpoint = None
    attested = token.attested_seq if token.attested_origin == origin else None
    return TimeProof(
        records=tuple(issue_record(item.tree, token.token, crls=token.crls) for item in records),
        token=token.token,
        attested=None if attested is None or attested >= tree.size else _proven(log, tree, attested),
        checkpoint=None
        if checkpoint is None
        else ProvenNote(
            data=checkpoint.data,
            record=issue_record(checkpoint.tree, token.token, crls=token.crls),
            path=tree.consistency(parse_checkpoint(checkpoint.data)[0].size),
        ),
    )

"""Checkpoints: all new leaves of a log, its root computed by every node, its digests entered in the look-up map.

Version 1 of the rules. A checkpoint is accepted when it extends the log the network holds; position, order and
completeness of the leaves follow from the root, and no consistency proof is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import Leaf, LeafType, PlainObject, parse_leaf
from evidence_desk.core.merkle import leaf_hash, root_of
from evidence_desk.core.note import Note, check_ed25519
from evidence_desk.court.node.app.codes import RefusedError
from evidence_desk.court.node.app.commitments import GOVERNANCE, LIST, index_key
from evidence_desk.court.node.app.desks import active_desk, desk, set_desk
from evidence_desk.court.node.app.logs import (
    CHECKPOINT_INDEX,
    ENVELOPES,
    LEAVES,
    NOTES,
    PLACES,
    extend_log,
    log_edge,
    log_key,
    log_root,
)
from evidence_desk.court.node.app.objects import listed_objects
from evidence_desk.court.node.app.occurrences import add_occurrence
from evidence_desk.court.node.app.records import parameters
from evidence_desk.court.node.app.seen import Seen
from evidence_desk.court.node.app.store import META, Overlay, Reader
from evidence_desk.court.protocol.actions import EQUIVOCATION, ReportEquivocation, SubmitCheckpoint
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD, CheckpointRecord, DeskEntry
from evidence_desk.court.protocol.state import LookupEntry, LookupKind, events_key, lookup_key
from evidence_desk.court.protocol.transactions import SignatureScheme, TransactionSignature
from evidence_desk.court.protocol.tx_codes import TxCode
from evidence_desk.errors import MalformedError

MISCONDUCT: Final = b"misconduct/"
"""Key in the map `governance`: this ‖ origin → the report."""
_NEXT_INDEX: Final = b"checkpoints.next"
_QUOTA: Final = "lookup_quota"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A submission whose note, desk and signatures are right."""

    action: SubmitCheckpoint
    checkpoint: Checkpoint
    entry: DeskEntry


def admit(
    rows: Reader,
    action: SubmitCheckpoint,
    signatures: tuple[TransactionSignature, ...],
    *,
    height: int,
    size: int,
    seen: Seen,
) -> Submitted:
    """What can be judged without the leaves; `size` is the transaction's in bytes."""
    if size > parameters(rows).max_submit_bytes:
        raise RefusedError(TxCode.QUOTA)
    try:
        checkpoint, note = parse_checkpoint(action.note)
    except MalformedError as error:
        raise RefusedError(TxCode.MALFORMED) from error
    entry = active_desk(rows, checkpoint.origin, height)
    # The note covers the leaves; objects and envelopes are covered by the desk's signature of the transaction.
    if not any(
        (item.scheme, item.key) == (SignatureScheme.ED25519, entry.keys.ed25519) for item in signatures
    ):
        raise RefusedError(TxCode.SIGNATURE)
    if not seen.holds((action.note, entry.keys), lambda: _note_holds(note, entry)):
        raise RefusedError(TxCode.SIGNATURE)
    if checkpoint.size != action.old_size + len(action.leaves):
        raise RefusedError(TxCode.MALFORMED)
    if checkpoint.size <= entry.size:
        same = log_root(rows, checkpoint.origin, checkpoint.size) == checkpoint.root
        raise RefusedError(TxCode.KNOWN if same else TxCode.FORK)
    return Submitted(action=action, checkpoint=checkpoint, entry=entry)


def accept(rows: Overlay, submitted: Submitted, height: int) -> int:
    """Extend the log and return the checkpoint's index in the list of all."""
    action, checkpoint, entry = submitted.action, submitted.checkpoint, submitted.entry
    if action.old_size != entry.size:
        raise RefusedError(TxCode.CONFLICT)
    origin = checkpoint.origin
    leaves = [_leaf(data, origin, action.old_size + offset) for offset, data in enumerate(action.leaves)]
    digests = [leaf_hash(data) for data in action.leaves]
    edge = log_edge(rows, origin, entry.size)
    for digest in digests:
        edge.append(digest)
    if edge.root() != checkpoint.root:
        raise RefusedError(TxCode.FORK)
    objects = _object_lists(action)
    _enter(rows, origin, height, zip(leaves, digests, strict=True), objects)
    extend_log(rows, origin, entry.size, digests)
    for offset, (data, digest) in enumerate(zip(action.leaves, digests, strict=True)):
        place = log_key(origin, action.old_size + offset)
        rows.set(LEAVES, place, data)
        rows.set(PLACES, digest, place)
    rows.set(NOTES, log_key(origin, checkpoint.size), action.note)
    for envelope in action.envelopes:
        rows.set(ENVELOPES, log_key(origin, envelope.seq), envelope.ciphertext)
    set_desk(rows, replace(entry, size=checkpoint.size, root=checkpoint.root))
    return _record(rows, checkpoint, height)


def report(rows: Overlay, action: ReportEquivocation) -> None:
    """Keep the proof that a desk signed two histories.

    Judged under the present keys: notes under keys that were replaced may be a thief's.
    """
    try:
        first, note = parse_checkpoint(action.first)
        second = parse_checkpoint(action.second) if action.second else None
    except MalformedError as error:
        raise RefusedError(TxCode.MALFORMED) from error
    entry = desk(rows, first.origin)
    if entry is None:
        raise RefusedError(TxCode.DESK_UNKNOWN)
    if not _note_holds(note, entry) or (second is not None and not _note_holds(second[1], entry)):
        raise RefusedError(TxCode.SIGNATURE)
    if second is not None:
        other = second[0]
        same_place = (other.origin, other.size) == (first.origin, first.size)
        proven = same_place and other.root != first.root
    else:
        proven = first.size <= entry.size and log_root(rows, first.origin, first.size) != first.root
    if not proven:
        raise RefusedError(TxCode.UNPROVEN)
    key = MISCONDUCT + first.origin.encode()
    if rows.get(GOVERNANCE, key) is not None:
        raise RefusedError(TxCode.KNOWN)
    rows.set(GOVERNANCE, key, EQUIVOCATION.encode(action))


def _note_holds(note: Note, entry: DeskEntry) -> bool:
    """By the Ed25519 line alone; verifiers check the SM2 line where the policy is national.

    Consensus must not hang on the edge cases of one SM2 library, and a careful check costs every node 9 ms.
    """
    return bool(check_ed25519(note, entry.keys.note_keys(entry.origin)))


def _leaf(data: bytes, origin: str, seq: int) -> Leaf:
    try:
        leaf = parse_leaf(data)
    except MalformedError as error:
        raise RefusedError(TxCode.LEAF) from error
    if leaf.log != origin or leaf.seq != seq:
        raise RefusedError(TxCode.LEAF)
    return leaf


def _object_lists(action: SubmitCheckpoint) -> Mapping[int, tuple[bytes, ...]]:
    return {item.seq: item.objects for item in action.objects}


def _enter(
    rows: Overlay,
    origin: str,
    height: int,
    leaves: Iterator[tuple[Leaf, bytes]],
    objects: Mapping[int, tuple[bytes, ...]],
) -> None:
    """Occurrences of every digest and reference, within the desk's quota for the block."""
    quota_key = origin.encode()
    stored = rows.get(_QUOTA, quota_key) or bytes(16)
    used = int.from_bytes(stored[8:], "big") if int.from_bytes(stored[:8], "big") == height else 0
    left = parameters(rows).lookup_quota - used
    for leaf, digest in leaves:
        entry = LookupEntry(leaf_hash=digest, height=height)
        for key in _keys(leaf, origin, objects.get(leaf.seq, ())):
            left -= 1
            if left < 0:
                raise RefusedError(TxCode.QUOTA)
            add_occurrence(rows, key, entry)  # a full list stays as it is: it proves that there are as many
        if leaf.seq in objects and leaf.root is None:
            raise RefusedError(TxCode.LEAF)
    total = parameters(rows).lookup_quota - left
    rows.set(_QUOTA, quota_key, index_key(height) + index_key(total))


def _keys(leaf: Leaf, origin: str, listed: tuple[bytes, ...]) -> Iterator[bytes]:
    """Look-up keys of a leaf, each once, in the order of the leaf."""
    found: dict[bytes, None] = {}
    objects = leaf.objects
    if listed:
        if leaf.root is None or len(listed) != leaf.count or _listed_root(listed) != leaf.root:
            raise RefusedError(TxCode.LEAF)
        try:
            objects = listed_objects(listed)
        except MalformedError as error:
            raise RefusedError(TxCode.LEAF) from error
    for item in objects:
        if isinstance(item, PlainObject):
            found[lookup_key(LookupKind.OBJECT_SHA256, item.digests.sha256)] = None
            found[lookup_key(LookupKind.OBJECT_SM3, item.digests.sm3)] = None
        else:
            found[lookup_key(LookupKind.OBJECT_BLINDED, item.blinded)] = None
    if leaf.type is LeafType.CERTIFICATE_ISSUED:
        pair = DigestPair.from_json(leaf.facts["certificate"])
        found[lookup_key(LookupKind.CERTIFICATE_SHA256, pair.sha256)] = None
        found[lookup_key(LookupKind.CERTIFICATE_SM3, pair.sm3)] = None
    if leaf.ref is not None:
        found[events_key(origin, leaf.ref)] = None
    return iter(found)


def _listed_root(listed: tuple[bytes, ...]) -> bytes:
    return root_of(leaf_hash(item) for item in listed)


def _record(rows: Overlay, checkpoint: Checkpoint, height: int) -> int:
    index = int.from_bytes(rows.get(META, _NEXT_INDEX) or b"", "big")
    record = CheckpointRecord(
        origin=checkpoint.origin, size=checkpoint.size, root=checkpoint.root, height=height
    )
    rows.set(LIST, index_key(index), CHECKPOINT_RECORD.encode(record))
    rows.set(CHECKPOINT_INDEX, log_key(checkpoint.origin, checkpoint.size), index_key(index))
    rows.set(META, _NEXT_INDEX, index_key(index + 1))
    return index

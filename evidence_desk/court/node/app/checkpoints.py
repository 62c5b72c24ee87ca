"""Checkpoints: all new leaves of a log, its root computed by every node, its digests entered in the look-up map.

Version 1 of the rules. A checkpoint is accepted when it extends the log the network holds; position, order and
completeness of the leaves follow from the root, and no consistency proof is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.leaf import Leaf, LeafType, PlainObject, parse_leaf
from evidence_desk.core.merkle import leaf_hash, root_of
from evidence_desk.core.note import Note, check_ed25519
from evidence_desk.court.node.app.codes import RefusedError
from evidence_desk.court.node.app.commitments import GOVERNANCE, LIST, index_key
from evidence_desk.court.node.app.desks import active_desk, desk, is_desk_key, set_desk
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
from evidence_desk.court.node.app.occurrences import add_event, add_occurrence
from evidence_desk.court.node.app.records import MISCONDUCT_ENTRY, Misconduct, parameters
from evidence_desk.court.node.app.seen import Seen
from evidence_desk.court.node.app.store import META, Overlay, Reader
from evidence_desk.court.protocol.actions import ReportEquivocation, SubmitCheckpoint
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD, CheckpointRecord, DeskEntry, desk_family
from evidence_desk.court.protocol.state import LookupEntry, LookupKind, events_key, lookup_key
from evidence_desk.court.protocol.transactions import SignatureScheme, TransactionSignature
from evidence_desk.court.protocol.tx_codes import TxCode
from evidence_desk.crypto.guomi import decode_signature
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


def may_submit(rows: Reader, signatures: tuple[TransactionSignature, ...], size: int) -> None:
    """What can be judged before a submission is read: its size in bytes, and that a desk signed it, and nobody else.

    Whoever has no key that was ever registered shall not keep the nodes busy with a megabyte of members.
    """
    if size > parameters(rows).max_submit_bytes:
        raise RefusedError(TxCode.QUOTA)
    if len(signatures) != 1:
        raise RefusedError(TxCode.SIGNATURE)
    if not is_desk_key(rows, signatures[0].key):
        raise RefusedError(TxCode.DESK_UNKNOWN)


def admit(
    rows: Reader,
    action: SubmitCheckpoint,
    signatures: tuple[TransactionSignature, ...],
    *,
    height: int,
    seen: Seen,
) -> Submitted:
    """What can be judged without the leaves."""
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
    if not seen.holds((sha256(action.note), entry.keys), lambda: _desk_note_holds(note, entry)):
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
    extend_log(rows, origin, entry.size, digests)
    for offset, (data, digest) in enumerate(zip(action.leaves, digests, strict=True)):
        place = log_key(origin, action.old_size + offset)
        rows.set(LEAVES, place, data)
        rows.set(PLACES, digest, place)
    objects = _object_lists(action)
    _enter(rows, origin, height, zip(leaves, digests, strict=True), objects)
    rows.set(NOTES, log_key(origin, checkpoint.size), action.note)
    for envelope in action.envelopes:
        rows.set(ENVELOPES, log_key(origin, envelope.seq), envelope.ciphertext)
    set_desk(rows, replace(entry, size=checkpoint.size, root=checkpoint.root))
    return _record(rows, checkpoint, height)


def report(rows: Overlay, action: ReportEquivocation, height: int) -> None:
    """Keep the proof that two histories were signed under one key: by the desk, or by whoever had the key as well.

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
    kept = Misconduct(report=action, height=height, keys_since=entry.keys_since)
    rows.set(GOVERNANCE, key, MISCONDUCT_ENTRY.encode(kept))


def _note_holds(note: Note, entry: DeskEntry) -> bool:
    """By the Ed25519 line alone."""
    return bool(check_ed25519(note, entry.keys.note_keys(entry.origin)))


def _desk_note_holds(note: Note, entry: DeskEntry) -> bool:
    """A note as desks write it: the Ed25519 line, which must be right, and the SM2 line in strict form; no other.

    Whether the SM2 signature is right, verifiers tell: it costs a node more than all the rest of a small transaction,
    and a rule for decades must not hang on the edge cases of one SM2 library.
    """
    keys = entry.keys.note_keys(entry.origin)
    lines = [(item.name, item.key_id) for item in note.signatures]
    if lines != [(entry.origin, keys.ed25519_id), (entry.origin, keys.sm2_id)]:
        return False
    return decode_signature(note.signatures[1].signature) is not None and _note_holds(note, entry)


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
    quota_key, family = origin.encode(), desk_family(origin)
    stored = rows.get(_QUOTA, quota_key) or bytes(16)
    used = int.from_bytes(stored[8:], "big") if int.from_bytes(stored[:8], "big") == height else 0
    left = parameters(rows).lookup_quota - used
    for leaf, digest in leaves:
        entry = LookupEntry(leaf_hash=digest, height=height)
        for key in _keys(leaf, objects.get(leaf.seq, ())):
            left -= 1
            if left < 0:
                raise RefusedError(TxCode.QUOTA)
            # A full list stays as it is: it proves that there are as many.
            add_occurrence(rows, key, entry, family)
        if leaf.ref is not None:
            revocation = leaf.type is LeafType.CERTIFICATE_REVOKED
            # An event that is not told would be hidden from readers, so the leaf is not taken.
            if not add_event(rows, events_key(origin, leaf.ref), entry, revocation=revocation):
                raise RefusedError(TxCode.LEAF)
            left -= 1
        if left < 0:
            raise RefusedError(TxCode.QUOTA)
        if leaf.seq in objects and leaf.root is None:
            raise RefusedError(TxCode.LEAF)
    total = parameters(rows).lookup_quota - left
    rows.set(_QUOTA, quota_key, index_key(height) + index_key(total))


def _keys(leaf: Leaf, listed: tuple[bytes, ...]) -> Iterator[bytes]:
    """Look-up keys of a leaf's digests, each once, in the order of the leaf."""
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

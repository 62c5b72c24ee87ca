"""Transactions for what the court network has yet to be told: a checkpoint with all leaves since the last one.

An append of many leaves may be more than a transaction holds. Then the desk signs a checkpoint of a beginning of its
own log: the same tree, signed later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.canonical import encode
from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.leaf import Leaf, LeafObject, LeafType, PlainObject, blind, objects_root, parse_leaf
from evidence_desk.core.merkle import TileTree
from evidence_desk.core.note import check_ed25519, sign_note
from evidence_desk.core.rows import LeafRow
from evidence_desk.core.statement import parse_statement
from evidence_desk.court.protocol.actions import Envelope, ObjectList, SubmitCheckpoint
from evidence_desk.court.protocol.transactions import (
    MAX_TRANSACTION,
    Payload,
    SignatureScheme,
    Transaction,
    TransactionSignature,
)
from evidence_desk.errors import ConfigurationError
from evidence_desk.services.desk import Desk

MAX_LEAVES: Final = 400
_OVERHEAD: Final = 16 * 1024
"""Bytes of body, note and signature, generously."""
_FIELD: Final = 12
"""Bytes around one member of a message, generously."""

Envelopes = Callable[[Desk, int, int], tuple[Envelope, ...]]
"""Encrypted statements of the leaves start ≤ seq < stop that have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One transaction: checkpoint `checkpoint` over the leaves from `start` on; `note` is stored before it is sent."""

    start: int
    checkpoint: Checkpoint
    note: bytes
    transaction: Transaction
    unlisted: int
    """Exhibits whose list of files does not fit: the network cannot find them by a file's digest."""


def no_envelopes(_desk: Desk, _start: int, _stop: int) -> tuple[Envelope, ...]:
    """Leaves only (仅哈希)."""
    return ()


def next_batch(
    desk: Desk,
    start: int,
    *,
    chain_id: str,
    expires: int,
    envelopes: Envelopes = no_envelopes,
    most: int = MAX_LEAVES,
    limit: int = MAX_TRANSACTION,
) -> Batch:
    """The transaction that follows size `start`, at most `most` leaves and `limit` bytes; its note is stored.

    `start` must be below the log's size.
    """
    log = desk.store.log
    rows = list(log.leaves(start, min(start + most, desk.log.size)))
    sealed = {item.seq: item for item in envelopes(desk, start, start + len(rows))}
    lists = {row.seq: listed for row in rows if (listed := _object_list(desk, row)) is not None}
    stop, dropped = _fit(rows, sealed, lists, limit - _OVERHEAD)
    size, note = _note(desk, start, stop)
    leaves = [row for row in rows if row.seq < size]
    payload = SubmitCheckpoint(
        note=note,
        old_size=start,
        leaves=tuple(row.leaf for row in leaves),
        objects=tuple(lists[row.seq] for row in leaves if row.seq in lists and row.seq not in dropped),
        envelopes=tuple(sealed[row.seq] for row in leaves if row.seq in sealed),
    )
    return Batch(
        start=start,
        checkpoint=parse_checkpoint(note)[0],
        note=note,
        transaction=signed(desk, payload, chain_id=chain_id, expires=expires),
        unlisted=sum(seq < size for seq in dropped),
    )


def signed(desk: Desk, payload: Payload, *, chain_id: str, expires: int) -> Transaction:
    """A transaction signed by the desk's Ed25519 key."""
    plain = Transaction(chain_id=chain_id, expires_height=expires, payload=payload)
    signer = desk.store.signer
    signature = TransactionSignature(
        scheme=SignatureScheme.ED25519,
        key=signer.ed25519_public,
        signature=signer.sign_ed25519(plain.body()),
    )
    return Transaction(chain_id=chain_id, expires_height=expires, payload=payload, signatures=(signature,))


def _fit(
    rows: Sequence[LeafRow], sealed: dict[int, Envelope], lists: dict[int, ObjectList], room: int
) -> tuple[int, set[int]]:
    """First seq that no longer fits, and leaves whose lists of files are left out because they alone are too large."""
    dropped: set[int] = set()
    used = 0
    for row in rows:
        envelope, listed = sealed.get(row.seq), lists.get(row.seq)
        cost = len(row.leaf) + _FIELD + (len(envelope.ciphertext) + 2 * _FIELD if envelope else 0)
        files = sum(len(item) + _FIELD for item in listed.objects) + 2 * _FIELD if listed else 0
        if cost + files > room:
            dropped.add(row.seq)
            files = 0
        if used + cost + files > room and row is not rows[0]:
            return row.seq, dropped - {row.seq}
        used += cost + files
    return rows[-1].seq + 1, dropped


def _note(desk: Desk, start: int, stop: int) -> tuple[int, bytes]:
    """The greatest stored checkpoint up to `stop` under our present keys, else one of a beginning signed now."""
    log = desk.store.log
    most = stop
    while (found := log.nearest_checkpoint(start, most)) is not None:
        if check_ed25519(parse_checkpoint(found[1])[1], desk.keys):
            return found
        most = found[0] - 1
    size = stop
    while size > start and log.checkpoint_at(size):  # under keys that were replaced since
        size -= 1
    if size == start:
        raise ConfigurationError("anchor.keys_replaced", size=stop)
    return size, sign_beginning(desk, size)


def sign_beginning(desk: Desk, size: int) -> bytes:
    """Sign and store a checkpoint of the first `size` leaves of the desk's own, verified log."""
    desk.log  # noqa: B018 - verifies the right edge before anything is signed
    root = TileTree(desk.store.log, size).root()
    checkpoint = Checkpoint(origin=desk.origin, size=size, root=root)
    signer = desk.store.signer
    note = sign_note(checkpoint.text(), desk.keys, ed25519=signer.sign_ed25519, sm2=signer.sign_sm2).encode()
    with desk.store.transaction():
        desk.store.log.add_checkpoint(size, note)
    return note


def _object_list(desk: Desk, row: LeafRow) -> ObjectList | None:
    """The entries behind a leaf's `objects_root`, in statement order; None for a leaf that names its objects itself."""
    if row.type not in {LeafType.EXHIBIT_SEALED, LeafType.CAPTURE_SEALED}:
        return None
    leaf: Leaf = parse_leaf(row.leaf)
    exhibit = desk.store.exhibits.exhibit(row.leaf_hash) if leaf.root is not None else None
    if exhibit is None:
        return None
    plain: tuple[LeafObject, ...] = tuple(
        PlainObject(digests=item.stored.digests, size=item.stored.size) for item in exhibit.objects
    )
    if objects_root(plain) != leaf.root:
        salt = parse_statement(exhibit.statement).salt
        plain = tuple(blind(item.stored.digests, salt) for item in exhibit.objects)
        if objects_root(plain) != leaf.root:
            return None
    return ObjectList(seq=row.seq, objects=tuple(encode(item.to_json()) for item in plain))

"""The trusted log: an object that can only be entered verified (python-tuf's trusted metadata set).

It checks the stored checkpoint and right edge when opened, and turns new leaves into one `LogAppend` for the store to
write in one transaction. It never writes itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.leaf import Leaf, parse_leaf
from evidence_desk.core.merkle import TileTree, extend_tiles, leaf_hash
from evidence_desk.core.note import Note, NoteKeys, check_ed25519, check_note, sign_note
from evidence_desk.core.ports import LogSigner, LogStore, TileSource
from evidence_desk.core.rows import LeafRow, LogAppend
from evidence_desk.errors import BugError, IntegrityError, MalformedError


def note_keys(origin: str, signer: LogSigner) -> NoteKeys:
    """Public keys of a desk under its origin."""
    return NoteKeys(name=origin, ed25519=signer.ed25519_public, sm2=signer.sm2_public)


def verified_checkpoint(note_bytes: bytes, keys: NoteKeys) -> Checkpoint:
    """Checkpoint whose two signatures hold under `keys` and whose origin is theirs.

    Raises:
        IntegrityError: ``log.checkpoint_signature`` or ``log.checkpoint_origin``.
    """
    checkpoint, note = _own_checkpoint(note_bytes, keys)
    outcome = check_note(note, keys)
    if not (outcome.ed25519 and outcome.sm2):
        raise IntegrityError("log.checkpoint_signature", size=checkpoint.size)
    return checkpoint


def ed25519_checkpoint(note_bytes: bytes, keys: NoteKeys) -> Checkpoint:
    """Checkpoint whose Ed25519 signature holds, its SM2 signature unseen: for going through a long log.

    Raises:
        IntegrityError: ``log.checkpoint_signature`` or ``log.checkpoint_origin``.
    """
    checkpoint, note = _own_checkpoint(note_bytes, keys)
    if not check_ed25519(note, keys):
        raise IntegrityError("log.checkpoint_signature", size=checkpoint.size)
    return checkpoint


def _own_checkpoint(note_bytes: bytes, keys: NoteKeys) -> tuple[Checkpoint, Note]:
    checkpoint, note = parse_checkpoint(note_bytes)
    if checkpoint.origin != keys.name:
        raise IntegrityError("log.checkpoint_origin")
    return checkpoint, note


@dataclass(frozen=True, slots=True)
class TrustedLog:
    """The desk's own log, verified up to its right edge at `checkpoint` (None while empty)."""

    keys: NoteKeys
    checkpoint: Checkpoint | None
    note: bytes
    tiles: TileSource

    @classmethod
    def open(cls, store: LogStore, keys: NoteKeys) -> Self:
        """Verify what is stored: signatures of the newest checkpoint, and the root recomputed from tiles.

        Raises:
            IntegrityError: ``log.size_mismatch``, ``log.root_mismatch``, ``log.checkpoint_malformed`` or the
                checkpoint's codes.
        """
        size, note = store.size(), store.checkpoint()
        if size == 0 and not note:
            return cls(keys, None, b"", store)
        if not note:
            raise IntegrityError("log.checkpoint_missing", size=size)
        try:
            checkpoint = verified_checkpoint(note, keys)
        except MalformedError as error:
            raise IntegrityError("log.checkpoint_malformed") from error
        if checkpoint.size != size:
            raise IntegrityError("log.size_mismatch", stored=size, signed=checkpoint.size)
        if TileTree(store, size).root() != checkpoint.root:
            raise IntegrityError("log.root_mismatch", size=size)
        return cls(keys, checkpoint, note, store)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self.checkpoint.size if self.checkpoint else 0

    def append(self, leaves: Sequence[Leaf], signer: LogSigner) -> tuple[TrustedLog, LogAppend]:
        """Next state of the log and what the store must write; leaves must carry origin and consecutive seq.

        Raises:
            IntegrityError: ``log.leaf_origin``, ``log.leaf_seq``, or ``log.root_mismatch`` when the tiles changed
                since the log was opened.
            BugError: ``bug.log_empty_append`` or ``bug.leaf_form`` for a leaf that no parser would accept.
        """
        if not leaves:
            raise BugError("bug.log_empty_append")
        rows: list[LeafRow] = []
        for offset, leaf in enumerate(leaves):
            if leaf.log != self.keys.name:
                raise IntegrityError("log.leaf_origin", seq=leaf.seq)
            if leaf.seq != self.size + offset:
                raise IntegrityError("log.leaf_seq", seq=leaf.seq, expected=self.size + offset)
            data = _checked(leaf)
            rows.append(LeafRow(seq=leaf.seq, type=leaf.type, leaf_hash=leaf_hash(data), leaf=data))
        edge = TileTree(self.tiles, self.size).edge()
        if self.checkpoint is not None and edge.root() != self.checkpoint.root:
            raise IntegrityError("log.root_mismatch", size=self.size)
        for row in rows:
            edge.append(row.leaf_hash)
        checkpoint = Checkpoint(origin=self.keys.name, size=edge.size, root=edge.root())
        note = sign_note(
            checkpoint.text(), self.keys, ed25519=signer.sign_ed25519, sm2=signer.sign_sm2
        ).encode()
        append = LogAppend(
            old_size=self.size,
            leaves=tuple(rows),
            tiles=extend_tiles(self.tiles.tile, self.size, [row.leaf_hash for row in rows]),
            checkpoint=note,
        )
        return TrustedLog(self.keys, checkpoint, note, self.tiles), append


def _checked(leaf: Leaf) -> bytes:
    """Bytes of a leaf that its own parser reads back to the same content (time apart: cut to milliseconds)."""
    data = leaf.encode()
    try:
        read = parse_leaf(data)
    except MalformedError as error:
        raise BugError("bug.leaf_form", type=leaf.type.value, seq=leaf.seq) from error
    if replace(read, at=leaf.at) != leaf:
        raise BugError("bug.leaf_form", type=leaf.type.value, seq=leaf.seq)
    return data

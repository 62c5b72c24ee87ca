"""Restore: prove a restored log before it is kept, and open its successor (a restore never continues a log)."""

from __future__ import annotations

from typing import Final

from evidence_desk.core.checkpoint import Checkpoint, parse_checkpoint
from evidence_desk.core.log import verified_checkpoint
from evidence_desk.core.merkle import CompactRange, leaf_hash
from evidence_desk.core.note import NoteKeys
from evidence_desk.core.ports import LogStore
from evidence_desk.errors import IntegrityError
from evidence_desk.services.log_keys import key_generations

_CHUNK: Final = 4096


def archived_keys(log: LogStore, origin: str) -> NoteKeys:
    """Newest keys of a log: those its first leaf, ``log.opened``, names, or those a ``key.rotated`` put in their place.

    Raises:
        IntegrityError: ``log.no_opening``, ``log.rotation_uncommitted``. MalformedError: a leaf that cannot be read.
    """
    return key_generations(log, origin)[-1].keys


def prove_log(log: LogStore) -> Checkpoint:
    """Recompute a log from its leaves and compare with its checkpoint, signed by the newest keys that its leaves name.

    Raises:
        IntegrityError: ``log.size_mismatch``, ``log.root_mismatch``, ``log.leaf_wrong``, and the checkpoint's codes.
    """
    note = log.checkpoint()
    if not note:
        raise IntegrityError("log.checkpoint_missing", size=log.size())
    checkpoint = verified_checkpoint(note, archived_keys(log, parse_checkpoint(note)[0].origin))
    if checkpoint.size != log.size():
        raise IntegrityError("log.size_mismatch", stored=log.size(), signed=checkpoint.size)
    edge = CompactRange()
    for start in range(0, checkpoint.size, _CHUNK):
        for row in log.leaves(start, min(start + _CHUNK, checkpoint.size)):
            if row.seq != edge.size or leaf_hash(row.leaf) != row.leaf_hash:
                raise IntegrityError("log.leaf_wrong", seq=row.seq)
            edge.append(row.leaf_hash)
    if edge.size != checkpoint.size or edge.root() != checkpoint.root:
        raise IntegrityError("log.root_mismatch", size=checkpoint.size)
    return checkpoint

"""Keys of a log over its life: those its first leaf names, and those each ``key.rotated`` leaf puts in their place.

A rotation counts only when the keys are those whose digests the ones before had committed to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.leaf import Leaf, LeafType, parse_leaf
from evidence_desk.core.note import NoteKeys
from evidence_desk.core.rows import LeafRow
from evidence_desk.errors import IntegrityError, NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyGeneration:
    """Keys that sign checkpoints which contain leaf `since`, until the next generation's leaf."""

    since: int
    keys: NoteKeys


class KeyedLog(Protocol):
    """What tells the keys of a log: a stored log, or leaves that are about to be stored."""

    def leaf(self, seq: int) -> LeafRow:
        """One leaf by sequence number; NotFoundError."""
        ...

    def rotations(self) -> Iterable[LeafRow]:
        """``key.rotated`` leaves in order."""
        ...


def key_generations(log: KeyedLog, origin: str) -> tuple[KeyGeneration, ...]:
    """All keys of a log, oldest first.

    Raises:
        IntegrityError: ``log.no_opening``, ``log.rotation_uncommitted``.
        MalformedError: a leaf that cannot be read.
    """
    try:
        first = parse_leaf(log.leaf(0).leaf)
    except NotFoundError as error:
        raise IntegrityError("log.no_opening") from error
    if first.type is not LeafType.LOG_OPENED or first.log != origin:
        raise IntegrityError("log.no_opening")
    generations = [KeyGeneration(since=0, keys=_keys(first))]
    committed = _next(first)
    for row in log.rotations():
        leaf = parse_leaf(row.leaf)
        keys = _keys(leaf)
        if leaf.log != origin or (DigestPair.of(keys.ed25519), DigestPair.of(keys.sm2)) != committed:
            raise IntegrityError("log.rotation_uncommitted", seq=row.seq)
        generations.append(KeyGeneration(since=leaf.seq, keys=keys))
        committed = _next(leaf)
    return tuple(generations)


def signers_at(generations: Sequence[KeyGeneration], size: int) -> tuple[NoteKeys, ...]:
    """Keys under which a checkpoint of `size` may stand: those of that size, and later ones (it may be signed later)."""
    first = max(at for at, item in enumerate(generations) if item.since < max(size, 1))
    return tuple(item.keys for item in generations[first:])


def _keys(leaf: Leaf) -> NoteKeys:
    keys = leaf.facts.get("keys")
    if not isinstance(keys, dict):
        raise IntegrityError("log.no_opening")
    return NoteKeys(
        name=leaf.log, ed25519=bytes.fromhex(str(keys["ed25519"])), sm2=bytes.fromhex(str(keys["sm2"]))
    )


def _next(leaf: Leaf) -> tuple[DigestPair, DigestPair]:
    following = leaf.facts.get("next")
    if not isinstance(following, dict):
        raise IntegrityError("log.no_opening")
    return DigestPair.from_json(following["ed25519"]), DigestPair.from_json(following["sm2"])

"""The state that `app_hash` commits to, and proofs of its parts.

app_hash = RFC 6962 root over four named sub-roots in the order of their names. A leaf is name ‖ 0x0A ‖ root; that of
the list `checkpoints` has the number of its entries (8 bytes, big-endian) before the root, because an inclusion proof
alone leaves size and index some freedom. The height is not part of it: idle blocks would otherwise never end.
The application hash after block H stands in the header of block H+1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from evidence_desk.core.digests import DIGEST_SIZE, sha256
from evidence_desk.core.merkle import EMPTY_ROOT, leaf_hash, root_from_inclusion, root_of
from evidence_desk.court.protocol.map_proof import MapProof
from evidence_desk.court.protocol.registry import (
    CHECKPOINT_RECORD,
    DESK_ENTRY,
    CheckpointRecord,
    DeskEntry,
    desk_family,
)
from evidence_desk.errors import IntegrityError, MalformedError

APP_VERSION: Final = 1
"""Version of these rules, in `version.app` of each header."""
MAX_ENTRIES: Final = 10_000
_COUNT_SIZE: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRoot:
    """RFC 6962 list bound to its size."""

    size: int
    root: bytes

    def __post_init__(self) -> None:
        fits = len(self.root) == DIGEST_SIZE and 0 <= self.size < 2**53
        if not fits or (self.size == 0 and self.root != EMPTY_ROOT):
            raise MalformedError("malformed.court_state", reason="list")

    @classmethod
    def of(cls, entries: Sequence[bytes]) -> ListRoot:
        """List over entries."""
        return cls(size=len(entries), root=root_of(leaf_hash(entry) for entry in entries))

    def encode(self) -> bytes:
        """Size (8 bytes) ‖ root."""
        return self.size.to_bytes(_COUNT_SIZE, "big") + self.root

    def check(self, entry: bytes, *, index: int, path: Sequence[bytes]) -> None:
        """Return when `entry` is at `index`.

        Raises:
            IntegrityError: ``court.inclusion``.
        """
        try:
            root = root_from_inclusion(index=index, size=self.size, digest=leaf_hash(entry), path=path)
        except MalformedError as error:
            raise IntegrityError("court.inclusion", index=index) from error
        if root != self.root:
            raise IntegrityError("court.inclusion", index=index)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRoots:
    """The sub-roots; together they are the proof of each in `app_hash`."""

    checkpoints: ListRoot
    desks: bytes
    governance: bytes
    lookup: bytes

    def __post_init__(self) -> None:
        if any(len(root) != DIGEST_SIZE for root in (self.desks, self.governance, self.lookup)):
            raise MalformedError("malformed.court_state", reason="root")

    @property
    def app_hash(self) -> bytes:
        """Application hash of this state."""
        named = (
            (b"checkpoints", self.checkpoints.encode()),
            (b"desks", self.desks),
            (b"governance", self.governance),
            (b"lookup", self.lookup),
        )
        return root_of(leaf_hash(name + b"\n" + root) for name, root in named)


def check_record(roots: StateRoots, record: CheckpointRecord, *, index: int, path: Sequence[bytes]) -> None:
    """Return when the network accepted `record` as its checkpoint number `index`; ``court.inclusion``."""
    roots.checkpoints.check(CHECKPOINT_RECORD.encode(record), index=index, path=path)


def check_desk(roots: StateRoots, origin: str, entry: DeskEntry | None, proof: MapProof) -> None:
    """Return when `entry` is what is registered for `origin` (None: nothing is); ``court.map_proof``."""
    if entry is not None and entry.origin != origin:
        raise IntegrityError("court.map_proof", reason="origin")
    proof.check(roots.desks, desk_key(origin), None if entry is None else DESK_ENTRY.encode(entry))


def desk_key(origin: str) -> bytes:
    """Key of a desk in the sub-root `desks`."""
    return origin.encode()


# --- look-up --------------------------------------------------------------------------------------------------


class LookupKind(IntEnum):
    """What a look-up key is the digest of."""

    OBJECT_SHA256 = 1
    OBJECT_SM3 = 2
    OBJECT_BLINDED = 3
    CERTIFICATE_SHA256 = 4
    CERTIFICATE_SM3 = 5
    EVENTS = 6


SENTINEL_KEY: Final = b"\x00evidence-desk/court/genesis"
SENTINEL_VALUE: Final = ListRoot(size=0, root=EMPTY_ROOT).encode()
"""Present from genesis on: absence in an empty tree has no ICS-23 form."""


def lookup_key(kind: LookupKind, digest: bytes) -> bytes:
    """Key of a digest; kinds are kept apart, so that a digest of one kind never answers for another."""
    if kind is LookupKind.EVENTS or len(digest) != DIGEST_SIZE:
        raise MalformedError("malformed.court_state", reason="look-up key")
    return bytes([kind]) + digest


def events_key(origin: str, about: bytes) -> bytes:
    """Key of the events about a leaf hash.

    Bound to the desk (its origin without epoch): only it, before or after a restore, can add events about its leaves.
    """
    if len(about) != DIGEST_SIZE:
        raise MalformedError("malformed.court_state", reason="look-up key")
    return bytes([LookupKind.EVENTS]) + sha256(desk_family(origin).encode()) + about


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupEntry:
    """One occurrence: the leaf, and the height at which it came on chain."""

    leaf_hash: bytes
    height: int

    def __post_init__(self) -> None:
        if len(self.leaf_hash) != DIGEST_SIZE or not 1 <= self.height < 2**53:
            raise MalformedError("malformed.court_state", reason="look-up entry")

    def encode(self) -> bytes:
        """Leaf hash ‖ height (8 bytes, big-endian)."""
        return self.leaf_hash + self.height.to_bytes(8, "big")


def lookup_value(entries: Sequence[LookupEntry]) -> bytes:
    """Value at a key: the list over its occurrences, oldest first."""
    return ListRoot.of([entry.encode() for entry in entries]).encode()


def check_lookup(roots: StateRoots, key: bytes, entries: Sequence[LookupEntry], proof: MapProof) -> None:
    """Return when `entries` are all occurrences under `key`; none proves absence.

    Raises:
        IntegrityError: ``court.map_proof``.
        MalformedError: ``malformed.court_state`` for more than 10,000 entries.
    """
    if len(entries) > MAX_ENTRIES:
        raise MalformedError("malformed.court_state", reason="too many entries")
    proof.check(roots.lookup, key, lookup_value(entries) if entries else None)


def check_lookup_entry(
    roots: StateRoots, key: bytes, *, occurrences: ListRoot, entry: LookupEntry, index: int,
    path: Sequence[bytes], proof: MapProof,
) -> None:  # fmt: skip
    """Return when `entry` is occurrence number `index` of `occurrences.size` under `key`.

    Raises:
        IntegrityError: ``court.map_proof`` or ``court.inclusion``.
    """
    proof.check(roots.lookup, key, occurrences.encode())
    occurrences.check(entry.encode(), index=index, path=path)

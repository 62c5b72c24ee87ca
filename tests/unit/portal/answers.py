"""Answers of a gateway made by hand over the small network of tests/unit/court, for the second verifier in JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.digests import DigestPair, sha256, sm3
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.merkle import leaf_hash, root_of
from evidence_desk.core.note import NoteKeys, sign_note
from evidence_desk.court.protocol.block import LightBlock, ValidatorSet
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.header import Standing
from evidence_desk.court.protocol.lookup import LookupAnswer
from evidence_desk.court.protocol.part import CourtEvent, CourtPart, LeafEvents, StateView, TimedBlock
from evidence_desk.court.protocol.registry import (
    CHECKPOINT_RECORD,
    DESK_ENTRY,
    CheckpointRecord,
    DeskEntry,
    DeskStatus,
)
from evidence_desk.court.protocol.search import KINDS, FoundLeaf, SearchAnswer
from evidence_desk.court.protocol.sparse_map import SparseMap
from evidence_desk.court.protocol.state import (
    SENTINEL_KEY,
    SENTINEL_VALUE,
    ListRoot,
    LookupEntry,
    LookupKind,
    StateRoots,
    desk_key,
    events_key,
    lookup_key,
    lookup_value,
)
from tests.fixed import AT, KEYS, ORIGIN, SIGNER, opened_leaf, sealed_leaf
from tests.unit.court import network
from tests.unit.court.network import digest, event_leaf, make_header, nodes, path_in, signed

CONTENT = b"content"
CERTIFICATE = b"%PDF- a certificate"
FOUR = nodes(*range(4))
HEIGHT = 40
NOTE_KEYS: NoteKeys = KEYS


def certificate_leaf(seq: int) -> Leaf:
    facts = {"certificate": {**DigestPair.of(CERTIFICATE).to_json()}}
    return Leaf(log=ORIGIN, seq=seq, type=LeafType.CERTIFICATE_ISSUED, at=AT, facts=facts)  # type: ignore[arg-type]


@dataclass
class State:
    """What the network holds after block `height`: one log with an exhibit (1) and a certificate (2), strangers besides."""

    height: int = HEIGHT
    events: tuple[CourtEvent, ...] = ()
    status: DeskStatus = DeskStatus.ACTIVE
    suspect_from: int = 0
    status_since: int | None = None
    successor: str = ""
    validators: ValidatorSet = FOUR
    following: ValidatorSet | None = None
    app_version: int = 1
    recorded: int = HEIGHT
    votes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    time: BlockTime | None = None
    exhibit: Leaf = field(default_factory=lambda: sealed_leaf(1, CONTENT))

    def __post_init__(self) -> None:
        self.leaves = [opened_leaf().encode(), self.exhibit.encode(), certificate_leaf(2).encode()]
        self.digests = [leaf_hash(leaf) for leaf in self.leaves]
        self.checkpoint = Checkpoint(origin=ORIGIN, size=3, root=root_of(self.digests))
        self.note = sign_note(
            self.checkpoint.text(), NOTE_KEYS, ed25519=SIGNER.sign_ed25519, sm2=SIGNER.sign_sm2
        ).encode()
        self.record = CheckpointRecord(origin=ORIGIN, size=3, root=self.checkpoint.root, height=self.recorded)
        others = [CheckpointRecord(origin=ORIGIN, size=n + 1, root=digest(n), height=n + 1) for n in range(6)]
        records = [CHECKPOINT_RECORD.encode(item) for item in (*others, self.record)]
        self.records = [leaf_hash(item) for item in records]
        self.entry = DeskEntry(
            origin=ORIGIN, office="example", keys=network.KEYS, registered=3, keys_since=3, status=self.status,
            status_since=self._since(), suspect_from=self.suspect_from, successor=self.successor, size=3, root=self.checkpoint.root,
        )  # fmt: skip
        self.desks = SparseMap()
        strangers = {desk_key(f"{ORIGIN[:-1]}{number}"): digest(number) for number in range(100, 110)}
        self.desks.update({**strangers, desk_key(ORIGIN): DESK_ENTRY.encode(self.entry)})
        self.occurrences = self._occurrences()
        values = {key: lookup_value(entries) for key, entries in self.occurrences.items()}
        self.lookup = SparseMap()
        self.lookup.update({SENTINEL_KEY: SENTINEL_VALUE, **values})
        self.roots = StateRoots(
            checkpoints=ListRoot.of(records), desks=self.desks.root(), governance=digest("governance"),
            lookup=self.lookup.root(),
        )  # fmt: skip

    def _since(self) -> int:
        if self.status_since is not None:
            return self.status_since
        return self.height if self.status is not DeskStatus.ACTIVE else 3

    def _occurrences(self) -> dict[bytes, list[LookupEntry]]:
        exhibit = LookupEntry(leaf_hash=self.digests[1], height=self.recorded)
        certificate = LookupEntry(leaf_hash=self.digests[2], height=self.recorded)
        found = {
            lookup_key(LookupKind.OBJECT_SHA256, sha256(CONTENT)): [exhibit],
            lookup_key(LookupKind.OBJECT_SM3, sm3(CONTENT)): [exhibit],
            lookup_key(LookupKind.CERTIFICATE_SHA256, sha256(CERTIFICATE)): [certificate],
            lookup_key(LookupKind.CERTIFICATE_SM3, sm3(CERTIFICATE)): [certificate],
        }
        for number in range(30):
            entry = LookupEntry(leaf_hash=digest(("leaf", number)), height=number + 1)
            found[lookup_key(LookupKind.OBJECT_SHA256, digest(number))] = [entry]
        if self.events:
            found[events_key(ORIGIN, self.digests[1])] = [event.entry for event in self.events]
        return found

    def block(self) -> LightBlock:
        header = make_header(
            self.height + 1, self.validators, following=self.following, app_hash=self.roots.app_hash,
            app_version=self.app_version, time=self.time,
        )  # fmt: skip
        return signed(header, self.validators, **self.votes)  # type: ignore[arg-type]

    @property
    def now(self) -> int:
        """Milliseconds, five minutes after the header."""
        return int((self.block().header.time.moment() + timedelta(minutes=5)).timestamp() * 1000)

    def standing(self, history: Sequence[TimedBlock] = ()) -> Standing:
        return Standing(chain_id=network.CHAIN, roots=self.roots, block=self.block(), history=tuple(history))

    def view(self) -> StateView:
        return StateView(
            header=TimedBlock(block=self.block()), roots=self.roots, desk=self.entry,
            desk_proof=self.desks.prove(desk_key(ORIGIN))[1],
        )  # fmt: skip

    def found(
        self, seq: int = 1, *, history: Sequence[TimedBlock] = (), current: State | None = None
    ) -> FoundLeaf:
        newest = current or self
        events = newest.events if seq == 1 else ()
        key = events_key(ORIGIN, self.digests[seq])
        court = CourtPart(
            chain_id=network.CHAIN, record=self.record, index=6, path=path_in(self.records, 6), anchor=self.view(),
            events=LeafEvents(events=events, proof=newest.lookup.prove(key)[1]), history=tuple(history),
            current=None if current is None else current.view(),
        )  # fmt: skip
        return FoundLeaf(
            leaf=self.leaves[seq], seq=seq, path=path_in(self.digests, seq), note=self.note, court=court
        )

    def search(
        self, asked: bytes, *found: FoundLeaf, history: Sequence[TimedBlock] = (), leave_out: int = 0
    ) -> SearchAnswer:
        standing = self.standing(history)
        keys = [lookup_key(kind, asked) for kind in KINDS[: len(KINDS) - leave_out]]
        lookups = tuple(
            LookupAnswer(
                key=key, entries=tuple(self.occurrences.get(key, ())), proof=self.lookup.prove(key)[1],
                standing=standing,
            )
            for key in keys
        )  # fmt: skip
        return SearchAnswer(digest=asked, lookups=lookups, found=found, standing=standing)


def correction(height: int = 20) -> CourtEvent:
    return CourtEvent(leaf=_about_exhibit(LeafType.CORRECTION_NOTED), height=height)


def revocation(height: int = 20) -> CourtEvent:
    return CourtEvent(leaf=_about_exhibit(LeafType.CERTIFICATE_REVOKED), height=height)


def _about_exhibit(kind: LeafType) -> bytes:
    return event_leaf(kind, ref=leaf_hash(sealed_leaf(1, CONTENT).encode()))

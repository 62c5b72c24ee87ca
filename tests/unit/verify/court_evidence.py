"""A court network made by hand that accepts the checkpoints of the scene's desk: real keys, votes, state and tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.canonical import encode
from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.log import note_keys
from evidence_desk.core.merkle import TileTree, extend_tiles, leaf_hash
from evidence_desk.core.note import NoteKeys
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.core.rows import AnchorRow
from evidence_desk.core.trust import Roots, Trust
from evidence_desk.court.protocol.anchor import AnchorAnswer
from evidence_desk.court.protocol.block import LightBlock, ValidatorSet
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.network_file import encode_network
from evidence_desk.court.protocol.part import (
    CourtEvent,
    CourtPart,
    LeafEvents,
    StateView,
    TimedBlock,
    events_json,
    read_court_part,
)
from evidence_desk.court.protocol.registry import (
    CHECKPOINT_RECORD,
    DESK_ENTRY,
    CheckpointRecord,
    DeskEntry,
    DeskKeys,
    DeskStatus,
)
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
from evidence_desk.crypto.pki import KeyKind, make_crl
from tests.unit.court.network import CHAIN, digest, make_header, nodes, signed
from tests.unit.verify.evidence import OTHER_DESK, Item, MovedClock, Scene
from tsa.authority.embedded import EmbeddedAuthority
from tsa.authority.keys import make_demo_authority

RECORDS = 50
LOOKUPS = 200
INDEX = 33
HEIGHT = 400
COURTS = ("一", "二", "三", "四", "五", "六", "七")


def _desk_keys(keys: NoteKeys) -> DeskKeys:
    return DeskKeys(
        ed25519=keys.ed25519 or b"", sm2=keys.sm2 or b"",
        next_ed25519=digest(1) + digest(2), next_sm2=digest(3) + digest(4),
    )  # fmt: skip


def inclusion(entries: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Path of an entry in the RFC 6962 list."""
    tiles = extend_tiles(lambda _level, _index: b"", 0, [leaf_hash(entry) for entry in entries])
    return TileTree(Tiles(tiles), len(entries)).inclusion(index)


class Tiles:
    def __init__(self, tiles: Mapping[tuple[int, int], bytes]) -> None:
        self._tiles = tiles

    def tile(self, level: int, index: int) -> bytes:
        return self._tiles.get((level, index), b"")


@dataclass
class State:
    """State of the network after the block that accepted a checkpoint, and what can be proven in it."""

    record: CheckpointRecord
    entries: Sequence[DeskEntry]
    events: dict[bytes, tuple[CourtEvent, ...]]
    records: int = RECORDS
    lookups: int = LOOKUPS

    def __post_init__(self) -> None:
        records = [
            CHECKPOINT_RECORD.encode(
                self.record
                if number == INDEX
                else CheckpointRecord(
                    origin=OTHER_DESK, size=number + 1, root=digest(number), height=number + 1
                )
            )
            for number in range(self.records)
        ]
        self.path = inclusion(records, INDEX)
        self.desks = SparseMap()
        self.desks.update({desk_key(entry.origin): DESK_ENTRY.encode(entry) for entry in self.entries})
        self.lookup = SparseMap()
        values: dict[bytes, bytes] = {SENTINEL_KEY: SENTINEL_VALUE}
        for number in range(self.lookups):
            known = LookupEntry(leaf_hash=digest(("leaf", number)), height=number + 1)
            values[lookup_key(LookupKind.OBJECT_SHA256, digest(number))] = lookup_value([known])
        for ref, events in self.events.items():
            values[events_key(self.record.origin, ref)] = lookup_value([event.entry for event in events])
        self.lookup.update(values)
        self.roots = StateRoots(
            checkpoints=ListRoot.of(records), desks=self.desks.root(), governance=digest("governance"),
            lookup=self.lookup.root(),
        )  # fmt: skip

    def view(self, header: TimedBlock, entry: DeskEntry) -> StateView:
        return StateView(
            header=header, roots=self.roots, desk=entry,
            desk_proof=self.desks.prove(desk_key(entry.origin))[1],
        )  # fmt: skip

    def leaf_events(self, ref: bytes) -> LeafEvents:
        proof = self.lookup.prove(events_key(self.record.origin, ref))[1]
        return LeafEvents(events=self.events.get(ref, ()), proof=proof)


@dataclass
class Court:
    """A network: `changes` times its validators changed, each time one of them.

    It has accepted `records` checkpoints and knows `lookups` digests.
    """

    authority: TimestampAuthority
    desk: NoteKeys
    chain_id: str = CHAIN
    first: int = 0
    size: int = 7
    changes: int = 0
    records: int = RECORDS
    lookups: int = LOOKUPS
    born: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=20))

    def set_number(self, number: int) -> ValidatorSet:
        """The set after so many changes: of members first…, the oldest replaced each time."""
        start = self.first + number
        return nodes(*range(start, start + self.size))

    @property
    def network(self) -> NetworkTrust:
        genesis = self.set_number(0)
        last = self.set_number(self.changes)
        names = {
            item.address: f"第{name}人民法院"
            for item, name in zip(last.validators[: self.size - 1], COURTS, strict=False)
        }
        return NetworkTrust(
            chain_id=self.chain_id, genesis=genesis, genesis_time=BlockTime.of(self.born), institutions=names
        )

    def stamped(self, block: LightBlock) -> TimedBlock:
        return TimedBlock(block=block, token=self.authority.timestamp(block.header.hash).token)

    def history(self) -> tuple[TimedBlock, ...]:
        steps = []
        for number in range(self.changes):
            header = make_header(
                10 * (number + 1), self.set_number(number), following=self.set_number(number + 1),
                chain_id=self.chain_id, time=BlockTime.of(self.born + timedelta(hours=number + 1)),
            )  # fmt: skip
            steps.append(self.stamped(signed(header, self.set_number(number))))
        return tuple(steps)

    def anchor(
        self,
        item: Item,
        *,
        at: datetime | None = None,
        height: int = HEIGHT,
        keys: NoteKeys | None = None,
        status: DeskStatus = DeskStatus.ACTIVE,
        suspect_from: int = 0,
        keys_since: int = 3,
        events: Sequence[CourtEvent] = (),
        about: Item | None = None,
        entry_of: str = "",
        stamp: bool = True,
    ) -> CourtPart:
        """Accept the checkpoint of `item` at `height`, with header H+1 at `at`.

        Args:
            keys: registered for the desk, those that signed the checkpoint by default.
            events: on the leaf of `item`.
            about: the exhibit whose events are proven, `item` by default.
            entry_of: origin whose entry is shown in place of the desk's.
            stamp: whether header H+1 has its token.
        """
        checkpoint, _ = parse_checkpoint(item.proof.checkpoint)
        record = CheckpointRecord(
            origin=checkpoint.origin, size=checkpoint.size, root=checkpoint.root, height=height
        )
        entry = DeskEntry(
            origin=checkpoint.origin, office=checkpoint.origin.split(".")[1],
            keys=_desk_keys(keys or self.desk), registered=3, keys_since=keys_since,
            status=status, status_since=3 if status is DeskStatus.ACTIVE else height,
            suspect_from=suspect_from, size=checkpoint.size, root=checkpoint.root,
        )  # fmt: skip
        other = replace(entry, origin=OTHER_DESK, office="other")
        ours = leaf_hash(item.proof.leaf.leaf)
        told = {ours: tuple(events)} if events else {}
        state = State(record, (entry, other), told, self.records, self.lookups)
        validators = self.set_number(self.changes)
        header = make_header(
            height + 1, validators, app_hash=state.roots.app_hash, chain_id=self.chain_id,
            time=BlockTime.of(at or datetime.now(UTC)),
        )  # fmt: skip
        block = signed(header, validators)
        subject = ours if about is None else leaf_hash(about.proof.leaf.leaf)
        return CourtPart(
            chain_id=self.chain_id, record=record, index=INDEX, path=state.path,
            anchor=state.view(
                self.stamped(block) if stamp else TimedBlock(block=block), other if entry_of else entry
            ),
            events=state.leaf_events(subject), history=self.history(),
        )  # fmt: skip


def anchored(item: Item, part: CourtPart) -> Item:
    """The exhibit with a court part in its proof."""
    return replace(item, proof=replace(item.proof, court=part.to_json()))


def event(kind: LeafType, item: Item, *, height: int = HEIGHT, seq: int = 900) -> CourtEvent:
    name = "commitment" if kind is LeafType.CORRECTION_NOTED else "certificate"
    pair = {"sha256": "00" * 32, "sm3": "11" * 32}
    leaf = Leaf(
        log=item.leaf.log, seq=seq, type=kind, at=datetime.now(UTC).replace(microsecond=0),
        ref=leaf_hash(item.proof.leaf.leaf), facts={name: {**pair}},
    )  # fmt: skip
    return CourtEvent(leaf=leaf.encode(), height=height)


@dataclass
class Bench:
    """The scene's desk and the network it is anchored with; `trust` names the authority, the desk and the network."""

    scene: Scene
    court: Court

    @property
    def trust(self) -> Trust:
        return replace(self.scene.trust, networks={self.court.chain_id: encode_network(self.court.network)})

    @property
    def network_only(self) -> Trust:
        """The same without the desk's key: the network alone vouches for it."""
        return replace(self.trust, desks={})

    def item(self, name: str = "single") -> Item:
        item = self.scene.item(name)
        return anchored(item, self.court.anchor(item))

    def keep(self, name: str) -> Item:
        """Store the network's answer about an exhibit in the vault, as an anchoring desk does."""
        item = self.item(name)
        keep(self.scene.session, item)
        return self.scene.item(name)


def keep(session: Session, item: Item) -> None:
    """The part of `item` as a stored answer; events apart, for its own leaf."""
    part = read_court_part(item.proof.court)
    answer = AnchorAnswer(
        chain_id=part.chain_id, record=part.record, index=part.index, path=part.path, anchor=part.anchor,
        leaves={}, history=part.history, current=part.current,
    )  # fmt: skip
    row = AnchorRow(
        chain_id=part.chain_id, size=part.record.size, height=part.record.height,
        header_time=part.anchor.header.block.header.time.moment(), answer=answer.encode(),
        stored=datetime.now(UTC),
    )  # fmt: skip
    store = session.desk.store
    with store.transaction():
        store.court.add_anchor(row, {leaf_hash(item.proof.leaf.leaf): encode(events_json(part.events))})


class Past(Bench):
    """Everything happened long ago: exhibit, tokens, headers; only the authority's revocation list is of today."""

    AGO = timedelta(days=300)

    def __init__(self, scene: Scene, **court: object) -> None:
        keys = make_demo_authority(KeyKind.P256, now=datetime.now(UTC) - self.AGO - timedelta(days=30))
        folder = scene.folder / f"past{len(list(scene.folder.glob('past*')))}"
        authority = EmbeddedAuthority(keys.tsa, folder, MovedClock(-self.AGO))
        moment = datetime.now(UTC) - self.AGO
        made = Court(
            authority, note_keys(scene.origin, scene.signer), born=moment - timedelta(days=20),
            **court,  # type: ignore[arg-type]
        )  # fmt: skip
        super().__init__(scene, made)
        now = datetime.now(UTC)
        crl = make_crl(keys.ca, this_update=now, next_update=now + timedelta(days=30), number=9)
        self.roots = Roots(name="past", certificates=(keys.ca.certificate,), crls=(crl,))
        self.old = scene.craft({"a": b"a"}, at=moment, authority=authority)

    @property
    def trust(self) -> Trust:
        known = super().trust
        return replace(known, authorities=(*known.authorities, self.roots))

    def anchored(self, *, stamp: bool = True) -> Item:
        moment = datetime.now(UTC) - self.AGO
        return anchored(self.old, self.court.anchor(self.old, at=moment, stamp=stamp))


def make_bench(scene: Scene, **court: object) -> Bench:
    desk = note_keys(scene.origin, scene.signer)
    return Bench(scene, Court(scene.authority, desk, **court))  # type: ignore[arg-type]

"""Court part of a proof: that the network accepted a checkpoint, and what it held about the desk and the leaf then.

Canonical JSON; every byte is covered by a hash, a signature or a comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.leaf import MAX_LEAF, Leaf, parse_leaf
from evidence_desk.core.merkle import MAX_PROOF, leaf_hash
from evidence_desk.court.protocol.block import LightBlock, check_chain_id
from evidence_desk.court.protocol.light_block import (
    from_base64,
    items,
    light_block_json,
    members,
    number,
    read_light_block,
    to_base64,
)
from evidence_desk.court.protocol.map_proof import MapProof, decode_map_proof
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD, DESK_ENTRY, CheckpointRecord, DeskEntry
from evidence_desk.court.protocol.state import ListRoot, LookupEntry, StateRoots
from evidence_desk.errors import MalformedError

VERSION: Final = "court/1"
MAX_PART: Final = 8 * 1024 * 1024
MAX_HISTORY: Final = 256
MAX_EVENTS: Final = 64
MAX_TOKEN: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedBlock:
    """A light block and an RFC 3161 token whose imprint is the SHA-256 header hash; b"" while there is none."""

    block: LightBlock
    token: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtEvent:
    """A leaf about our leaf (revocation, correction), and the height at which it came on chain."""

    leaf: bytes
    height: int

    @property
    def entry(self) -> LookupEntry:
        """Its occurrence in the look-up."""
        return LookupEntry(leaf_hash=leaf_hash(self.leaf), height=self.height)

    def parsed(self) -> Leaf:
        """The leaf; MalformedError."""
        return parse_leaf(self.leaf)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateView:
    """What the state under one header held about the desk; the header of height H+1 has the `app_hash` after block H."""

    header: TimedBlock
    roots: StateRoots
    desk: DeskEntry
    desk_proof: MapProof


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafEvents:
    """All events about a leaf in one state, in order; empty when their absence is proven."""

    events: tuple[CourtEvent, ...]
    proof: MapProof


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchoring:
    """That the network accepted a checkpoint: what the court part of one leaf and an answer about many share.

    Attributes:
        record: accepted checkpoint, number `index` of the list `checkpoints`, with its inclusion path.
        anchor: the state right after the record's height.
        history: blocks after which the validators changed, from the trust root on, ascending.
        current: a later state, None when the anchor's is the newest known.
    """

    chain_id: str
    record: CheckpointRecord
    index: int
    path: tuple[bytes, ...]
    anchor: StateView
    history: tuple[TimedBlock, ...] = ()
    current: StateView | None = None

    @property
    def views(self) -> tuple[StateView, ...]:
        """The states shown, oldest first."""
        return (self.anchor,) if self.current is None else (self.anchor, self.current)

    @property
    def newest(self) -> StateView:
        """The newest state shown."""
        return self.views[-1]

    @property
    def headers(self) -> tuple[TimedBlock, ...]:
        """Every block of the part."""
        return (*self.history, *(view.header for view in self.views))

    def with_headers(self, change: Callable[[TimedBlock], TimedBlock]) -> Self:
        """The same with every block changed."""

        def view(item: StateView) -> StateView:
            return replace(item, header=change(item.header))

        return replace(
            self,
            anchor=view(self.anchor),
            history=tuple(change(step) for step in self.history),
            current=None if self.current is None else view(self.current),
        )

    def anchoring_json(self) -> dict[str, JSON]:
        """Members `ANCHORING_MEMBERS`."""
        return {
            "chain_id": self.chain_id,
            "record": to_base64(CHECKPOINT_RECORD.encode(self.record)),
            "index": self.index,
            "path": [to_base64(node) for node in self.path],
            "anchor": view_json(self.anchor),
            "history": [timed_json(step) for step in self.history],
            "current": None if self.current is None else view_json(self.current),
        }


ANCHORING_MEMBERS: Final = frozenset({"chain_id", "record", "index", "path", "anchor", "history", "current"})


def read_anchoring(item: dict[str, JSON]) -> Anchoring:
    """From the members of a part or an answer; MalformedError."""
    chain_id = item["chain_id"]
    if not isinstance(chain_id, str):
        raise MalformedError("malformed.court_block", reason="version")
    return Anchoring(
        chain_id=check_chain_id(chain_id),
        record=CHECKPOINT_RECORD.decode(from_base64(item["record"])),
        index=number(item["index"]),
        path=tuple(from_base64(node) for node in items(item["path"], MAX_PROOF)),
        anchor=read_view(item["anchor"]),
        history=tuple(read_timed(step) for step in items(item["history"], MAX_HISTORY)),
        current=None if item["current"] is None else read_view(item["current"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CourtPart(Anchoring):
    """The court part of one leaf; `events` are about it, in the newest state shown."""

    events: LeafEvents

    @classmethod
    def of(cls, anchoring: Anchoring, events: LeafEvents) -> Self:
        """Part of the leaf that `events` are about."""
        return cls(**shared(anchoring), events=events)

    def encode(self) -> bytes:
        """Canonical bytes."""
        return encode(self.to_json())

    def to_json(self) -> dict[str, JSON]:
        """JSON to put into proof.json."""
        return {"v": VERSION, **self.anchoring_json(), "events": events_json(self.events)}


def shared(anchoring: Anchoring) -> dict[str, Any]:
    """What an `Anchoring` holds, by name."""
    return {item.name: getattr(anchoring, item.name) for item in fields(Anchoring)}


def parse_court_part(data: bytes) -> CourtPart:
    """Read a court part strictly.

    Raises:
        MalformedError: ``malformed.court_block`` and the codes of its parts.
    """
    return read_court_part(decode(data, what="court part", limit=MAX_PART))


def read_court_part(value: JSON) -> CourtPart:
    """Court part from the JSON inside proof.json; MalformedError."""
    item = members(value, {"v", *ANCHORING_MEMBERS, "events"})
    if item["v"] != VERSION:
        raise MalformedError("malformed.court_block", reason="version")
    return CourtPart.of(read_anchoring(item), read_events(item["events"]))


def view_json(view: StateView) -> dict[str, JSON]:
    """JSON of a state."""
    return {
        "header": timed_json(view.header),
        "roots": roots_json(view.roots),
        "desk": {
            "entry": to_base64(DESK_ENTRY.encode(view.desk)),
            "proof": to_base64(view.desk_proof.encode()),
        },
    }


def read_view(value: JSON) -> StateView:
    """State from its JSON; MalformedError."""
    item = members(value, {"header", "roots", "desk"})
    desk = members(item["desk"], {"entry", "proof"})
    return StateView(
        header=read_timed(item["header"]),
        roots=read_roots(item["roots"]),
        desk=DESK_ENTRY.decode(from_base64(desk["entry"])),
        desk_proof=decode_map_proof(from_base64(desk["proof"])),
    )


def events_json(events: LeafEvents) -> dict[str, JSON]:
    """JSON of the events about a leaf."""
    return {
        "leaves": [[to_base64(event.leaf), event.height] for event in events.events],
        "proof": to_base64(events.proof.encode()),
    }


def read_events(value: JSON) -> LeafEvents:
    """Events from their JSON; MalformedError."""
    item = members(value, {"leaves", "proof"})
    return LeafEvents(
        events=tuple(_read_event(event) for event in items(item["leaves"], MAX_EVENTS)),
        proof=decode_map_proof(from_base64(item["proof"])),
    )


def _read_event(value: JSON) -> CourtEvent:
    parts = items(value, 2)
    if len(parts) != 2:
        raise MalformedError("malformed.court_block", reason="event")
    leaf, height = from_base64(parts[0]), number(parts[1])
    if len(leaf) > MAX_LEAF or not height:
        raise MalformedError("malformed.court_block", reason="event")
    return CourtEvent(leaf=leaf, height=height)


def roots_json(roots: StateRoots) -> dict[str, JSON]:
    """JSON of the sub-roots."""
    return {
        "checkpoints": {"size": roots.checkpoints.size, "root": to_base64(roots.checkpoints.root)},
        "desks": to_base64(roots.desks),
        "governance": to_base64(roots.governance),
        "lookup": to_base64(roots.lookup),
    }


def read_roots(value: JSON) -> StateRoots:
    """Sub-roots from their JSON; MalformedError."""
    roots = members(value, {"checkpoints", "desks", "governance", "lookup"})
    checkpoints = members(roots["checkpoints"], {"size", "root"})
    return StateRoots(
        checkpoints=ListRoot(size=number(checkpoints["size"]), root=from_base64(checkpoints["root"])),
        desks=from_base64(roots["desks"]),
        governance=from_base64(roots["governance"]),
        lookup=from_base64(roots["lookup"]),
    )


def timed_json(timed: TimedBlock) -> dict[str, JSON]:
    """JSON of a block and its token."""
    return {"block": light_block_json(timed.block), "token": to_base64(timed.token) if timed.token else None}


def read_timed(value: JSON) -> TimedBlock:
    """Block and token from their JSON; MalformedError."""
    item = members(value, {"block", "token"})
    token = b"" if item["token"] is None else from_base64(item["token"])
    if len(token) > MAX_TOKEN or (item["token"] is not None and not token):
        raise MalformedError("malformed.court_block", reason="token")
    return TimedBlock(block=read_light_block(item["block"]), token=token)

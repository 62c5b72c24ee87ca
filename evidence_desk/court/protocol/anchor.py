"""Answer about an accepted checkpoint (``anchor/1``): one court part for many leaves, each with its own events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import DIGEST_SIZE
from evidence_desk.core.merkle import MAX_PROOF
from evidence_desk.court.protocol.block import check_chain_id
from evidence_desk.court.protocol.light_block import from_base64, items, members, number, to_base64
from evidence_desk.court.protocol.part import (
    MAX_HISTORY,
    CourtPart,
    LeafEvents,
    StateView,
    TimedBlock,
    events_json,
    read_events,
    read_timed,
    read_view,
    timed_json,
    view_json,
)
from evidence_desk.court.protocol.registry import CHECKPOINT_RECORD, CheckpointRecord
from evidence_desk.errors import MalformedError

VERSION: Final = "anchor/1"
MAX_ANSWER: Final = 32 * 1024 * 1024
MAX_LEAVES: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorAnswer:
    """A court part whose events are those of several leaves: `leaves`, leaf hash → events in the newest state shown."""

    chain_id: str
    record: CheckpointRecord
    index: int
    path: tuple[bytes, ...]
    anchor: StateView
    leaves: Mapping[bytes, LeafEvents]
    history: tuple[TimedBlock, ...] = ()
    current: StateView | None = None

    def part(self, leaf_hash: bytes) -> CourtPart:
        """Court part of one leaf.

        Raises:
            MalformedError: the answer says nothing of it.
        """
        if leaf_hash not in self.leaves:
            raise MalformedError("malformed.court_block", reason="leaf")
        return CourtPart(
            chain_id=self.chain_id, record=self.record, index=self.index, path=self.path, anchor=self.anchor,
            events=self.leaves[leaf_hash], history=self.history, current=self.current,
        )  # fmt: skip

    @property
    def headers(self) -> tuple[TimedBlock, ...]:
        """Every block of the answer."""
        views = (self.anchor,) if self.current is None else (self.anchor, self.current)
        return (*self.history, *(view.header for view in views))

    def with_tokens(self, tokens: Mapping[bytes, bytes]) -> AnchorAnswer:
        """With RFC 3161 tokens by header hash, where a block has none yet."""

        def stamp(timed: TimedBlock) -> TimedBlock:
            return timed if timed.token else replace(timed, token=tokens.get(timed.block.header.hash, b""))

        def seen(view: StateView) -> StateView:
            return replace(view, header=stamp(view.header))

        return replace(
            self,
            anchor=seen(self.anchor),
            history=tuple(stamp(step) for step in self.history),
            current=None if self.current is None else seen(self.current),
        )

    def encode(self) -> bytes:
        """Canonical JSON."""
        return encode(
            {
                "v": VERSION,
                "chain_id": self.chain_id,
                "record": to_base64(CHECKPOINT_RECORD.encode(self.record)),
                "index": self.index,
                "path": [to_base64(node) for node in self.path],
                "anchor": view_json(self.anchor),
                "leaves": [[to_base64(leaf), events_json(events)] for leaf, events in self.leaves.items()],
                "history": [timed_json(step) for step in self.history],
                "current": None if self.current is None else view_json(self.current),
            }
        )


def parse_anchor_answer(data: bytes) -> AnchorAnswer:
    """Read an answer strictly; MalformedError."""
    value = decode(data, what="anchor answer", limit=MAX_ANSWER)
    names = {"v", "chain_id", "record", "index", "path", "anchor", "leaves", "history", "current"}
    item = members(value, names)
    chain_id = item["chain_id"]
    if item["v"] != VERSION or not isinstance(chain_id, str):
        raise MalformedError("malformed.court_block", reason="version")
    return AnchorAnswer(
        chain_id=check_chain_id(chain_id),
        record=CHECKPOINT_RECORD.decode(from_base64(item["record"])),
        index=number(item["index"]),
        path=tuple(from_base64(node) for node in items(item["path"], MAX_PROOF)),
        anchor=read_view(item["anchor"]),
        leaves=_read_leaves(item["leaves"]),
        history=tuple(read_timed(step) for step in items(item["history"], MAX_HISTORY)),
        current=None if item["current"] is None else read_view(item["current"]),
    )


def _read_leaves(value: JSON) -> Mapping[bytes, LeafEvents]:
    leaves: dict[bytes, LeafEvents] = {}
    for pair in items(value, MAX_LEAVES):
        parts = items(pair, 2)
        leaf = from_base64(parts[0]) if len(parts) == 2 else b""
        if len(leaf) != DIGEST_SIZE or leaf in leaves:
            raise MalformedError("malformed.court_block", reason="leaf")
        leaves[leaf] = read_events(parts[1])
    return leaves

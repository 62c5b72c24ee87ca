"""Answer about an accepted checkpoint (``anchor/1``): one court part for many leaves, each with its own events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import DIGEST_SIZE
from evidence_desk.court.protocol.light_block import from_base64, items, members, to_base64
from evidence_desk.court.protocol.part import (
    ANCHORING_MEMBERS,
    Anchoring,
    CourtPart,
    LeafEvents,
    TimedBlock,
    events_json,
    read_anchoring,
    read_events,
    shared,
)
from evidence_desk.errors import MalformedError

VERSION: Final = "anchor/1"
MAX_ANSWER: Final = 32 * 1024 * 1024
MAX_LEAVES: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorAnswer(Anchoring):
    """An anchoring with the events of several leaves: `leaves`, leaf hash → events in the newest state shown."""

    leaves: Mapping[bytes, LeafEvents]

    def part(self, leaf_hash: bytes) -> CourtPart:
        """Court part of one leaf.

        Raises:
            MalformedError: the answer says nothing of it.
        """
        if leaf_hash not in self.leaves:
            raise MalformedError("malformed.court_block", reason="leaf")
        return CourtPart.of(self, self.leaves[leaf_hash])

    def with_tokens(self, tokens: Mapping[bytes, bytes]) -> AnchorAnswer:
        """With RFC 3161 tokens by header hash, where a block has none yet."""

        def stamp(timed: TimedBlock) -> TimedBlock:
            return timed if timed.token else replace(timed, token=tokens.get(timed.block.header.hash, b""))

        return self.with_headers(stamp)

    def encode(self) -> bytes:
        """Canonical JSON."""
        leaves: list[JSON] = [[to_base64(leaf), events_json(events)] for leaf, events in self.leaves.items()]
        return encode({"v": VERSION, **self.anchoring_json(), "leaves": leaves})


def parse_anchor_answer(data: bytes) -> AnchorAnswer:
    """Read an answer strictly; MalformedError."""
    value = decode(data, what="anchor answer", limit=MAX_ANSWER)
    item = members(value, {"v", *ANCHORING_MEMBERS, "leaves"})
    if item["v"] != VERSION:
        raise MalformedError("malformed.court_block", reason="version")
    return AnchorAnswer(**shared(read_anchoring(item)), leaves=_read_leaves(item["leaves"]))


def _read_leaves(value: JSON) -> Mapping[bytes, LeafEvents]:
    leaves: dict[bytes, LeafEvents] = {}
    for pair in items(value, MAX_LEAVES):
        parts = items(pair, 2)
        leaf = from_base64(parts[0]) if len(parts) == 2 else b""
        if len(leaf) != DIGEST_SIZE or leaf in leaves:
            raise MalformedError("malformed.court_block", reason="leaf")
        leaves[leaf] = read_events(parts[1])
    return leaves

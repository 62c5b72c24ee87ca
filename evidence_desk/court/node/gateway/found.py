"""Look-ups: by digest, by evidence number, by leaf hash. Every leaf found comes with its whole proof."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.digests import parse_hex
from evidence_desk.core.evidence_number import Prefix, format_number, parse_number
from evidence_desk.core.leaf import parse_leaf
from evidence_desk.core.merkle import leaf_hash, root_from_inclusion
from evidence_desk.court.node.gateway.answers import TOO_MANY, Answers, State, checked
from evidence_desk.court.protocol.light_block import from_base64, items, number
from evidence_desk.court.protocol.lookup import LookupAnswer
from evidence_desk.court.protocol.map_proof import MapProof, decode_map_proof
from evidence_desk.court.protocol.search import (
    KINDS,
    MAX_FOUND,
    FoundLeaf,
    SearchAnswer,
    encode_leaf_answer,
    parse_leaf_answer,
)
from evidence_desk.court.protocol.state import MAX_ENTRIES, LookupEntry, check_lookup, lookup_key
from evidence_desk.errors import EvidenceDeskError, MalformedError, NotFoundError, RemoteError

_PATH: Final = 64
_ROOM: Final = 2 * 1024 * 1024
"""Bytes of found leaves in an answer: desks choose how much is said about their leaves."""
_OF_LEAF: Final = frozenset({TOO_MANY, "api.engine_wrong"})
"""What may be due to what a desk wrote; other failures are the engine's, and pass."""
_log = structlog.get_logger()


class Finder:
    """Finds leaves; errors as `Answers`."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def search(self, digest: bytes) -> SearchAnswer:
        """``search/1``: all occurrences of a digest by kind, and the oldest and newest leaves among them."""
        keys = [lookup_key(kind, digest) for kind in KINDS]
        state, first = await self._answers.newest("/lookup", keys[0])
        others = await asyncio.gather(*(self._answers.at(state, "/lookup", key) for key in keys[1:]))
        standing = await self._answers.standing(state)
        lookups: list[LookupAnswer] = []
        for key, found in zip(keys, (first, *others), strict=True):
            entries, proof = checked(lambda found=found, key=key: _occurrences(found, state, key))  # type: ignore[misc]
            lookups.append(LookupAnswer(key=key, entries=entries, proof=proof, standing=standing))
        return SearchAnswer(
            digest=digest,
            lookups=tuple(lookups),
            found=await self._shown(entry for item in lookups for entry in item.entries),
            standing=standing,
        )

    async def numbers(self, text: str) -> tuple[str, tuple[FoundLeaf, ...]]:
        """Leaves that an evidence number addresses, and the number in its one spelling; none is no proof of absence.

        Raises:
            MalformedError: ``malformed.number``, ``malformed.number_check``.
        """
        prefix = parse_number(text, Prefix.EVIDENCE)
        try:
            row = await self._answers.row("/number", prefix)
        except NotFoundError:
            hashes: list[bytes] = []
        else:
            hashes = checked(
                lambda: [parse_hex(item, what="leaf") for item in items(row["leaves"], MAX_FOUND)]
            )
        found = await asyncio.gather(*(self.leaf(item) for item in hashes))
        return format_number(Prefix.EVIDENCE, prefix), tuple(found)

    async def leaf(self, digest: bytes) -> FoundLeaf:
        """A leaf by its hash, at the smallest accepted checkpoint that covers it; NotFoundError."""
        place = await self._answers.row("/place", digest)
        origin, seq, leaf = checked(lambda: _place(place, digest))
        covering = origin.encode() + b"\n" + (seq + 1).to_bytes(8, "big")
        noted = await self._answers.row("/note", covering)
        size, note = checked(lambda: (number(noted["size"]), from_base64(noted["note"])))
        within = origin.encode() + b"\n" + seq.to_bytes(8, "big") + size.to_bytes(8, "big")
        inclusion, answer = await asyncio.gather(
            self._answers.row("/inclusion", within),
            self._answers.anchor(origin, size, [digest], fresh=True),  # a revocation since then must be seen
        )

        def read() -> FoundLeaf:
            path = tuple(from_base64(item) for item in items(inclusion["path"], _PATH))
            checkpoint, _ = parse_checkpoint(note)  # its signatures are the desk's affair, and its readers'
            record = answer.record
            root = root_from_inclusion(index=seq, size=size, digest=digest, path=path)
            same = (checkpoint.origin, checkpoint.size, checkpoint.root) == (origin, record.size, record.root)
            if root != record.root or not same:
                raise MalformedError("malformed.court_state", reason="leaf")
            found = FoundLeaf(leaf=leaf, seq=seq, path=path, note=note, court=answer.part(digest))
            return parse_leaf_answer(encode_leaf_answer(found))  # what its reader would refuse is not served

        return checked(read)

    async def _shown(self, entries: Iterable[LookupEntry]) -> tuple[FoundLeaf, ...]:
        """The oldest leaves and the newest, oldest first.

        Any desk can add leaves with a digest of others: one that cannot be shown is left out and hinders no other. The
        number of entries tells that it is missing.
        """
        heights: dict[bytes, int] = {}
        for entry in entries:
            heights[entry.leaf_hash] = min(entry.height, heights.get(entry.leaf_hash, entry.height))
        oldest = sorted(
            heights, key=lambda item: heights[item]
        )  # stable: by place where heights are the same
        if len(oldest) > MAX_FOUND:
            oldest = [*oldest[: MAX_FOUND // 2], *oldest[-(MAX_FOUND // 2) :]]
        found = await asyncio.gather(*(self.leaf(item) for item in oldest), return_exceptions=True)
        shown: list[FoundLeaf] = []
        silent: list[RemoteError] = []
        for item in found:
            if isinstance(item, FoundLeaf):
                shown.append(item)
            elif isinstance(item, EvidenceDeskError):
                _log.warning("gateway.leaf_left_out", code=item.code)
                if isinstance(item, RemoteError) and item.code not in _OF_LEAF:
                    silent.append(item)
            else:
                raise item
        if silent and not shown:
            raise silent[0]
        return _within(shown)


def _within(found: list[FoundLeaf]) -> tuple[FoundLeaf, ...]:
    """As many as an answer has room for: from the oldest and the newest on towards the middle."""
    taken: set[int] = set()
    room = _ROOM
    for at in (
        end for pair in zip(range(len(found)), reversed(range(len(found))), strict=True) for end in pair
    ):
        size = len(encode(found[at].to_json()))
        if at not in taken and size <= room:
            taken.add(at)
            room -= size
    return tuple(found[at] for at in sorted(taken))


def _occurrences(
    found: dict[str, JSON], state: State, key: bytes
) -> tuple[tuple[LookupEntry, ...], MapProof]:
    rows = [from_base64(item) for item in items(found["entries"], MAX_ENTRIES)]
    entries = tuple(LookupEntry(leaf_hash=row[:32], height=int.from_bytes(row[32:], "big")) for row in rows)
    proof = decode_map_proof(from_base64(found["proof"]))
    check_lookup(state.roots, key, entries, proof)
    return entries, proof


def _place(row: dict[str, JSON], digest: bytes) -> tuple[str, int, bytes]:
    data = from_base64(row["leaf"])
    leaf = parse_leaf(data)
    if leaf_hash(data) != digest or (leaf.log, leaf.seq) != (row["origin"], number(row["seq"])):
        raise MalformedError("malformed.court_state", reason="leaf")
    return leaf.log, leaf.seq, data

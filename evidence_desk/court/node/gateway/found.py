"""Look-ups: by digest, by evidence number, by leaf hash. Every leaf found comes with its whole proof."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.checkpoint import parse_checkpoint
from evidence_desk.core.digests import parse_hex
from evidence_desk.core.evidence_number import Prefix, format_number, parse_number
from evidence_desk.core.leaf import parse_leaf
from evidence_desk.core.merkle import leaf_hash, root_from_inclusion
from evidence_desk.court.node.gateway.answers import Answers, State, checked
from evidence_desk.court.protocol.light_block import from_base64, items, number
from evidence_desk.court.protocol.lookup import LookupAnswer
from evidence_desk.court.protocol.map_proof import MapProof, decode_map_proof
from evidence_desk.court.protocol.search import KINDS, MAX_FOUND, FoundLeaf, SearchAnswer
from evidence_desk.court.protocol.state import MAX_ENTRIES, LookupEntry, check_lookup, lookup_key
from evidence_desk.errors import MalformedError, NotFoundError

_PATH: Final = 64


class Finder:
    """Finds leaves; errors as `Answers`."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def search(self, digest: bytes) -> SearchAnswer:
        """``search/1``: all occurrences of a digest by kind, and the newest leaves among them."""
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
            found=await self._newest(entry for item in lookups for entry in item.entries),
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
            return FoundLeaf(leaf=leaf, seq=seq, path=path, note=note, court=answer.part(digest))

        return checked(read)

    async def _newest(self, entries: Iterable[LookupEntry]) -> tuple[FoundLeaf, ...]:
        heights: dict[bytes, int] = {}
        for entry in entries:
            heights[entry.leaf_hash] = max(entry.height, heights.get(entry.leaf_hash, 0))
        newest = sorted(heights, key=lambda item: (-heights[item], item))[:MAX_FOUND]
        return tuple(await asyncio.gather(*(self.leaf(item) for item in newest)))


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

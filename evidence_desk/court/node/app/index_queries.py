"""Answers from rows that prove themselves, or are only for finding and display: logs, places, numbers, governance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import DIGEST_SIZE
from evidence_desk.court.node.app.anchors import ANCHORS, read_anchor
from evidence_desk.court.node.app.commitments import GOVERNANCE, LIST, list_tree
from evidence_desk.court.node.app.desks import desk
from evidence_desk.court.node.app.logs import (
    CHECKPOINT_INDEX,
    ENVELOPES,
    LEAVES,
    NOTES,
    PLACES,
    log_inclusion,
    read_log_key,
)
from evidence_desk.court.node.app.records import PROPOSALS, institutions, parameters, read_proposal
from evidence_desk.court.node.app.store import TRANSACTIONS, StateStore
from evidence_desk.court.protocol.light_block import to_base64

MAX_PAGE: Final = 512 * 1024
"""Bytes of leaves and envelopes in one answer; at least one leaf is given."""
MAX_LEAVES: Final = 2_000
_MAX_FOUND: Final = 20
_MAX_PROPOSALS: Final = 200
_MAX_ORIGIN: Final = 128
_NUMBER: Final = 10
"""Bytes of a leaf hash in an evidence number."""
_END: Final = b"\xff" * 8

Facts = dict[str, JSON]


def _anchor(rows: StateStore, data: bytes) -> Facts | None:
    """`data` is origin ‖ 0x0A ‖ size: everything that proves an accepted checkpoint under header H+1, whenever that was."""
    place = rows.get(CHECKPOINT_INDEX, data)
    if place is None:
        return None
    record, kept, note = rows.get(LIST, place), rows.get(ANCHORS, place), rows.get(NOTES, data)
    if record is None or kept is None or note is None:
        return None
    facts = read_anchor(kept)
    index = int.from_bytes(place, "big")
    size = _size(facts)
    path = list_tree(rows, size).inclusion(index)
    return {
        **facts,
        "index": index,
        "record": to_base64(record),
        "path": [to_base64(node) for node in path],
        "note": to_base64(note),
    }


def _size(facts: Mapping[str, JSON]) -> int:
    roots = facts["roots"]
    checkpoints = roots["checkpoints"] if isinstance(roots, dict) else None
    size = checkpoints["size"] if isinstance(checkpoints, dict) else 0
    return size if isinstance(size, int) else 0


def _place(rows: StateStore, data: bytes) -> Facts | None:
    """`data` is a leaf hash."""
    place = rows.get(PLACES, data)
    leaf = None if place is None else rows.get(LEAVES, place)
    if place is None or leaf is None:
        return None
    origin, seq = read_log_key(place)
    return {"origin": origin, "seq": seq, "leaf": to_base64(leaf)}


def _number(rows: StateStore, data: bytes) -> Facts | None:
    """`data` is the first 80 bits of leaf hashes: all that begin so."""
    if len(data) != _NUMBER:
        return None
    rest = DIGEST_SIZE - _NUMBER
    found = rows.between(PLACES, data, data + b"\xff" * (rest + 1), _MAX_FOUND)
    return {"leaves": [key.hex() for key, _ in found]}


def _leaves(rows: StateStore, data: bytes) -> Facts | None:
    """`data` is origin ‖ 0x0A ‖ start ‖ count: leaves with their envelopes, as many as fit."""
    key, count = data[:-8], int.from_bytes(data[-8:], "big")
    page: list[JSON] = []
    size = 0
    for place, leaf in rows.between(LEAVES, key, key[:-8] + _END, min(count, MAX_LEAVES)):
        envelope = rows.get(ENVELOPES, place)
        size += len(leaf) + len(envelope or b"")
        if page and size > MAX_PAGE:
            break
        page.append([to_base64(leaf), None if envelope is None else to_base64(envelope)])
    return {"leaves": page}


def _note(rows: StateStore, data: bytes) -> Facts | None:
    """`data` is origin ‖ 0x0A ‖ size: the smallest accepted checkpoint of at least that size."""
    found = rows.between(NOTES, data, data[:-8] + _END, 1)
    if not found:
        return None
    return {"size": read_log_key(found[0][0])[1], "note": to_base64(found[0][1])}


def _inclusion(rows: StateStore, data: bytes) -> Facts | None:
    """`data` is origin ‖ 0x0A ‖ seq ‖ size: the leaf's path in the log as it was at that size."""
    size = int.from_bytes(data[-8:], "big")
    origin, seq = read_log_key(data[:-8])
    entry = desk(rows, origin)
    if entry is None or not seq < size <= entry.size:
        return None
    return {"path": [to_base64(node) for node in log_inclusion(rows, origin, seq, size)]}


def _transaction(rows: StateStore, data: bytes) -> Facts | None:
    """`data` is the ID of a transaction: the height at which it was executed."""
    height = rows.get(TRANSACTIONS, data)
    return None if height is None else {"executed": int.from_bytes(height, "big")}


def _governance(rows: StateStore, data: bytes) -> Facts | None:
    """Members, parameters and the newest proposals, for display."""
    if data or rows.get(GOVERNANCE, b"institutions") is None:
        return None
    numbers = parameters(rows)
    found = rows.between(GOVERNANCE, PROPOSALS, PROPOSALS + b"\xff" * 33, _MAX_PROPOSALS)
    return {
        "institutions": [
            {
                "institution": member.institution,
                "consensus_key": member.consensus_key.hex(),
                "governance_key": member.governance_key.hex(),
            }
            for member in institutions(rows).members
        ],
        "parameters": {
            "lookup_quota": numbers.lookup_quota,
            "max_submit_bytes": numbers.max_submit_bytes,
        },
        "proposals": [{"id": key[len(PROPOSALS) :].hex(), **read_proposal(value)} for key, value in found],
    }


def _with_log_key(handler: Callable[[StateStore, bytes], Facts | None], numbers: int = 1) -> Query:
    """Only called for data of the right form: origin ‖ 0x0A ‖ 8-byte numbers."""

    def checked(rows: StateStore, data: bytes) -> Facts | None:
        origin, separator, rest = data.partition(b"\n")
        good = separator and len(rest) == 8 * numbers and 0 < len(origin) <= _MAX_ORIGIN and origin.isascii()
        return handler(rows, data) if good else None

    return checked


Query = Callable[[StateStore, bytes], Facts | None]

INDEXES: Final[dict[str, Query]] = {
    "/anchor": _with_log_key(_anchor),
    "/place": _place,
    "/number": _number,
    "/leaves": _with_log_key(_leaves, 2),
    "/note": _with_log_key(_note),
    "/inclusion": _with_log_key(_inclusion, 2),
    "/transaction": _transaction,
    "/governance": _governance,
}

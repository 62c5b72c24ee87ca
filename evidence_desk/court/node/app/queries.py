"""Answers from committed state, with proofs against the sub-roots of the height they name. JSON, RFC 8785.

The application hash of height H stands in header H + 1, so an asker who holds header H + 1 asks for height H.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.court.node.abci.application import OK, Query, QueryResult
from evidence_desk.court.node.app.commitments import DESKS, LIST, LOOKUP, Commitments, index_key
from evidence_desk.court.node.app.index_queries import INDEXES
from evidence_desk.court.node.app.logs import CHECKPOINT_INDEX, LEAVES, PLACES
from evidence_desk.court.node.app.occurrences import MAX_EVENTS, occurrences
from evidence_desk.court.node.app.store import StateStore
from evidence_desk.court.protocol.light_block import to_base64
from evidence_desk.court.protocol.state import MAX_ENTRIES, StateRoots, events_key

CODESPACE: Final = "court"
_MAX_KEY: Final = 256
_MAX_ABOUT: Final = 256


class QueryCode(IntEnum):
    """Why a query is not answered."""

    UNKNOWN_PATH = 1
    HEIGHT = 2
    """The state of that height cannot be proven: too old, or not there yet."""
    KEY = 3
    """No such row, or a key that cannot be one."""


class _Asked:
    """One query over the state of one height."""

    def __init__(self, rows: StateStore, commitments: Commitments, back: int, data: bytes) -> None:
        self.rows = rows
        self.commitments = commitments
        self.back = back
        self.data = data


def answer(
    query: Query, rows: StateStore, commitments: Commitments, height: int, *, pending: bool = False
) -> QueryResult:
    """Answer, or say by code why not; never raises on what is asked.

    Args:
        query: what is asked.
        rows: committed rows.
        commitments: their Merkle structures.
        height: of the newest committed block.
        pending: whether the structures hold one more block, which is not committed yet.
    """
    index = INDEXES.get(query.path)
    if index is not None:
        facts = index(rows, query.data)
        if facts is None:
            return _refused(QueryCode.KEY)
        facts = {"height": height, **facts}
        of = facts["height"]
        return QueryResult(
            code=OK, key=query.data, value=encode(facts), height=of if isinstance(of, int) else height
        )
    back = height - query.height if query.height else 0
    handler = _PATHS.get(query.path)
    if handler is None:
        return _refused(QueryCode.UNKNOWN_PATH)
    behind = back + pending
    if height == 0 or back < 0 or query.height < 0 or behind > commitments.kept:
        return _refused(QueryCode.HEIGHT)
    if len(query.data) > (_MAX_KEY if handler is not _events else _MAX_KEY + 32 * _MAX_ABOUT):
        return _refused(QueryCode.KEY)
    found = handler(_Asked(rows, commitments, behind, query.data))
    if found is None:
        return _refused(QueryCode.KEY)
    value: dict[str, JSON] = {
        "height": height - back,
        "roots": _roots(commitments.roots(behind)),
        **found,
    }
    return QueryResult(code=OK, key=query.data, value=encode(value), height=height - back)


def _state(_asked: _Asked) -> dict[str, JSON]:
    return {}


def _desk(asked: _Asked) -> dict[str, JSON]:
    """`data` is an origin: its entry (null when there is none) and the proof."""
    value, proof = asked.commitments.prove(DESKS, asked.data, asked.back)
    return {"entry": None if value is None else to_base64(value), "proof": to_base64(proof.encode())}


def _lookup(asked: _Asked) -> dict[str, JSON] | None:
    """`data` is a look-up key: all its occurrences (none proves absence) and the proof."""
    value, proof = asked.commitments.prove(LOOKUP, asked.data, asked.back)
    count = 0 if value is None else int.from_bytes(value[:8], "big")
    if count > MAX_ENTRIES:
        return None
    entries = occurrences(asked.rows, asked.data, count)
    return {"entries": [to_base64(entry) for entry in entries], "proof": to_base64(proof.encode())}


def _checkpoint(asked: _Asked) -> dict[str, JSON] | None:
    """`data` is origin ‖ 0x0A ‖ size (8 bytes): the record of that checkpoint and its inclusion path."""
    row = asked.rows.get(CHECKPOINT_INDEX, asked.data)
    if row is None:
        return None
    index = int.from_bytes(row, "big")
    record = asked.rows.get(LIST, index_key(index))
    if record is None or index >= asked.commitments.size(asked.back):
        return None
    path = asked.commitments.prove_index(index, asked.back)
    return {"index": index, "record": to_base64(record), "path": [to_base64(node) for node in path]}


def _events(asked: _Asked) -> dict[str, JSON] | None:
    """`data` is origin ‖ 0x0A ‖ leaf hashes: of each all events (their leaves and heights) and the proof."""
    origin, _, hashes = asked.data.partition(b"\n")
    if len(hashes) % 32 or not 0 < len(hashes) <= 32 * _MAX_ABOUT:
        return None
    try:
        family = origin.decode("ascii")
    except UnicodeDecodeError:
        return None
    found: list[JSON] = []
    for at in range(0, len(hashes), 32):
        key = events_key(family, hashes[at : at + 32])
        value, proof = asked.commitments.prove(LOOKUP, key, asked.back)
        count = 0 if value is None else int.from_bytes(value[:8], "big")
        if count > MAX_EVENTS:
            return None
        leaves = [_event(asked.rows, entry) for entry in occurrences(asked.rows, key, count)]
        found.append({"leaves": leaves, "proof": to_base64(proof.encode())})
    return {"events": found}


def _event(rows: StateStore, entry: bytes) -> JSON:
    leaf = rows.get(LEAVES, rows.get(PLACES, entry[:32]) or b"") or b""
    return [to_base64(leaf), int.from_bytes(entry[32:], "big")]


_PATHS: Final[dict[str, Callable[[_Asked], dict[str, JSON] | None]]] = {
    "/state": _state,
    "/desk": _desk,
    "/lookup": _lookup,
    "/checkpoint": _checkpoint,
    "/events": _events,
}


def _roots(roots: StateRoots) -> dict[str, JSON]:
    return {
        "checkpoints": {"size": roots.checkpoints.size, "root": roots.checkpoints.root.hex()},
        "desks": roots.desks.hex(),
        "governance": roots.governance.hex(),
        "lookup": roots.lookup.hex(),
    }


def _refused(code: QueryCode) -> QueryResult:
    return QueryResult(code=code.value, log=code.name.lower(), codespace=CODESPACE)

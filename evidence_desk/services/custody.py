"""Custody 保管记录: every opening, decrypting, exporting of an exhibit, batched by root into one leaf a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.merkle import leaf_hash, root_of
from evidence_desk.core.moment import format_moment
from evidence_desk.core.rows import CustodyRow
from evidence_desk.services.desk import Appender, Desk

MAX_EVENTS: Final = 500
"""Events that one leaf commits to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyNote:
    """Something done to an exhibit, to be recorded."""

    exhibit: bytes
    action: str
    operator: str = ""
    details: Mapping[str, JSON] = field(default_factory=dict)


def custody_entry(row: CustodyRow) -> bytes:
    """Canonical bytes of one event: what the root in the leaf covers."""
    return encode(
        {
            "exhibit": row.exhibit.hex(), "at": format_moment(row.at), "action": row.action,
            "operator": row.operator, "details": row.details.decode(),
        }
    )  # fmt: skip


def append_custody(desk: Desk, appender: Appender, notes: Sequence[CustodyNote]) -> None:
    """Store events and append the leaf that commits to them, within the caller's transaction.

    Each event carries a random salt in its details, so that the root says nothing to who can guess an event. More than
    `MAX_EVENTS` take further leaves: the events of one leaf have to fit into its envelope.
    """
    for start in range(0, len(notes), MAX_EVENTS):
        _append(desk, appender, notes[start : start + MAX_EVENTS])


def _append(desk: Desk, appender: Appender, notes: Sequence[CustodyNote]) -> None:
    now = desk.clock.now()
    seq = appender.log.size
    rows = [
        CustodyRow(
            exhibit=note.exhibit, at=now, action=note.action, operator=note.operator,
            details=encode({**note.details, "salt": desk.random(16).hex()}), leaf_seq=seq,
        )
        for note in notes
    ]  # fmt: skip
    root = root_of(leaf_hash(custody_entry(row)) for row in rows)
    events: JSON = {"count": len(rows), "root": root.hex()}

    def make(number: int, at: datetime) -> Leaf:
        return Leaf(log=desk.origin, seq=number, type=LeafType.CUSTODY_EVENT, at=at, facts={"events": events})

    appender.append([make])
    desk.store.exhibits.add_custody(rows)


def record(desk: Desk, notes: Sequence[CustodyNote]) -> None:
    """Record events in a transaction of their own."""
    if notes:
        with desk.appending() as appender:
            append_custody(desk, appender, notes)

"""Occurrences of look-up keys: entries by number, and the right edge of each key's list while it is no power of two."""

from __future__ import annotations

from typing import Final

from evidence_desk.core.merkle import leaf_hash
from evidence_desk.court.node.app.commitments import LOOKUP
from evidence_desk.court.node.app.edges import Edge
from evidence_desk.court.node.app.store import Overlay, Reader
from evidence_desk.court.protocol.state import MAX_ENTRIES, ListRoot, LookupEntry
from evidence_desk.errors import BugError

ENTRIES: Final = "occurrences"
"""Space: key ‖ number (4 bytes) → entry."""
EDGES: Final = "occurrence_edges"
_COUNT: Final = 8


def add_occurrence(rows: Overlay, key: bytes, entry: LookupEntry) -> bool:
    """Append to the list at `key`; False when it is full, and nothing is changed then."""
    edge = _edge(rows, key)
    if edge.size >= MAX_ENTRIES:
        return False
    data = entry.encode()
    rows.set(ENTRIES, _entry_key(key, edge.size), data)
    longer = edge.extended([leaf_hash(data)])
    rows.set(LOOKUP, key, ListRoot(size=longer.size, root=longer.root()).encode())
    if longer.size & (longer.size - 1):
        rows.set(EDGES, key, longer.encode())
    return True


def occurrences(rows: Reader, key: bytes, count: int) -> list[bytes]:
    """The first `count` entries at `key`, oldest first."""
    found = [rows.get(ENTRIES, _entry_key(key, number)) for number in range(count)]
    entries = [entry for entry in found if entry is not None]
    if len(entries) != count:
        raise BugError("bug.court_occurrences", count=count)
    return entries


def _edge(rows: Reader, key: bytes) -> Edge:
    value = rows.get(LOOKUP, key)
    if value is None:
        return Edge()
    size, root = int.from_bytes(value[:_COUNT], "big"), value[_COUNT:]
    if size & (size - 1) == 0:  # one perfect tree: its root is the edge
        return Edge(size, (root,) if size else ())
    return Edge.decode(size, rows.get(EDGES, key) or b"")


def _entry_key(key: bytes, number: int) -> bytes:
    return key + number.to_bytes(4, "big")

"""Occurrences of look-up keys: entries by number, and the right edge of each key's list while it is no power of two."""

from __future__ import annotations

from typing import Final

from evidence_desk.core.digests import DIGEST_SIZE, sha256
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.court.node.app.commitments import LOOKUP
from evidence_desk.court.node.app.edges import Edge
from evidence_desk.court.node.app.logs import PLACES, read_log_key
from evidence_desk.court.node.app.store import Overlay, Reader
from evidence_desk.court.protocol.registry import desk_family
from evidence_desk.court.protocol.state import MAX_ENTRIES, ListRoot, LookupEntry
from evidence_desk.errors import BugError

ENTRIES: Final = "occurrences"
"""Space: key ‖ number (4 bytes) → entry."""
EDGES: Final = "occurrence_edges"
SHARES: Final = "occurrence_shares"
"""Space: key ‖ SHA-256 of a desk's origin without epoch → how many entries are its (1 byte)."""
MAX_SHARE: Final = 16
"""Entries of one desk at one key: so many desks would have to act together to fill it that none is kept out by one."""
MAX_EVENTS: Final = 64
"""Events about one leaf: all of them must fit in one answer."""
_COUNT: Final = 8


def add_occurrence(rows: Overlay, key: bytes, entry: LookupEntry, family: str) -> bool:
    """Append to the list at `key`; False when it or the desk's share of it is full, and nothing is changed then."""
    edge = _edge(rows, key)
    if edge.size >= MAX_ENTRIES or not _take_share(rows, key, edge.size, family):
        return False
    _append(rows, key, edge, entry)
    return True


def _append(rows: Overlay, key: bytes, edge: Edge, entry: LookupEntry) -> None:
    data = entry.encode()
    rows.set(ENTRIES, _entry_key(key, edge.size), data)
    longer = edge.extended([leaf_hash(data)])
    rows.set(LOOKUP, key, ListRoot(size=longer.size, root=longer.root()).encode())
    if longer.size & (longer.size - 1):
        rows.set(EDGES, key, longer.encode())


def _take_share(rows: Overlay, key: bytes, size: int, family: str) -> bool:
    """Whether the desk still has a place at `key`, which is then taken.

    A list that is no longer than one share needs no count: only of longer ones is it kept who has how many.
    """
    if size < MAX_SHARE:
        return True
    row = key + sha256(family.encode())
    stored = rows.get(SHARES, row)
    if stored is None:
        held = sum(_family(rows, item) == family for item in occurrences(rows, key, MAX_SHARE))
    else:
        held = stored[0]
    full = held >= MAX_SHARE
    if stored is None or not full:
        rows.set(SHARES, row, bytes([held if full else held + 1]))
    return not full


def _family(rows: Reader, entry: bytes) -> str:
    """Desk of an entry's leaf, which is stored before it is entered."""
    place = rows.get(PLACES, entry[:DIGEST_SIZE])
    if place is None:
        raise BugError("bug.court_occurrences", count=MAX_SHARE)
    return desk_family(read_log_key(place)[0])


def add_event(rows: Overlay, key: bytes, entry: LookupEntry, *, revocation: bool) -> bool:
    """Append to the events at `key`; False when they are full. The last place is kept for a revocation."""
    edge = _edge(rows, key)
    if edge.size >= MAX_EVENTS - (not revocation):
        return False
    _append(rows, key, edge, entry)
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

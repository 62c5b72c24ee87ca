"""What a log that is being filled from envelopes has come to, and how contents are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import parse_hex
from evidence_desk.core.ports import Store
from evidence_desk.core.rows import LeafRow
from evidence_desk.errors import MalformedError
from evidence_desk.services.envelopes import moment_text

Contents = Sequence[tuple[str | None, Mapping[str, JSON]]]
"""(case, None for the desk; content) of boxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What our keys open of an envelope; `whole`: all of its boxes."""

    contents: Contents = ()
    whole: bool = False


@dataclass(slots=True)
class Refill:
    """What came back of a log.

    Attributes:
        store: the log that is being filled in the active one's place; `stores`: all earlier logs so, this one among them.
        erased: cases that tombstones name.
        closed: leaves behind which something could not be opened.
        withheld: those of them for which no two gateways gave the same, so that another may give more.
        locked: those of them with an envelope that our keys don't open.
        untimed: tokens whose hash tree could not be made again; their exhibits wait for a new one.
        refused: boxes that opened but did not fit their leaf, or could not be read.
        again: envelopes of leaves that were here before were opened once more.
    """

    store: Store
    stores: Sequence[Store]
    exhibits: int = 0
    tokens: int = 0
    certificates: int = 0
    events: int = 0
    closed: int = 0
    withheld: int = 0
    locked: int = 0
    untimed: int = 0
    refused: int = 0
    again: bool = False
    erased: set[str] = field(default_factory=set)
    nodes: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)

    def add(self, later: Refill) -> None:
        """Count in what a later run opened."""
        self.exhibits += later.exhibits
        self.tokens += later.tokens
        self.certificates += later.certificates
        self.events += later.events
        if later.again:
            self.closed = self.withheld = self.locked = self.refused = 0
        self.closed += later.closed
        self.withheld += later.withheld
        self.locked += later.locked
        self.again |= later.again
        self.untimed += later.untimed
        self.refused += later.refused
        self.erased |= later.erased


def find_leaf(state: Refill, leaf_hash: bytes) -> tuple[Store, LeafRow] | None:
    """A leaf of any earlier log, and the log as a store."""
    for home in state.stores:
        row = home.log.leaf_by_hash(leaf_hash)
        if row is not None:
            return home, row
    return None


def read_hashes(value: JSON) -> tuple[bytes, ...]:
    """List of 32-byte hashes in hex; ``malformed.envelope``."""
    if not isinstance(value, list):
        raise MalformedError("malformed.envelope", reason="hashes")
    return tuple(parse_hex(item, what="hash") for item in value)


def read_text(value: JSON) -> str:
    """A string; ``malformed.envelope``."""
    if not isinstance(value, str):
        raise MalformedError("malformed.envelope", reason="text")
    return value


def read_moment(value: JSON) -> datetime:
    """Moment with microseconds; ``malformed.envelope``, ValueError."""
    moment = datetime.fromisoformat(read_text(value))
    if moment_text(moment.astimezone(UTC)) != value:
        raise MalformedError("malformed.envelope", reason="time")
    return moment

"""Browse: lists of cases and exhibits, filtered and searched, in pages. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from evidence_desk.core.browse_ports import (
    LOGGED_ONLY,
    CaseFigures,
    ExhibitQuery,
    ExhibitStates,
    ExhibitSummary,
    Order,
)
from evidence_desk.core.canonical import JSON, decode
from evidence_desk.errors import MalformedError
from evidence_desk.services.desk import Desk

__all__ = [
    "LOGGED_ONLY",
    "MAX_PAGE",
    "CaseSummary",
    "ExhibitQuery",
    "ExhibitStates",
    "ExhibitSummary",
    "Order",
    "case_summaries",
    "count",
    "page",
    "tags",
]

MAX_PAGE: Final = 1_000
"""Lines a page has at most."""
_MAX_DETAILS: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """One case of a list: what was said of it, how many exhibits, how many of them in each state."""

    number: str
    court: str
    cause: str
    parties: tuple[str, ...]
    created: datetime
    exhibits: int
    newest: datetime | None
    archived: datetime | None
    erased: datetime | None
    timestamped: int
    anchored: int
    certified: int


def count(desk: Desk, query: ExhibitQuery) -> int:
    """Exhibits a query finds; whatever text it holds, it is looked for as it stands."""
    return desk.store.browse.count(query)


def page(desk: Desk, query: ExhibitQuery, offset: int, limit: int) -> Sequence[ExhibitSummary]:
    """Lines `offset` … `offset + limit` of what a query finds; at most `MAX_PAGE`, fewer at the end."""
    return desk.store.browse.page(query, max(offset, 0), min(max(limit, 0), MAX_PAGE))


def tags(desk: Desk) -> Mapping[str, int]:
    """Tags in use with the number of exhibits of each, by name."""
    return desk.store.browse.all_tags()


def case_summaries(desk: Desk) -> Sequence[CaseSummary]:
    """All cases by creation, archived and erased ones too."""
    return [_summary(item) for item in desk.store.browse.cases()]


def _summary(figures: CaseFigures) -> CaseSummary:
    try:
        details = decode(figures.details, what="case", limit=_MAX_DETAILS)
    except MalformedError:
        details = {}
    facts: Mapping[str, JSON] = details if isinstance(details, dict) else {}
    parties = facts.get("parties")
    return CaseSummary(
        number=figures.number,
        court=_text(facts.get("court")),
        cause=_text(facts.get("cause")),
        parties=tuple(_text(party) for party in parties) if isinstance(parties, list) else (),
        created=figures.created,
        exhibits=figures.exhibits,
        newest=figures.newest,
        archived=figures.archived,
        erased=figures.erased,
        timestamped=figures.timestamped,
        anchored=figures.anchored,
        certified=figures.certified,
    )


def _text(value: JSON | None) -> str:
    return value if isinstance(value, str) else ""

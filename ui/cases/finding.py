"""Where exhibits stand in a list, and which exhibits a choice of rows means. Runs in workers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.services import browse
from evidence_desk.services.browse import MAX_PAGE, ExhibitQuery, Order
from evidence_desk.services.desk import Desk

_MICROSECOND: Final = timedelta(microseconds=1)
_AROUND: Final = MAX_PAGE // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Rows of a list, as ranges (first, last): a hundred thousand rows are one range, not a hundred thousand indexes.

    Or exhibits by leaf hash, when `leaves` has any.
    """

    query: ExhibitQuery = field(default_factory=ExhibitQuery)
    ranges: tuple[tuple[int, int], ...] = ()
    leaves: tuple[bytes, ...] = ()

    @property
    def count(self) -> int:
        """Exhibits."""
        return len(self.leaves) or sum(last - first + 1 for first, last in self.ranges)


def leaves_of(session: Session, chosen: Chosen, job: Job) -> list[bytes]:
    """Leaf hashes of chosen rows, in the order of the list."""
    if chosen.leaves:
        return list(chosen.leaves)
    found: list[bytes] = []
    for first, last in sorted(chosen.ranges):
        for start in range(first, last + 1, MAX_PAGE):
            job.step("browse", len(found), chosen.count)
            wanted = min(MAX_PAGE, last + 1 - start)
            found += [item.leaf_hash for item in browse.page(session.desk, chosen.query, start, wanted)]
    return found


def place_of(desk: Desk, query: ExhibitQuery, leaf_hash: bytes, *, hint: int = 0) -> int | None:
    """The row of an exhibit in what a query finds; None when it is not in it (or, by title or size, not near `hint`)."""
    row = desk.store.exhibits.exhibit(leaf_hash)
    if row is None:
        return None
    match query.order:
        case Order.NEWEST:
            start = browse.count(
                desk,
                replace(query, registered_from=_later(query.registered_from, row.registered + _MICROSECOND)),
            )
        case Order.OLDEST:
            start = browse.count(
                desk, replace(query, registered_to=_earlier(query.registered_to, row.registered))
            )
        case _:
            start = max(0, hint - _AROUND)
    for at, item in enumerate(browse.page(desk, query, start, MAX_PAGE), start):
        if item.leaf_hash == leaf_hash:
            return at
    return None


def _later(given: datetime | None, moment: datetime) -> datetime:
    return moment if given is None else max(given, moment)


def _earlier(given: datetime | None, moment: datetime) -> datetime:
    return moment if given is None else min(given, moment)

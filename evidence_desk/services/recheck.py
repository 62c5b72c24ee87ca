"""Re-check originals: decrypt, hash, compare; the outcome is a custody event whatever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import NotFoundError
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.services.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckOutcome:
    """One exhibit.

    Attributes:
        damaged: positions of originals that are gone or differ; `missing`: those of them that are not here.
        erased: its case was erased.
    """

    exhibit: ExhibitRow
    damaged: tuple[int, ...]
    missing: tuple[int, ...] = ()
    erased: bool = False

    @property
    def action(self) -> str:
        """What the custody record calls it."""
        if not self.damaged:
            return "rechecked"
        return "missing" if self.damaged == self.missing else "damaged"


def recheck(
    desk: Desk, exhibits: Sequence[ExhibitRow], *, job: Job, operator: str = ""
) -> list[RecheckOutcome]:
    """Check every original of the exhibits and record the outcome (formats.md, Vault)."""
    outcomes: list[RecheckOutcome] = []
    for done, exhibit in enumerate(exhibits):
        job.step("recheck", done, len(exhibits))
        outcomes.append(_recheck(desk, exhibit, job))
    record(
        desk,
        [
            CustodyNote(
                exhibit=outcome.exhibit.leaf_hash,
                action=outcome.action,
                operator=operator,
                details={
                    "files": len(outcome.exhibit.objects),
                    "damaged": list(outcome.damaged),
                    "missing": list(outcome.missing),
                },
            )
            for outcome in outcomes
            if not outcome.erased
        ],
    )
    return outcomes


def _recheck(desk: Desk, exhibit: ExhibitRow, job: Job) -> RecheckOutcome:
    if exhibit.erased:
        return RecheckOutcome(exhibit=exhibit, damaged=(), erased=True)
    try:
        damaged = tuple(
            item.position
            for item in exhibit.objects
            if not desk.store.objects.check(item.stored, case_number=exhibit.case_number, job=job)
        )
    except NotFoundError as error:
        if error.code != "vault.case_erased":
            raise
        return RecheckOutcome(exhibit=exhibit, damaged=(), erased=True)
    gone = {item.position for item in exhibit.objects if not desk.store.objects.present(item.stored)}
    return RecheckOutcome(
        exhibit=exhibit, damaged=damaged, missing=tuple(place for place in damaged if place in gone)
    )

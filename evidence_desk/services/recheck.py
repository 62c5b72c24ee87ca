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
    """One exhibit: `damaged` lists positions of originals that are gone or differ; `erased`: its case was erased."""

    exhibit: ExhibitRow
    damaged: tuple[int, ...]
    erased: bool = False


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
                action="damaged" if outcome.damaged else "rechecked",
                operator=operator,
                details={"files": len(outcome.exhibit.objects), "damaged": list(outcome.damaged)},
            )
            for outcome in outcomes
            if not outcome.erased
        ],
    )
    return outcomes


def _recheck(desk: Desk, exhibit: ExhibitRow, job: Job) -> RecheckOutcome:
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
    return RecheckOutcome(exhibit=exhibit, damaged=damaged)

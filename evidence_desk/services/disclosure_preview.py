"""What a disclosure copy of a capture would leave out and open, before it is made: nothing is written or recorded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.capture.redaction import Why, Withheld
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.services.capture_disclose import DisclosureWish, planned, refuse_contradictions
from evidence_desk.services.captured import Spool, opened_capture
from evidence_desk.services.desk import Desk
from evidence_desk.wacz.withhold import Chosen

MOST_TARGETS: Final = 1_000
"""Addresses of records that a preview lists; their number is told in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Records of one address that are left out for one reason."""

    address: str
    why: Why
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a wish comes to.

    Attributes:
        files, opened: by name; `targets`: addresses of records in the order of the archive, at most `MOST_TARGETS`.
        records: how many are left out, `kept`: how many stay.
    """

    files: tuple[Withheld, ...]
    targets: tuple[Target, ...]
    records: int
    kept: int
    opened: tuple[str, ...]


def preview(desk: Desk, exhibit: ExhibitRow, wish: DisclosureWish, *, spool: Spool, job: Job) -> Preview:
    """Settle what `capture_disclose.disclose` would do with the same wish; see there for its arguments and errors.

    The job hears of the stage ``capture.open``, in bytes.
    """
    refuse_contradictions(wish)
    with opened_capture(desk, exhibit, spool, job) as captured:
        redaction, chosen = planned(captured, wish, desk.clock.now())
        addresses = {
            written.id: written.header.uri or ""
            for _record, written in captured.reader.walk()
            if written is not None
        }
    return Preview(
        files=redaction.files,
        targets=_targets(chosen, addresses),
        records=len(redaction.records),
        kept=len(chosen.kept),
        opened=redaction.opened,
    )


def _targets(chosen: Chosen, addresses: dict[str, str]) -> tuple[Target, ...]:
    counted = Counter((addresses.get(item.name, ""), item.why) for item in chosen.records)
    told = (Target(address=address, why=why, count=count) for (address, why), count in counted.items())
    return tuple(told)[:MOST_TARGETS]

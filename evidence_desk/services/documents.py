"""Build the documents of a case 文书 from verified facts: nothing is printed that the exhibit's own proof refutes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from evidence_desk import __version__
from evidence_desk.core import certificate as model
from evidence_desk.core.digests import sha256
from evidence_desk.core.documents import (
    Catalog,
    CatalogEntry,
    CustodyLine,
    CustodyRecord,
    ExhibitCustody,
    Imprint,
    Obtained,
    ObtainingRecord,
    SourceStatement,
    Standing,
)
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.trust import Trust
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.errors import UsageError
from evidence_desk.services.assess import assess_for_print
from evidence_desk.services.custody_check import CheckedCustody, Place, checked_custody
from evidence_desk.services.describe import describe_case, describe_exhibit
from evidence_desk.services.desk import Desk
from evidence_desk.verify.exhibit import ExhibitFacts
from tsa.policy import is_demo

Pages = Mapping[bytes, tuple[int, int]]
"""Leaf hash → first and last page of a bundle, 1-based."""


def catalog(
    desk: Desk, rows: Sequence[ExhibitRow], *, trust: Trust, pages: Pages | None = None, job: Job
) -> Catalog:
    """证据目录 of exhibits of one case, in the given order.

    Args:
        desk: the desk.
        rows: exhibits.
        trust: roots that the desk's own exhibits are verified with.
        pages: where each exhibit stands in the bundle; None when there is no bundle.
        job: progress in exhibits.

    Raises:
        UsageError: ``documents.none``, ``documents.several_cases``, ``documents.repeated``, ``documents.pages``.
        IntegrityError: ``certify.unsound``. NotFoundError: ``vault.case_erased``.
    """
    described = list(_described(desk, rows, trust, job))
    exhibits = tuple(exhibit for exhibit, _ in described)
    given = pages or {}
    for first, last in given.values():
        if not 1 <= first <= last:
            raise UsageError("documents.pages", first=first, last=last)
    return Catalog(
        imprint=_imprint(desk, described),
        entries=tuple(CatalogEntry(exhibit=item, pages=given.get(item.leaf_hash)) for item in exhibits),
        paged=pages is not None,
    )


def source_statement(desk: Desk, rows: Sequence[ExhibitRow], *, trust: Trust, job: Job) -> SourceStatement:
    """来源和制作经过说明 of exhibits of one case; errors as `catalog` and `custody_record`."""
    described = list(_described(desk, rows, trust, job))
    checked = checked_custody(desk, [row.leaf_hash for row in rows], trust=trust, job=job)
    return SourceStatement(
        imprint=_imprint(desk, described),
        exhibits=tuple(
            replace(exhibit, last_recheck=_last_recheck(checked.lines[exhibit.leaf_hash]))
            for exhibit, _ in described
        ),
    )


def custody_record(desk: Desk, rows: Sequence[ExhibitRow], *, trust: Trust, job: Job) -> CustodyRecord:
    """保管记录 of exhibits of one case: sealing, timestamps, anchoring, and every event that the log commits to.

    Raises:
        IntegrityError: ``documents.custody``, ``documents.log``; otherwise errors as `catalog`.
    """
    described = list(_described(desk, rows, trust, job))
    checked = checked_custody(desk, [row.leaf_hash for row in rows], trust=trust, job=job)
    return CustodyRecord(
        imprint=_imprint(desk, described),
        exhibits=tuple(
            ExhibitCustody(
                exhibit=exhibit,
                lines=_life(desk, exhibit, facts, checked),
                earlier_log=facts.leaf.log != desk.origin,
            )
            for exhibit, facts in described
        ),
    )


def obtaining_record(desk: Desk, rows: Sequence[ExhibitRow], *, trust: Trust, job: Job) -> ObtainingRecord:
    """取证笔录 of exhibits of one case; errors as `catalog`."""
    described = list(_described(desk, rows, trust, job))
    return ObtainingRecord(
        imprint=_imprint(desk, described),
        exhibits=tuple(_obtained(exhibit, facts) for exhibit, facts in described),
    )


def _obtained(exhibit: model.Exhibit, facts: ExhibitFacts) -> Obtained:
    statement = facts.statement
    return Obtained(
        exhibit=exhibit,
        by_capture=facts.leaf.type is LeafType.CAPTURE_SEALED,
        capture=None if statement is None else statement.capture,
        environment=None if statement is None else statement.environment,
    )


def _life(
    desk: Desk, exhibit: model.Exhibit, facts: ExhibitFacts, checked: CheckedCustody
) -> tuple[CustodyLine, ...]:
    sealed = CustodyLine(
        at=exhibit.logged, action="sealed", standing=Standing.LOGGED, operator=exhibit.operator.name,
        origin=facts.leaf.log, seq=exhibit.seq, leaf_hash=exhibit.leaf_hash,
    )  # fmt: skip
    later = [*checked.lines[exhibit.leaf_hash], *_tokens(desk, facts, checked)]
    court = exhibit.court
    if court is not None:
        details = (("chain", court.chain_id), ("height", court.height))
        later.append(
            CustodyLine(at=court.time, action="anchored", standing=Standing.NETWORK, details=details)
        )
    return (sealed, *sorted(later, key=lambda line: line.at))


def _tokens(desk: Desk, facts: ExhibitFacts, checked: CheckedCustody) -> Iterator[CustodyLine]:
    """Each timestamp, with the leaf that attests it: of the active log, else the one in the exhibit's own proof."""
    for item, time in zip(facts.proof.times, facts.times, strict=True):
        if time.token is None:
            continue
        place = checked.attested.get(sha256(item.token))
        if place is None and item.attested is not None:
            digest = leaf_hash(item.attested.leaf)
            place = Place(origin=facts.leaf.log, seq=item.attested.seq, leaf_hash=digest)
        held = desk.store.exhibits.token(sha256(item.token))
        pending = Standing.PENDING if held.attested_seq is None else Standing.UNCOMPARED
        yield CustodyLine(
            at=time.token.gen_time,
            action="timestamped",
            standing=pending if place is None else Standing.LOGGED,
            details=(("tsa", time.token.tsa_name),),
            origin="" if place is None else place.origin,
            seq=None if place is None else place.seq,
            leaf_hash=None if place is None else place.leaf_hash,
        )


def _last_recheck(lines: Sequence[CustodyLine]) -> datetime | None:
    """Of the last re-check that found every original sound, as the log says; one that found damage is no reassurance."""
    logged = (line for line in lines if line.standing is Standing.LOGGED)
    return max((line.at for line in logged if line.action == "rechecked"), default=None)


Described = tuple[model.Exhibit, ExhibitFacts]


def _described(desk: Desk, rows: Sequence[ExhibitRow], trust: Trust, job: Job) -> Iterator[Described]:
    if not rows:
        raise UsageError("documents.none")
    if len({row.case_number for row in rows}) != 1:
        raise UsageError("documents.several_cases")
    if len({row.leaf_hash for row in rows}) != len(rows):
        raise UsageError("documents.repeated")
    for done, row in enumerate(rows):
        job.step("document", done, len(rows))
        _, facts = assess_for_print(desk, row, trust)
        # Custody rows that were not compared with the log do not belong into what documents print.
        yield replace(describe_exhibit(desk, row, facts), custody=(), last_recheck=None), facts
    job.step("document", len(rows), len(rows))


def _imprint(desk: Desk, described: Sequence[Described]) -> Imprint:
    exhibits = [exhibit for exhibit, _ in described]
    demo: list[model.DemoReason] = []
    if any(item.token is not None and is_demo(item.token.policy) for item in exhibits):
        demo.append(model.DemoReason.TOKEN)
    if any(item.court is not None and item.court.chain_id.startswith(DEMO_PREFIX) for item in exhibits):
        demo.append(model.DemoReason.CHAIN)
    return Imprint(
        made=desk.clock.now().replace(microsecond=0),
        case=describe_case(described[0][1]),
        demo=tuple(demo),
        program=f"Evidence Desk {__version__}",
    )

"""Build the documents of a case 文书 from verified facts: nothing is printed that the exhibit's own proof refutes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evidence_desk import __version__
from evidence_desk.core import certificate as model
from evidence_desk.core.documents import Catalog, CatalogEntry, Imprint
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.trust import Trust
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.errors import UsageError
from evidence_desk.services.assess import assess_for_print
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
        yield describe_exhibit(desk, row, facts), facts
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

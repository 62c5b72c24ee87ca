"""What is written out for people: documents of a case, the bundle for filing, evidence packages. Runs in workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from evidence_desk.bootstrap.files import written, written_folder
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.bundle import PrintedBundle
from evidence_desk.core.documents import CaseDocument
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import NotFoundError
from evidence_desk.services import documents
from evidence_desk.services.bundle import bundle
from evidence_desk.services.export import export
from evidence_desk.texts import Language
from ui.start.operator import operator_name


class Paper(StrEnum):
    """Documents of a case; the value ends the code of its name."""

    CATALOG = "catalog"
    SOURCE = "source"
    CUSTODY = "custody"
    RECORD = "record"


_BUILDERS: Final[Mapping[Paper, Callable[..., CaseDocument]]] = {
    Paper.CATALOG: documents.catalog,
    Paper.SOURCE: documents.source_statement,
    Paper.CUSTODY: documents.custody_record,
    Paper.RECORD: documents.obtaining_record,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A written document; `unprintable` lists characters no font of ours has."""

    path: Path
    pages: int
    unprintable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBundle:
    """A written bundle; `folder` holds the packages, None when none were wanted."""

    path: Path
    printed: PrintedBundle
    folder: Path | None


def write_paper(
    session: Session, job: Job, paper: Paper, rows: Sequence[ExhibitRow], path: Path, language: Language
) -> Written:
    """A document of exhibits of one case, as PDF; the file of this name is replaced (the dialog asked).

    Raises:
        UsageError: ``documents.none``, ``documents.several_cases``. IntegrityError: what is stored is not what was sealed.
        HostError: it cannot be written there.
    """
    from reports.documents import render_document  # noqa: PLC0415 - half a second of PDF libraries

    made = _BUILDERS[paper](session.desk, rows, trust=session.trust, job=job)
    rendered = render_document(made, language)
    with written(path, force=True) as stream:
        stream.write(rendered.pdf)
    return Written(path=path, pages=rendered.pages, unprintable=rendered.unprintable)


def write_bundle(
    session: Session, job: Job, rows: Sequence[ExhibitRow], path: Path, language: Language, *, packages: bool
) -> WrittenBundle:
    """A case as one PDF numbered through; with `packages` a folder beside it with the package of each exhibit.

    Raises:
        UsageError: ``bundle.folder_used`` and those of `services.bundle`. NotFoundError: ``bundle.no_case``.
    """
    from reports.bundle import PdfBundlePrinter  # noqa: PLC0415

    if not rows:
        raise NotFoundError("bundle.no_case", case="")
    operator = operator_name(session)
    folder = packages_folder(path) if packages else None
    with written(path, force=True) as stream, written_folder(folder) as place:
        printed = bundle(
            session.desk, rows, stream, trust=session.trust, printer=PdfBundlePrinter(language), job=job, operator=operator
        )  # fmt: skip
        if place is not None:
            write_packages(session, job, rows, lambda at, row: place / f"{at:03d}-{row.number}.asice")
    return WrittenBundle(path=path, printed=printed, folder=folder)


def write_packages(
    session: Session,
    job: Job,
    rows: Sequence[ExhibitRow],
    place: Callable[[int, ExhibitRow], Path],
    *,
    force: bool = False,
) -> int:
    """The evidence package of each exhibit; how many.

    Raises:
        UsageError: ``output.exists``. IntegrityError: an original is not what was sealed.
    """
    trust, operator = session.trust, operator_name(session)
    for at, row in enumerate(rows, 1):
        with written(place(at, row), force=force) as stream:
            export(session.desk, row, stream, trust=trust, job=job, operator=operator)
    return len(rows)


def packages_folder(bundle_path: Path) -> Path:
    """Where the packages of a bundle lie: beside it, under its name."""
    return bundle_path.with_name(f"{bundle_path.stem}-证据包")

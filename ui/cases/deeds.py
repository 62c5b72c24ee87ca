"""What can be done with the exhibits chosen in the list, and with the case: the same from buttons, menus and keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import UsageError
from evidence_desk.services import annotate
from evidence_desk.services.erase import EraseOutcome, erase
from evidence_desk.services.find import exhibits_of
from evidence_desk.services.recheck import RecheckOutcome, recheck
from ui.cases.bars import UndoBar, WorkBar
from ui.cases.finding import Chosen, leaves_of
from ui.cases.papers import Paper, Written, WrittenBundle, write_bundle, write_packages, write_paper
from ui.cases.viewing import viewing
from ui.context import Context
from ui.plain import plain
from ui.start.operator import operator_name

MOST_CERTIFIED: Final = 1_000
"""Exhibits handed to the page Certify at once: it lists each of them."""
_NAMES: Final = {
    Paper.CATALOG: "documents.catalog",
    Paper.SOURCE: "documents.source",
    Paper.CUSTODY: "documents.custody.title",
    Paper.RECORD: "documents.record",
}


class Deeds(QObject):
    """See the module. `certify_asked` has leaf hashes."""

    certify_asked = Signal(object)

    def __init__(self, context: Context, work: WorkBar, told: UndoBar) -> None:
        super().__init__(work)
        self._context = context
        self._work = work
        self._told = told

    # --- exhibits -----------------------------------------------------------------------------------------------

    def certify(self, chosen: Chosen) -> None:
        """Go to the page Certify with these."""
        if chosen.count > MOST_CERTIFIED:
            self._context.messages.error(UsageError("ui_cases.too_many", limit=MOST_CERTIFIED))
            return
        self._run(
            "ui_cases.work.find",
            lambda session, job: leaves_of(session, chosen, job),
            self.certify_asked.emit,
        )

    def export(self, chosen: Chosen) -> None:
        """One package into a file, several into a folder."""
        if chosen.count == 1:
            self._context.messages.save_as(
                "证据包.asice", lambda path: self._export(chosen, lambda _at, _row: path, path, force=True), code="ui_cases.do.export"
            )  # fmt: skip
        elif chosen.count:
            self._context.messages.open_folder(
                lambda folder: self._export(chosen, lambda _at, row: folder / f"{row.number}.asice", folder, force=False),
                code="ui_cases.do.export",
            )  # fmt: skip

    def recheck(self, chosen: Chosen) -> None:
        """Decrypt and hash the originals again; the outcome goes into the custody record."""

        def work(session: Session, job: Job) -> list[RecheckOutcome]:
            return recheck(
                session.desk, _rows(session, chosen, job), job=job, operator=operator_name(session)
            )

        self._run("ui_cases.work.recheck", work, self._on_rechecked)

    def paper(self, paper: Paper, chosen: Chosen) -> None:
        """A document of these exhibits as PDF."""
        tongue = self._context.tongue
        title = tongue.say(_NAMES[paper])

        def save(path: Path) -> None:
            language = tongue.language

            def work(session: Session, job: Job) -> Written:
                return write_paper(session, job, paper, _rows(session, chosen, job), path, language)

            self._run("ui_cases.work.paper", work, lambda made: self._on_paper(title, made), changes=False)

        if chosen.count:
            self._context.messages.save_as(f"{title}.pdf", save, code="ui_cases.paper.save")

    # --- case ---------------------------------------------------------------------------------------------------

    def bundle(self, case_number: str, *, packages: bool) -> None:
        """The whole case as one PDF for filing."""
        language = self._context.tongue.language

        def save(path: Path) -> None:
            def work(session: Session, job: Job) -> WrittenBundle:
                rows = list(session.vault.exhibits.exhibits(case_number=case_number))
                return write_bundle(session, job, rows, path, language, packages=packages)

            self._run("ui_cases.work.bundle", work, self._on_bundle)

        code = "ui_cases.bundle.save_with" if packages else "ui_cases.bundle.save"
        self._context.messages.save_as(self._context.tongue.say("ui_cases.bundle.name"), save, code=code)

    def archive(self, case_number: str, *, archived: bool) -> None:
        """Put a case away or bring it back; undone from the bar."""

        def work(session: Session, _job: Job) -> bool:
            act = annotate.archive_case if archived else annotate.unarchive_case
            return act(session.desk, case_number)

        def done(changed: bool) -> None:
            if changed:
                code = "ui_cases.archive.done" if archived else "ui_cases.unarchive.done"
                self._told.offer(
                    lambda: self.archive(case_number, archived=not archived), code, case=plain(case_number)
                )

        if self._context.desk.session is not None:
            self._context.desk.run(work, owner=self, done=done, changes=True)

    def erase(self, case_number: str) -> None:
        """Erase a case: reason first, then its number typed as a person would sign."""
        messages, shown = self._context.messages, plain(case_number)

        def number_typed(reason: str, typed: str) -> None:
            if typed.strip() != case_number.strip():
                self._told.tell("warning", "info", "ui_cases.erase.differs", case=shown)
                return
            self._run(
                "ui_cases.work.erase",
                lambda session, _: _erased(session, case_number, reason),
                self._on_erased,
            )

        def reason_given(reason: str) -> None:
            messages.ask_text(
                "ui_cases.erase.number", action="ui_cases.erase.do", accepted=lambda typed: number_typed(reason, typed),
                dangerous=True, case=shown,
            )  # fmt: skip

        messages.ask_text(
            "ui_cases.erase.reason",
            action="ui_cases.erase.next",
            accepted=reason_given,
            dangerous=True,
            case=shown,
        )

    # --- what came of it ----------------------------------------------------------------------------------------

    def _run(
        self,
        title: str,
        work: Callable[[Session, Job], object],
        done: Callable[..., None],
        *,
        changes: bool = True,
    ) -> None:
        if self._work.busy:
            self._context.messages.inform("ui_cases.busy")
        else:
            self._work.run(title, work, done, changes=changes)

    def _export(
        self, chosen: Chosen, place: Callable[[int, ExhibitRow], Path], shown: Path, *, force: bool
    ) -> None:
        def work(session: Session, job: Job) -> int:
            return write_packages(session, job, _rows(session, chosen, job), place, force=force)

        self._run(
            "ui.work.export", work,
            lambda count: self._told.tell("passed", "package", "ui_cases.exported", count=count, path=plain(str(shown))),
        )  # fmt: skip

    def _on_rechecked(self, outcomes: Sequence[RecheckOutcome]) -> None:
        damaged = [item for item in outcomes if item.damaged]
        checked = sum(not item.erased for item in outcomes)
        if damaged:
            numbers = "、".join(item.exhibit.number for item in damaged[:5])
            self._told.tell(
                "failed",
                "circle-x",
                "ui_cases.recheck.damaged",
                count=len(damaged),
                total=checked,
                numbers=numbers,
            )
        else:
            self._told.tell("passed", "circle-check", "ui_cases.recheck.sound", count=checked)

    def _on_paper(self, title: str, made: Written) -> None:
        code = "ui_cases.paper.done" if not made.unprintable else "ui_cases.paper.done.unprintable"
        self._told.tell(
            "passed", "file-text", code, title=title, pages=made.pages, path=plain(str(made.path)),
            characters=" ".join(made.unprintable[:20]),
        )  # fmt: skip

    def _on_bundle(self, made: WrittenBundle) -> None:
        printed, aside = made.printed, len(made.printed.unprinted)
        tone, code = (
            ("warning", "ui_cases.bundle.done.aside") if aside else ("passed", "ui_cases.bundle.done")
        )
        if made.folder is not None:
            code = f"{code}.packages"
        self._told.tell(
            tone, "files", code, pages=printed.pages, count=len(printed.ranges), aside=aside, path=plain(str(made.path)),
            folder="" if made.folder is None else plain(str(made.folder)),
        )  # fmt: skip

    def _on_erased(self, outcome: EraseOutcome) -> None:
        viewing(self._context).remove()  # no decrypted copy of it stays either
        say = self._context.tongue.say
        remains = ["erase.remains.log", "erase.remains.backups"]
        if outcome.copies is not None:
            remains.append("erase.remains.gateways")
        if outcome.certificates:
            remains.append("erase.remains.certificates")
        self._told.tell(
            "warning", "trash-2", "ui_cases.erase.done", case=plain(outcome.case_number), count=outcome.exhibits,
            remains="\n".join(say(code) for code in remains),
        )  # fmt: skip


def _rows(session: Session, chosen: Chosen, job: Job) -> list[ExhibitRow]:
    return exhibits_of(session.desk, leaves_of(session, chosen, job), job)


def _erased(session: Session, case_number: str, reason: str) -> EraseOutcome:
    court = session.court() if session.networks else None
    return erase(session.desk, case_number, reason=reason, operator=operator_name(session), court=court)

"""What can be done with the one exhibit shown: tags, notes, corrections, certificates, derived files. Undone where it can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from evidence_desk.bootstrap.files import written
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.browse_ports import Note
from evidence_desk.core.canonical import JSON, decode
from evidence_desk.core.derivation import Relation
from evidence_desk.core.job import Job
from evidence_desk.core.rows import CaseRow, CertificateRow, ExhibitRow
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.errors import NotFoundError
from evidence_desk.services import annotate
from evidence_desk.services.derive import derived_source
from evidence_desk.services.queue import Batch, enqueue
from evidence_desk.services.revoke import correct, revoke
from evidence_desk.services.seal import SealRequest
from ui.cases.bars import UndoBar
from ui.context import Context
from ui.plain import plain
from ui.seal.work import seal_work
from ui.start.operator import operator_name

T = TypeVar("T")
_MAX_DETAILS = 1 << 20


class Acts(QObject):
    """See the module. `note_written` has the note that was added or reworded."""

    note_written = Signal(object)

    def __init__(self, context: Context, told: UndoBar, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._told = told

    # --- tags and notes -----------------------------------------------------------------------------------------

    def add_tag(self, leaf: bytes, tag: str) -> None:
        """Add a tag."""

        def done(new: bool) -> None:
            if new:
                self._told.offer(lambda: self.remove_tag(leaf, tag), "ui_cases.tag.added", tag=plain(tag))
            else:
                self._context.messages.inform("ui_cases.tag.there", tag=plain(tag))

        self._change(lambda session: annotate.add_tag(session.desk, leaf, tag), done)

    def remove_tag(self, leaf: bytes, tag: str) -> None:
        """Take a tag away."""

        def done(gone: bool) -> None:
            if gone:
                self._told.offer(lambda: self.add_tag(leaf, tag), "ui_cases.tag.removed", tag=plain(tag))

        self._change(lambda session: annotate.remove_tag(session.desk, leaf, tag), done)

    def write_note(self, leaf: bytes, note: Note | None, text: str) -> None:
        """Add a note, or word one anew: earlier wordings stay with it."""

        def work(session: Session) -> Note:
            author = operator_name(session)
            if note is None:
                return annotate.add_note(session.desk, leaf, text, author=author)
            return annotate.edit_note(session.desk, note.id, text, author=author)

        def done(after: Note) -> None:
            if note is None:
                self._told.offer(lambda: self._take_back(after), "ui_cases.note.added")
            elif after != note:
                before = note.text
                self._told.offer(lambda: self.write_note(leaf, after, before), "ui_cases.note.edited")
            self.note_written.emit(after)

        self._change(work, done)

    def remove_note(self, note: Note) -> None:
        """Remove a note with all its wordings."""
        self._change(
            lambda session: annotate.remove_note(session.desk, note.id),
            lambda gone: self._told.offer(lambda: self._put_back(gone), "ui_cases.note.removed"),
        )

    def _put_back(self, note: Note) -> None:
        self._change(lambda session: annotate.put_back_note(session.desk, note), lambda _: None)

    def _take_back(self, note: Note) -> None:
        self._change(lambda session: annotate.remove_note(session.desk, note.id), lambda _: None)

    # --- corrections and certificates ---------------------------------------------------------------------------

    def correct(self, row: ExhibitRow) -> None:
        """Note a correction; it goes into the log and stays."""

        def confirmed(note: str) -> None:
            self._change(
                lambda session: correct(session.desk, row, note=note, operator=operator_name(session)),
                lambda _: self._context.messages.inform("ui_cases.correct.done", number=row.number),
            )

        def typed(note: str) -> None:
            self._context.messages.confirm(
                "ui_cases.correct.sure", action="ui_cases.correct.do", accepted=lambda: confirmed(note), number=row.number,
                note=plain(note),
            )  # fmt: skip

        self._context.messages.ask_text(
            "ui_cases.correct.ask", action="ui_cases.correct.next", accepted=typed, number=row.number
        )

    def save_certificate(self, certificate: CertificateRow) -> None:
        """Write an issued certificate again, byte for byte."""

        def save(path: Path) -> None:
            def work(session: Session) -> None:
                row = session.vault.exhibits.certificate(certificate.number)
                if row is None or not row.pdf:
                    raise NotFoundError("certificate.not_held", number=certificate.number)
                with written(path, force=True) as stream:  # the dialog asked before a file is replaced
                    stream.write(row.pdf)

            self._change(
                work,
                lambda _: self._context.messages.inform("ui_cases.certificate.saved", number=certificate.number, path=plain(str(path))),
                changes=False,
            )  # fmt: skip

        self._context.messages.save_as(f"{certificate.number}.pdf", save, code="ui_cases.certificate.save")

    def revoke(self, certificate: CertificateRow) -> None:
        """Revoke a certificate: reason, then confirmed; copies given away do not change."""

        def confirmed(why: str) -> None:
            self._change(
                lambda session: revoke(session.desk, certificate, why=why, operator=operator_name(session)),
                lambda row: self._told.tell("warning", "ban", "revoke.done", number=row.number),
            )

        def typed(why: str) -> None:
            self._context.messages.confirm(
                "ui_cases.revoke.sure", action="ui_cases.revoke.do", accepted=lambda: confirmed(why), dangerous=True,
                number=certificate.number, why=plain(why),
            )  # fmt: skip

        self._context.messages.ask_text(
            "ui_cases.revoke.ask", action="ui_cases.revoke.next", accepted=typed, number=certificate.number
        )

    # --- derived files ------------------------------------------------------------------------------------------

    def derive(self, row: ExhibitRow, position: int, relation: Relation) -> None:
        """Ask for the file made from file `position` (from 1) of an exhibit, and queue it to be sealed with that link."""

        def chosen(paths: list[Path]) -> None:
            def work(session: Session) -> Batch:
                request = _request(session, row, position, relation)
                return enqueue(session.desk, paths, request, each_file=False, job=Job())

            self._change(work, self._on_enqueued, changes=False)

        self._context.messages.open_files(chosen, code=f"ui_cases.derive.{relation.value}")

    def _on_enqueued(self, batch: Batch) -> None:
        seal = seal_work(self._context)
        seal.reload()
        seal.start()
        if batch.waiting:
            self._context.messages.inform("ui_cases.derive.queued", count=batch.waiting)
        elif batch.failed:
            self._told.tell("failed", "triangle-alert", "ui_cases.derive.failed", count=batch.failed)
        else:
            self._context.messages.inform("ui_cases.derive.repeated")

    # --- the way of all of them ---------------------------------------------------------------------------------

    def _change(
        self, work: Callable[[Session], T], done: Callable[[T], None], *, changes: bool = True
    ) -> None:
        if self._context.desk.session is not None:

            def run(session: Session, _job: Job) -> T:
                return work(session)

            self._context.desk.run(run, owner=self, done=done, changes=changes)


def _request(session: Session, row: ExhibitRow, position: int, relation: Relation) -> SealRequest:
    operator = operator_name(session)
    details = _details(session.vault.exhibits.case(row.case_number))
    parties = details.get("parties")
    return SealRequest(
        case_number=row.case_number,
        court=_text(details.get("court")),
        cause=_text(details.get("cause")),
        parties=tuple(_text(item) for item in parties) if isinstance(parties, list) else (),
        kind=ExhibitKind(row.kind) if row.kind in set(ExhibitKind) else ExhibitKind.FILE,
        source=derived_source(session.desk, row, position, relation),
        operator={"name": operator} if operator else {},
    )


def _details(case: CaseRow | None) -> dict[str, JSON]:
    value = None if case is None else decode(case.details, what="case", limit=_MAX_DETAILS)
    return value if isinstance(value, dict) else {}


def _text(value: JSON | None) -> str:
    return value if isinstance(value, str) else ""

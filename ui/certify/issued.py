"""Issued certificates of the case: save again, print, e-mail draft, revoke; and the documents beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHeaderView, QLabel, QVBoxLayout, QWidget

from evidence_desk.bootstrap.files import written
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.documents import CaseDocument
from evidence_desk.core.job import Job
from evidence_desk.core.rows import CertificateRow, ExhibitRow
from evidence_desk.errors import NotFoundError
from evidence_desk.services import documents
from evidence_desk.services.find import one_certificate
from evidence_desk.services.revoke import revoke
from ui.certify.issued_model import IssuedColumn, IssuedLine, IssuedModel, issued_lines
from ui.certify.mail import mail_url
from ui.certify.paper import print_pdfs
from ui.certify.results import open_url
from ui.context import Context
from ui.look import tokens
from ui.messages import copy_text
from ui.page import scrolled
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import words
from ui.widgets.table import plain_table

Build = Callable[..., CaseDocument]
_TABLE: Final = 160
"""Height of a list that is still one."""
_DOCUMENTS: Final[tuple[tuple[str, Build, str], ...]] = (
    ("ui_certify.document.record", documents.obtaining_record, "取证笔录.pdf"),
    ("ui_certify.document.catalog", documents.catalog, "证据目录.pdf"),
    ("ui_certify.document.source", documents.source_statement, "来源和制作经过说明.pdf"),
    ("ui_certify.document.custody", documents.custody_record, "保管记录.pdf"),
)


class IssuedTab(QWidget):
    """See the module; shows the case that the first tab has in front."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._case = ""
        self._operator: Callable[[], str] = str
        self._stale = False
        self.heading = QLabel()
        self.heading.setProperty("role", "heading")
        self.model = IssuedModel(context)
        self.table = plain_table(context, self.model, "ui_certify.issued.list")
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(IssuedColumn.STATE, QHeaderView.ResizeMode.Stretch)
        for column, width in (
            (IssuedColumn.NUMBER, 250),
            (IssuedColumn.EXHIBITS, 80),
            (IssuedColumn.AT, 190),
        ):
            self.table.setColumnWidth(column, width)
        self.save = button(context, "ui_certify.save_again", self._on_save, icon="save")
        self.copy = button(context, "ui_certify.copy_number", self._on_copy, icon="copy")
        self.mail = button(context, "ui_certify.mail", self._on_mail, icon="mail")
        self.print = button(context, "ui_certify.print", self._on_print, icon="printer")
        self.revoke = button(context, "ui_certify.revoke", self._on_revoke, icon="ban", danger=True)
        self.documents = [
            button(context, code, partial(self._on_document, code, build, name),
                   icon="file-text")
            for code, build, name in _DOCUMENTS
        ]  # fmt: skip
        self._lay_out()
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._say())
        self.model.modelReset.connect(self._say)
        context.tongue.follow(self, self._say)

    def set_operator(self, name: Callable[[], str]) -> None:
        """Who is named in the custody record for what is done here."""
        self._operator = name

    def show_case(self, number: str) -> None:
        """Read the certificates of a case."""
        self._case = number
        self.model.reset(())
        self.reload()

    def reload(self) -> None:
        """Read them anew, once they are in sight: the store reads the files along."""
        case = self._case
        self._stale = not self.isVisible()
        if self._stale:
            return
        if self._context.desk.session is None:
            return
        if not case:
            self.model.reset(())
            return

        def done(found: list[IssuedLine]) -> None:
            if case == self._case:
                self.model.reset(found)

        self._context.desk.run(
            lambda session, job: issued_lines(session, case, job), owner=self, done=done, lane=Lane.READ
        )

    def showEvent(self, event: QShowEvent) -> None:
        """Read what changed while the tab was not in front."""
        super().showEvent(event)
        if self._stale:
            self.reload()

    def selected(self) -> IssuedLine | None:
        """The one selected; the only one when there is one."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        if not rows and self.model.rowCount() == 1:
            rows = [0]
        return self.model.row(rows[0]) if len(rows) == 1 else None

    # --- building ---------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        context = self._context
        outer, content = QVBoxLayout(self), QWidget()
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(content))
        self.table.setMinimumHeight(_TABLE)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, tokens.M, 0, 0)
        column.setSpacing(tokens.M)
        column.addWidget(self.heading)
        column.addWidget(self.table, 1)
        foot = FlowLayout(trailing=1)
        for deed in (self.save, self.print, self.copy, self.mail):
            foot.addWidget(deed)
        foot.addWidget(self.revoke)
        column.addLayout(foot)
        column.addWidget(words(context, "ui_certify.documents", role="heading"))
        column.addWidget(words(context, "ui_certify.documents.about", role="secondary"))
        papers = FlowLayout()
        for deed in self.documents:
            papers.addWidget(deed)
        column.addLayout(papers)

    def _say(self) -> None:
        say, chosen = self._context.tongue.say, self.selected()
        self.heading.setText(
            say("ui_certify.issued.case", case=self._case, count=self.model.rowCount())
            if self._case
            else say("ui_certify.issued.none")
        )
        for deed in (self.save, self.print):
            deed.setEnabled(chosen is not None and chosen.held)
        for deed in (self.copy, self.mail):
            deed.setEnabled(chosen is not None)
        self.revoke.setEnabled(chosen is not None and chosen.revoked is None)
        for deed in self.documents:
            deed.setEnabled(bool(self._case))

    # --- deeds ------------------------------------------------------------------------------------------------

    def _on_save(self) -> None:
        chosen = self.selected()
        if chosen is None:
            return

        def save(path: Path) -> None:
            self._context.desk.run(
                lambda session, _job: save_again(session, chosen.number, path),
                owner=self,
                done=lambda _: self._context.messages.inform(
                    "ui_certify.saved_again", number=chosen.number, path=str(path)
                ),
                lane=Lane.READ,
            )

        self._context.messages.save_as(f"{chosen.number}.pdf", save, code="ui_certify.save_again")

    def _on_print(self) -> None:
        chosen = self.selected()
        if chosen is not None:
            self._context.desk.run(
                lambda session, _job: held_pdf(session, chosen.number),
                owner=self,
                done=lambda pdf: print_pdfs(self._context, self, [lambda: pdf]),
                lane=Lane.READ,
            )

    def _on_copy(self) -> None:
        chosen = self.selected()
        if chosen is not None:
            copy_text(chosen.number)
            self._context.messages.inform("ui.copied")

    def _on_mail(self) -> None:
        chosen = self.selected()
        if chosen is not None:
            open_url(self._context, mail_url([chosen], self._context.tongue), code="ui_certify.mail.none")

    def _on_revoke(self) -> None:
        chosen = self.selected()
        if chosen is None:
            return
        number = chosen.number

        def reasoned(why: str) -> None:
            self._context.messages.confirm(
                "ui_certify.revoke.sure", action="ui_certify.revoke.do", accepted=lambda: self._revoke(number, why.strip()),
                dangerous=True, number=number, why=why.strip(),
            )  # fmt: skip

        self._context.messages.ask_text(
            "ui_certify.revoke.why", action="ui_certify.revoke.next", accepted=reasoned, number=number
        )

    def _revoke(self, number: str, why: str) -> None:
        operator = self._operator()

        def work(session: Session, _job: Job) -> CertificateRow:
            return revoke(session.desk, one_certificate(session.desk, number), why=why, operator=operator)

        def done(row: CertificateRow) -> None:
            self._context.messages.inform("ui_certify.revoked", number=row.number)
            self.reload()

        self._context.desk.run(work, owner=self, done=done, title="ui_certify.work.revoke", changes=True)

    def _on_document(self, code: str, build: Build, name: str) -> None:
        case, language = self._case, self._context.tongue.language

        def chosen(path: Path) -> None:
            def work(session: Session, job: Job) -> tuple[str, ...]:
                from reports.documents import render_document  # noqa: PLC0415 - half a second of PDF libraries

                rows = _rows(session, case)
                made = render_document(build(session.desk, rows, trust=session.trust, job=job), language)
                with written(path, force=True) as stream:  # the dialog asked before a file is replaced
                    stream.write(made.pdf)
                return made.unprintable

            def done(odd: Sequence[str]) -> None:
                if odd:
                    self._context.messages.inform(
                        "ui_certify.document.odd", path=str(path), characters=" ".join(f"U+{ord(item):04X}" for item in odd)
                    )  # fmt: skip
                else:
                    self._context.messages.inform("ui_certify.document.saved", path=str(path))

            self._context.desk.run(work, owner=self, done=done, title="ui_certify.work.document")

        self._context.messages.save_as(name, chosen, code=code)


def save_again(session: Session, number: str, path: Path) -> None:
    """Write an issued certificate once more, byte for byte; NotFoundError ``certificate.not_held``."""
    pdf = held_pdf(session, number)
    with written(path, force=True) as stream:  # the dialog asked before a file is replaced
        stream.write(pdf)


def held_pdf(session: Session, number: str) -> bytes:
    """The file of an issued certificate; NotFoundError ``certificate.not_held``."""
    row = one_certificate(session.desk, number)
    if not row.pdf:
        raise NotFoundError("certificate.not_held", number=row.number)
    return row.pdf


def _rows(session: Session, case: str) -> list[ExhibitRow]:
    return [row for row in session.vault.exhibits.exhibits(case_number=case) if not row.erased]

"""Second step: the draft is looked at; what to know before signing stands beside it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError, EvidenceDeskError
from ui.certify.drafting import Order, Shown, drafted, numbered, shown
from ui.certify.office import Office
from ui.certify.preview import Preview
from ui.certify.remarks import RemarkList
from ui.context import Context
from ui.look import tokens
from ui.page import scrolled
from ui.tasks import Running
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.panels import Card

_BESIDE: Final = 300
_NARROW: Final = 720


class SignStep(QWidget):
    """See the module.

    Signals: `back_wanted`; `accepted` has the `Order` that was looked at; `failed` why a draft could not be made.
    """

    back_wanted = Signal()
    accepted = Signal(object)
    failed = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.order: Order | None = None
        self.shown: Shown | None = None
        self._making: Running[Shown] | None = None
        self._office: Office | None = None
        self.preview = Preview(context)
        self.remarks = RemarkList(context)
        self.about = words(context, role="heading")
        self.state = words(context, role="secondary")
        self.by = words(context)
        self.back = button(context, "ui_certify.back", self._on_back, icon="arrow-left")
        self.deed = button(context, "ui_certify.issue", self._on_deed, icon="badge-check", main=True)
        self._lay_out()
        self.preview.draft_wanted.connect(self._make)
        context.tongue.follow(self, self._say)

    def show_order(self, order: Order) -> None:
        """Draft what was chosen, the first certificate first."""
        self.order = order
        self._make(0)

    def show_office(self, office: Office) -> None:
        """Who is going to sign, and in which mode."""
        self._office = office
        self._say()

    def clear(self) -> None:
        """Nothing of a draft is left."""
        self._stop()
        self.order, self.shown = None, None
        self.preview.show_draft(b"", 0, 1)
        self.remarks.show_remarks(())

    # --- drafting ---------------------------------------------------------------------------------------------

    def _make(self, position: int) -> None:
        order = self.order
        if order is None or self._context.desk.session is None:
            return
        self._stop()
        self.shown = None
        group, moment = order.groups[position], order.moment
        self.preview.show_draft(b"", position, len(order.groups))
        self.remarks.show_remarks(())

        def work(session: Session, job: Job) -> Shown:
            return shown(session, numbered(session, drafted(session, group, order.operator, job), moment))

        self._making = self._context.desk.run(
            work, owner=self, done=partial(self._on_made, position), failed=self._on_failed,
            progress=self._on_progress, title="ui_certify.work.draft",
        )  # fmt: skip
        self._say()

    def _on_made(self, position: int, made: Shown) -> None:
        self._making = None
        order = self.order
        if order is None:
            return
        self.shown = made
        if order.moment is None:
            self.order = order = replace(order, moment=made.draft.certificate.issued)
        self.preview.show_draft(made.pdf, position, len(order.groups))
        self.remarks.show_remarks(made.remarks)
        self._say()
        self.preview.view.setFocus()

    def _on_failed(self, error: EvidenceDeskError) -> None:
        self._making = None
        if not isinstance(error, CanceledError):
            self.failed.emit(error)
        self._say()

    def _on_progress(self, _stage: str, done: int, total: int) -> None:
        if total > 1:
            self.state.setText(self._context.tongue.say("ui_certify.drafting", done=done, total=total))

    def _stop(self) -> None:
        if self._making is not None:
            self._making.cancel()
            self._making = None

    # --- building ---------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        context = self._context
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, tokens.M, 0, 0)
        outer.setSpacing(tokens.M)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(tokens.L)
        self._row.addWidget(self.preview, 1)
        self.side = Card()
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, tokens.XS, 0)
        column.setSpacing(tokens.M)
        for widget in (
            self.about,
            words(context, "ui_certify.before", role="secondary"),
            self.remarks,
            self.state,
            self.by,
        ):
            column.addWidget(widget)
        column.addStretch(1)
        self.side.body.addWidget(scrolled(content), 1)
        self._row.addWidget(self.side)
        outer.addLayout(self._row, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.back)
        foot.addStretch(1)
        foot.addWidget(self.deed)
        outer.addLayout(foot)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side, or one above the other in a narrow window."""
        super().resizeEvent(event)
        narrow = self.width() < _NARROW
        self._row.setDirection(
            QBoxLayout.Direction.BottomToTop if narrow else QBoxLayout.Direction.LeftToRight
        )
        self.side.setMinimumWidth(0 if narrow else _BESIDE)
        self.side.setMaximumWidth(16_777_215 if narrow else _BESIDE)
        self.side.setMaximumHeight(190 if narrow else 16_777_215)

    # --- words and deeds --------------------------------------------------------------------------------------

    def _say(self) -> None:
        say, order, office = self._context.tongue.say, self.order, self._office
        two = office is not None and office.two_person
        if order is not None:
            code = "ui_certify.about.one" if len(order.groups) == 1 else "ui_certify.about.many"
            self.about.setText(say(code, exhibits=order.exhibits, count=len(order.groups)))
        self.by.setText(self._signed_by())
        self._context.tongue.bind(
            self.deed, self.deed.setText, "ui_certify.hand_over" if two else "ui_certify.issue"
        )
        self.deed.setEnabled(self.shown is not None)
        self.state.setVisible(self.shown is None and self._making is not None)
        self.state.setText(say("ui_certify.verifying"))

    def _signed_by(self) -> str:
        say, order, office = self._context.tongue.say, self.order, self._office
        if office is None or office.signer is None:
            return ""
        parts = [
            say("ui_certify.signed_by", name=office.signer.name, until=office.signer.until.date().isoformat())
        ]
        if order is not None and order.operator:
            code = "ui_certify.handled_by" if office.two_person else "ui_certify.issued_by"
            parts.append(say(code, name=order.operator))
        if office.signer.token:
            parts.append(say("ui_certify.pin_comes", token=office.signer.token))
        if office.two_person:
            parts.append(say("ui_certify.second_comes"))
        return "\n".join(parts)

    def _on_back(self) -> None:
        self.clear()
        self.back_wanted.emit()

    def _on_deed(self) -> None:
        if self.order is not None and self.shown is not None:
            self.accepted.emit(self.order)

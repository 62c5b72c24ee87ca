"""A new recovery key for a vault whose first one nobody is known to have: made by passphrase, then written down."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QStackedWidget, QVBoxLayout, QWidget

from evidence_desk.bootstrap.opening import renew_recovery_key
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError
from ui.context import Context
from ui.look import tokens
from ui.page import fitting, scrolled
from ui.start.paper_step import PaperStep
from ui.start.passphrase_field import CapsHint, PassphraseField
from ui.start.step import Made, Step
from ui.widgets.buttons import button
from ui.widgets.form import Form

_SIZE = (760, 480)


class AgainStep(Step):
    """The passphrase once more; then a new key is made, and the old one is worth nothing."""

    def __init__(self, context: Context, made: Made) -> None:
        super().__init__(context, "ui_start.new_key")
        self._made = made
        self.passphrase = PassphraseField(context)
        form = Form(context)
        form.add("ui_start.passphrase", self.passphrase)
        self.body.addWidget(form)
        self.body.addWidget(CapsHint(context, self.passphrase))
        self.passphrase.textChanged.connect(lambda _text: self.changed.emit())

    @property
    def ready(self) -> bool:
        """Whether something was typed."""
        return bool(self.passphrase.text())

    @property
    def deed(self) -> str:
        """It makes the key."""
        return "ui_start.new_key.do"

    def entered(self) -> None:
        """It can be typed at once."""
        self.passphrase.setFocus()

    def go(self, then: Callable[[], None]) -> None:
        """Make the key."""
        passphrase = self.passphrase.text()

        def work(session: Session, _job: Job) -> tuple[Session, str]:
            return session, renew_recovery_key(session, passphrase)

        def done(result: tuple[Session, str]) -> None:
            self._made.session, self._made.recovery_key = result
            self._made.folder = result[0].vault.folder
            self.passphrase.forget()
            self.busy.emit(False)
            then()

        def failed(error: EvidenceDeskError) -> None:
            self.busy.emit(False)
            self.passphrase.selectAll()
            self.show_error(error)

        self.busy.emit(True)
        self.show_error(None)
        self.context.desk.run(work, owner=self, done=done, failed=failed, changes=True)


class NewKeyDialog(QDialog):
    """Passphrase, then the paper. Closed before the end, the vault goes on to remember that nobody has its key."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._context = context
        self._busy = False
        self.made = Made()
        self.again, self.paper = AgainStep(context, self.made), PaperStep(context, self.made)
        self.steps: tuple[Step, ...] = (self.again, self.paper)
        self.stack = QStackedWidget()
        self.next = button(context, "ui_start.next", self._on_next, main=True)
        self.next.setDefault(True)
        self.later = button(context, "ui.close", self.reject)
        context.tongue.bind(self, self.setWindowTitle, "ui_start.new_key")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(tokens.XXL, tokens.XL, tokens.XXL, tokens.XL)
        outer.setSpacing(tokens.L)
        outer.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # steps scroll
        for step in self.steps:
            self.stack.addWidget(scrolled(step))
            step.changed.connect(self._say)
            step.busy.connect(self._on_busy)
        outer.addWidget(self.stack, 1)
        foot = QHBoxLayout()
        foot.addWidget(self.later)
        foot.addStretch(1)
        foot.addWidget(self.next)
        outer.addLayout(foot)
        self.resize(fitting(self, *_SIZE))
        self._show(0)

    @property
    def step(self) -> Step:
        """The step in front."""
        return self.steps[self.stack.currentIndex()]

    def done(self, result: int) -> None:
        """Nothing of the key stays, however it is closed."""
        self.paper.forget()
        self.made.recovery_key = ""
        super().done(result)

    def _show(self, at: int) -> None:
        self.stack.setCurrentIndex(at)
        self._say()
        self.step.entered()

    def _on_next(self) -> None:
        if not self._busy and self.next.isEnabled():
            self.step.go(self._after)

    def _after(self) -> None:
        if self.step is self.again:
            self._show(1)
        else:
            self.accept()
            self._context.messages.inform("ui_start.new_key.done")

    def _on_busy(self, busy: bool) -> None:
        self._busy = busy
        self.step.setEnabled(not busy)
        self._say()

    def _say(self) -> None:
        step = self.step
        self._context.tongue.bind(self.next, self.next.setText, step.deed)
        self.next.setEnabled(step.ready and not self._busy)

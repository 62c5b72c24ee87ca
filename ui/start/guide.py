"""The guide of the first start: who, vault (with its recovery key on paper), authority and sample case."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QStackedWidget, QVBoxLayout, QWidget

from evidence_desk.vault.keys import KdfParameters
from ui.context import Context
from ui.guard import OWN_LOCK
from ui.look import tokens
from ui.page import fitting, scrolled
from ui.preferences import Role
from ui.start.paper_step import PaperStep
from ui.start.step import Made, Step
from ui.start.step_name import StepName
from ui.start.try_step import TryStep
from ui.start.vault_step import VaultStep
from ui.start.who_step import WhoStep
from ui.widgets.buttons import button
from ui.widgets.labels import IconLabel

_SIZE = (760, 700)
_LEAST = (640, 420)


_MARKS = ((StepName.WHO,), (StepName.VAULT, StepName.PAPER), (StepName.TRY,))
"""Steps as they are counted in front of the person: the paper belongs to the vault."""


class Guide(QDialog):
    """Three steps, back and next by keyboard or mouse. No vault is opened to anybody before its key is on paper.

    Signals: `existing_chosen` when this person has a vault already; `role_chosen` when the first step was left.
    """

    existing_chosen = Signal(object)
    role_chosen = Signal(object)

    def __init__(
        self,
        context: Context,
        parent: QWidget | None = None,
        *,
        first: StepName = StepName.WHO,
        kdf: KdfParameters | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty(OWN_LOCK, True)
        self._context = context
        self._first = first
        self._busy = False
        self.made = Made(kdf=kdf)
        self.who, self.vault = WhoStep(context), VaultStep(context, self.made)
        self.paper, self.trying = PaperStep(context, self.made), TryStep(context)
        self.steps: tuple[Step, ...] = (self.who, self.vault, self.paper, self.trying)
        self.stack = QStackedWidget()
        self.marks = [IconLabel(context) for _ in _MARKS]
        self.back = button(context, "ui_start.back", self._on_back)
        self.more = button(context, "ui_start.judge.vault", self._on_vault_too)
        self.next = button(context, "ui_start.next", self._on_next, main=True)
        self.next.setDefault(True)
        context.tongue.bind(self, self.setWindowTitle, "ui_start.guide")
        self._lay_out()
        for step in self.steps:
            step.changed.connect(self._say)
            step.busy.connect(self._on_busy)
        self.vault.existing_wanted.connect(self._on_existing)
        context.desk.locked.connect(self._on_locked)
        self.show_step(first)

    @property
    def name(self) -> StepName:
        """The step in front."""
        return StepName(self.stack.currentIndex())

    def show_step(self, name: StepName) -> None:
        """Bring a step to the front."""
        self.stack.setCurrentIndex(name)
        self._say()
        self.steps[name].entered()

    def reject(self) -> None:
        """Esc and the window's own button: ask where something would be lost."""
        if self._busy:
            return
        if self.name is StepName.PAPER:
            self._context.messages.confirm(
                "ui_start.paper.leave",
                action="ui_start.paper.leave.do",
                accepted=self._leave_paper,
                dangerous=True,
            )
            return
        super().reject()

    # --- steps ------------------------------------------------------------------------------------------------

    def _on_next(self) -> None:
        if not self._busy and self.next.isEnabled():
            self.steps[self.name].go(self._after)

    def _after(self) -> None:
        match self.name:
            case StepName.WHO:
                self._choose_role()
                if self.who.role is Role.JUDGE:
                    self.accept()
                else:
                    self.show_step(StepName.VAULT)
            case StepName.VAULT:
                self.show_step(StepName.PAPER)
            case StepName.PAPER:
                if self._hand_over():
                    self.show_step(StepName.TRY)
                else:
                    self.accept()
            case StepName.TRY:
                self.accept()

    def _on_vault_too(self) -> None:
        self._choose_role()
        self.show_step(StepName.VAULT)

    def _on_back(self) -> None:
        if self.name is StepName.VAULT:
            self.show_step(StepName.WHO)

    def _choose_role(self) -> None:
        self._context.preferences.change(role=self.who.role)
        self.role_chosen.emit(self.who.role)

    def _hand_over(self) -> bool:
        """The vault is everybody's from now on, and the key nobody's; False when another vault is still at work."""
        session, folder = self.made.session, self.made.folder
        self.paper.forget()
        self.made.session, self.made.recovery_key = None, ""
        if session is None or folder is None:
            return False
        desk = self._context.desk
        self._context.preferences.remember_vault(folder)
        if desk.folder is None:
            desk.adopt(session)
            return True
        session.close()  # opened from the gate once the other is closed
        self._context.messages.inform("ui_start.made_closed", name=folder.name)
        return False

    def _leave_paper(self) -> None:
        self._hand_over()
        super().reject()

    def _on_existing(self) -> None:
        self._context.messages.open_folder(self._on_existing_chosen, code="ui_start.choose_vault")

    def _on_existing_chosen(self, folder: Path) -> None:
        self.existing_chosen.emit(folder)
        super().reject()

    def _on_busy(self, busy: bool) -> None:
        self._busy = busy
        self._say()

    def _on_locked(self) -> None:
        if self.name is StepName.TRY:
            super().reject()

    # --- look -------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(tokens.XXL, tokens.XL, tokens.XXL, tokens.XL)
        outer.setSpacing(tokens.L)
        outer.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # steps scroll
        head = QHBoxLayout()
        head.setSpacing(tokens.XL)
        for mark in self.marks:
            head.addWidget(mark)
        head.addStretch(1)
        outer.addLayout(head)
        for step in self.steps:
            self.stack.addWidget(scrolled(step))
        outer.addWidget(self.stack, 1)
        foot = QHBoxLayout()
        foot.setSpacing(tokens.S)
        foot.addWidget(self.back)
        foot.addStretch(1)
        foot.addWidget(self.more)
        foot.addWidget(self.next)
        outer.addLayout(foot)
        self.setMinimumSize(*_LEAST)
        self.resize(fitting(self, *_SIZE))

    def _say(self) -> None:
        name, step = self.name, self.steps[self.name]
        judge = name is StepName.WHO and self.who.role is Role.JUDGE
        self._context.tongue.bind(self.next, self.next.setText, "ui_start.finish" if judge else step.deed)
        self.next.setEnabled(step.ready and not self._busy)
        self.back.setVisible(name is StepName.VAULT and self._first is StepName.WHO)
        self.back.setEnabled(not self._busy)
        self.more.setVisible(judge)
        for at, (mark, steps) in enumerate(zip(self.marks, _MARKS, strict=True), start=1):
            if name in steps:
                look = ("circle", "accent")
            else:
                look = ("circle-check", "passed") if name > max(steps) else ("circle", "secondary")
            mark.set(*look, f"ui_start.mark.{at}")

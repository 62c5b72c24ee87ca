"""The line at the foot of the window: the vault, the work in progress, and whether anything here is a demonstration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout

from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.settings import AuthorityKind
from ui.context import Context
from ui.look import tokens
from ui.tasks import Lane, Running
from ui.widgets.buttons import button, icon_button
from ui.widgets.labels import IconLabel

if TYPE_CHECKING:
    from evidence_desk.bootstrap.session import Session


class StatusLine(QFrame):
    """Says what is so, by icon and word; the work can be canceled from here."""

    status_asked = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setObjectName("statusline")
        self._context = context
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.L, tokens.XS, tokens.L, tokens.XS)
        row.setSpacing(tokens.L)
        self.vault = IconLabel(context)
        self.demo = IconLabel(context)
        self.demo.set("triangle-alert", "warning", "ui.demo")
        self.work = IconLabel(context)
        self.cancel = icon_button(context, "ui.work.cancel", "x", self._on_cancel)
        self.details = button(context, "ui.work.details", self.status_asked.emit, flat=True)
        for widget in (self.vault, self.demo):
            row.addWidget(widget)
        row.addStretch(1)
        for item in (self.work, self.cancel, self.details):
            row.addWidget(item)
        context.tasks.changed.connect(self._on_tasks)
        for signal in (context.desk.opened, context.desk.locked, context.desk.changed):
            signal.connect(self._on_desk)
        self._on_desk()
        self._on_tasks()

    def _named(self) -> list[Running[Any]]:
        return [task for task in self._context.tasks.running if task.title]

    def _on_cancel(self) -> None:
        for task in self._named():
            task.cancel()

    def _on_tasks(self) -> None:
        named = self._named()
        for item in (self.work, self.cancel, self.details):
            item.setVisible(bool(named))
        if len(named) == 1:
            self.work.set("refresh-cw", "accent", named[0].title)
        elif named:
            self.work.set("refresh-cw", "accent", "ui.work.many", count=len(named))

    def _on_desk(self) -> None:
        desk = self._context.desk
        session = desk.session
        if session is not None:
            self.vault.set("lock-open", "text", "ui.vault.open", folder=session.vault.folder.name)
        elif desk.folder is not None:
            self.vault.set("lock", "text", "ui.vault.locked", folder=desk.folder.name)
        else:
            self.vault.set("lock", "text", "ui.vault.none")
        if session is None:
            self.demo.hide()
        else:  # beside the window: the database may be at work
            desk.run(_has_demo, owner=self, done=self.demo.setVisible, failed=_quiet, lane=Lane.READ)


def _has_demo(session: Session, _job: Job) -> bool:
    return any(item.kind is AuthorityKind.EMBEDDED for item in session.settings)


def _quiet(_error: EvidenceDeskError) -> None:
    """The mark stays as it is; whoever works with the vault tells what is wrong with it."""

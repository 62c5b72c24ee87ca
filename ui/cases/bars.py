"""Two bars above the list: what was just done and can be undone, and the long work in progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError, EvidenceDeskError
from ui.context import Context
from ui.look import tokens
from ui.tasks import Running
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.panels import Banner


class UndoBar(Banner):
    """One sentence about what was done, with a way back; stays until something else is done or it is put away."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._way_back: Callable[[], None] | None = None
        self.undo_button = button(context, "ui_cases.undo", self.undo, icon="undo-2")
        self.deeds.addWidget(self.undo_button)
        self.deeds.addWidget(button(context, "ui_cases.dismiss", self.dismiss, flat=True))
        self.hide()

    def offer(self, way_back: Callable[[], None], code: str, **facts: str | int) -> None:
        """Say what was done and how it is undone."""
        self._way_back = way_back
        self.undo_button.show()
        self.set("neutral", "info", code, **facts)
        self.show()

    def tell(self, tone: str, icon: str, code: str, **facts: str | int) -> None:
        """Say something that must be seen and cannot be undone."""
        self._way_back = None
        self.undo_button.hide()
        self.set(tone, icon, code, **facts)
        self.show()

    def undo(self) -> None:
        """Undo it, once."""
        way_back = self._way_back
        if way_back is not None:
            self.dismiss()
            way_back()

    def dismiss(self) -> None:
        """Put it away."""
        self._way_back = None
        self.hide()


class WorkBar(QFrame):
    """The long work that was begun here: its stage, how far it is, and a way to cancel it."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("banner", "neutral")
        self._context = context
        self._running: Running[Any] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.L, tokens.S, tokens.L, tokens.S)
        row.setSpacing(tokens.M)
        self.text = words(context)
        self.text.setWordWrap(False)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        context.tongue.bind(self.bar, self.bar.setAccessibleName, "ui_cases.progress")
        self.cancel = button(context, "ui.cancel", self._on_cancel, icon="x")
        row.addWidget(self.text)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        self.hide()

    def run(
        self,
        title: str,
        work: Callable[[Session, Job], Any],
        done: Callable[[Any], None],
        *,
        changes: bool = True,
    ) -> None:
        """Work on the vault, shown here; canceling is no error."""

        def ended(result: Any) -> None:
            self._end()
            done(result)

        def failed(error: EvidenceDeskError) -> None:
            self._end()
            if isinstance(error, CanceledError):
                self._context.messages.inform("ui_cases.canceled")
            else:
                self._context.tasks.on_unhandled(error)

        if self._context.desk.session is None:
            return
        self._context.tongue.bind(self.text, self.text.setText, title)
        self.bar.setRange(0, 0)
        self._running = self._context.desk.run(
            work, owner=self, done=ended, failed=failed, progress=self._on_progress, title=title, changes=changes
        )  # fmt: skip
        self.cancel.setEnabled(True)
        self.show()

    @property
    def busy(self) -> bool:
        """Whether work of this bar goes on."""
        return self._running is not None

    def _on_progress(self, stage: str, done: int, total: int) -> None:
        if self._context.tongue.has(f"stage.{stage}"):
            self._context.tongue.bind(self.text, self.text.setText, f"stage.{stage}")
        self.bar.setRange(0, 1000 if total else 0)
        if total:
            self.bar.setValue(min(1000, done * 1000 // total))

    def _on_cancel(self) -> None:
        if self._running is not None:
            self.cancel.setEnabled(False)
            self._running.cancel()

    def _end(self) -> None:
        self._running = None
        self.hide()

"""Verifications in progress: what is done, how far, and a way to cancel each."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from ui.context import Context
from ui.look import tokens
from ui.tasks import Running
from ui.verify.asking import Answered
from ui.verify.sayings import printable
from ui.widgets.buttons import icon_button

_MOST = 3
_PATIENCE_MS = 200
"""What is done sooner is not announced: the page would only jump."""


class ProgressLine(QWidget):
    """One verification."""

    def __init__(self, context: Context, name: str) -> None:
        super().__init__()
        self._context = context
        self._name = printable(name)
        self._stage, self._done, self._total = "", 0, 0
        self.due = False
        self.task: Running[list[Answered]] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.M)
        self.label = QLabel()
        self.label.setMinimumWidth(60)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumWidth(260)
        self.cancel = icon_button(context, "ui_verify.cancel", "x", self._on_cancel)
        row.addWidget(self.label, 1)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        context.tongue.bind(self.bar, self.bar.setAccessibleName, "ui_verify.working", name=self._name)
        context.tongue.follow(self, self._say)

    def step(self, stage: str, done: int, total: int) -> None:
        """How far it is; sizes may go beyond what the bar counts."""
        self._stage, self._done, self._total = stage, done, total
        self.bar.setRange(0, 1000 if total else 0)
        if total:
            self.bar.setValue(min(1000, done * 1000 // total))
        self._say()

    def _say(self) -> None:
        tongue = self._context.tongue
        text = tongue.say("ui_verify.working", name=self._name)
        code = f"stage.{self._stage}"
        if self._stage and tongue.has(code):
            text = tongue.say("ui_verify.working.stage", name=self._name, stage=tongue.say(code))
        if self._total:
            text = f"{text} {min(100, self._done * 100 // self._total)}%"
        self.label.setText(text)

    def _on_cancel(self) -> None:
        self.cancel.setEnabled(False)
        if self.task is not None:
            self.task.cancel()


class ProgressLines(QWidget):
    """All of them; nothing when there is none."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(tokens.XS)
        self.lines: list[ProgressLine] = []
        self._more = QLabel()
        self._column.addWidget(self._more)
        context.tongue.follow(self, self._say)

    def add(self, name: str) -> ProgressLine:
        """A line for a verification that begins."""
        line = ProgressLine(self._context, name)
        self.lines.append(line)
        self._column.insertWidget(self._column.count() - 1, line)
        self._say()
        QTimer.singleShot(_PATIENCE_MS, line, lambda: self._on_due(line))
        return line

    def _on_due(self, line: ProgressLine) -> None:
        line.due = True
        self._say()

    def remove(self, line: ProgressLine) -> None:
        """It ended."""
        self.lines.remove(line)
        line.hide()
        line.deleteLater()
        self._say()

    def _say(self) -> None:
        for number, line in enumerate(self.lines):
            line.setVisible(number < _MOST)
        rest = len(self.lines) - _MOST
        self._more.setVisible(rest > 0)
        self._more.setText(self._context.tongue.say("ui_verify.working.more", count=max(0, rest)))
        self.setVisible(any(line.due for line in self.lines))

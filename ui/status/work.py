"""Work in progress: each named task with its progress and a way to cancel it."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.context import Context
from ui.look import tokens
from ui.tasks import Running
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.panels import Card, clear


class WorkCard(Card):
    """The list; empty when nothing goes on."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.body.addWidget(words(context, "ui_status.work", role="heading"))
        self._none = words(context, "ui_status.work.none", role="secondary")
        self.body.addWidget(self._none)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(tokens.XS)
        self.body.addLayout(self._rows)
        context.tasks.changed.connect(self._on_changed)
        self._on_changed()

    def _on_changed(self) -> None:
        named = [task for task in self._context.tasks.running if task.title]
        self._none.setVisible(not named)
        clear(self._rows)
        for task in named:
            self._rows.addWidget(self._row(task))

    def _row(self, task: Running[Any]) -> QWidget:
        widget = QWidget()
        row = QHBoxLayout(widget)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(words(self._context, task.title), 1)
        row.addWidget(button(self._context, "ui_status.cancel", task.cancel, icon="x"))
        return widget

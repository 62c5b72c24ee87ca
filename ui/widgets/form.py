"""Rows of a form: a label above or beside a field, which can't lack its accessible name."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from ui.context import Context
from ui.look import tokens

W = TypeVar("W", bound=QWidget)


class Form(QWidget):
    """A column of labelled fields; ``code.tip``, where it exists, is the field's help."""

    def __init__(self, context: Context, *, columns: int = 1) -> None:
        """`columns` of label and field side by side."""
        super().__init__()
        self._context = context
        self._columns = columns
        self._count = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(tokens.M)
        self._grid.setVerticalSpacing(tokens.S)
        for column in range(columns):
            self._grid.setColumnStretch(2 * column + 1, 1)

    def add(self, code: str, field: W, *, wide: bool = False) -> W:
        """Add a field below its label's sentence; `wide`: over all columns. Returns the field."""
        if wide and self._count % self._columns:
            self._count += self._columns - self._count % self._columns
        row, column = divmod(self._count, self._columns)
        label = QLabel()
        label.setProperty("role", "secondary")
        label.setBuddy(field)
        self._context.tongue.bind(label, label.setText, code)
        self._context.tongue.bind(field, field.setAccessibleName, code)
        tip = f"{code}.tip"
        if self._context.tongue.has(tip):
            self._context.tongue.bind(field, field.setToolTip, tip)
            self._context.tongue.bind(field, field.setAccessibleDescription, tip)
        self._grid.addWidget(
            label, row, 2 * column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )
        span = 2 * self._columns - 1 if wide else 1
        self._grid.addWidget(field, row, 2 * column + 1, 1, span)
        self._count += self._columns if wide else 1
        return field

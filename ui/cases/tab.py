"""What the tabs of an exhibit share."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QVBoxLayout,
    QWidget,
)

from ui.context import Context
from ui.look import tokens
from ui.widgets.labels import DigestLabel, words


class Tab(QWidget):
    """A column of widgets."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, tokens.M, tokens.S, tokens.M)
        self.column.setSpacing(tokens.M)

    def digest_block(self, names: tuple[str, ...]) -> tuple[QWidget, dict[str, DigestLabel]]:
        """A block of digests by the ends of their sentences' codes, and the labels in it."""
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(tokens.M)
        grid.setVerticalSpacing(tokens.XS)
        grid.setColumnStretch(1, 1)
        labels: dict[str, DigestLabel] = {}
        for at, name in enumerate(names):
            title = words(self._context, f"ui_cases.digest.{name}", role="secondary")
            title.setWordWrap(False)
            labels[name] = DigestLabel(self._context)
            grid.addWidget(title, at, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(labels[name], at, 1)
        return box, labels

"""The list beside a preview: what to know before one signs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.certify.drafting import Remark
from ui.context import Context
from ui.look import icons, tokens
from ui.widgets.labels import words
from ui.widgets.panels import clear


class RemarkList(QWidget):
    """Remarks with icon, color and sentence."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.remarks: tuple[Remark, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(tokens.S)
        context.look.changed.connect(self._paint)  # a lambda would outlive the widget

    def show_remarks(self, remarks: Sequence[Remark]) -> None:
        """Show these in the place of those before."""
        self.remarks = tuple(remarks)
        clear(self._column)
        for remark in remarks:
            self._column.addWidget(self._line(remark))

    def _paint(self) -> None:
        self.show_remarks(self.remarks)

    def codes(self) -> set[str]:
        """Codes of what is said."""
        return {item.code for item in self.remarks}

    def _line(self, remark: Remark) -> QWidget:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.S)
        picture = QLabel()
        picture.setFixedSize(QSize(tokens.ICON, tokens.ICON))
        color = getattr(self._context.look.colors, remark.tone)
        picture.setPixmap(icons.pixmap(remark.icon, color, ratio=self.devicePixelRatioF()))
        row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        text = words(self._context)
        self._context.tongue.bind(text, text.setText, remark.code, **remark.facts)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setAlignment(Qt.AlignmentFlag.AlignTop)
        row.addWidget(text, 1)
        return line

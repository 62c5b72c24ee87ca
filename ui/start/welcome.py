"""What the gate shows while this person has no vault yet."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.context import Context
from ui.look import icons, tokens
from ui.widgets.buttons import button
from ui.widgets.labels import words

_PICTURE = 48


class WelcomePane(QWidget):
    """Make a vault, or say where one is."""

    new_wanted = Signal()
    folder_chosen = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.M)
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._picture)
        heading = words(context, "ui_start.welcome", role="title")
        heading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(heading)
        text = words(context, "ui_start.welcome.text", role="secondary")
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(text)
        row = QHBoxLayout()
        row.setSpacing(tokens.M)
        row.addStretch(1)
        self.new = button(context, "ui_start.new", self.new_wanted.emit, icon="plus", main=True)
        self.choose = button(context, "ui_start.existing", self._on_choose, icon="folder-open")
        row.addWidget(self.new)
        row.addWidget(self.choose)
        row.addStretch(1)
        column.addLayout(row)
        hint = words(context, "ui_start.restore_hint", role="secondary")
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(hint)
        context.look.changed.connect(self._paint)
        self._paint()

    def _on_choose(self) -> None:
        self._context.messages.open_folder(self.folder_chosen.emit, code="ui_start.choose_vault")

    def _paint(self) -> None:
        color = self._context.look.colors.accent
        self._picture.setPixmap(icons.pixmap("stamp", color, size=_PICTURE, ratio=self.devicePixelRatioF()))

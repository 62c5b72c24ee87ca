"""Ways in: drop, buttons, clipboard, a typed path."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLineEdit

from ui.context import Context
from ui.look import tokens
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.panels import DropZone, paths_of

_MAX_PATH = 32_768


class Intake(DropZone):
    """A big place to drop files; what is chosen in whatever way goes to `chosen`."""

    chosen = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.body.setSpacing(tokens.S)
        self._title = words(context, "ui_seal.drop", role="title")
        self._title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.body.addStretch(1)
        self.body.addWidget(self._title)
        row = QHBoxLayout()
        row.addStretch(1)
        self._or = words(context, "ui_seal.drop.or", role="secondary")
        self._or.setWordWrap(False)
        row.addWidget(self._or)
        for code, icon, slot in (
            ("ui_seal.add_files", "plus", self._on_files),
            ("ui_seal.add_folder", "folder-plus", self._on_folder),
            ("ui_seal.paste", "clipboard-paste", self.paste),
        ):
            row.addWidget(button(context, code, slot, icon=icon))
        row.addStretch(1)
        self.body.addLayout(row)
        self.path = QLineEdit()
        self.path.setMaxLength(_MAX_PATH)
        self.path.setMaximumWidth(560)
        context.tongue.bind(self.path, self.path.setPlaceholderText, "ui_seal.path")
        context.tongue.bind(self.path, self.path.setAccessibleName, "ui_seal.path.name")
        self.path.returnPressed.connect(self._on_path)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(self.path, 4)
        line.addStretch(1)
        self.body.addLayout(line)
        self.body.addStretch(1)
        self.dropped.connect(self._give)

    def set_compact(self, compact: bool) -> None:
        """Smaller, once there is a list to show."""
        margin = tokens.M if compact else tokens.XXL
        self.body.setContentsMargins(tokens.XL, margin, tokens.XL, margin)
        self.path.setVisible(not compact)

    def paste(self) -> None:
        """Take the files on the clipboard."""
        clipboard = QGuiApplication.clipboard()
        data = clipboard.mimeData() if clipboard is not None else None
        paths = paths_of(data) if data is not None else []
        if paths:
            self._give(paths)
        else:
            self._context.messages.inform("ui_seal.clipboard")

    def _on_files(self) -> None:
        self._context.messages.open_files(self._give, code="ui_seal.add_files")

    def _on_folder(self) -> None:
        self._context.messages.open_folder(lambda path: self._give([path]), code="ui_seal.add_folder")

    def _on_path(self) -> None:
        text = self.path.text().strip().strip('"')
        if text:
            self.path.clear()
            self._give([_typed(text)])

    def _give(self, paths: list[Path]) -> None:
        if paths:
            self.chosen.emit(paths)


def _typed(text: str) -> Path:
    """A path as a person types it; one that names nobody's home is taken as it stands, and is not there."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)

"""Panels: card, banner, empty state, fold, place to drop files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QMimeData, Qt, QUrl, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from ui.context import Context
from ui.look import icons, tokens


class Card(QFrame):
    """A surface with a frame; content goes into `body`."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", True)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(tokens.L, tokens.L, tokens.L, tokens.L)
        self.body.setSpacing(tokens.M)


class Banner(QFrame):
    """One sentence that must be seen, with an icon; `tone` is neutral, passed, warning, failed, undetermined."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._icon, self._tone = "info", "neutral"
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.L, tokens.M, tokens.L, tokens.M)
        row.setSpacing(tokens.M)
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self._picture)
        row.addWidget(self._text, 1)
        self.deeds = QHBoxLayout()
        row.addLayout(self.deeds)
        context.look.changed.connect(self._paint)

    def set(self, tone: str, icon: str, code: str, **facts: str | int) -> None:
        """Show a sentence."""
        self._icon, self._tone = icon, tone
        self._context.tongue.bind(self, self._say, code, **facts)
        self.setProperty("banner", tone)
        self.style().unpolish(self)
        self.style().polish(self)
        self._paint()

    @property
    def text(self) -> str:
        """The sentence shown."""
        return self._text.text()

    def _say(self, text: str) -> None:
        self._text.setText(text)
        self.setAccessibleName(text)

    def _paint(self) -> None:
        role = "accent" if self._tone == "neutral" else self._tone
        color = getattr(self._context.look.colors, role)
        self._picture.setPixmap(
            icons.pixmap(self._icon, color, size=tokens.XL, ratio=self.devicePixelRatioF())
        )


class EmptyState(QWidget):
    """What an empty page says: what belongs here and what to do next."""

    def __init__(self, context: Context, icon: str, code: str) -> None:
        super().__init__()
        self._context = context
        self._icon = icon
        column = QVBoxLayout(self)
        column.setSpacing(tokens.M)
        column.addStretch(1)
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self._picture)
        text = QLabel()
        text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        text.setWordWrap(True)
        text.setProperty("role", "secondary")
        context.tongue.bind(text, text.setText, code)
        column.addWidget(text)
        self.deeds = QHBoxLayout()
        self.deeds.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addLayout(self.deeds)
        column.addStretch(1)
        context.look.changed.connect(self._paint)
        self._paint()

    def _paint(self) -> None:
        color = self._context.look.colors.secondary
        self._picture.setPixmap(icons.pixmap(self._icon, color, size=48, ratio=self.devicePixelRatioF()))


class Fold(QWidget):
    """A heading that shows and hides what is in `body`; closed at first."""

    def __init__(self, context: Context, code: str, *, opened: bool = False) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.S)
        self.handle = QToolButton()
        self.handle.setCheckable(True)
        self.handle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.handle.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        context.tongue.bind(self.handle, self.handle.setText, code)
        column.addWidget(self.handle)
        self._content = QWidget()
        self.body = QVBoxLayout(self._content)
        self.body.setContentsMargins(tokens.L, 0, 0, 0)
        self.body.setSpacing(tokens.S)
        column.addWidget(self._content)
        self._context = context
        self.handle.toggled.connect(self._on_toggled)
        context.look.changed.connect(self._on_look)
        self.handle.setChecked(opened)
        self._on_toggled(opened)

    def _on_toggled(self, opened: bool) -> None:
        self._content.setVisible(opened)
        self.handle.setIcon(self._context.look.icon("chevron-down" if opened else "chevron-right"))

    def _on_look(self) -> None:
        self._on_toggled(self.handle.isChecked())


class DropZone(QFrame):
    """A place to drop files; what is dropped goes to `dropped`, content into `body`."""

    dropped = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("drop", True)
        self.setAcceptDrops(True)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(tokens.XL, tokens.XL, tokens.XL, tokens.XL)
        self.body.setSpacing(tokens.M)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if paths_of(event.mimeData()):
            event.acceptProposedAction()
            self._over(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Look as before."""
        super().dragLeaveEvent(event)
        self._over(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand on what was dropped."""
        self._over(False)
        event.acceptProposedAction()
        self.dropped.emit(paths_of(event.mimeData()))

    def _over(self, over: bool) -> None:
        self.setProperty("over", over)
        self.style().unpolish(self)
        self.style().polish(self)


def paths_of(data: QMimeData) -> list[Path]:
    """Local files of a drop or of the clipboard; nothing else is taken."""
    return [_local_path(url) for url in data.urls() if url.isLocalFile()] if data.hasUrls() else []


def _local_path(url: QUrl) -> Path:
    """With the very bytes of the name: Qt would replace those that are no UTF-8, and the file would not be there."""
    if sys.platform == "win32" or url.host():
        return Path(url.toLocalFile())
    encoded = url.path(QUrl.ComponentFormattingOption.FullyEncoded)
    return Path(os.fsdecode(unquote_to_bytes(encoded)))


def clear(layout: QVBoxLayout | QHBoxLayout) -> None:
    """Remove all widgets of a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()

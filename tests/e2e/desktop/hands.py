"""A person's hands and eyes: clicks, typing, drops, file dialogs, pictures. Knows no page."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEventLoop, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QInputMethodEvent, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QFileDialog, QLineEdit, QWidget

from tests.gui.screens import save_screen

W = TypeVar("W", bound=QWidget)
_POLL_MS = 30


class Hands:
    """Acts on whatever window is in front of it."""

    def __init__(self, window: QWidget) -> None:
        self.window = window
        self.pictures: list[Path] = []

    def until(self, true: Callable[[], object], seconds: float = 60, what: str = "") -> None:
        """Let the program run until something is so.

        Raises:
            TimeoutError: it did not come about.
        """
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                self.picture("stuck")
                raise TimeoutError(what or "waited in vain")
            self.wait(_POLL_MS)

    def wait(self, milliseconds: int) -> None:
        """Let the program run for a moment."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def find(self, kind: type[W], text: str = "", *, within: QWidget | None = None) -> W:
        """The visible widget of a kind whose text, name or title begins so; waits for it."""
        found: list[W] = []

        def seen() -> bool:
            for root in [within] if within is not None else QApplication.topLevelWidgets():
                if root is not None and root.isVisible():
                    found.extend(
                        item for item in root.findChildren(kind) if item.isVisible() and _says(item, text)
                    )
            return bool(found)

        self.until(seen, what=f"{kind.__name__} {text}")
        return found[0]

    def press(self, target: str | QAbstractButton, *, within: QWidget | None = None) -> None:
        """Click a button, given or found by its words, with the left button."""
        button = self.find(QAbstractButton, target, within=within) if isinstance(target, str) else target
        self.until(button.isEnabled, what=f"enabled: {button.text()}")
        middle = QPoint(min(12, button.width() // 2), button.height() // 2)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
        self.wait(_POLL_MS)

    def type_in(self, widget: QWidget, text: str) -> None:
        """Type into a field, in the place of what is there."""
        widget.setFocus()
        QTest.keyClick(widget, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClick(widget, Qt.Key.Key_Delete)
        if text.isascii():
            QTest.keyClicks(widget, text)
        else:  # as an input method gives it
            event = QInputMethodEvent()
            event.setCommitString(text)
            QApplication.sendEvent(widget, event)

    def drop(self, target: QWidget, paths: Sequence[Path]) -> None:
        """Drag files over a widget and let them go."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        spot = QPointF(target.rect().center())
        over = QDragEnterEvent(
            spot.toPoint(),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(target, over)
        if not over.isAccepted():
            raise AssertionError("files are not taken here")
        let_go = QDropEvent(
            spot, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(target, let_go)
        self.wait(_POLL_MS)

    def dialog(self, kind: type[QDialog] = QDialog) -> QDialog:
        """The dialog in front; waits for it."""
        found: list[QDialog] = []

        def seen() -> bool:
            found.extend(
                item for item in QApplication.topLevelWidgets() if isinstance(item, kind) and item.isVisible()
            )
            return bool(found)

        self.until(seen, what=f"dialog {kind.__name__}")
        return found[-1]

    def choose(self, path: Path) -> None:
        """Answer the file dialog in front with a path."""
        dialog = self.dialog(QFileDialog)
        assert isinstance(dialog, QFileDialog)
        line = dialog.findChild(QLineEdit, "fileNameEdit")
        assert isinstance(line, QLineEdit)
        line.setText(str(path))
        self.wait(200)
        dialog.accept()
        self.wait(_POLL_MS)

    def picture(self, name: str, widget: QWidget | None = None) -> None:
        """Keep what is seen: the window, with the dialog in front of it drawn over its middle."""
        self.wait(150)
        shown = widget or self.window
        path = save_screen(shown, name)
        dialogs = [
            item for item in QApplication.topLevelWidgets() if isinstance(item, QDialog) and item.isVisible()
        ]
        if widget is None and dialogs:
            _over(path, dialogs[-1])
        self.pictures.append(path)


def _over(path: Path, dialog: QWidget) -> None:
    picture = QPixmap(str(path))
    front = dialog.grab()
    painter = QPainter(picture)
    left = max(0, (picture.width() - front.width()) // 2)
    top = max(0, (picture.height() - front.height()) // 2)
    painter.drawPixmap(left, top, front.width(), front.height(), front)
    painter.end()
    picture.save(str(path))


def _says(item: QWidget, text: str) -> bool:
    if not text:
        return True
    words = [item.accessibleName(), item.toolTip(), item.windowTitle()]
    if isinstance(item, QAbstractButton):
        words.append(item.text())
    return any(word.startswith(text) for word in words)

"""Where evidence comes in: one large place to drop it, buttons for files, folder and clipboard, and a field to type into."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
)
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services.question import MAX_TEXT
from ui.context import Context
from ui.look import icons, tokens
from ui.verify.clipboard import Carried, carried, is_welcome
from ui.widgets.buttons import GAP, button
from ui.widgets.labels import words
from ui.widgets.panels import DropZone


class Field(QLineEdit):
    """A line for a number, digest or code. What is pasted is measured before it is taken: `pasted` asks the page."""

    pasted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setMaxLength(MAX_TEXT + 1)  # one too many is told, not cut in silence
        self.setAcceptDrops(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Paste goes another way."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self.pasted.emit()
            return
        super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """So does the middle button."""
        if event.button() is not Qt.MouseButton.MiddleButton:
            super().mouseReleaseEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """So does the menu."""
        menu = self.createStandardContextMenu()
        for action in menu.actions():
            if action.objectName() == "edit-paste":
                action.triggered.disconnect()
                action.triggered.connect(self.pasted)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())


class Intake(DropZone):
    """Signals: `carried` (Carried), `refused` (EvidenceDeskError), `asked` (text), `files_wanted`, `folder_wanted`."""

    carried = Signal(object)
    refused = Signal(object)
    asked = Signal(str)
    files_wanted = Signal()
    folder_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._large = True
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title = words(context, "ui_verify.drop")
        self.about = words(context, "ui_verify.drop.about", role="secondary")
        for label in (self.title, self.about):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.files = button(context, "ui_verify.files", self.files_wanted.emit, icon="file-text", main=True)
        self.folder = button(context, "ui_verify.folder", self.folder_wanted.emit, icon="folder-open")
        self.paste_button = button(context, "ui_verify.paste", self.paste, icon="clipboard-paste")
        context.tongue.bind(self.paste_button, self.paste_button.setToolTip, "ui_verify.paste.tip")
        self.field = Field()
        context.tongue.bind(self.field, self.field.setAccessibleName, "ui_verify.field")
        context.tongue.bind(self.field, self.field.setPlaceholderText, "ui_verify.field")
        self.look = button(context, "ui_verify.look", self._on_ask, icon="search")
        self.field.returnPressed.connect(self._on_ask)
        self.field.pasted.connect(self._on_field_paste)
        self._lay_out()
        context.look.changed.connect(self._paint)
        self._paint()

    def set_large(self, large: bool) -> None:
        """Fill the page while it is empty, else be a strip above the results."""
        self._large = large
        for label in (self._picture, self.about, self.title):
            label.setVisible(large)
        for stretch in (0, self.body.count() - 1):
            self.body.setStretch(stretch, 1 if large else 0)
        pad = tokens.XL if large else tokens.M
        self.body.setContentsMargins(pad, pad, pad, pad)
        self.files.setProperty("main", large)
        self.files.style().unpolish(self.files)
        self.files.style().polish(self.files)
        self._paint()

    def set_low(self, low: bool) -> None:
        """Without the picture where there is little height."""
        self._picture.setVisible(self._large and not low)

    def set_narrow(self, narrow: bool) -> None:
        """Field below the buttons while there is room; in a strip too narrow for all, what has a key or a drop goes."""
        stacked = self._large
        for item in (self.folder, self.paste_button):
            item.setVisible(self._large or not narrow)
        self._row.setDirection(
            QBoxLayout.Direction.TopToBottom if stacked else QBoxLayout.Direction.LeftToRight
        )

    def paste(self) -> None:
        """Take what is on the clipboard: files, a picture, or a text short enough to mean something."""
        found = self._on_clipboard()
        if found is not None:
            self.carried.emit(found)

    def _on_field_paste(self) -> None:
        """A text goes into the field, to be looked at before it is asked."""
        found = self._on_clipboard()
        if found is not None and found.text:
            self.field.insert(found.text)
        elif found is not None:
            self.carried.emit(found)

    def _on_clipboard(self) -> Carried | None:
        try:
            return carried(QGuiApplication.clipboard().mimeData())
        except EvidenceDeskError as error:
            self.refused.emit(error)
            return None

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files, pictures and texts; looked at when they are dropped."""
        if is_welcome(event.mimeData()):
            event.acceptProposedAction()
            self._over(True)

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand on what was dropped; nothing is moved."""
        self._over(False)
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        try:
            self.carried.emit(carried(event.mimeData()))
        except EvidenceDeskError as error:
            self.refused.emit(error)

    # --- parts ------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.body.addStretch(1)
        for label in (self._picture, self.title, self.about):
            self.body.addWidget(label)
        self.title.setStyleSheet("font-size: 18px; font-weight: bold;")
        row = QWidget()
        self._row = QBoxLayout(QBoxLayout.Direction.TopToBottom, row)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(tokens.M)
        deeds = QHBoxLayout()
        deeds.setSpacing(tokens.S)
        deeds.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for item in (self.files, self.folder, self.paste_button):
            deeds.addWidget(item)
        typed = QHBoxLayout()
        typed.setSpacing(tokens.S)
        typed.addWidget(self.field, 1)
        typed.addWidget(self.look)
        self._row.addLayout(deeds)
        self._row.addLayout(typed, 1)
        holder = QVBoxLayout()
        holder.addWidget(row)
        self.body.addLayout(holder)
        self.body.addStretch(1)

    def _on_ask(self) -> None:
        self.asked.emit(self.field.text())

    def _paint(self) -> None:
        role = "on_accent" if self._large else "text"
        self.files.setIcon(self._context.look.icon("file-text", role, GAP))
        color = self._context.look.colors.accent
        size = 56
        self._picture.setPixmap(
            icons.pixmap("shield-check", color, size=size, ratio=self.devicePixelRatioF())
        )
        self._picture.setMinimumSize(QSize(size, size))

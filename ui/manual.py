"""The manual in a window of its own, beside the program: its pages with their links, in the product's look."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QImage,
    QResizeEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextImageFormat,
)
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QTextBrowser, QVBoxLayout, QWidget

from evidence_desk.paths import assets_folder
from ui.context import Context
from ui.guard import OWN_LOCK
from ui.look import fonts, tokens
from ui.page import fitting
from ui.widgets.buttons import button

DOCS: Final = assets_folder().parent / "docs"
MANUAL: Final = DOCS / "manual" / "README.md"
_SIZE: Final = (860, 760)
_WEB: Final = frozenset({"http", "https", "mailto"})
_IMAGE: Final = QTextDocument.ResourceType.ImageResource
_LEFT_OUT: Final = re.compile(r"[^\w\- ]")
"""Of a heading's text, what its address leaves out: punctuation; spaces become hyphens (as code hosts do it)."""


class ManualText(QTextBrowser):
    """Pages and pictures of `docs/` and nothing else; addresses of the web go to the system's browser."""

    def __init__(self) -> None:
        super().__init__()
        self._whole: dict[str, QImage] = {}

    def doSetSource(
        self,
        name: QUrl | str,
        type: QTextDocument.ResourceType = QTextDocument.ResourceType.UnknownResource,  # noqa: A002, ARG002 - Qt's
    ) -> None:
        """Show a page, at its heading."""
        address = self.source().resolved(QUrl(name))
        if address.scheme() in _WEB:
            QDesktopServices.openUrl(address)
            return
        path = Path(address.toLocalFile())
        if path.suffix == ".md" and _ours(path):
            self._whole.clear()
            super().doSetSource(address, QTextDocument.ResourceType.MarkdownResource)
            _dress(self.document())
            self._fit_pictures()
            self._to_heading(address.fragment(QUrl.ComponentFormattingOption.FullyDecoded))

    def loadResource(self, type: int, name: QUrl | str) -> Any:  # noqa: A002 - Qt's
        """A page or a picture of ours, None for anything else."""
        address = self.source().resolved(QUrl(name))
        return super().loadResource(type, address) if _ours(Path(address.toLocalFile())) else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Pictures are never wider than the page."""
        super().resizeEvent(event)
        self._fit_pictures()

    def _to_heading(self, wanted: str) -> None:
        self.moveCursor(QTextCursor.MoveOperation.Start)
        block = self.document().begin()
        while wanted and block.isValid():
            if block.blockFormat().headingLevel() and anchor(block.text()) == wanted:
                self.setTextCursor(QTextCursor(block))
                self.document().size()  # the whole page is laid out: before, the bar does not reach so far
                top = self.document().documentLayout().blockBoundingRect(block).top()
                self.verticalScrollBar().setValue(int(top))
                return
            block = block.next()

    def _fit_pictures(self) -> None:
        room = self.viewport().width() - 2 * int(self.document().documentMargin()) - tokens.XS
        cursor, ratio = QTextCursor(self.document()), self.devicePixelRatioF()
        for start, length, form in _pictures(self.document()):
            picture = self._picture(QUrl(form.name()))
            width = min(picture.width(), max(room, 1))
            if picture.isNull() or width == int(form.width()):
                continue
            # Scaled here: a text document would leave out rows and columns.
            small = picture.scaledToWidth(int(width * ratio), Qt.TransformationMode.SmoothTransformation)
            small.setDevicePixelRatio(ratio)
            self.document().addResource(_IMAGE, self.source().resolved(QUrl(form.name())), small)
            self.document().addResource(_IMAGE, QUrl(form.name()), small)
            form.setWidth(width)
            cursor.setPosition(start)
            cursor.setPosition(start + length, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(form)

    def _picture(self, name: QUrl) -> QImage:
        """As it lies in the file; null when it is none."""
        address = self.source().resolved(name).toString()
        if address not in self._whole:
            data = self.loadResource(_IMAGE.value, name)
            self._whole[address] = QImage() if data is None else QImage.fromData(data)
        return self._whole[address]


def anchor(heading: str) -> str:
    """What a link to this heading has behind its `#`."""
    return _LEFT_OUT.sub("", heading.strip().lower()).replace(" ", "-")


def _ours(path: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(DOCS.resolve())


def _pictures(document: QTextDocument) -> list[tuple[int, int, QTextImageFormat]]:
    """Place, length and format of every picture."""
    found: list[tuple[int, int, QTextImageFormat]] = []
    block = document.begin()
    while block.isValid():
        at = block.begin()
        while not at.atEnd():
            piece = at.fragment()
            if piece.charFormat().isImageFormat():
                found.append((piece.position(), piece.length(), piece.charFormat().toImageFormat()))
            at += 1
        block = block.next()
    return found


def _dress(document: QTextDocument) -> None:
    """Headings, distances and commands in the product's look: Markdown brings none of its own."""
    cursor = QTextCursor(document)
    cursor.beginEditBlock()
    block = document.begin()
    while block.isValid():
        level, code = block.blockFormat().headingLevel(), _is_code(block)
        listed, table = block.textList() is not None, QTextCursor(block).currentTable() is not None
        form = QTextBlockFormat()
        form.setTopMargin(tokens.L if level > 1 else 0)
        form.setBottomMargin(0 if code or table else tokens.XS if listed else tokens.S)
        cursor.setPosition(block.position())
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        cursor.mergeBlockFormat(form)
        letters = QTextCharFormat()
        if level:
            letters.setProperty(QTextFormat.Property.FontSizeAdjustment, {1: 2, 2: 1}.get(level, 0))
        if code:
            letters.setFontFamilies([fonts.MONO, fonts.SANS])
        cursor.mergeCharFormat(letters)
        block = block.next()
    cursor.endEditBlock()


def _is_code(block: QTextBlock) -> bool:
    return block.blockFormat().hasProperty(QTextFormat.Property.BlockCodeFence)


class ManualWindow(QDialog):
    """Pages, back, contents. It holds nothing of a vault, and stays when one is locked."""

    def __init__(self, context: Context, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint)
        self.setProperty(OWN_LOCK, True)
        context.tongue.bind(self, self.setWindowTitle, "ui_start.manual.title")
        self.text = ManualText()
        self.text.setOpenLinks(True)
        context.tongue.bind(self.text, self.text.setAccessibleName, "ui_start.manual.title")
        self.back = button(context, "ui_start.manual.back", self.text.backward, icon="arrow-left")
        self.contents = button(context, "ui_start.manual.contents", self._on_contents, icon="file-text")
        self.text.backwardAvailable.connect(self.back.setEnabled)
        self.back.setEnabled(False)
        context.look.changed.connect(self.text.reload)  # its links are painted in the look of the moment
        column = QVBoxLayout(self)
        column.setContentsMargins(tokens.L, tokens.L, tokens.L, tokens.L)
        column.setSpacing(tokens.M)
        column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        head = QHBoxLayout()
        head.setSpacing(tokens.S)
        head.addWidget(self.back)
        head.addWidget(self.contents)
        head.addStretch(1)
        head.addWidget(button(context, "ui.close", self.reject))
        column.addLayout(head)
        column.addWidget(self.text, 1)
        self.resize(fitting(self, *_SIZE))
        self._on_contents()
        self.text.setFocus()

    def _on_contents(self) -> None:
        self.text.setSource(QUrl.fromLocalFile(str(MANUAL)))


def show_manual(context: Context, parent: QWidget | None) -> ManualWindow:
    """The manual in front, beside everything else."""
    shown = None if parent is None else parent.findChild(ManualWindow)
    window = shown if shown is not None else ManualWindow(context, parent)
    window.show()
    window.activateWindow()
    return window

"""The manual in a window of its own, beside the program: its pages with their links, in the product's look."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
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


class ManualText(QTextBrowser):
    """Pages of `docs/` and nothing else; addresses of the web go to the system's browser."""

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
        if path.suffix == ".md" and path.is_file() and path.resolve().is_relative_to(DOCS.resolve()):
            super().doSetSource(address, QTextDocument.ResourceType.MarkdownResource)
            _dress(self.document())
            self.moveCursor(QTextCursor.MoveOperation.Start)


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

"""The cleanliness report as it is printed, in a window of its own."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from ui.certify.preview import Preview
from ui.context import Context
from ui.look import tokens
from ui.page import fitting
from ui.widgets.buttons import button


class PaperWindow(QDialog):
    """Pages of a PDF with zoom."""

    def __init__(self, context: Context, parent: QWidget | None, pdf: bytes) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        context.tongue.bind(self, self.setWindowTitle, "ui_capture.view.paper")
        column = QVBoxLayout(self)
        column.setContentsMargins(tokens.L, tokens.L, tokens.L, tokens.L)
        column.setSpacing(tokens.M)
        self.preview = Preview(context)
        column.addWidget(self.preview, 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(button(context, "ui.close", self.reject))
        column.addLayout(foot)
        self.resize(fitting(self, 860, 800))
        self.preview.show_draft(pdf, 0, 1)


def show_paper(context: Context, parent: QWidget, pdf: bytes) -> PaperWindow:
    """Show a PDF."""
    window = PaperWindow(context, parent, pdf)
    window.open()
    return window

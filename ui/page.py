"""What a page of the window is."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from ui.context import Context
from ui.look import tokens


class PageName(StrEnum):
    """Pages of the window, in the order of the rail; each has its title as ``ui.page.NAME``."""

    SEAL = "seal"
    CAPTURE = "capture"
    CERTIFY = "certify"
    VERIFY = "verify"
    CASES = "cases"
    STATUS = "status"
    SETTINGS = "settings"


ICONS = {
    PageName.SEAL: "stamp",
    PageName.CAPTURE: "globe",
    PageName.CERTIFY: "file-pen-line",
    PageName.VERIFY: "shield-check",
    PageName.CASES: "folder-open",
    PageName.STATUS: "activity",
    PageName.SETTINGS: "settings",
}

NEEDS_DESK = frozenset({PageName.SEAL, PageName.CAPTURE, PageName.CERTIFY, PageName.CASES})
"""Pages that show nothing while the vault is locked; the window shows the way to unlock it in their place."""


class Page(QWidget):
    """One page: a title, and whatever it does below in `body`.

    Signals: `wanted` asks the window for another page, with what to show there (a number, paths, or None).
    """

    wanted = Signal(object, object)

    def __init__(self, context: Context, name: PageName) -> None:
        super().__init__()
        self.context = context
        self.name = name
        outer = QVBoxLayout(self)
        outer.setContentsMargins(tokens.XL, tokens.XL, tokens.XL, tokens.L)
        outer.setSpacing(tokens.L)
        self.heading = QLabel()
        self.heading.setProperty("role", "title")
        context.tongue.bind(self.heading, self.heading.setText, f"ui.page.{name.value}")
        outer.addWidget(self.heading)
        self.body = QVBoxLayout()
        self.body.setSpacing(tokens.L)
        outer.addLayout(self.body, 1)

    def shown(self) -> None:
        """The page was brought to the front."""

    def accept_paths(self, paths: Sequence[Path]) -> bool:
        """Files were dropped or pasted while this page was in front; False: not for this page."""
        del paths
        return False

    def show_item(self, item: object) -> None:
        """Another page asks to show something here (see `wanted`)."""

    def leave(self) -> None:
        """The program is about to close: keep what must survive."""


def fitting(widget: QWidget, width: int, height: int) -> QSize:
    """A size for a window: as wished, but not more than the screen has room for."""
    room = widget.screen().availableSize() - QSize(2 * tokens.S, 2 * tokens.XXL)  # its frame and title
    return QSize(width, height).boundedTo(room)


def scrolled(content: QWidget) -> QScrollArea:
    """`content` in a vertical scroll area without a frame, transparent."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    content.setObjectName("scrolled")
    area.setWidget(content)
    return area

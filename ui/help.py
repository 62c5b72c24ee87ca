"""Help: one table of the window's shortcuts, from which they are made and listed; a sentence a page; the manual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, cast

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QLayout, QVBoxLayout, QWidget

from evidence_desk.paths import assets_folder
from ui.context import Context
from ui.look import fonts, tokens
from ui.page import Page, PageName, fitting, scrolled
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.panels import Card

_SIZE: Final = (560, 620)


class Host(Protocol):
    """The window, as far as shortcuts and help know it."""

    context: Context

    def show_page(self, name: PageName, item: object = None) -> Page | None:
        """Bring a page to the front."""
        ...

    def close(self) -> bool:
        """Close the window."""
        ...

    @property
    def name(self) -> PageName:
        """The page chosen."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """Keys and what they do.

    Attributes:
        code: of the sentence in the list; `page`: fills it, and is what it goes to.
        run: None where Qt itself does it.
    """

    keys: str
    code: str
    run: Callable[[Host], object] | None = None
    page: PageName | None = None


def _to(page: PageName) -> Callable[[Host], object]:
    return lambda window: window.show_page(page)


SHORTCUTS: Final = (
    Shortcut(keys="F1", code="ui_start.key.help", run=lambda window: show_help(window)),  # noqa: PLW0108 - defined below
    *(
        Shortcut(keys=f"Ctrl+{number}", code="ui_start.key.page", run=_to(page), page=page)
        for number, page in enumerate(PageName, start=1)
    ),
    Shortcut(keys="Ctrl+L", code="ui_start.key.lock", run=lambda window: window.context.desk.lock()),
    Shortcut(keys="Ctrl+Q", code="ui_start.key.close", run=lambda window: window.close()),
    Shortcut(keys="Tab", code="ui_start.key.tab"),
    Shortcut(keys="Space", code="ui_start.key.space"),
    Shortcut(keys="Esc", code="ui_start.key.escape"),
)


def install_shortcuts(window: QWidget) -> None:
    """Make the shortcuts of the table for a window that is a `Host`."""
    host = cast("Host", window)
    for shortcut in SHORTCUTS:
        if shortcut.run is not None:
            run = shortcut.run
            made = QShortcut(QKeySequence(shortcut.keys), window)
            made.activated.connect(lambda run=run: run(host))


def show_help(window: Host) -> HelpDialog:
    """The help in front, beginning with the page in front."""
    parent = cast("QWidget", window)
    shown = parent.findChild(HelpDialog)
    dialog = shown if shown is not None else HelpDialog(window.context, parent, window.name)
    dialog.open()
    return dialog


class HelpDialog(QDialog):
    """What the page in front is for, the shortcuts, the way to the manual."""

    def __init__(self, context: Context, parent: QWidget | None, page: PageName) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._context = context
        context.tongue.bind(self, self.setWindowTitle, "ui_start.help")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(tokens.XL, tokens.XL, tokens.XL, tokens.L)
        outer.setSpacing(tokens.L)
        outer.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, tokens.S, 0)
        column.setSpacing(tokens.M)
        column.addWidget(words(context, f"ui.page.{page.value}", role="title"))
        column.addWidget(words(context, f"ui_start.help.{page.value}"))
        column.addWidget(words(context, "ui_start.help.keys", role="heading"))
        card = Card()
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(tokens.XL)
        self.grid.setVerticalSpacing(tokens.S)
        self.grid.setColumnStretch(1, 1)
        card.body.addLayout(self.grid)
        column.addWidget(card)
        column.addStretch(1)
        outer.addWidget(scrolled(content), 1)
        foot = QHBoxLayout()
        foot.addWidget(button(context, "ui_start.help.manual", self._on_manual, icon="external-link"))
        foot.addStretch(1)
        foot.addWidget(button(context, "ui.close", self.accept, main=True))
        outer.addLayout(foot)
        self._list()
        context.tongue.changed.connect(self._say)
        self._say()
        self.resize(fitting(self, *_SIZE))

    def _list(self) -> None:
        self._sentences: list[tuple[QLabel, Shortcut]] = []
        for row, shortcut in enumerate(SHORTCUTS):
            keys, text = QLabel(shortcut.keys), QLabel()
            keys.setFont(fonts.mono())
            text.setWordWrap(True)
            self.grid.addWidget(keys, row, 0)
            self.grid.addWidget(text, row, 1)
            self._sentences.append((text, shortcut))

    def _say(self) -> None:
        tongue = self._context.tongue
        for label, shortcut in self._sentences:
            page = "" if shortcut.page is None else tongue.say(f"ui.page.{shortcut.page.value}")
            label.setText(tongue.say(shortcut.code, page=page))

    def _on_manual(self) -> None:
        manual = assets_folder().parent / "docs" / "manual" / "README.md"
        if not manual.is_file() or not QDesktopServices.openUrl(QUrl.fromLocalFile(str(manual))):
            self._context.messages.inform("ui_start.help.no_manual")

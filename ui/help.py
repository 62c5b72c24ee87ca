"""Help: one table of the window's shortcuts, from which they are made and listed; a sentence a page; the manual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, cast

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QLayout, QVBoxLayout, QWidget

from ui.context import Context
from ui.keys import PAGE_KEYS
from ui.look import fonts, tokens
from ui.manual import MANUAL, show_manual
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

    def lock(self) -> None:
        """Lock the vault."""
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
    Shortcut(keys="Ctrl+L", code="ui_start.key.lock", run=lambda window: window.lock()),
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
        foot.addWidget(button(context, "ui_start.help.manual", self._on_manual, icon="file-text"))
        foot.addStretch(1)
        foot.addWidget(button(context, "ui.close", self.accept, main=True))
        outer.addLayout(foot)
        self._list()
        context.tongue.changed.connect(self._say)
        self._say()
        self.resize(fitting(self, *_SIZE))

    def _list(self) -> None:
        self._sentences: list[tuple[QLabel, str, PageName | None]] = []
        for shortcut in SHORTCUTS:
            self._row(shortcut.keys, shortcut.code, shortcut.page)
        for page, keys in PAGE_KEYS.items():
            heading = QLabel()
            heading.setProperty("role", "secondary")
            self.grid.addWidget(heading, self.grid.rowCount(), 0, 1, 2)
            self._sentences.append((heading, "ui_start.key.on", page))
            for each, code in keys:
                self._row(each, code)

    def _row(self, keys: str, code: str, page: PageName | None = None) -> None:
        row, shown, text = self.grid.rowCount(), QLabel(keys), QLabel()
        shown.setFont(fonts.mono())
        text.setWordWrap(True)
        self.grid.addWidget(shown, row, 0)
        self.grid.addWidget(text, row, 1)
        self._sentences.append((text, code, page))

    def _say(self) -> None:
        tongue = self._context.tongue
        for label, code, on in self._sentences:
            page = "" if on is None else tongue.say(f"ui.page.{on.value}")
            label.setText(tongue.say(code, page=page))

    def _on_manual(self) -> None:
        if not MANUAL.is_file():
            self._context.messages.inform("ui_start.help.no_manual")
            return
        self.accept()  # nothing can be read behind it
        show_manual(self._context, self.parentWidget())

"""What a tab of the settings is."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.context import Context
from ui.look import tokens
from ui.widgets.labels import words
from ui.widgets.panels import Banner, Card


class SettingsTab(QWidget):
    """Cards below each other; `inside` holds what is about the open vault."""

    name: ClassVar[str]

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, tokens.L, tokens.S, 0)
        self.column.setSpacing(tokens.M)
        self._none = Banner(context)
        self._none.set("neutral", "lock", "ui_settings.locked")
        self._none.hide()
        self.column.addWidget(self._none)
        self.inside: list[QWidget] = []

    def card(self, code: str, *, about: str = "", inside: bool = False) -> Card:
        """A card with a heading; with `inside` it is there only while a vault is open."""
        made = Card()
        made.body.addWidget(words(self.context, code, role="heading"))
        if about:
            made.body.addWidget(words(self.context, about, role="secondary"))
        self.column.addWidget(made)
        if inside:
            self.inside.append(made)
        return made

    def show_desk(self, opened: bool) -> None:
        """A vault is open or not: `read` what it holds, or `forget` it."""
        for widget in self.inside:
            widget.setVisible(opened)
        self._none.setVisible(bool(self.inside) and not opened)
        if opened:
            self.read()
        else:
            self.forget()

    def read(self) -> None:
        """Show what the open vault holds."""

    def forget(self) -> None:
        """Leave nothing of the vault in any widget: it was locked, and another may be opened."""

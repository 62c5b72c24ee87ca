"""What stands in the place of a page that needs a vault while none is open: unlock one, make one, restore one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.context import Context
from ui.look import tokens
from ui.page import scrolled
from ui.start.recover import RecoverPane
from ui.start.step_name import StepName
from ui.start.unlock import UnlockPane
from ui.start.welcome import WelcomePane
from ui.widgets.panels import Banner, Card

if TYPE_CHECKING:
    from ui.start.guide import Guide

_WIDTH = 560


class Gate(QWidget):
    """One card in the middle: welcome while no vault is known, else unlocking, or the way with the recovery key."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.guide: Guide | None = None
        self.kept = Banner(context)
        self.kept.hide()
        self.welcome = WelcomePane(context)
        self.unlocking = UnlockPane(context)
        self.recovering = RecoverPane(context)
        self.passphrase = self.unlocking.passphrase
        self.unlock = self.unlocking.unlock
        self.panes: tuple[QWidget, ...] = (self.welcome, self.unlocking, self.recovering)
        self.pane: QWidget = self.welcome
        self._lay_out()
        for known in (self.welcome, self.unlocking):
            known.new_wanted.connect(lambda: self.open_guide(StepName.VAULT))
            known.folder_chosen.connect(self.show_vault)
        self.unlocking.recovery_wanted.connect(self._on_recovery)
        self.recovering.left.connect(self._on_recovered)
        context.desk.locked.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what fits: unlocking when a vault is known."""
        self.recovering.forget()
        self.unlocking.refresh()
        self._show(self.unlocking if self.unlocking.folder is not None else self.welcome)

    def show_vault(self, folder: Path) -> None:
        """Unlock this one."""
        self.unlocking.show_folder(folder)
        self._show(self.unlocking)
        self.passphrase.setFocus()

    def show_kept(self, count: int) -> None:
        """Say that so many files wait for the vault to be opened; 0 says nothing."""
        self.kept.setVisible(count > 0)
        if count:
            self.kept.set("neutral", "info", "ui_start.kept", count=count)

    def open_guide(self, step: StepName) -> Guide:
        """The guide in front, at one of its steps."""
        if self.guide is None:
            from ui.start.guide import Guide  # noqa: PLC0415 - with the vault's code, for a first start only

            guide = Guide(self._context, self.window(), first=step)
            guide.finished.connect(self._on_guide_left)
            guide.existing_chosen.connect(self.show_vault)
            self.guide = guide
            guide.open()
        else:
            self.guide.activateWindow()
        return self.guide

    def showEvent(self, event: QShowEvent) -> None:
        """The passphrase can be typed at once."""
        super().showEvent(event)
        if self.pane is self.unlocking:
            self.passphrase.setFocus(Qt.FocusReason.OtherFocusReason)

    def _lay_out(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        content = QWidget()
        middle = QHBoxLayout(content)
        middle.setContentsMargins(tokens.XXL, tokens.XXL, tokens.XXL, tokens.XXL)
        column = QVBoxLayout()
        column.setSpacing(tokens.L)
        column.addStretch(1)
        column.addWidget(self.kept)
        card = Card()
        card.body.setContentsMargins(tokens.XXL, tokens.XL, tokens.XXL, tokens.XL)
        for pane in self.panes:
            card.body.addWidget(pane)
        column.addWidget(card)
        column.addStretch(2)
        holder = QWidget()
        holder.setMaximumWidth(_WIDTH)
        holder.setLayout(column)
        middle.addStretch(1)
        middle.addWidget(holder, 100)
        middle.addStretch(1)
        outer.addWidget(scrolled(content))

    def _show(self, pane: QWidget) -> None:
        """One pane; no stack, whose height would be that of the highest."""
        self.pane = pane
        for other in self.panes:
            other.setVisible(other is pane)

    def _on_recovery(self) -> None:
        folder = self.unlocking.folder
        if folder is not None:
            self.recovering.begin(folder)
            self._show(self.recovering)

    def _on_recovered(self, opened: bool) -> None:
        if not opened:
            self._show(self.unlocking)
            self.passphrase.setFocus()

    def _on_guide_left(self) -> None:
        self.guide = None
        self.refresh()

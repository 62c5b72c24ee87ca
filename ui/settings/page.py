"""The page itself: one tab a subject; those about the vault are there while one is open."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QTabWidget

from ui.context import Context
from ui.page import Page, PageName, scrolled
from ui.settings.appearance import AppearanceTab
from ui.settings.authorities import AuthoritiesTab
from ui.settings.keeping import KeepingTab
from ui.settings.network import NetworkTab
from ui.settings.security import SecurityTab
from ui.settings.tab import SettingsTab
from ui.settings.trust import TrustTab

_TABS: Final = (AppearanceTab, SecurityTab, KeepingTab, AuthoritiesTab, NetworkTab, TrustTab)
_WIDTH: Final = 960
"""Fields wider than this are hard to read along."""


class SettingsPage(Page):
    """See the module."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, PageName.SETTINGS)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        context.tongue.bind(self.tabs, self.tabs.setAccessibleName, "ui.page.settings")
        self.made: list[SettingsTab] = [kind(context) for kind in _TABS]
        for tab in self.made:
            tab.setMaximumWidth(_WIDTH)
            self.tabs.addTab(scrolled(tab), "")
        context.tongue.follow(self, self._say)
        self.body.addWidget(self.tabs, 1)
        context.desk.opened.connect(self._on_desk)
        context.desk.locked.connect(self._on_desk)

    def shown(self) -> None:
        """Read everything anew."""
        self._on_desk()

    def show_item(self, item: object) -> None:
        """Bring a tab to the front by its name (``authorities``, ``network``, …)."""
        for place, tab in enumerate(self.made):
            if tab.name == item:
                self.tabs.setCurrentIndex(place)

    def _on_desk(self) -> None:
        opened = self.context.desk.session is not None
        for tab in self.made:
            tab.show_desk(opened)

    def _say(self) -> None:
        for place, tab in enumerate(self.made):
            self.tabs.setTabText(place, self.context.tongue.say(f"ui_settings.tab.{tab.name}"))

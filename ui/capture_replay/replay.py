"""Puts the parts of the replay browser together: window, browser, supply from the archive."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWebEngineCore import QWebEngineNewWindowRequest, QWebEngineSettings
from PySide6.QtWidgets import QApplication

from evidence_desk.core.capture.events import Event
from evidence_desk.core.capture.replay import (
    ReplayEnded,
    ReplayFailed,
    ReplayMessage,
    ReplayOpened,
    ReplayOrder,
)
from evidence_desk.texts import Language
from ui.capture_browser.flow import begin, within
from ui.capture_browser.listener import close_listener
from ui.capture_browser.observer import Observer
from ui.capture_browser.page import EMPTY, CapturePage, Rule
from ui.capture_browser.profile import make_profile
from ui.capture_browser.tabs import Tab
from ui.capture_replay.archive import Archive, RecordedPage
from ui.capture_replay.keeping import Keeper
from ui.capture_replay.supply import Supply
from ui.capture_replay.window import ReplayWindow
from ui.language import Tongue
from ui.look.look import Look

_SCRIPTS: Final = QWebEngineSettings.WebAttribute.JavascriptEnabled
_EXIT_SECONDS: Final = 4.0
_FAILED: Final = 70
_MAX_HIDDEN: Final = 20
_HIDDEN_MS: Final = 2000


class Replay(QObject):
    """One replay, from the empty page to its end."""

    def __init__(
        self,
        application: QApplication,
        order: ReplayOrder,
        archive: Archive,
        say: Callable[[ReplayMessage], None],
    ) -> None:
        super().__init__()
        self._application, self._order, self._archive, self._say = application, order, archive, say
        self._profile = make_profile(archive.plan)
        self._profile.settings().setAttribute(_SCRIPTS, order.scripts)
        self._profile.downloadRequested.connect(self._on_download)
        self._observer = Observer(order.debug_port)
        self._supply = Supply(self._observer, archive)
        page = CapturePage(self._profile, 1, self._on_event, Rule(), accept_certificates=False)
        page.open_window = self._on_window
        self._tab = Tab(page)
        self._window = ReplayWindow(
            Tongue(Language(order.tongue)), Look(application), order, archive, self._tab
        )
        self._ending = self._begun = False
        self._hidden: list[CapturePage] = []
        self._supply.unanswered.connect(self._window.add_unanswered)
        self._observer.lost.connect(lambda: self.fail("capture.browser_observer", ""))
        self._window.chosen.connect(self.open)
        self._window.scripts.connect(self._on_scripts)
        self._window.closed.connect(self._on_closed)
        page.loadFinished.connect(self._on_loaded)

    def start(self) -> None:
        """Begin; everything else follows from events."""
        begin(self._run(), lambda error: self.fail("capture_replay.fault", type(error).__name__))

    def open(self, page: RecordedPage) -> None:
        """Show a page, from the moment at which it was recorded."""
        self._archive.answers.begin(page.at)
        self._supply.missing_page = ""
        self._window.showing(page)
        self._tab.load(page.url)

    def fail(self, code: str, reason: str) -> None:
        """End because of a fault."""
        self._end(ReplayFailed(code=code, reason=reason), _FAILED)

    def leave(self) -> None:
        """The starter is gone."""
        self._exit(1)

    async def _run(self) -> None:
        self._window.fit()
        self._window.show()
        await within(self._tab.load("about:blank"), 10_000)
        if not await self._observer.connect_to_browser():
            self.fail("capture.browser_observer", "")
            return
        close_listener(self._order.debug_port)
        self._supply.page = self._tab.page.devToolsId()
        if not await self._supply.begin():
            self.fail("capture.browser_observer", "Fetch")
            return
        pages = self._archive.pages
        self._say(ReplayOpened(pages=len(pages)))
        if self._order.save:
            keeper = Keeper(
                Path(self._order.save), self._observer, self._supply, self._tab, self._archive.plan
            )
            wanted = [page for page in pages if self._order.page in (0, page.number)]
            await keeper.keep(wanted, self.open, self._say)
            self._end(ReplayEnded(), 0)
        elif pages:
            self._window.choose(max(1, self._order.page))

    def _on_scripts(self, allowed: bool) -> None:
        self._tab.page.settings().setAttribute(_SCRIPTS, allowed)
        self._window.choose_again()

    def _on_loaded(self, _good: bool) -> None:
        if not self._begun and self._tab.page.address != EMPTY:
            self._begun = True
            self._tab.page.history().clear()  # the empty page before the first is none of the capture's
        self._window.missing(self._supply.missing_page)
        self._supply.missing_page = ""

    def _on_event(self, event: Event) -> None:
        self._window.hear(event)

    def _on_download(self, item: object) -> None:
        item.cancel()  # type: ignore[attr-defined]
        self._window.tell("capture_replay.download")

    def _on_window(self, _opener: CapturePage, request: QWebEngineNewWindowRequest) -> None:
        """A window that a person asked for is shown in this one, others are not.

        Chromium has made it already, and its process stands still until it is taken: a hidden page takes it for a moment.
        """
        if len(self._hidden) < _MAX_HIDDEN:
            hidden = CapturePage(self._profile, 2, self._on_event, Rule(), accept_certificates=False)
            self._hidden.append(hidden)
            request.openIn(hidden)
            QTimer.singleShot(_HIDDEN_MS, lambda: self._drop(hidden))
        if request.isUserInitiated():
            self._tab.page.load(request.requestedUrl())
        else:
            self._window.tell("capture_replay.popup")

    def _drop(self, hidden: CapturePage) -> None:
        if hidden in self._hidden:
            self._hidden.remove(hidden)
            hidden.deleteLater()

    def _on_closed(self) -> None:
        self._end(ReplayEnded(), 0)

    def _end(self, message: ReplayMessage, status: int) -> None:
        if not self._ending:
            self._say(message)
        self._exit(status)

    def _exit(self, status: int) -> None:
        if self._ending:
            return
        self._ending = True
        timer = threading.Timer(_EXIT_SECONDS, os._exit, (status,))
        timer.daemon = True
        timer.start()
        self._window.hide()
        for hidden in list(self._hidden):
            self._drop(hidden)
        self._tab.view.deleteLater()
        self._tab.page.deleteLater()
        QTimer.singleShot(0, lambda: self._application.exit(status))

"""The tabs of a capture: the first, and those that pages or the person opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import QObject, QTimer, QUrl, Signal
from PySide6.QtGui import QColor
from PySide6.QtWebEngineCore import QWebEngineNewWindowRequest, QWebEngineProfile
from PySide6.QtWebEngineWidgets import QWebEngineView

from evidence_desk.core.capture.events import Denied, Event, Popup, Refused, TabClosed
from evidence_desk.core.capture.plan import CapturePlan, CertificatePolicy
from ui.capture_browser.flow import Reply
from ui.capture_browser.page import Answers, CapturePage, Rule, shown

MAX_TABS: Final = 20
_SETTLED_MS: Final = 2000
"""After which the observer has seen a new window."""


class Tab:
    """One page with its view."""

    def __init__(self, page: CapturePage) -> None:
        self.page = page
        self.let_go: Callable[[], None] | None = None
        """What waits until nobody holds it any more."""
        self._holders = 0
        self.made = time.monotonic()
        self.view = QWebEngineView()
        self.view.setPage(page)
        page.setBackgroundColor(QColor("white"))
        self._loading: Reply[bool] = Reply()
        page.loadFinished.connect(self._on_finished)
        page.renderProcessTerminated.connect(lambda *_: self._loading.give(False))

    @property
    def number(self) -> int:
        """From 1, never given twice."""
        return self.page.tab

    @property
    def in_use(self) -> bool:
        """Whether somebody holds it."""
        return self._holders > 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """It is not closed meanwhile, whatever its page wishes."""
        self._holders += 1
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders and self.let_go is not None:
                self.let_go()

    def _on_finished(self, good: bool) -> None:
        self._loading.give(good)

    def load(self, url: str) -> Reply[bool]:
        """Go there; the reply tells whether it loaded."""
        self._loading = Reply()
        self.page.load(QUrl(url))
        return self._loading


class Tabs(QObject):
    """Makes and closes tabs."""

    added = Signal(object)
    removed = Signal(object)

    def __init__(
        self, profile: QWebEngineProfile, plan: CapturePlan, say: Callable[[Event], None], answers: Answers
    ) -> None:
        super().__init__()
        self._profile, self._plan, self._say, self._answers = profile, plan, say, answers
        self._made = 0
        self._turned_away: list[CapturePage] = []
        self.all: list[Tab] = []

    def open(self) -> Tab:
        """One more, empty."""
        self._made += 1
        accept = self._plan.certificate_errors is CertificatePolicy.ACCEPT
        page = CapturePage(self._profile, self._made, self._say, self._answers, accept_certificates=accept)
        page.open_window = self._on_window
        tab = Tab(page)
        page.windowCloseRequested.connect(lambda: self.close(tab, by_page=True))
        self.all.append(tab)
        self.added.emit(tab)
        return tab

    def close(self, tab: Tab, *, by_page: bool) -> None:
        """Close one, or have it closed when nobody holds it any more; the first stays, whoever asks."""
        if tab not in self.all:
            return
        if tab.in_use:
            tab.let_go = lambda: self.close(tab, by_page=by_page)
            return
        if by_page and tab is self.all[0]:
            self._say(Refused(tab=tab.number, what=Denied.CLOSE, url=tab.page.address, detail=""))
            return
        self.all.remove(tab)
        self.removed.emit(tab)
        self._say(TabClosed(tab=tab.number, by_page=by_page))
        _discard(tab, now=False)

    def close_all(self) -> None:
        """Before the profile may go."""
        for tab in self.all:
            _discard(tab, now=True)
        self.all.clear()
        for page in self._turned_away:
            page.deleteLater()
        self._turned_away.clear()

    def _on_window(self, opener: CapturePage, request: QWebEngineNewWindowRequest) -> None:
        url = shown(request.requestedUrl())
        if len(self.all) >= MAX_TABS:
            self._say(Refused(tab=opener.tab, what=Denied.WINDOW, url=url, detail=""))
            self._turn_away(opener, request)
            return
        tab = self.open()
        self._say(Popup(opener=opener.tab, tab=tab.number, url=url, by_user=request.isUserInitiated()))
        request.openIn(tab.page)

    def _turn_away(self, opener: CapturePage, request: QWebEngineNewWindowRequest) -> None:
        """A page waits for ever for a window that nobody takes; so it is taken, and closed. Its scripts open no more."""
        opener.may_open_windows(False)
        page = CapturePage(self._profile, opener.tab, self._say, Rule(), accept_certificates=False)
        page.open_window = self._on_window
        self._turned_away.append(page)

        def close() -> None:
            if page in self._turned_away:
                self._turned_away.remove(page)
                page.deleteLater()

        request.openIn(page)
        QTimer.singleShot(_SETTLED_MS, self, close)


def _discard(tab: Tab, *, now: bool) -> None:
    """The page that opened a window waits for ever when it is gone before the observer has seen it."""
    tab.view.hide()
    tab.view.deleteLater()
    age = round((time.monotonic() - tab.made) * 1000)
    if now or age > _SETTLED_MS:
        tab.page.deleteLater()
    else:
        QTimer.singleShot(_SETTLED_MS - age, tab.page, tab.page.deleteLater)

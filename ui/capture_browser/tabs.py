"""The tabs of a capture: the first, and those that pages or the person opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QColor
from PySide6.QtWebEngineCore import QWebEngineNewWindowRequest, QWebEngineProfile
from PySide6.QtWebEngineWidgets import QWebEngineView

from evidence_desk.core.capture.events import Denied, Event, Popup, Refused, TabClosed
from evidence_desk.core.capture.plan import CapturePlan, CertificatePolicy
from ui.capture_browser.flow import Reply
from ui.capture_browser.page import Answers, CapturePage, shown

MAX_TABS: Final = 20


class Tab:
    """One page with its view."""

    def __init__(self, page: CapturePage) -> None:
        self.page = page
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
        """Close one; the first stays, whoever asks."""
        if tab not in self.all:
            return
        if by_page and tab is self.all[0]:
            self._say(Refused(tab=tab.number, what=Denied.CLOSE, url=tab.page.address, detail=""))
            return
        self.all.remove(tab)
        self.removed.emit(tab)
        self._say(TabClosed(tab=tab.number, by_page=by_page))
        _discard(tab)

    def close_all(self) -> None:
        """Before the profile may go."""
        for tab in self.all:
            _discard(tab)
        self.all.clear()

    def _on_window(self, opener: CapturePage, request: QWebEngineNewWindowRequest) -> None:
        url = shown(request.requestedUrl())
        if len(self.all) >= MAX_TABS:
            self._say(Refused(tab=opener.tab, what=Denied.WINDOW, url=url, detail=""))
            return
        tab = self.open()
        self._say(Popup(opener=opener.tab, tab=tab.number, url=url, by_user=request.isUserInitiated()))
        request.openIn(tab.page)


def _discard(tab: Tab) -> None:
    tab.view.hide()
    tab.view.deleteLater()
    tab.page.deleteLater()

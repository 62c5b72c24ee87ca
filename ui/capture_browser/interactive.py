"""Interactive mode: the person browses in the window; every step is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWebEngineCore import QWebEnginePage

from evidence_desk.core.capture.events import (
    CertificateRefused,
    Crashed,
    Deed,
    Downloaded,
    Event,
    Fault,
    Loaded,
    Navigated,
    Refused,
    Step,
    Unplayable,
    clean,
)
from ui.capture_browser.automatic import probe_media
from ui.capture_browser.flow import Reply
from ui.capture_browser.observer import Observer
from ui.capture_browser.page import EMPTY
from ui.capture_browser.scripts import Scripts
from ui.capture_browser.snapshot import Camera
from ui.capture_browser.steps import MAX_STEPS, Steps
from ui.capture_browser.tabs import Tab, Tabs
from ui.capture_browser.window import CaptureWindow

_CERTIFICATE: Final = "net::ERR_CERT_"


class Interactive(QObject):
    """Carries wishes of the window to pages, and steps to the driver.

    Args:
        run: runs a story; what goes wrong in it is told.
        leaving: looks at the storage of a tab before it is left.
    """

    def __init__(
        self, window: CaptureWindow, tabs: Tabs, observer: Observer, camera: Camera, scripts: Scripts,
        say: Callable[[Event], None], leaving: Callable[[Tab], Reply[None]],
    ) -> None:  # fmt: skip
        super().__init__()
        self._window, self._tabs, self._camera, self._scripts = window, tabs, camera, scripts
        self._say, self._leaving = say, leaving
        self.steps = 0
        self._steps_left_out = False
        self._fresh: set[int] = set()
        """Tabs that a snapshot shows as they are, as far as we know."""
        self._watching = Steps(observer, self._on_step_on_page)
        tabs.added.connect(self._on_added)
        window.went.connect(self._on_went)
        window.back.connect(lambda: self._act(Deed.BACK, QWebEnginePage.WebAction.Back))
        window.forward.connect(lambda: self._act(Deed.FORWARD, QWebEnginePage.WebAction.Forward))
        window.reload.connect(lambda: self._act(Deed.RELOAD, QWebEnginePage.WebAction.Reload))
        window.switched.connect(lambda tab: self._step(Deed.TAB, tab))
        window.closed.connect(self._on_closed)

    async def snapshot(self) -> None:
        """Of the page in front, as the person wished."""
        tab = self._window.current
        self._step(Deed.SNAPSHOT, tab)
        await self._take(tab)

    async def last_snapshot(self) -> None:
        """Of the page in front, unless the last one still shows it."""
        tab = self._window.current
        if tab.number not in self._fresh and tab.page.address != EMPTY and not tab.page.crashed:
            await self._take(tab)

    def finished(self, deed: Deed) -> None:
        """The person ends the capture."""
        self._step(deed, self._window.current)

    def hear(self, event: Event) -> None:
        """Show the person what happened to a page."""
        window = self._window
        match event:
            case Navigated():
                self._fresh.discard(event.tab)
                window.say("")
            case Loaded(error="" | "ERR_ABORTED"):
                pass
            case Loaded():
                self._empty(event.tab)
                if not event.error.startswith(_CERTIFICATE):  # said already, with more
                    window.say("capture.window.load_failed", error=event.error)
            case CertificateRefused(accepted=False, main_frame=True):
                window.say("capture.window.certificate", host=event.host, error=event.error)
            case CertificateRefused(accepted=True):
                window.say("capture.window.certificate_accepted", host=event.host, error=event.error)
            case Crashed():
                window.say("capture.window.crashed")
            case Refused():
                window.say(f"capture.denied.{event.what.value}", detail=event.detail)
            case Downloaded(state="completed"):
                window.say("capture.window.downloaded", name=event.suggested)
            case _:
                pass

    def _empty(self, number: int) -> None:
        """A page that could not be opened leaves the one before in sight, under the new address: take it away."""
        failed = [tab for tab in self._tabs.all if tab.number == number]
        QTimer.singleShot(0, self, lambda: [tab.load(EMPTY) for tab in failed if tab in self._tabs.all])

    async def _take(self, tab: Tab) -> None:
        with tab.held():
            await self._leaving(tab)
            unplayable = await probe_media(self._scripts, tab)
            if unplayable:
                self._say(Unplayable(tab=tab.number, url=tab.page.address, sources=unplayable))
            await self._camera.take(tab)
        self._fresh.add(tab.number)
        self._window.sign.snapshots = self._camera.taken
        self._window.sign.say()

    def _on_added(self, tab: Tab) -> None:
        tab.page.loadStarted.connect(lambda: self._fresh.discard(tab.number))

    def _on_went(self, url: str) -> None:
        tab = self._window.current
        self._step(Deed.ADDRESS, tab, url)
        tab.load(url)

    def _act(self, deed: Deed, action: QWebEnginePage.WebAction) -> None:
        tab = self._window.current
        self._step(deed, tab)
        tab.page.triggerAction(action)

    def _on_closed(self, tab: Tab) -> None:
        self._step(Deed.CLOSE_TAB, tab)
        self._leaving(tab).when_come(lambda: self._tabs.close(tab, by_page=False))

    def _on_step_on_page(self, target: str, deed: Deed, told: str) -> None:
        tab = next((tab for tab in self._tabs.all if tab.page.devToolsId() == target), self._window.current)
        self._step(deed, tab, told)

    def _flooded(self) -> None:
        if not self._steps_left_out:
            self._steps_left_out = True
            self._say(Fault(code="capture.browser_flood", detail=Step.kind))

    def _step(self, deed: Deed, tab: Tab, target: str = "") -> None:
        if self.steps >= MAX_STEPS and deed not in (Deed.FINISH, Deed.ABANDON):
            self._flooded()
            return
        self.steps += 1
        if deed not in (Deed.TAB, Deed.SNAPSHOT, Deed.FINISH, Deed.ABANDON):
            self._fresh.discard(tab.number)
        self._window.sign.steps = self.steps
        self._window.sign.say()
        address = tab.page.address
        self._say(
            Step(number=self.steps, tab=tab.number, deed=deed, url="" if address == EMPTY else address, target=clean(target))
        )  # fmt: skip

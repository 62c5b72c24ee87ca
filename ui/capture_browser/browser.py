"""Puts the parts of the capture browser together, and ends them in order."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, qVersion
from PySide6.QtWebEngineCore import qWebEngineChromiumVersion
from PySide6.QtWidgets import QApplication

from evidence_desk.core.capture.events import Done, Ended, Event, Fault, Heartbeat, Started, Step, clean
from evidence_desk.core.capture.messages import Command, Navigate, Recorded, Setup, Snapshot, Stop
from evidence_desk.core.capture.plan import CaptureMode
from ui.capture_browser.automatic import Automatic
from ui.capture_browser.channel import Channel
from ui.capture_browser.downloads import Downloads
from ui.capture_browser.files import CaptureFolder
from ui.capture_browser.flow import Reply, begin, within
from ui.capture_browser.harvest import Harvest
from ui.capture_browser.listener import close_listener
from ui.capture_browser.observer import Observer
from ui.capture_browser.page import Rule
from ui.capture_browser.profile import make_profile
from ui.capture_browser.snapshot import Camera
from ui.capture_browser.switches import switches
from ui.capture_browser.tabs import Tab, Tabs
from ui.capture_browser.trace import Activity, Trace

_HEARTBEAT_MS: Final = 1000
_LAST_MS: Final = 8000
"""How long the end may take for cookies and storage."""
_EXIT_SECONDS: Final = 4.0


class Browser(QObject):
    """One capture, from the empty page to `Done`."""

    def __init__(self, application: QApplication, setup: Setup, channel: Channel, *, sandbox: bool) -> None:
        super().__init__()
        self._application, self._setup, self._channel, self._sandbox = application, setup, channel, sandbox
        self._plan = setup.plan
        self._folder = CaptureFolder(Path(setup.folder))
        self._profile = make_profile(setup.plan)
        self._activity = Activity()
        self._observer = Observer(setup.debug_port)
        self._trace = Trace(self._folder, self._observer, self._activity)
        self._camera = Camera(self._folder, self._observer, channel)
        self._harvest = Harvest(self._observer)
        self._downloads = Downloads(self._profile, self._folder, self._say)
        self._tabs = Tabs(self._profile, setup.plan, self._say, Rule())
        self._ending = False
        self._steps = 0
        channel.commanded.connect(self._on_command)
        channel.lost.connect(self._on_lost)
        self._observer.lost.connect(self._on_observer_lost)
        self._beat = QTimer(self)
        self._beat.timeout.connect(self._on_beat)

    def start(self) -> None:
        """Begin; everything else follows from events."""
        self._beat.start(_HEARTBEAT_MS)
        begin(self._run(), self._on_failure)

    async def _run(self) -> None:
        tab = self._tabs.open()
        tab.view.resize(*self._plan.viewport)
        tab.view.show()
        await within(tab.load("about:blank"), 10_000)
        if not await self._observer.connect_to_browser():
            self._fail("capture.browser_observer", "")
            return
        closed = close_listener(self._setup.debug_port)
        self._channel.say(
            Started(
                pid=os.getpid(), chromium=str(qWebEngineChromiumVersion()), qt=qVersion(),
                user_agent=self._profile.httpUserAgent(), sandbox=self._sandbox, observer_closed=closed,
                fresh_profile=self._profile.isOffTheRecord(), extra_ca=len(self._plan.extra_ca),
                flags=switches(self._setup),
            )
        )  # fmt: skip
        QTimer.singleShot(self._plan.max_seconds * 1000, lambda: self._finish(Ended.LIMIT))
        if self._plan.mode is CaptureMode.AUTOMATIC:
            automatic = Automatic(
                self._plan, self._tabs, self._activity, self._camera, self._channel,
                self._leaving, lambda: self._downloads.begun,
            )  # fmt: skip
            await automatic.run()
            self._finish(Ended.FINISHED)

    def _leaving(self, tab: Tab) -> Reply[None]:
        return begin(self._harvest.look(tab.page.devToolsId()), self._on_failure)

    def _say(self, event: Event) -> None:
        if not self._ending or not isinstance(event, Step):
            self._channel.say(event)

    def _on_command(self, command: Command) -> None:
        match command:
            case Stop():
                self._finish(Ended.STOPPED)
            case Navigate():
                self._tabs.all[0].load(command.url)
            case Snapshot():
                begin(self._camera.take(self._tabs.all[0]), self._on_failure)
            case Recorded() | Setup():
                pass

    def _on_beat(self) -> None:
        try:
            self._trace.flush()
        except OSError as error:
            self._fail("capture.browser_write", clean(error.strerror or "", 200))
            return
        counts = self._activity
        self._channel.say(
            Heartbeat(
                requests=counts.requests, failed=counts.failed, console=counts.console, errors=counts.errors
            )
        )

    def _on_observer_lost(self) -> None:
        if not self._ending:
            self._fail("capture.browser_observer", "")

    def _on_failure(self, error: BaseException) -> None:
        self._fail("capture.browser_fault", clean(f"{type(error).__name__}: {error}", 500))

    def _fail(self, code: str, detail: str) -> None:
        self._channel.say(Fault(code=code, detail=detail))
        self._finish(Ended.FAULT)

    def _finish(self, reason: Ended) -> None:
        if self._ending:
            return
        self._ending = True
        begin(self._end(reason), lambda _error: self._exit(1))

    async def _end(self, reason: Ended) -> None:
        await within(begin(self._keep_secrets(), lambda _error: None), _LAST_MS)
        self._beat.stop()
        self._trace.close()
        counts = self._activity
        self._channel.say(
            Done(
                reason=reason, steps=self._steps, snapshots=self._camera.taken,
                requests=counts.requests, failed=counts.failed,
            )
        )  # fmt: skip
        self._exit(0)

    async def _keep_secrets(self) -> None:
        for tab in self._tabs.all:
            await self._harvest.look(tab.page.devToolsId())
        self._folder.write("cookies.json", await self._harvest.cookies())
        self._folder.write("storage.json", self._harvest.storage())

    def _on_lost(self) -> None:
        """The driver is gone: nobody keeps what would come now."""
        self._ending = True
        self._exit(1)

    def _exit(self, status: int) -> None:
        timer = threading.Timer(_EXIT_SECONDS, os._exit, (status,))
        timer.daemon = True
        timer.start()
        self._tabs.close_all()
        QTimer.singleShot(0, lambda: self._application.exit(status))

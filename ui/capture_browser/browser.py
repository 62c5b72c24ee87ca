"""Puts the parts of the capture browser together, and ends them in order."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, qVersion
from PySide6.QtWebEngineCore import qWebEngineChromiumVersion
from PySide6.QtWidgets import QApplication

from evidence_desk.core.capture.events import Deed, Done, Ended, Event, Fault, Heartbeat, Started, clean
from evidence_desk.core.capture.messages import Command, Navigate, Recorded, Setup, Snapshot, Stop
from evidence_desk.core.capture.plan import CaptureMode
from evidence_desk.texts import Language
from ui.capture_browser.automatic import Automatic
from ui.capture_browser.boxes import Person
from ui.capture_browser.channel import Channel
from ui.capture_browser.downloads import Downloads
from ui.capture_browser.files import CaptureFolder
from ui.capture_browser.flow import Reply, begin, within
from ui.capture_browser.harvest import Harvest
from ui.capture_browser.interactive import Interactive
from ui.capture_browser.listener import close_listener
from ui.capture_browser.observer import Observer, Target
from ui.capture_browser.page import Rule
from ui.capture_browser.profile import make_profile
from ui.capture_browser.ration import Ration
from ui.capture_browser.scripts import Scripts
from ui.capture_browser.snapshot import Camera
from ui.capture_browser.switches import switches
from ui.capture_browser.tabs import Tab, Tabs
from ui.capture_browser.trace import Trace
from ui.capture_browser.window import CaptureWindow
from ui.language import Tongue
from ui.look.look import Look

_HEARTBEAT_MS: Final = 1000
_SECRETS_MS: Final = 8000
_LAST_SNAPSHOT_MS: Final = 60_000
_HASTY_SNAPSHOT_MS: Final = 8_000
"""When the driver asked for the end: it does not wait long."""
_CUT_SNAPSHOT_MS: Final = 2_000
_HASTY_SECRETS_MS: Final = 2_000
"""A snapshot that stood in the way of such an end, and the rest: less than five seconds together."""
_EXIT_SECONDS: Final = 4.0


class Browser(QObject):
    """One capture, from the empty page to `Done`."""

    def __init__(self, application: QApplication, setup: Setup, channel: Channel, *, sandbox: bool) -> None:
        super().__init__()
        self._application, self._setup, self._channel, self._sandbox = application, setup, channel, sandbox
        self._plan = plan = setup.plan
        self._ration = ration = Ration(channel.say, self._on_full)
        self._automatic = plan.mode is CaptureMode.AUTOMATIC
        self._folder = CaptureFolder(Path(setup.folder))
        self._profile = make_profile(plan)
        self._observer = Observer(setup.debug_port)
        self._trace = Trace(self._folder, self._observer)
        self._harvest = Harvest(self._observer)
        self._downloads = Downloads(self._profile, self._folder, plan.max_bytes, self._say)
        tongue, look = Tongue(Language(setup.tongue)), Look(application)
        self._person = person = Person(tongue, look, lambda: self._window.say("capture.window.hushed"))
        self._tabs = Tabs(self._profile, plan, self._say, Rule() if self._automatic else person)
        self._window = person.window = CaptureWindow(tongue, look, plan, self._tabs)
        self._scripts = Scripts(self._observer)
        show = self._window.bring_to_front
        self._camera = Camera(self._folder, self._observer, ration.say, self._scripts, show)
        self._visits: Automatic | None = None
        self._interactive: Interactive | None = None
        if not self._automatic:
            self._interactive = Interactive(
                self._window,
                self._tabs,
                self._observer,
                self._camera,
                self._scripts,
                ration.say,
                self._leaving,
            )
        self._ending = False
        self._beat = QTimer(self)
        self._connect()

    def start(self) -> None:
        """Begin; everything else follows from events."""
        self._beat.start(_HEARTBEAT_MS)
        begin(self._run(), self._on_failure)

    def slip(self, error: BaseException) -> None:
        """Something of ours went wrong beside the way: told, and the capture goes on."""
        self._say(Fault(code="capture.browser_fault", detail=clean(f"{type(error).__name__}: {error}", 500)))

    def _connect(self) -> None:
        self._channel.commanded.connect(self._on_command)
        self._channel.lost.connect(self._on_lost)
        self._observer.lost.connect(self._on_observer_lost)
        self._observer.attached.connect(self._on_attached)
        self._beat.timeout.connect(self._on_beat)
        window = self._window
        window.snapshot.connect(self._on_snapshot)
        window.finished.connect(
            lambda: self._finish(Ended.STOPPED if self._automatic else Ended.FINISHED, Deed.FINISH)
        )
        window.abandoned.connect(lambda: self._finish(Ended.ABANDONED, Deed.ABANDON))

    async def _run(self) -> None:
        tab = self._tabs.open()
        self._window.fit()
        self._window.show()
        await within(tab.load("about:blank"), 10_000)
        if not await self._observer.connect_to_browser():
            self._fail("capture.browser_observer", "")
            return
        closed = close_listener(self._setup.debug_port)
        self._ration.say(
            Started(
                pid=os.getpid(), chromium=str(qWebEngineChromiumVersion()), qt=qVersion(),
                user_agent=self._profile.httpUserAgent(), sandbox=self._sandbox, observer_closed=closed,
                fresh_profile=self._profile.isOffTheRecord(), extra_ca=len(self._plan.extra_ca),
                flags=switches(self._setup),
            )
        )  # fmt: skip
        QTimer.singleShot(self._plan.max_seconds * 1000, lambda: self._finish(Ended.LIMIT))
        if self._automatic:
            self._visits = Automatic(
                self._plan, self._tabs, self._trace, self._camera, self._scripts, self._downloads,
                self._window.sign, self._ration.say, self._leaving,
            )  # fmt: skip
            await self._visits.run()
            self._finish(Ended.FINISHED)
        elif self._plan.urls:
            tab.load(self._plan.urls[0])
        else:
            self._window.address.setFocus()

    def _leaving(self, tab: Tab) -> Reply[None]:
        done: Reply[None] = Reply()

        def failed(error: BaseException) -> None:
            self.slip(error)
            done.give(None)

        looked = begin(self._harvest.look(tab.page.devToolsId()), failed)
        looked.when_come(lambda: done.give(None))
        return done

    def _say(self, event: Event) -> None:
        """What pages cause, within bounds."""
        self._ration.say(event)
        if self._interactive is not None:
            self._interactive.hear(event)

    def _on_attached(self, target: Target) -> None:
        """Pages that nobody looks at are as large as the plan says, whatever the screen allows."""
        if self._automatic and target.type == "page":
            width, height = self._plan.viewport
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            self._observer.tell("Emulation.setDeviceMetricsOverride", size, target.session)

    def _on_command(self, command: Command) -> None:
        match command:
            case Stop():
                self._finish(Ended.STOPPED)
            case Navigate():
                self._window.current.load(command.url)
            case Snapshot():
                self._on_snapshot()
            case Recorded():
                sign = self._window.sign
                sign.connections, sign.recorded = command.connections, command.size
            case Setup():
                pass

    def _on_snapshot(self) -> None:
        if self._interactive is not None and not self._ending:
            begin(self._interactive.snapshot(), self.slip)

    def _on_beat(self) -> None:
        try:
            self._trace.flush()
        except OSError as error:
            self._fail("capture.browser_write", clean(error.strerror or "", 200))
            return
        counts = self._trace.told
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

    def _on_full(self) -> None:
        """The action log takes no more but the end."""
        self._fail("capture.browser_log_full", "")

    def _fail(self, code: str, detail: str) -> None:
        self._channel.say(Fault(code=code, detail=detail))
        self._finish(Ended.FAULT)

    def _finish(self, reason: Ended, deed: Deed | None = None) -> None:
        if self._ending:
            return
        self._ending = True
        if self._interactive is not None and deed is not None:
            self._interactive.finished(deed)
        self._person.leave()
        self._window.saving()
        begin(self._end(reason), lambda _error: self._exit(1))

    async def _end(self, reason: Ended) -> None:
        if self._visits is not None:
            self._visits.over = True
        hasty = reason in (Ended.ABANDONED, Ended.STOPPED)
        if self._camera.busy and (hasty or self._automatic):
            await self._camera.hurry(_CUT_SNAPSHOT_MS if hasty else _HASTY_SNAPSHOT_MS)
        elif self._interactive is not None and await self._last_wanted(reason):
            wait = _HASTY_SNAPSHOT_MS if hasty else _LAST_SNAPSHOT_MS
            await within(begin(self._interactive.last_snapshot(), self.slip), wait)
        await within(begin(self._keep_secrets(), self.slip), _HASTY_SECRETS_MS if hasty else _SECRETS_MS)
        self._downloads.end()
        self._beat.stop()
        try:
            self._trace.close()
        except OSError as error:
            self._channel.say(Fault(code="capture.browser_write", detail=clean(error.strerror or "", 200)))
        counts, interactive = self._trace.activity, self._interactive
        self._channel.say(
            Done(
                reason=reason, steps=0 if interactive is None else interactive.steps,
                snapshots=self._camera.taken, requests=counts.requests, failed=counts.failed,
            )
        )  # fmt: skip
        self._exit(0)

    async def _last_wanted(self, reason: Ended) -> bool:
        """Whether the page in front is to be kept at the end; one that hangs is not waited for when the driver waits."""
        if reason is Ended.STOPPED:
            return await self._scripts.run(self._window.current, "true", _CUT_SNAPSHOT_MS) is True
        return reason not in (Ended.ABANDONED, Ended.FAULT)

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
        self._window.hide()
        self._tabs.close_all()
        QTimer.singleShot(0, lambda: self._application.exit(status))

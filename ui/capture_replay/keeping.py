"""Saves what pages show in replay, so that it can be held against what the capture pictured; nobody is needed for it."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.capture.events import clean
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.capture.replay import ReplayMessage, ReplayShown
from ui.capture_browser.flow import Patience, Reply, pause, within
from ui.capture_browser.frames import FrameTexts
from ui.capture_browser.observer import Observer
from ui.capture_browser.scripts import Scripts
from ui.capture_browser.tabs import Tab
from ui.capture_browser.trace import clean_all
from ui.capture_replay.archive import RecordedPage
from ui.capture_replay.supply import Supply, Unanswered

LIST: Final = "replay.json"
_LOAD_MS: Final = 30_000
_QUIET: Final = 0.5
"""Seconds without a request after which a page is pictured."""
_SETTLE: Final = 15.0
_STEP_MS: Final = 15_000
_TEXT: Final = "document.body ? document.body.innerText : ''"


class Keeper:
    """Writes ``page-001.png``, ``page-001.txt``… and `LIST` into a folder."""

    def __init__(self, folder: Path, observer: Observer, supply: Supply, tab: Tab, plan: CapturePlan) -> None:
        self._folder, self._observer, self._tab, self._plan = folder, observer, tab, plan
        self._scripts, self._frames = Scripts(observer), FrameTexts(observer)
        self._asked = time.monotonic()
        self._unanswered: list[Unanswered] = []
        supply.busy.connect(self._on_busy)
        supply.unanswered.connect(self._unanswered.append)

    async def keep(
        self,
        pages: Sequence[RecordedPage],
        show: Callable[[RecordedPage], None],
        say: Callable[[ReplayMessage], None],
    ) -> None:
        """Show and save one after the other. OSError when the folder cannot be written."""
        session = self._observer.session_of(self._tab.page.devToolsId())
        width, height = self._plan.viewport
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self._observer.call("Emulation.setDeviceMetricsOverride", size, session)
        listed: list[JSON] = []
        for page in pages:
            listed.append(await self._one(page, session, show))
            title = clean(self._tab.page.title(), 500)
            say(ReplayShown(page=page.number, title=title, unanswered=len(self._unanswered)))
        (self._folder / LIST).write_bytes(encode({"v": "capture-replay/1", "pages": listed}))

    async def _one(
        self, page: RecordedPage, session: str, show: Callable[[RecordedPage], None]
    ) -> dict[str, JSON]:
        self._unanswered.clear()
        loaded: Reply[bool] = Reply()
        connection = self._tab.page.loadFinished.connect(loaded.give)
        show(page)
        await within(loaded, _LOAD_MS)
        self._tab.page.loadFinished.disconnect(connection)
        await self._settled()
        stem = f"page-{page.number:03}"
        own = await self._scripts.run(self._tab, _TEXT)
        inside, _ = await self._frames.read(session, Patience(_STEP_MS))
        text = clean_all(f"{own if isinstance(own, str) else ''}{inside}")
        (self._folder / f"{stem}.txt").write_bytes(text)
        how: dict[str, Any] = {"format": "png", "captureBeyondViewport": False}
        picture = await self._observer.call("Page.captureScreenshot", how, session, wait=_STEP_MS)
        if picture is not None:
            (self._folder / f"{stem}.png").write_bytes(base64.b64decode(picture["data"]))
        return {
            "number": page.number, "url": page.url, "title": clean(self._tab.page.title(), 500),
            "text_sha256": hashlib.sha256(text).hexdigest(), "picture": picture is not None,
            "unanswered": [
                {"method": item.method, "url": clean(item.url), "reason": item.reason}
                for item in self._unanswered
            ],
        }  # fmt: skip

    async def _settled(self) -> None:
        ends = time.monotonic() + _SETTLE
        self._asked = time.monotonic()
        while time.monotonic() < min(ends, self._asked + _QUIET):
            await pause(100)

    def _on_busy(self) -> None:
        self._asked = time.monotonic()

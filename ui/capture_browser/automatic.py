"""Automatic mode: address after address; load, scroll, settle, snapshot. Every limit that was met is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtWebEngineCore import QWebEnginePage

from evidence_desk.core.capture.events import Event, PageState, Unplayable, Visited, clean
from evidence_desk.core.capture.plan import CapturePlan
from ui.capture_browser.downloads import Downloads, Mark
from ui.capture_browser.flow import Reply, pause, within
from ui.capture_browser.page import EMPTY
from ui.capture_browser.scripts import Scripts, Wakefulness
from ui.capture_browser.sign import RecordingSign
from ui.capture_browser.snapshot import MAX_HEIGHT, SNAPSHOT_MS, Camera
from ui.capture_browser.tabs import Tab, Tabs
from ui.capture_browser.trace import Activity, Trace

MAX_SCROLLS: Final = 120
"""Steps of one screen, after which scrolling ends."""
MAX_POPUPS: Final = 8
"""Windows that one page opened of which snapshots are taken."""
KEEP_MS: Final = 60_000
"""Snapshots of one address: of its page, and of the windows that it opened, which share what the page leaves."""
_LEAST_MS: Final = 1000
"""Not worth a snapshot."""
_STEP_MS: Final = 120
_SCRIPT_MS: Final = 2000
_LOOK_MS: Final = 50
_EMPTY_MS: Final = 5000
_LEAVING_MS: Final = 5000
_DOWNLOAD: Final = "capture.page.download"
_NO_ROOM: Final = "capture.page.download_limit"
_HTTP: Final = "capture.page.http_error"
"""No faults of the capture: the address is a file; the server answered with a status of failure, and what it sent is shown."""
_AFTER_MS: Final = 200
"""After a failure, until all that is told of it has come."""
_SCROLL: Final = """(() => { const at = window.scrollY; window.scrollBy({top: window.innerHeight, behavior: "instant"});
return [at, window.scrollY, document.documentElement ? document.documentElement.scrollHeight : 0].join(" "); })()"""
_TOP: Final = "window.scrollTo({top: 0, behavior: 'instant'})"


class Automatic:
    """Visits the addresses of a plan in the first tab."""

    def __init__(
        self, plan: CapturePlan, tabs: Tabs, trace: Trace, camera: Camera, scripts: Scripts, downloads: Downloads,
        sign: RecordingSign, say: Callable[[Event], None], leaving: Callable[[Tab], Reply[None]],
    ) -> None:  # fmt: skip
        self._plan, self._tabs, self._trace = plan, tabs, trace
        self._camera, self._scripts, self._downloads = camera, scripts, downloads
        self._sign, self._say, self._leaving = sign, say, leaving
        self.over = False
        """The capture ends: no further page is visited, and the one that is being visited is not told as done."""

    async def run(self) -> None:
        """All addresses, in order."""
        tab = self._tabs.all[0]
        for number, url in enumerate(self._plan.urls, 1):
            self._sign.address = number
            self._sign.say()
            visited = await self._visit(tab, number, url)
            if self.over:
                break
            self._say(visited)

    async def _visit(self, tab: Tab, number: int, url: str) -> Visited:
        self._trace.activity.begin_page()
        ends, before = time.monotonic() + self._plan.page_seconds, self._downloads.mark
        reasons: list[str] = []
        loaded = await within(tab.load(url), self._plan.page_seconds * 1000)
        if loaded is None:
            reasons.append("capture.page.timeout")
            tab.page.triggerAction(QWebEnginePage.WebAction.Stop)
        elif not loaded:
            await pause(_AFTER_MS)
            loaded = tab.page.http_error
            reasons.append(_HTTP if loaded else self._why_failed(tab, before))
        downloaded = self._downloads.begun > before.begun
        if loaded is not None and (loaded or downloaded):
            await self._come_to_rest(tab, ends, before, reasons)
        shown = tab.page.address != EMPTY
        if shown and not self.over:
            await self._keep(tab, reasons)
        reached = tab.page.address if shown else url if downloaded else ""
        status = max(0, self._trace.activity.status.get(tab.page.devToolsId(), 0))
        failures = len(self._trace.activity.failures)
        if not self.over:
            await self._leave(tab, reasons)
        if failures:
            reasons.append("capture.page.requests_failed")
        failed = not downloaded and (loaded is False or not shown)
        state = self._judge(reasons, before, failed=failed)
        return Visited(
            number=number, url=url, reached=reached, status=status, failed=failures, state=state,
            reasons=tuple(dict.fromkeys(reasons)),
        )  # fmt: skip

    async def _come_to_rest(self, tab: Tab, ends: float, before: Mark, reasons: list[str]) -> None:
        if await self._scripts.wake(tab) is not Wakefulness.AWAKE:
            reasons.append("capture.snapshot.interrupted")
        if self._plan.scroll and tab.page.address != EMPTY and not await self._scroll(tab, ends):
            reasons.append("capture.page.scroll_limit")
        if not await self._settle(ends, before):
            reasons.append("capture.page.not_settled")

    def _judge(self, reasons: list[str], before: Mark, *, failed: bool) -> PageState:
        if self._downloads.failed_since(before):
            reasons.append("capture.page.download_incomplete")
        if self._downloads.left_out > before.left_out:
            reasons.append(_NO_ROOM)
        if failed:
            return PageState.FAILED
        return PageState.PARTIAL if set(reasons) - {_DOWNLOAD, _HTTP} else PageState.LOADED

    def _why_failed(self, tab: Tab, before: Mark) -> str:
        if tab.page.crashed:
            return "capture.page.crashed"
        if self._downloads.begun > before.begun:
            return _DOWNLOAD
        if self._downloads.left_out > before.left_out:
            return _NO_ROOM
        return "capture.page.certificate" if tab.page.refused_certificate else "capture.page.load_failed"

    async def _scroll(self, tab: Tab, ends: float) -> bool:
        """One screen at a time down to the end and back to the top; False when there was no end."""
        good = False
        for _ in range(MAX_SCROLLS):
            if time.monotonic() > ends or tab.page.crashed:
                break
            said = await self._scripts.run(tab, _SCROLL, _SCRIPT_MS)
            if said is None:
                return False
            try:
                before, after, height = (float(part) for part in str(said).split())
            except ValueError:
                break
            if after <= before or after > MAX_HEIGHT:
                good = after <= before
                break
            await pause(_STEP_MS)
            if height <= after:
                good = True
                break
        await self._scripts.run(tab, _TOP)
        return good

    async def _settle(self, ends: float, before: Mark) -> bool:
        """Wait until no request and no download of this page was under way for `settle_ms`; False at the limit."""
        since = time.monotonic()
        while True:
            now = time.monotonic()
            if self._downloads.running_since(before):
                since = now
            elif self._is_quiet(self._trace.told, since) and self._is_quiet(self._trace.activity, since):
                return True
            if now > ends:
                return False
            await pause(_LOOK_MS)

    def _is_quiet(self, activity: Activity, since: float) -> bool:
        quiet = time.monotonic() - max(since, activity.moved)
        return not activity.open and quiet * 1000 >= self._plan.settle_ms

    async def _keep(self, tab: Tab, reasons: list[str]) -> None:
        """Snapshots of the page and of the windows it opened, which are closed then; all of them share `KEEP_MS`."""
        if tab.page.crashed:
            reasons.append("capture.page.crashed")
            return
        ends = time.monotonic() + KEEP_MS / 1000
        await self._probe_media(tab, reasons)
        await self._take(tab, SNAPSHOT_MS, reasons)
        if len(self._tabs.all) > 1 + MAX_POPUPS:
            reasons.append("capture.page.popup_limit")
        opened = self._tabs.all[1 : 1 + MAX_POPUPS]
        for number, popup in enumerate(opened):
            share = round((ends - time.monotonic()) * 1000 / (len(opened) - number))
            if self.over:
                return
            if share < _LEAST_MS:
                reasons.append("capture.page.popup_time")
                return
            await self._keep_popup(popup, share, reasons)

    async def _keep_popup(self, popup: Tab, share: int, reasons: list[str]) -> None:
        if popup not in self._tabs.all:  # closed by itself meanwhile
            return
        if popup.page.crashed:
            reasons.append("capture.page.crashed")
        else:
            with popup.held():
                await self._take(popup, min(share, SNAPSHOT_MS), reasons)
                await within(self._leaving(popup), min(share, _LEAVING_MS))
        self._tabs.close(popup, by_page=False)

    async def _leave(self, tab: Tab, reasons: list[str]) -> None:
        """What the page, its windows and its downloads still do is over, so that the next address has its turn."""
        if tab.page.address != EMPTY and not tab.page.crashed:
            await within(self._leaving(tab), _LEAVING_MS)
        await within(tab.load(EMPTY), _EMPTY_MS)
        self._downloads.end_endless()
        for late in self._tabs.all[1:]:
            if not {"capture.page.popup_limit", "capture.page.popup_time"} & set(reasons):
                reasons.append("capture.page.popup_late")
            self._tabs.close(late, by_page=False)

    async def _take(self, tab: Tab, at_most: int, reasons: list[str]) -> None:
        reasons += (await self._camera.take(tab, at_most)).missing
        self._sign.snapshots = self._camera.taken
        self._sign.say()

    async def _probe_media(self, tab: Tab, reasons: list[str]) -> None:
        unplayable = await probe_media(self._scripts, tab)
        if unplayable:
            reasons.append("capture.page.unplayable")
            self._say(Unplayable(tab=tab.number, url=tab.page.address, sources=unplayable))


_MEDIA: Final = """(() => { const found = [];
for (const media of document.querySelectorAll("video, audio")) {
  const kinds = [...media.querySelectorAll("source")].map(item => [item.src, item.type]);
  if (media.getAttribute("src")) kinds.push([media.src, ""]);
  const hopeless = kinds.length > 0 && kinds.every(([_, type]) => type && media.canPlayType(type) === "");
  if (hopeless || (media.error && media.error.code >= 3) || (media.networkState === 3 && kinds.length > 0))
    for (const [source, type] of kinds) found.push((source + " " + type).trim());
}
return found.slice(0, 50).join("\\n"); })()"""


async def probe_media(scripts: Scripts, tab: Tab) -> tuple[str, ...]:
    """Addresses of sounds and videos that cannot be played here, with the types that the page gives."""
    said = await scripts.run(tab, _MEDIA)
    return (
        tuple(clean(line, 1000) for line in str(said).split("\n")) if isinstance(said, str) and said else ()
    )

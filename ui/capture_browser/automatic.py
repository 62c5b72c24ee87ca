"""Automatic mode: address after address; load, scroll, settle, snapshot. Every limit that was met is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineScript

from evidence_desk.core.capture.events import Event, PageState, Unplayable, Visited, clean
from evidence_desk.core.capture.plan import CapturePlan
from ui.capture_browser.flow import Reply, pause, within
from ui.capture_browser.page import EMPTY
from ui.capture_browser.sign import RecordingSign
from ui.capture_browser.snapshot import MAX_HEIGHT, Camera
from ui.capture_browser.tabs import Tab, Tabs
from ui.capture_browser.trace import Activity

MAX_SCROLLS: Final = 120
"""Steps of one screen, after which scrolling ends."""
MAX_POPUPS: Final = 8
"""Windows that one page opened of which snapshots are taken."""
_STEP_MS: Final = 120
_LOOK_MS: Final = 50
_AFTER_MS: Final = 200
"""After a failure, until all that is told of it has come."""
_WORLD: Final = QWebEngineScript.ScriptWorldId.ApplicationWorld
_SCROLL: Final = """(() => { const at = window.scrollY; window.scrollBy({top: window.innerHeight, behavior: "instant"});
return [at, window.scrollY, document.documentElement ? document.documentElement.scrollHeight : 0].join(" "); })()"""
_TOP: Final = "window.scrollTo({top: 0, behavior: 'instant'})"


class Automatic:
    """Visits the addresses of a plan in the first tab."""

    def __init__(
        self, plan: CapturePlan, tabs: Tabs, activity: Activity, camera: Camera, say: Callable[[Event], None],
        leaving: Callable[[Tab], Reply[None]], downloads: Callable[[], int], sign: RecordingSign,
    ) -> None:  # fmt: skip
        self._plan, self._tabs, self._activity = plan, tabs, activity
        self._camera, self._say, self._sign = camera, say, sign
        self._leaving, self._downloads = leaving, downloads

    async def run(self) -> None:
        """All addresses, in order."""
        tab = self._tabs.all[0]
        for number, url in enumerate(self._plan.urls, 1):
            self._sign.address = number
            self._sign.say()
            self._say(await self._visit(tab, number, url))

    async def _visit(self, tab: Tab, number: int, url: str) -> Visited:
        await within(tab.load(EMPTY), 5000)  # what the page before still does is over
        self._activity.begin_page()
        ends, downloads = time.monotonic() + self._plan.page_seconds, self._downloads()
        reasons: list[str] = []
        loading = tab.load(url)
        loaded = await within(loading, self._plan.page_seconds * 1000)
        if loaded is None:
            reasons.append("capture.page.timeout")
        if loaded is False:
            await pause(_AFTER_MS)
        failed = loaded is False and self._downloads() == downloads
        if loaded is False:
            reasons.append(self._why_failed(tab, downloads))
        elif self._plan.scroll and not await self._scroll(tab, ends):
            reasons.append("capture.page.scroll_limit")
        if loaded is not False and not tab.page.crashed and not await self._settle(ends):
            reasons.append("capture.page.not_settled")
        if loaded is None:
            tab.page.triggerAction(QWebEnginePage.WebAction.Stop)
        shown = tab.page.address != EMPTY
        if shown:
            reasons += await self._keep(tab)
            await within(self._leaving(tab), 5000)
        if self._activity.failures:
            reasons.append("capture.page.requests_failed")
        state = PageState.FAILED if failed else PageState.PARTIAL if reasons else PageState.LOADED
        return Visited(
            number=number, url=url, reached=tab.page.address if shown else "", state=state, reasons=tuple(dict.fromkeys(reasons)),
            status=max(0, self._activity.status.get(tab.page.devToolsId(), 0)),
            failed=len(self._activity.failures),
        )  # fmt: skip

    def _why_failed(self, tab: Tab, downloads: int) -> str:
        if tab.page.crashed:
            return "capture.page.crashed"
        if self._downloads() > downloads:
            return "capture.page.download"
        return "capture.page.certificate" if tab.page.refused_certificate else "capture.page.load_failed"

    async def _scroll(self, tab: Tab, ends: float) -> bool:
        """One screen at a time down to the end and back to the top; False when there was no end."""
        good = False
        for _ in range(MAX_SCROLLS):
            if time.monotonic() > ends or tab.page.crashed:
                break
            said = await self._script(tab, _SCROLL)
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
        await self._script(tab, _TOP)
        return good

    async def _settle(self, ends: float) -> bool:
        """Wait until no request was under way for `settle_ms`; False at the limit."""
        quiet_since = time.monotonic()
        while True:
            now = time.monotonic()
            if self._activity.open:
                quiet_since = now
            elif (now - quiet_since) * 1000 >= self._plan.settle_ms:
                return True
            if now > ends:
                return False
            await pause(_LOOK_MS)

    async def _keep(self, tab: Tab) -> list[str]:
        """Snapshots of the page and of the windows it opened, which are closed then."""
        reasons: list[str] = []
        if tab.page.crashed:
            return ["capture.page.crashed"]
        await self._probe_media(tab, reasons)
        await self._take(tab, reasons)
        for number, popup in enumerate(self._tabs.all[1:]):
            if number < MAX_POPUPS and not popup.page.crashed:
                await self._take(popup, reasons)
            else:
                reasons.append("capture.page.popup_limit")
            await within(self._leaving(popup), 5000)
            self._tabs.close(popup, by_page=False)
        return reasons

    async def _take(self, tab: Tab, reasons: list[str]) -> None:
        reasons += (await self._camera.take(tab)).missing
        self._sign.snapshots = self._camera.taken
        self._sign.say()

    async def _probe_media(self, tab: Tab, reasons: list[str]) -> None:
        unplayable = await probe_media(tab)
        if unplayable:
            reasons.append("capture.page.unplayable")
            self._say(Unplayable(tab=tab.number, url=tab.page.address, sources=unplayable))

    async def _script(self, tab: Tab, script: str) -> object:
        answer: Reply[object] = Reply()
        tab.page.runJavaScript(script, _WORLD.value, answer.give)
        return await within(answer, 5000)


_MEDIA: Final = """(() => { const found = [];
for (const media of document.querySelectorAll("video, audio")) {
  const kinds = [...media.querySelectorAll("source")].map(item => [item.src, item.type]);
  if (media.getAttribute("src")) kinds.push([media.src, ""]);
  const hopeless = kinds.length > 0 && kinds.every(([_, type]) => type && media.canPlayType(type) === "");
  if (hopeless || (media.error && media.error.code >= 3) || (media.networkState === 3 && kinds.length > 0))
    for (const [source, type] of kinds) found.push((source + " " + type).trim());
}
return found.slice(0, 50).join("\\n"); })()"""


async def probe_media(tab: Tab) -> tuple[str, ...]:
    """Addresses of sounds and videos that cannot be played here, with the types that the page gives."""
    answer: Reply[object] = Reply()
    tab.page.runJavaScript(_MEDIA, _WORLD.value, answer.give)
    said = await within(answer, 5000)
    return (
        tuple(clean(line, 2000) for line in str(said).split("\n")) if isinstance(said, str) and said else ()
    )

"""A snapshot of a page as it stands: pictures, PDF, document, archive, text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from PySide6.QtCore import QByteArray

from evidence_desk.core.capture.events import Fault, Snapped, clean
from ui.capture_browser.channel import Channel
from ui.capture_browser.files import CaptureFolder
from ui.capture_browser.flow import Reply, within
from ui.capture_browser.observer import Observer
from ui.capture_browser.scripts import Scripts, Wakefulness
from ui.capture_browser.tabs import Tab
from ui.capture_browser.trace import clean_all

MAX_HEIGHT: Final = 40_000
"""CSS pixels of a page that are pictured."""
PART: Final = 8_000
"""Height of one picture of the whole page, CSS pixels."""
MAX_WIDTH: Final = 8_000
MAX_DOCUMENT: Final = 64 << 20
"""Bytes of document, archive or text that are kept."""
_WAIT_MS: Final = 20_000
_PDF_MS: Final = 40_000
_DOCUMENT: Final = """(() => { const kind = document.doctype;
return (kind ? new XMLSerializer().serializeToString(kind) + "\\n" : "")
  + (document.documentElement ? document.documentElement.outerHTML : ""); })()"""
_TEXT: Final = "document.body ? document.body.innerText : ''"


@dataclass(slots=True)
class _Taken:
    names: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


class Camera:
    """Takes numbered snapshots, one after the other."""

    def __init__(
        self,
        folder: CaptureFolder,
        observer: Observer,
        channel: Channel,
        scripts: Scripts,
        show: Callable[[Tab], None],
    ) -> None:
        self._folder, self._observer, self._channel = folder, observer, channel
        self._scripts, self._show = scripts, show
        self.taken = 0
        self._last: Reply[bool] = Reply()
        self._last.give(True)

    async def take(self, tab: Tab) -> Snapped:
        """Take one and tell it."""
        before, mine = self._last, Reply[bool]()
        self._last = mine
        await before
        try:
            return await self._take(tab)
        finally:
            mine.give(True)

    async def _take(self, tab: Tab) -> Snapped:
        self.taken += 1
        self._show(tab)
        stem = f"page-{self.taken:03}"
        result = _Taken()
        session = self._observer.session_of(tab.page.devToolsId())
        url, title = "", clean(tab.page.title(), 500)
        text, height, shown = None, 0, 0
        wakefulness = await self._scripts.wake(tab)
        if wakefulness is Wakefulness.WOKEN:
            result.missing.append("capture.snapshot.interrupted")
        if wakefulness is Wakefulness.HUNG:
            result.missing.append("capture.snapshot.unresponsive")
        else:
            url = clean(
                str(await self._scripts.run(tab, "location.href") or ""), 8192
            )  # of what is shown, whatever is loading
            text = await self._script(tab, _TEXT)
            await self._picture(result, session, f"{stem}-viewport.png", {})
            height, shown = await self._pictures(result, session, stem)
            await self._documents(result, tab, session, stem, text)
        event = Snapped(
            number=self.taken, tab=tab.number, url=url, title=title, names=tuple(result.names),
            missing=tuple(result.missing), text_sha256="" if text is None else hashlib.sha256(text).hexdigest(),
            page_height=height, shown_height=shown,
        )  # fmt: skip
        self._channel.say(event)
        return event

    async def _documents(self, result: _Taken, tab: Tab, session: str, stem: str, text: bytes | None) -> None:
        self._keep(result, f"{stem}.txt", text, "text")
        self._keep(result, f"{stem}-dom.html", await self._script(tab, _DOCUMENT), "dom")
        archive = await self._observer.call(
            "Page.captureSnapshot", {"format": "mhtml"}, session, wait=_WAIT_MS
        )
        self._keep(result, f"{stem}.mhtml", None if archive is None else clean_all(archive["data"]), "mhtml")
        self._keep(result, f"{stem}.pdf", await self._pdf(tab), "pdf")

    async def _picture(self, result: _Taken, session: str, name: str, how: dict[str, Any]) -> None:
        given = {"format": "png", "captureBeyondViewport": bool(how), **how}
        picture = await self._observer.call("Page.captureScreenshot", given, session, wait=_WAIT_MS)
        data = None if picture is None else base64.b64decode(picture["data"])
        self._keep(result, name, data or None, "picture", limit=1 << 30)

    async def _pictures(self, result: _Taken, session: str, stem: str) -> tuple[int, int]:
        """The whole page from top to bottom, in parts; returns its height and how much of it was pictured."""
        metrics = await self._observer.call("Page.getLayoutMetrics", {}, session)
        if metrics is None:
            result.missing.append("capture.snapshot.full_picture")
            return 0, 0
        size = metrics["cssContentSize"]
        width, height = min(round(size["width"]), MAX_WIDTH), round(size["height"])
        shown = min(height, MAX_HEIGHT)
        for part, top in enumerate(range(0, max(shown, 1), PART), 1):
            clip = {
                "x": 0,
                "y": top,
                "width": max(1, width),
                "height": max(1, min(PART, shown - top)),
                "scale": 1,
            }
            await self._picture(result, session, f"{stem}-full-{part:02}.png", {"clip": clip})
        if shown < height:
            result.missing.append("capture.snapshot.below")
        return height, shown

    async def _script(self, tab: Tab, script: str) -> bytes | None:
        value = await self._scripts.run(tab, script, _WAIT_MS)
        return clean_all(value) if isinstance(value, str) else None

    async def _pdf(self, tab: Tab) -> bytes | None:
        printed: Reply[QByteArray] = Reply()
        tab.page.printToPdf(printed.give)
        data = await within(printed, _PDF_MS)
        return None if data is None else bytes(data.data()) or None

    def _keep(
        self, result: _Taken, name: str, data: bytes | None, what: str, *, limit: int = MAX_DOCUMENT
    ) -> None:
        if data is None:
            result.missing.append(f"capture.snapshot.{what}")
            return
        if len(data) > limit:
            result.missing.append(f"capture.snapshot.{what}_end")
            data = data[:limit]
        try:
            self._folder.write(name, data)
        except OSError as error:
            result.missing.append(f"capture.snapshot.{what}")
            self._channel.say(Fault(code="capture.browser_write", detail=clean(error.strerror or "", 200)))
        else:
            result.names.append(name)

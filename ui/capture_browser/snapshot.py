"""A snapshot of a page as it stands: pictures, PDF, document, archive, text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from PySide6.QtCore import QByteArray

from evidence_desk.core.capture.events import Event, Fault, Snapped, clean
from ui.capture_browser.files import CaptureFolder
from ui.capture_browser.flow import Patience, Reply, begin, pause, within
from ui.capture_browser.frames import FrameTexts
from ui.capture_browser.observer import Observer, Params
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
SNAPSHOT_MS: Final = 30_000
"""All steps of one snapshot together."""
_STEP_MS: Final = 15_000
_AFTER_MS: Final = 500
_DRAIN_MS: Final = 200
"""Until what a page had asked for before its scripts were stopped has come."""
_DISABLED: Final = "Emulation.setScriptExecutionDisabled"
_PLAIN: Final = frozenset({"txt", "mhtml", "pdf"})
_DOCUMENT: Final = """(() => { const kind = document.doctype;
return (kind ? new XMLSerializer().serializeToString(kind) + "\\n" : "")
  + (document.documentElement ? document.documentElement.outerHTML : ""); })()"""
_TEXT: Final = "document.body ? document.body.innerText : ''"
_PLACE: Final = """[location.href, document.documentElement ? "" : "empty"].join(" ")"""


@dataclass(slots=True)
class _Taken:
    tab: Tab
    session: str
    stem: str
    patience: Patience
    names: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


class Camera:
    """Takes numbered snapshots, one after the other."""

    def __init__(
        self,
        folder: CaptureFolder,
        observer: Observer,
        say: Callable[[Event], None],
        scripts: Scripts,
        show: Callable[[Tab], None],
    ) -> None:
        self._folder, self._observer, self._say = folder, observer, say
        self._scripts, self._show = scripts, show
        self._frames = FrameTexts(observer)
        self.taken = 0
        self._patience = Patience(0)
        self._last: Reply[bool] = Reply()
        self._last.give(True)

    @property
    def busy(self) -> bool:
        """Whether a snapshot is being taken."""
        return not self._last.come

    async def hurry(self, milliseconds: int) -> None:
        """The snapshot that is being taken has so long; what it lacks then is told. Returns when it is done, or soon after."""
        self._patience.shorten(milliseconds)
        await within(self._last, milliseconds + _AFTER_MS)

    async def take(self, tab: Tab, at_most: int = SNAPSHOT_MS) -> Snapped:
        """Take one and tell it; `at_most` milliseconds for all its steps."""
        before, mine = self._last, Reply[bool]()
        self._last = mine
        await before
        try:
            with tab.held():
                return await self._take(tab, at_most)
        finally:
            mine.give(True)

    async def _take(self, tab: Tab, at_most: int) -> Snapped:
        self.taken += 1
        self._show(tab)
        self._patience = Patience(at_most)
        session = self._observer.session_of(tab.page.devToolsId())
        result = _Taken(tab, session, f"page-{self.taken:03}", self._patience)
        url, title, text, height, shown = "", clean(tab.page.title(), 500), None, 0, 0
        woken = begin(self._scripts.wake(tab), self._slip)
        wakefulness = await self._patience.wait(woken, at_most)
        if wakefulness is Wakefulness.WOKEN:
            result.missing.append("capture.snapshot.interrupted")
        if wakefulness in (Wakefulness.HUNG, None):
            result.missing.append("capture.snapshot.unresponsive")
        else:
            place, _, state = str(await self._asked(result, _PLACE) or "").partition(" ")
            url = clean(place, 8192)  # of what is shown, whatever is loading
            if state == "empty":  # nothing of it has come; it will not be painted
                result.missing.append("capture.snapshot.empty")
            else:
                text = await self._text(result)
                height, shown = await self._pictures(result)
                await self._documents(result, text)
        event = Snapped(
            number=self.taken, tab=tab.number, url=url, title=title, names=tuple(result.names),
            missing=tuple(dict.fromkeys(result.missing)),
            sha256=tuple(result.digests),
            page_height=height, shown_height=shown,
        )  # fmt: skip
        self._say(event)
        return event

    def _slip(self, error: BaseException) -> None:
        self._say(Fault(code="capture.browser_fault", detail=clean(f"{type(error).__name__}: {error}", 500)))

    async def _text(self, result: _Taken) -> bytes | None:
        """What is read on the page, then in its frames."""
        own = await self._script(result, _TEXT)
        if own is None:
            return None
        inside, whole = await self._frames.read(result.session, result.patience)
        if not whole:
            result.missing.append("capture.snapshot.frames")
        return own + clean_all(inside)

    async def _documents(self, result: _Taken, text: bytes | None) -> None:
        self._keep(result, "txt", text, "text")
        self._keep(result, "dom.html", await self._script(result, _DOCUMENT), "dom")
        archive = await self._call(result, "Page.captureSnapshot", {"format": "mhtml"})
        self._keep(result, "mhtml", None if archive is None else clean_all(archive["data"]), "mhtml")
        self._keep(result, "pdf", await self._pdf(result), "pdf")

    async def _picture(self, result: _Taken, name: str, how: dict[str, Any]) -> bool:
        given = {"format": "png", "captureBeyondViewport": bool(how), **how}
        picture = await self._call(result, "Page.captureScreenshot", given)
        data = None if picture is None else base64.b64decode(picture["data"])
        self._keep(result, name, data or None, "picture", limit=1 << 30)
        return bool(data)

    async def _pictures(self, result: _Taken) -> tuple[int, int]:
        """The window, then the whole page from top to bottom, in parts; returns its height and how much of it was pictured."""
        metrics = None
        if await self._picture(
            result, "viewport.png", {}
        ):  # a page that is not painted now will not be later
            metrics = await self._call(result, "Page.getLayoutMetrics", {})
        if metrics is None:
            result.missing.append("capture.snapshot.full_picture")
            return 0, 0
        size = metrics["cssContentSize"]
        width, height = max(1, min(round(size["width"]), MAX_WIDTH)), round(size["height"])
        shown = 0
        for part, top in enumerate(range(0, max(min(height, MAX_HEIGHT), 1), PART), 1):
            deep = max(1, min(PART, min(height, MAX_HEIGHT) - top))
            clip = {"x": 0, "y": top, "width": width, "height": deep, "scale": 1}
            if not await self._picture(result, f"full-{part:02}.png", {"clip": clip}):
                break
            shown = min(height, top + deep)
        if height > MAX_HEIGHT:
            result.missing.append("capture.snapshot.below")
        return height, shown

    async def _script(self, result: _Taken, script: str) -> bytes | None:
        value = await self._asked(result, script)
        return clean_all(value) if isinstance(value, str) else None

    async def _asked(self, result: _Taken, script: str) -> object:
        if not result.patience.left:
            return None
        return await result.patience.wait(self._scripts.ask(result.tab, script), _STEP_MS)

    async def _call(self, result: _Taken, method: str, given: Params) -> Params | None:
        if not result.patience.left:
            return None
        asked = self._observer.request(method, given, result.session)
        return await result.patience.wait(asked, _STEP_MS)

    async def _pdf(self, result: _Taken) -> bytes | None:
        if not result.patience.left:
            return None
        prints = result.tab.page.prints
        if prints:  # a print of its own meanwhile, and the answer would never come
            await self._hush(result, hushed=True)
            await pause(_DRAIN_MS)
        printed: Reply[QByteArray] = Reply()
        result.tab.page.printToPdf(printed.give)
        data = await result.patience.wait(printed, SNAPSHOT_MS)
        if prints:
            await self._hush(result, hushed=False)
        return None if data is None else bytes(data.data()) or None

    async def _hush(self, result: _Taken, *, hushed: bool) -> None:
        """Scripts of a page and of its frames run not, or again."""
        for item in list(self._observer.targets.values()):
            if result.session in (item.session, item.parent) and item.type in ("page", "iframe"):
                asked = self._observer.request(_DISABLED, {"value": hushed}, item.session)
                if hushed:  # the way back is not waited for: the time may be over
                    await result.patience.wait(asked, _STEP_MS)

    def _keep(
        self, result: _Taken, end: str, data: bytes | None, what: str, *, limit: int = MAX_DOCUMENT
    ) -> None:
        """Writes a file of the snapshot, named after it and this end."""
        name = f"{result.stem}{'.' if end in _PLAIN else '-'}{end}"
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
            self._say(Fault(code="capture.browser_write", detail=clean(error.strerror or "", 200)))
        else:
            result.names.append(name)
            result.digests.append(hashlib.sha256(data).hexdigest())

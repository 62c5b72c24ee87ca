"""Text of the frames inside a page, of other processes too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evidence_desk.core.capture.events import clean
from ui.capture_browser.flow import Patience
from ui.capture_browser.observer import Observer, Params

MAX_FRAMES: Final = 100
MAX_TEXT: Final = 8 << 20
"""Characters of one frame."""
_STEP_MS: Final = 2_000
_WORLD: Final = "evidence-desk"
_TEXT: Final = "innerWidth > 0 && innerHeight > 0 && document.body ? document.body.innerText : ''"
"""Frames that are not shown would give the text of their scripts."""


class FrameTexts:
    """Reads them, frame by frame."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    async def read(self, session: str, patience: Patience) -> tuple[str, bool]:
        """Texts of all frames below a page, each under a line with its address; and whether none is missing."""
        parts: list[str] = []
        frames, whole = await self._frames(session, patience)
        for one, frame in frames[:MAX_FRAMES]:
            text, answered = await self._text(one, frame["id"], patience)
            whole &= answered
            if text.strip():
                parts.append(f"\n\n==== iframe {clean(frame['url'], 2000)} ====\n{text[:MAX_TEXT]}")
        return "".join(parts), whole and len(frames) <= MAX_FRAMES

    async def _frames(self, session: str, patience: Patience) -> tuple[list[tuple[str, Params]], bool]:
        """Frames with their sessions, those of the same process first."""
        found: list[tuple[str, Params]] = []
        whole, sessions = True, [session]
        for one in sessions:
            reply = self._observer.request("Page.getFrameTree", {}, one)
            tree = await patience.wait(reply, _STEP_MS)
            whole &= reply.come
            if tree is not None:
                frames = list(_flat(tree["frameTree"]))
                found += [(one, frame) for frame in frames[one == session :]]
            sessions += [
                item.session
                for item in self._observer.targets.values()
                if item.parent == one and item.type == "iframe" and len(sessions) <= MAX_FRAMES
            ]
        return found, whole

    async def _text(self, session: str, frame: str, patience: Patience) -> tuple[str, bool]:
        given = {"frameId": frame, "worldName": _WORLD}
        world = self._observer.request("Page.createIsolatedWorld", given, session)
        made = await patience.wait(world, _STEP_MS)
        if made is None:
            return "", world.come  # refused: it is gone
        asked = {"expression": _TEXT, "contextId": made["executionContextId"], "returnByValue": True}
        reply = self._observer.request("Runtime.evaluate", asked, session)
        said = await patience.wait(reply, _STEP_MS)
        value = None if said is None else said["result"].get("value")
        return value if isinstance(value, str) else "", reply.come


def _flat(tree: Params) -> Iterator[Params]:
    yield tree["frame"]
    for child in tree.get("childFrames", ()):
        yield from _flat(child)

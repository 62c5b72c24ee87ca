"""Our own scripts in pages, in a world where the page's scripts cannot reach them."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from PySide6.QtWebEngineCore import QWebEngineScript

from ui.capture_browser.flow import Reply, within
from ui.capture_browser.observer import Observer
from ui.capture_browser.tabs import Tab

_WORLD: Final = QWebEngineScript.ScriptWorldId.ApplicationWorld
_PING_MS: Final = 3000


class Wakefulness(Enum):
    """Whether a page answers."""

    AWAKE = auto()
    WOKEN = auto()
    """A script of its own ran without end, and was interrupted."""
    HUNG = auto()


class Scripts:
    """Runs scripts; nothing waits longer than it says."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    async def run(self, tab: Tab, script: str, wait: int = 5000) -> object:
        """Value of a script, None when it gives none or the page does not answer."""
        return await within(self.ask(tab, script), wait)

    def ask(self, tab: Tab, script: str) -> Reply[object]:
        """Value of a script, None when it gives none; nothing comes while the page does not answer."""
        answer: Reply[object] = Reply()
        if tab.page.crashed:
            answer.give(None)
        else:
            tab.page.runJavaScript(script, _WORLD.value, answer.give)
        return answer

    async def wake(self, tab: Tab) -> Wakefulness:
        """See whether a page answers; when not, interrupt what its script does."""
        if await self.run(tab, "true", _PING_MS) is True:
            return Wakefulness.AWAKE
        session = self._observer.session_of(tab.page.devToolsId())
        self._observer.tell("Runtime.terminateExecution", {}, session)
        answers = await self.run(tab, "true", _PING_MS) is True
        return Wakefulness.WOKEN if answers else Wakefulness.HUNG

"""Messages that wait until a page has a moment: to look at each at once takes the very thread that pages are loaded by."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer

_QUIET_MS: Final = 100
"""Nothing came for so long: now there is time."""
_LONGEST: Final = 2.0
"""Seconds; a page that never rests is looked at all the same."""
_MOST: Final = 8 << 20
"""Characters that wait at most."""
_SLICE: Final = 0.005
"""Seconds of work in one piece."""


class Backlog(QObject):
    """Gives every text to `take`, with the moment it came (`time.monotonic`), in order; later, but never not at all."""

    def __init__(self, take: Callable[[str, float], None], parent: QObject) -> None:
        super().__init__(parent)
        self._take = take
        self._texts: deque[tuple[str, float]] = deque()
        self._size = 0
        self._since = 0.0
        self._working = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._work)

    def add(self, text: str) -> None:
        """One more."""
        now = time.monotonic()
        if not self._texts:
            self._since = now
        self._texts.append((text, now))
        self._size += len(text)
        if self._size > _MOST:
            self.catch_up()
        elif not self._working:
            self._timer.start(_QUIET_MS if now - self._since < _LONGEST else 0)

    def catch_up(self) -> None:
        """Take all now."""
        while self._texts:
            self._take_one()

    def _work(self) -> None:
        ends = time.monotonic() + _SLICE
        try:
            while self._texts and time.monotonic() < ends:
                self._take_one()
        finally:
            self._working = bool(self._texts)
            if self._working:
                self._timer.start(0)

    def _take_one(self) -> None:
        text, moment = self._texts.popleft()
        self._size -= len(text)
        self._take(text, moment)

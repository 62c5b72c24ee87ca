"""The longest time for which the window's thread did not come round to its events. Figures for the bench, no assertions."""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer

TICK_MS: Final = 5


class Watchdog(QObject):
    """Runs between `start` and `stop`; ticks every 5 ms when nothing holds the thread up.

    Attributes:
        longest: milliseconds between two ticks, at most.
        gaps: all of them that were longer than `over`, in order.
    """

    def __init__(self, over: float = 50.0) -> None:
        super().__init__()
        self.longest = 0.0
        self.gaps: list[float] = []
        self._over = over
        self._last = 0.0
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)

    def start(self) -> None:
        """Forget what was before, and watch."""
        self.longest, self.gaps = 0.0, []
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> float:
        """Stop; returns `longest`."""
        self._on_tick()
        self._timer.stop()
        return self.longest

    def _on_tick(self) -> None:
        now = time.perf_counter()
        gap = (now - self._last) * 1000
        self._last = now
        self.longest = max(self.longest, gap)
        if gap > self._over:
            self.gaps.append(gap)

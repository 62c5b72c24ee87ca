"""How long the window's thread was away: a timer of 5 ms that notes the gaps between its ticks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Qt, QTimer

TICK_MS = 5


@dataclass
class Watchdog:
    """Runs from `start` to `stop`; gaps in milliseconds beyond the tick itself."""

    gaps: list[float] = field(default_factory=list)
    _last: float = 0.0
    _timer: QTimer | None = None

    def start(self, parent: QObject | None = None) -> None:
        """Begin to watch the thread that calls."""
        self._timer = QTimer(parent, interval=TICK_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._last = time.perf_counter()
        self._timer.start()

    def stop(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.stop()

    @property
    def longest(self) -> float:
        """The longest gap."""
        return max(self.gaps, default=0.0)

    def share(self, part: float) -> float:
        """The gap that `part` of all do not exceed."""
        ordered = sorted(self.gaps)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(max(0.0, (now - self._last) * 1000 - TICK_MS))
        self._last = now

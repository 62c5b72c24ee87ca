"""What the sealing thread says of the queue, collected for the window to fetch: no signal an item."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from evidence_desk.core.queue_ports import QueueItem

_WINDOW: Final = 6.0
"""Seconds over which speed is measured."""
_PASSES: Final = 2
"""Bytes are read twice: encrypted, then decrypted from disk and compared."""


@dataclass(slots=True)
class Feed:
    """A `QueueWatcher`; everything else is called in the window's thread."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _finished: deque[QueueItem] = field(default_factory=deque)
    _current: QueueItem | None = None

    def started(self, item: QueueItem) -> None:
        """See `QueueWatcher`."""
        with self._lock:
            self._current = item

    def finished(self, item: QueueItem) -> None:
        """See `QueueWatcher`."""
        with self._lock:
            self._finished.append(item)
            if self._current is not None and self._current.id == item.id:
                self._current = None

    @property
    def current(self) -> QueueItem | None:
        """The item in hand."""
        with self._lock:
            return self._current

    def fetch(self) -> list[QueueItem]:
        """Items finished since the last call."""
        with self._lock:
            found = list(self._finished)
            self._finished.clear()
            return found


class Pace:
    """Speed and time left from the bytes passed."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque()

    def note(self, done: float, *, now: float | None = None) -> None:
        """`done` bytes were sealed until now."""
        moment = time.monotonic() if now is None else now
        if self._marks and done < self._marks[-1][1]:
            self._marks.clear()
        self._marks.append((moment, done))
        while moment - self._marks[0][0] > _WINDOW:
            self._marks.popleft()

    @property
    def speed(self) -> float:
        """Bytes a second, 0 when not known yet."""
        if len(self._marks) < 2:
            return 0.0
        (begin, first), (end, last) = self._marks[0], self._marks[-1]
        return (last - first) / (end - begin) if end > begin else 0.0

    def left(self, remaining: float) -> int | None:
        """Seconds for the remaining bytes, None when not known."""
        return round(remaining / self.speed) if self.speed > 0 else None

    def clear(self) -> None:
        """Forget; after a pause."""
        self._marks.clear()


def part_of(stage: str, done: int, total: int) -> float:
    """How much of a file is done, 0 to 1, from one step of its job."""
    if total <= 0:
        return 0.0
    return (done / total + (1 if stage == "verify" else 0)) / _PASSES

"""Time as this process lived it: what passed while it was stopped, or the machine asleep, is nobody's silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

TICK: Final = 0.5
"""Seconds between two ticks, as they are meant to come."""
_MOST: Final = 2 * TICK
"""What a gap between two ticks counts at most: a busy machine is slow for everybody."""
_STALL: Final = 6 * TICK
"""A gap from which this process was held up itself."""


class AwakeTime:
    """Seconds seen passing, tick by tick. Ticks belong to one thread; `now` may be read by any.

    Args:
        clock: seconds that only run forward. Whether they run on while the machine sleeps is the system's choice.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self.now = 0.0

    def tick(self) -> bool:
        """Whether this process was held up since the last tick."""
        moment = self._clock()
        gap, self._last = moment - self._last, moment
        self.now += min(gap, _MOST)
        return gap >= _STALL

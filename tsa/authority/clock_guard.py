"""Decides whether the clock may be believed at this moment; when in doubt no token is issued.

The wall clock is held against the steady clock of the machine (a step shows as a difference), against the time of the
last token of an earlier run, and against other sources where they are configured. A doubt stays until the process is
started again by a person: a clock that was set to and fro must not go unnoticed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.core.ports import Clock
from evidence_desk.errors import EvidenceDeskError, HostError

ANCHOR_LIFE: Final = timedelta(minutes=10)
"""How long one comparison point serves: quartz drift over this time stays far below a second."""
SOURCE_LIFE: Final = timedelta(minutes=1)
"""How long an answer of the other sources serves."""
_MILLISECOND: Final = timedelta(milliseconds=1)


def steady() -> float:
    """Seconds of a clock that nobody can set and that goes on while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class _Anchor:
    wall: datetime
    steady: float


class ClockGuard:
    """Gives the time, or refuses.

    Args:
        clock: wall clock.
        tolerance: greatest difference that is accepted; the accuracy stated in the tokens.
        not_before: time of the newest token of earlier runs, if any.
        sources: other clocks by name, each a function that returns the present time or raises our errors.
        steady_clock: seconds, for tests.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        tolerance: timedelta,
        not_before: datetime | None = None,
        sources: Mapping[str, Callable[[], datetime]] | None = None,
        steady_clock: Callable[[], float] = steady,
    ) -> None:
        self._clock = clock
        self._tolerance = tolerance
        self._sources = dict(sources or {})
        self._steady = steady_clock
        self._mutex = threading.Lock()
        self._anchor = self._read()
        self._asked: float | None = None
        self._doubt: HostError | None = None
        if not_before is not None and self._anchor.wall < not_before - tolerance:
            self._doubt = HostError(
                "authority.clock_went_back", seconds=int((not_before - self._anchor.wall).total_seconds())
            )

    def now(self) -> datetime:
        """The present time, UTC.

        Raises:
            HostError: ``authority.clock_went_back``, ``authority.clock_jumped``,
                ``authority.clock_sources_disagree``, ``authority.clock_source_silent``.
        """
        with self._mutex:
            if self._doubt is not None:
                raise HostError(self._doubt.code, **self._doubt.parameters)
            try:
                self._ask_sources()
                return self._compare()
            except HostError as error:
                if error.code != "authority.clock_source_silent":
                    self._doubt = error
                raise

    def _read(self) -> _Anchor:
        return _Anchor(self._clock.now(), self._steady())

    def _compare(self) -> datetime:
        present = self._read()
        elapsed = timedelta(seconds=present.steady - self._anchor.steady)
        jump = present.wall - self._anchor.wall - elapsed
        if abs(jump) > self._tolerance:
            raise HostError("authority.clock_jumped", milliseconds=jump // _MILLISECOND)
        if elapsed > ANCHOR_LIFE:
            self._anchor = present
        return present.wall

    def _ask_sources(self) -> None:
        present = self._steady()
        if not self._sources or (
            self._asked is not None and present - self._asked < SOURCE_LIFE.total_seconds()
        ):
            return
        for name, source in self._sources.items():
            before = self._clock.now()
            try:
                theirs = source()
            except EvidenceDeskError as error:
                raise HostError("authority.clock_source_silent", source=name) from error
            # The answer was made somewhere between question and arrival.
            after = self._clock.now()
            apart = max(before - theirs, theirs - after)
            if apart > self._tolerance:
                raise HostError(
                    "authority.clock_sources_disagree", source=name, milliseconds=apart // _MILLISECOND
                )
        self._asked = present

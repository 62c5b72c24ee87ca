"""What the recording thread tells, collected for the window to fetch: no signal an event."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from evidence_desk.core.capture.environment import Reason
from evidence_desk.core.capture.events import (
    Asked,
    CertificateRefused,
    Crashed,
    Dialog,
    Downloaded,
    Event,
    Fault,
    Popup,
    Refused,
    Snapped,
    Step,
    Unplayable,
    Visited,
)

if TYPE_CHECKING:
    from evidence_desk.services.capture import Progress

NOTABLE: Final = (
    Visited,
    Snapped,
    CertificateRefused,
    Refused,
    Downloaded,
    Popup,
    Crashed,
    Dialog,
    Asked,
    Unplayable,
    Fault,
)
"""Events that a person should see at once."""
_MOST: Final = 2_000
"""Notable events kept for the screen; all of them are in the action log."""


class Stage(IntEnum):
    """Where a capture is, in order."""

    LOOK = 0
    START = 1
    RECORD = 2
    READ = 3
    SEAL = 4
    STAMP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """How far a capture has come.

    Attributes:
        part: of the stage, 0 to 1; None when it is not known.
        trouble: why the recording could not go on.
    """

    stage: Stage = Stage.LOOK
    part: float | None = None
    seconds: int = 0
    connections: int = 0
    size: int = 0
    marks: int = 0
    tokens: int = 0
    steps: int = 0
    requests: int = 0
    trouble: Reason | None = None


@dataclass(slots=True)
class Feed:
    """`told`, `reported` and `troubled` are called in the recording thread, the rest in the window's."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _now: Now = field(default_factory=Now)
    _fresh: deque[Event] = field(default_factory=lambda: deque(maxlen=_MOST))
    _deeds: bool = False

    def told(self, event: Event) -> None:
        """See `CaptureControl.told`."""
        with self._lock:
            if isinstance(event, Step):
                self._now = replace(self._now, steps=event.number)
                self._deeds = True
            if isinstance(event, NOTABLE):
                self._fresh.append(event)
            self._reach(Stage.RECORD)

    def reported(self, progress: Progress) -> None:
        """See `CaptureControl.progress`."""
        with self._lock:
            self._reach(Stage.RECORD)
            self._now = replace(
                self._now, seconds=progress.seconds, connections=progress.connections, size=progress.size,
                marks=progress.marks, tokens=progress.tokens,
            )  # fmt: skip

    def troubled(self, reason: Reason) -> None:
        """See `CaptureControl.troubled`."""
        with self._lock:
            self._now = replace(self._now, trouble=reason)

    def reach(self, stage: Stage, part: float | None = None) -> None:
        """It is in this stage now, or in a later one already."""
        with self._lock:
            self._reach(stage)
            if stage is self._now.stage:
                self._now = replace(self._now, part=part)

    def _reach(self, stage: Stage) -> None:
        if stage > self._now.stage:
            self._now = replace(self._now, stage=stage, part=None)

    @property
    def now(self) -> Now:
        """How far it has come."""
        with self._lock:
            return self._now

    def fetch(self) -> tuple[Sequence[Event], bool]:
        """Notable events since the last call, and whether the person did something in the browser's window."""
        with self._lock:
            found, deeds = list(self._fresh), self._deeds
            self._fresh.clear()
            self._deeds = False
            return found, deeds

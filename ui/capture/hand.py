"""Whether a capture is in hand, for the window: it must not have to load what a capture needs."""

from __future__ import annotations

from typing import Protocol, cast

from PySide6.QtCore import QObject

from ui.context import Context

NAME = "capture-work"
"""Object name of the program's one `CaptureWork`."""


class InHand(Protocol):
    """What the window wants of it."""

    @property
    def running(self) -> bool:
        """Whether it captures."""
        ...

    def end(self) -> None:
        """End it; what was recorded is sealed."""
        ...


def capture_in_hand(context: Context) -> InHand | None:
    """The capture in hand, None when there is none."""
    found = context.desk.findChild(QObject, NAME)
    work = cast("InHand | None", found)
    return work if work is not None and work.running else None

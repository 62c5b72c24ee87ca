"""Locks the vault when nobody is at the keyboard, and when the system locks its screen or goes to sleep."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication, QWindow
from PySide6.QtWidgets import QApplication, QDialog

from ui.context import Context
from ui.session_lock import SessionLock

_CHECK_MS: Final = 5000
_INPUT: Final = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TouchUpdate,
        QEvent.Type.TabletPress,
        QEvent.Type.TabletMove,
        QEvent.Type.DragMove,
        QEvent.Type.Drop,
        QEvent.Type.InputMethod,
    }
)


OWN_LOCK: Final = "own_lock"
"""Property of a box that hides its secrets by itself when the vault is locked."""


class Guard(QObject):
    """As old as the program.

    It listens to the windows' own events, a few a second, and not to all of the application's: those are thousands.
    """

    def __init__(
        self,
        context: Context,
        *,
        clock: Callable[[], float] | None = None,
        check_ms: int = _CHECK_MS,
        session_lock: SessionLock | None = None,
    ) -> None:
        """`clock` in seconds, one that goes on while the machine sleeps; `check_ms` between two looks at it."""
        super().__init__(context.desk)
        self._context = context
        self._clock = clock or awake_and_asleep
        self._last = self._clock()
        self._timer = QTimer(self, interval=check_ms)
        self._timer.timeout.connect(self.check)
        self._timer.start()
        self.session_lock = session_lock or SessionLock(self)
        self.session_lock.locked.connect(self.lock)
        context.desk.opened.connect(self.seen)
        context.desk.locked.connect(self._hide_boxes)
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.focusWindowChanged.connect(self._on_window)
            for window in application.allWindows():
                self._on_window(window)

    def seen(self) -> None:
        """Somebody is there."""
        self._last = self._clock()

    def check(self) -> None:
        """Lock when nobody was there for longer than the settings allow."""
        minutes = self._context.preferences.value.idle_minutes
        if minutes and self._context.desk.session is not None and self._clock() - self._last >= 60 * minutes:
            self.lock()
            self._context.messages.inform("ui_start.locked_idle", minutes=minutes)

    def lock(self) -> None:
        """Lock at once."""
        self._context.desk.lock()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take note of keys and mouse; never stops them."""
        if event.type() in _INPUT:
            self.seen()
        return super().eventFilter(watched, event)

    def _on_window(self, window: QWindow | None) -> None:
        if window is not None:
            window.removeEventFilter(self)
            window.installEventFilter(self)

    def _hide_boxes(self) -> None:
        """Boxes may show what is in the vault; the guide looks after itself."""
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog) and widget.isVisible() and widget.property(OWN_LOCK) is not True:
                widget.reject()


def awake_and_asleep() -> float:
    """Seconds, counted also while the machine sleeps where the system can."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)

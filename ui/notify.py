"""Tells that long work has ended while the window is not in front."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QObject
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from ui.context import Context
from ui.tasks import Running

LONG: Final = 10.0
"""Seconds after which work counts as long."""
_SHOWN_MS: Final = 8000


class Notifier(QObject):
    """By the system's notifications where there are any, else by the window's mark in the task bar."""

    def __init__(
        self, context: Context, window: QWidget, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self._clock = clock
        self._began: dict[Running[Any], float] = {}
        self._tray: QSystemTrayIcon | None = None
        context.tasks.changed.connect(self._on_tasks)

    def tell(self, code: str) -> None:
        """Say that the work with this name has ended."""
        title = self._context.tongue.say("ui_start.done")
        if QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages():
            if self._tray is None:
                self._tray = QSystemTrayIcon(self._context.look.icon("stamp", "accent"), self)
            self._tray.show()
            self._tray.showMessage(title, self._context.tongue.say(code), QIcon(), _SHOWN_MS)
            self._tray.messageClicked.connect(self._window.activateWindow)
        else:
            QApplication.alert(self._window)

    def _on_tasks(self) -> None:
        running = self._context.tasks.running
        now = self._clock()
        for task in running:
            if task.title:
                self._began.setdefault(task, now)
        for task in [item for item in self._began if item not in running]:
            long = now - self._began.pop(task) >= LONG
            if long and self._context.preferences.value.notify and not self._window.isActiveWindow():
                self.tell(task.title)

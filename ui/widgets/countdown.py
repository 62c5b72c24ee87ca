"""The wait after wrong passphrases, counted down beside the field instead of slept through."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from evidence_desk.errors import EvidenceDeskError
from evidence_desk.vault.attempts import delay

_TICK_MS: Final = 200
_WAIT: Final = "vault.wait"


class Countdown(QObject):
    """Seconds still to wait; `changed` while they run down, `ended` when they have."""

    changed = Signal()
    ended = Signal()

    def __init__(self, parent: QObject, wrong: str) -> None:
        """`wrong` is the code of the error for a passphrase that does not fit."""
        super().__init__(parent)
        self._wrong = wrong
        self._failures = 0
        self.left = 0.0
        self._tick = QTimer(self, interval=_TICK_MS)
        self._tick.timeout.connect(self._on_tick)

    @property
    def seconds(self) -> int:
        """Whole seconds to show."""
        return math.ceil(self.left)

    def refused(self, error: EvidenceDeskError) -> bool:
        """Begin the wait that an error stands for; False when it is not about the passphrase.

        What the folder remembers may be longer; give it to `at_least`. This is for a folder that can remember nothing.
        """
        if error.code not in {self._wrong, _WAIT}:
            return False
        self._failures += error.code == self._wrong
        self.at_least(delay(self._failures) if error.code == self._wrong else 1.0)
        return True

    def at_least(self, seconds: float) -> None:
        """Wait so long, or longer when more is left."""
        self.left = max(self.left, seconds)
        if self.left > 0:
            self._tick.start()
        self.changed.emit()

    def clear(self) -> None:
        """Another vault, or the right passphrase."""
        self._failures, self.left = 0, 0.0
        self._tick.stop()

    def _on_tick(self) -> None:
        self.left = max(0.0, self.left - _TICK_MS / 1000)
        if self.left <= 0:
            self._tick.stop()
            self.ended.emit()
        self.changed.emit()

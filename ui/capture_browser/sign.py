"""The recording sign: that it records, for how long, and how much there is."""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from ui.language import Tongue
from ui.look import fonts, tokens
from ui.look.look import Look

_SOON: Final = 300
"""Seconds before the limit from which the time left is shown."""


class Dot(QWidget):
    """A round spot in the color of warning; full while it records."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.full = True
        self.setFixedSize(tokens.L, tokens.L)
        look.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._look.colors.failed if self.full else self._look.colors.secondary))
        painter.drawEllipse(2, 2, tokens.L - 4, tokens.L - 4)


class RecordingSign(QFrame):
    """A strip below the address; its words are one accessible sentence."""

    def __init__(self, tongue: Tongue, look: Look, max_seconds: int, addresses: int) -> None:
        super().__init__()
        self._tongue, self._max = tongue, max_seconds
        self._begun = time.monotonic()
        self._addresses = addresses
        self.address = self.steps = self.snapshots = self.connections = self.recorded = 0
        self._saving = False
        self.setProperty("banner", "failed")
        row = QHBoxLayout(self)
        row.setContentsMargins(tokens.M, tokens.XS, tokens.M, tokens.XS)
        row.setSpacing(tokens.S)
        self._dot = Dot(look)
        row.addWidget(self._dot)
        self._what, self._time, self._facts, self._left = QLabel(), QLabel(), QLabel(), QLabel()
        self._what.setProperty("role", "failed")
        self._time.setFont(fonts.mono())
        self._left.setProperty("role", "warning")
        for label in (self._what, self._time, self._facts):
            row.addWidget(label)
        row.addStretch(1)
        row.addWidget(self._left)
        tongue.follow(self, self.say)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.say)
        self._timer.start(1000)

    def saving(self) -> None:
        """The capture is over, its end is being written."""
        self._saving = True
        self._dot.full = False
        self._dot.update()
        self.say()

    def say(self) -> None:
        """Set all words again."""
        seconds = int(time.monotonic() - self._begun)
        code = "capture.window.saving" if self._saving else "capture.window.recording"
        self._what.setText(self._tongue.say(code))
        self._time.setText(clock(seconds))
        self._facts.setText(" · ".join(self._counts()))
        left = self._max - seconds
        soon = left <= _SOON and not self._saving
        self._left.setText(self._tongue.say("capture.window.left", time=clock(max(0, left))) if soon else "")
        self.setAccessibleName(f"{self._what.text()} {self._time.text()} {self._facts.text()}")

    def _counts(self) -> list[str]:
        say, words = self._tongue.say, []
        if self._addresses > 0:
            words.append(say("capture.window.address_of", at=self.address, total=self._addresses))
        if self.connections:
            words.append(
                say("capture.window.connections", count=self.connections, size=amount(self.recorded))
            )
        if self._addresses == 0:
            words.append(say("capture.window.steps", count=self.steps))
        words.append(say("capture.window.snapshots", count=self.snapshots))
        return words


def clock(seconds: int) -> str:
    """``01:05`` or ``1:00:05``."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def amount(size: int) -> str:
    """Bytes for people."""
    if size < 1 << 20:
        return f"{size / 1024:.0f} KB"
    return f"{size / (1 << 20):.1f} MB" if size < 1 << 30 else f"{size / (1 << 30):.2f} GB"

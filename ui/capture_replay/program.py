"""The process of one replay: application, archive, browser."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

from PySide6.QtCore import QLocale, QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from evidence_desk.core.capture.replay import ReplayFailed, ReplayMessage, ReplayOrder, encode_replay
from evidence_desk.errors import EvidenceDeskError
from ui.capture_browser.channel import take_standard_streams
from ui.capture_replay.archive import open_archive
from ui.capture_replay.replay import Replay
from ui.look.fonts import load_fonts

_GRACE: Final = 1.5
"""Seconds in which the browser may end in order once its starter is gone."""
_FAILED: Final = 65


class Line(QObject):
    """The line to the starter; when its end closes, so does the browser, even one that hangs."""

    closed = Signal()

    def __init__(self, orders: BinaryIO, messages: BinaryIO) -> None:
        super().__init__()
        self._orders, self._messages = orders, messages

    def start(self) -> None:
        """Begin to listen for the end."""
        threading.Thread(target=self._wait, daemon=True, name="orders").start()

    def say(self, message: ReplayMessage) -> None:
        """Tell the starter; one that does not hear is gone, which `closed` tells."""
        try:
            self._messages.write(encode_replay(message))
            self._messages.flush()
        except OSError:
            self.closed.emit()

    def _wait(self) -> None:
        while self._orders.read(1 << 12):
            pass
        timer = threading.Timer(_GRACE, os._exit, (1,))
        timer.daemon = True
        timer.start()
        self.closed.emit()


def run(order: ReplayOrder, orders: BinaryIO) -> int:
    """Run until the window is closed; returns the exit status."""
    line = Line(orders, take_standard_streams())
    try:
        archive = open_archive(Path(order.archive))
    except EvidenceDeskError as error:
        line.say(ReplayFailed(code=error.code, reason=str(error.parameters.get("reason", ""))))
        return _FAILED
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DisableShaderDiskCache)
    application = QApplication(["evidence-desk-replay"])
    application.setApplicationName("evidence-desk-replay")
    QLocale.setDefault(QLocale(archive.plan.language.partition(",")[0]))  # Chromium chooses fonts by it
    application.setQuitOnLastWindowClosed(False)
    application.setFont(load_fonts())
    replay = Replay(application, order, archive, line.say)
    _tell_slips(replay)
    line.closed.connect(replay.leave)
    line.start()
    replay.start()
    status = application.exec()
    sys.excepthook = sys.__excepthook__
    del replay
    archive.source.close()
    return status


def _tell_slips(replay: Replay) -> None:
    """Exceptions in what Qt calls would else only be printed."""

    def slipped(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        replay.fail("capture_replay.fault", type(error).__name__)

    sys.excepthook = slipped

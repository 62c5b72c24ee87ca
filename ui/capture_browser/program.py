"""The process of one capture: application, channel, browser."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import BinaryIO

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QApplication

from evidence_desk.core.capture.messages import Setup
from ui.capture_browser.browser import Browser
from ui.capture_browser.channel import Channel, take_standard_streams
from ui.look.fonts import load_fonts


def _tell_slips(browser: Browser) -> None:
    """Exceptions in what Qt calls would else only be printed."""

    def slipped(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        browser.slip(error)

    sys.excepthook = slipped


def run(setup: Setup, commands: BinaryIO, *, sandbox: bool) -> int:
    """Run until the capture is over; returns the exit status."""
    events = take_standard_streams()
    QApplication.setAttribute(
        Qt.ApplicationAttribute.AA_DisableShaderDiskCache
    )  # nothing of a capture stays elsewhere
    application = QApplication(["evidence-desk-capture"])
    application.setApplicationName("evidence-desk-capture")
    QLocale.setDefault(QLocale(setup.plan.language.partition(",")[0]))  # Chromium chooses fonts by it
    application.setQuitOnLastWindowClosed(False)
    application.setFont(load_fonts())
    channel = Channel(commands, events)
    browser = Browser(application, setup, channel, sandbox=sandbox)
    _tell_slips(browser)
    channel.start()
    browser.start()
    status = application.exec()
    sys.excepthook = sys.__excepthook__
    del browser
    return status

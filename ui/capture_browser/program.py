"""The process of one capture: application, channel, browser."""

from __future__ import annotations

from typing import BinaryIO

from PySide6.QtWidgets import QApplication

from evidence_desk.core.capture.messages import Setup
from ui.capture_browser.browser import Browser
from ui.capture_browser.channel import Channel, take_standard_streams
from ui.look.fonts import load_fonts


def run(setup: Setup, commands: BinaryIO, *, sandbox: bool) -> int:
    """Run until the capture is over; returns the exit status."""
    events = take_standard_streams()
    application = QApplication(["evidence-desk-capture"])
    application.setApplicationName("evidence-desk-capture")
    application.setQuitOnLastWindowClosed(False)
    application.setFont(load_fonts())
    channel = Channel(commands, events)
    browser = Browser(application, setup, channel, sandbox=sandbox)
    channel.start()
    browser.start()
    status = application.exec()
    del browser
    return status

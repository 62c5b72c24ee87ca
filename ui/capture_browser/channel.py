"""The line to the driver: commands from standard input, events to standard output; the browser ends when the driver is gone."""

from __future__ import annotations

import os
import sys
import threading
from typing import BinaryIO, Final

from PySide6.QtCore import QObject, Signal

from evidence_desk.core.capture.events import Done, Event
from evidence_desk.core.capture.messages import MAX_LINE, Command, encode_message, parse_command
from evidence_desk.errors import MalformedError

GRACE: Final = 1.5
"""Seconds in which the browser may end in order once the driver is gone."""


def take_standard_streams() -> BinaryIO:
    """Where events go. What Chromium or Qt print to standard output goes to the error stream from here on."""
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    sys.stdout = sys.stderr
    return events


class Channel(QObject):
    """Reads commands in a thread of its own, so that even a window that hangs ends with its driver."""

    commanded = Signal(object)
    """A `Command`, in the window's thread."""
    lost = Signal()
    """The driver is gone, or talks nonsense."""

    def __init__(self, commands: BinaryIO, events: BinaryIO) -> None:
        super().__init__()
        self._commands, self._events = commands, events
        self._writing = threading.Lock()
        self._done = False

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, daemon=True, name="commands").start()

    def say(self, event: Event) -> None:
        """Tell the driver; safe from any thread. Nothing follows `Done`. A driver that does not read any more is gone."""
        line = encode_message(event)
        with self._writing:
            if self._done:
                return
            self._done = isinstance(event, Done)
            try:
                self._events.write(line)
                self._events.flush()
            except OSError:
                self.lost.emit()

    def _read(self) -> None:
        while line := self._commands.readline(MAX_LINE):
            try:
                command: Command = parse_command(line)
            except MalformedError:
                break
            self.commanded.emit(command)
        timer = threading.Timer(GRACE, os._exit, (1,))
        timer.daemon = True
        timer.start()
        self.lost.emit()

"""Exceptions that nobody foresaw, in slots and threads: logged, told once, and the program goes on."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import TracebackType

import structlog
from PySide6.QtCore import QObject, Qt, Signal

from evidence_desk.errors import BugError, EvidenceDeskError


class Faults(QObject):
    """Takes the place of `sys.excepthook` and `threading.excepthook`. One notice at a time: a storm is told once."""

    _seen = Signal(object)

    def __init__(self, tell: Callable[[EvidenceDeskError], None]) -> None:
        super().__init__()
        self._tell = tell
        self._told: set[str] = set()
        self._log = structlog.get_logger(__name__)
        self._seen.connect(self._on_seen, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """From now on."""
        sys.excepthook = self.take
        threading.excepthook = self._take_of_thread

    def take(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Log one and have it told; Ctrl+C ends the program as always."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        self._log.error("unforeseen", kind=kind.__name__, exc_info=(kind, error, trace))
        self._seen.emit(error)

    def _take_of_thread(self, given: threading.ExceptHookArgs) -> None:
        if given.exc_value is not None and not issubclass(given.exc_type, SystemExit):
            self.take(given.exc_type, given.exc_value, given.exc_traceback)

    def _on_seen(self, error: BaseException) -> None:
        told = (
            error if isinstance(error, EvidenceDeskError) else BugError("bug.task", kind=type(error).__name__)
        )
        mark = f"{told} {_place(error)}"
        if mark not in self._told:
            self._told.add(mark)
            self._tell(told)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"

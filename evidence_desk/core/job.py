"""Long work that reports progress and can be canceled. Synchronous, Qt-free, thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Callable

from evidence_desk.errors import CanceledError

Report = Callable[[str, int, int], None]
"""Called with (stage, done, total); units are the stage's own (bytes or items). Must return quickly."""


class Job:
    """Handle that a caller gives to a use case: receives progress, carries the wish to cancel."""

    def __init__(self, report: Report | None = None) -> None:
        self._report = report
        self._canceled = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop at its next step; safe from any thread."""
        self._canceled.set()

    @property
    def canceled(self) -> bool:
        """Whether `cancel` was called."""
        return self._canceled.is_set()

    def step(self, stage: str, done: int, total: int) -> None:
        """Report progress and give up if canceled.

        Raises:
            CanceledError: when `cancel` was called.
        """
        if self._canceled.is_set():
            raise CanceledError("job.canceled", stage=stage)
        if self._report is not None:
            self._report(stage, done, total)

"""Long work that reports progress and can be paused and canceled. Synchronous, Qt-free, thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Callable

from evidence_desk.errors import CanceledError

Report = Callable[[str, int, int], None]
"""Called with (stage, done, total); units are the stage's own (bytes or items). Must return quickly."""


class Job:
    """Handle that a caller gives to a use case: receives progress, carries the wish to pause or to cancel."""

    def __init__(self, report: Report | None = None) -> None:
        self._report = report
        self._canceled = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._wish = threading.Lock()

    def cancel(self) -> None:
        """Ask the work to stop at its next step, even if it is paused; safe from any thread."""
        with self._wish:
            self._canceled.set()
            self._running.set()

    @property
    def canceled(self) -> bool:
        """Whether `cancel` was called."""
        return self._canceled.is_set()

    def pause(self) -> None:
        """Hold the work at its next step until `resume`; safe from any thread, without effect once canceled."""
        with self._wish:
            if not self._canceled.is_set():
                self._running.clear()

    def resume(self) -> None:
        """Let paused work go on; safe from any thread."""
        self._running.set()

    @property
    def paused(self) -> bool:
        """Whether the work holds, or will at its next step."""
        return not self._running.is_set()

    def step(self, stage: str, done: int, total: int) -> None:
        """Report progress, wait while paused, and give up if canceled. Not for a block that holds a transaction.

        Raises:
            CanceledError: when `cancel` was called.
        """
        self._running.wait()
        if self._canceled.is_set():
            raise CanceledError("job.canceled", stage=stage)
        if self._report is not None:
            self._report(stage, done, total)

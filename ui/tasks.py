"""Work beside the window: lanes of worker threads, and one bridge that brings every answer back.

Workers own no QObject (one a task crashed in a sixth of the runs); the only signal is the bridge's, queued into the window's thread.
Callbacks never come after their owner is gone.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Generic, TypeVar

import structlog
from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

from evidence_desk.core.job import Job
from evidence_desk.errors import BugError, CanceledError, EvidenceDeskError, HostError

T = TypeVar("T")
Done = Callable[[T], None]
Failed = Callable[[EvidenceDeskError], None]
Progress = Callable[[str, int, int], None]

_INTERVAL: Final = 0.05
"""Seconds between two reports of progress of one task."""
_KEPT: Final = 50
"""Codes of recent errors, for diagnostics."""


class Lane(Enum):
    """Kinds of work and how many of each run at once."""

    VAULT = ("vault", 1)
    SEAL = ("seal", 1)
    CAPTURE = ("capture", 1)
    READ = ("read", 1)
    NET = ("net", 8)
    CPU = ("cpu", max(1, (os.cpu_count() or 2) - 1))

    @property
    def label(self) -> str:
        """Name of its threads."""
        return self.value[0]

    @property
    def workers(self) -> int:
        """Threads."""
        return self.value[1]


@dataclass(eq=False, slots=True)
class Running(Generic[T]):
    """A task given to a lane.

    Attributes:
        active: from the call of `Tasks.run` until its callback was called or dropped.
        title: code of the sentence that names it where all work is listed; empty for work not worth naming.
        keep: see `Tasks.run`.
    """

    lane: Lane
    job: Job
    title: str
    owner: QObject
    done: Done[T]
    failed: Failed
    progress: Progress | None
    keep: bool = False
    active: bool = True
    last: float = field(default=0.0)

    def cancel(self) -> None:
        """Ask it to stop at its next step; `failed` gets a CanceledError."""
        self.job.cancel()

    def pause(self) -> None:
        """Let it wait at its next step."""
        self.job.pause()

    def resume(self) -> None:
        """Let it go on."""
        self.job.resume()


class Tasks(QObject):
    """All work in progress; as old as the main window.

    Signals: `changed` when a task began or ended.
    """

    changed = Signal()
    _arrived = Signal(object)

    def __init__(self, unhandled: Failed | None = None) -> None:
        """`unhandled` gets the errors of tasks without a `failed` of their own."""
        super().__init__()
        self.unhandled: Failed = unhandled or _ignore
        self._pools = {lane: ThreadPoolExecutor(lane.workers, thread_name_prefix=lane.label) for lane in Lane}
        self._running: list[Running[Any]] = []
        self._arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)
        self._closing: Callable[[], None] | None = None
        self._closed = False
        self.recent_errors: deque[tuple[datetime, str]] = deque(maxlen=_KEPT)
        self._log = structlog.get_logger("desktop")

    def run(
        self,
        lane: Lane,
        work: Callable[[Job], T],
        *,
        owner: QObject,
        done: Done[T],
        failed: Failed | None = None,
        progress: Progress | None = None,
        title: str = "",
        keep: bool = False,
    ) -> Running[T]:
        """Do `work` in a thread of a lane; callbacks come in the window's thread.

        What is begun while the program closes is canceled; once it has closed, nothing is begun any more.

        Args:
            lane: where.
            work: reports to its job and stops when that is canceled.
            owner: callbacks are dropped once it is gone.
            done: gets the result.
            failed: gets our errors, CanceledError among them; without it `unhandled` gets all but cancellations.
            progress: (stage, done, total), at most 20 a second.
            title: code of the task's name.
            keep: done all the same when the program closes: short work, that keeps what a person wrote.
        """
        task: Running[T] = Running(
            lane, Job(lambda *report: self._report(task, report)), title, owner, done, failed or self.on_unhandled,
            progress, keep,
        )  # fmt: skip
        if self._closed:
            task.active = False
            return task
        if self._closing is not None and not keep:
            task.cancel()
        self._running.append(task)
        self._pools[lane].submit(self._work, task, work)
        self.changed.emit()
        return task

    @property
    def running(self) -> tuple[Running[Any], ...]:
        """Tasks in progress, oldest first."""
        return tuple(self._running)

    def busy(self, *lanes: Lane) -> bool:
        """Whether a task of these lanes (of any, when none is named) is in progress."""
        return any(not lanes or task.lane in lanes for task in self._running)

    def close(self, finished: Callable[[], None]) -> None:
        """Cancel all but what is to be kept, and call `finished` in the window's thread once every worker has stopped."""
        for task in self._running:
            if not task.keep:
                task.cancel()
        self._closing = finished
        self._end()

    # --- in the worker ----------------------------------------------------------------------------------------

    def _work(self, task: Running[T], work: Callable[[Job], T]) -> None:
        try:
            task.job.step("", 0, 0)  # canceled before its turn
            result = work(task.job)
        except EvidenceDeskError as error:
            self._arrived.emit((task, "failed", error))
        except MemoryError:
            self._arrived.emit((task, "failed", HostError("host.memory")))
        except Exception as error:  # noqa: BLE001 - a fault of ours must not take the lane with it
            self._log.exception("task failed", title=task.title)
            self._arrived.emit((task, "failed", BugError("bug.task", kind=type(error).__name__)))
        else:
            self._arrived.emit((task, "done", result))

    def _report(self, task: Running[Any], report: tuple[str, int, int]) -> None:
        if task.progress is None or not report[0]:  # its turn has come: nothing to show yet
            return
        now = time.monotonic()
        if now - task.last < _INTERVAL:
            return
        task.last = now
        self._arrived.emit((task, "progress", report))

    # --- in the window's thread -------------------------------------------------------------------------------

    def _on_arrived(self, message: tuple[Running[Any], str, Any]) -> None:
        task, kind, value = message
        alive = isValid(task.owner)
        if kind == "progress":
            if alive and task.active and task.progress is not None:
                task.progress(*value)
            return
        task.active = False
        if kind == "failed":
            self.recent_errors.append((datetime.now(UTC), value.code))
        self._running.remove(task)
        try:
            self.changed.emit()
            if alive:
                (task.done if kind == "done" else task.failed)(value)
        finally:  # a fault in a callback must not keep the program from closing
            self._end()

    def _end(self) -> None:
        if self._closing is None or self._running:
            return
        finished, self._closing = self._closing, None
        self._closed = True
        self._shut()
        finished()

    def on_unhandled(self, error: EvidenceDeskError) -> None:
        """Tell an error that no callback takes; a cancellation is no error."""
        if not isinstance(error, CanceledError):
            self.unhandled(error)

    def _shut(self) -> None:
        for pool in self._pools.values():
            pool.shutdown(wait=True)


def _ignore(_error: EvidenceDeskError) -> None:
    """Nobody listens yet."""

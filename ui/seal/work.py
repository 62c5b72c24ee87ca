"""The queue at work: enqueue, run, pause, retry; what it says is fetched ten times a second. Outlives the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState, QueueItem, StateCount
from evidence_desk.errors import CanceledError, EvidenceDeskError
from evidence_desk.services import queue
from evidence_desk.services.seal import SealRequest
from ui.context import Context
from ui.seal.feed import Feed, Pace, part_of
from ui.tasks import Lane, Running

_FETCH_MS: Final = 100
_NO_COUNTS: Final[Mapping[ItemState, StateCount]] = {state: StateCount() for state in ItemState}


class SealWork(QObject):
    """One for each open program; pages come and go.

    Signals: `listed` has all items anew, `finished_items` those that changed, `progressed` (item id, part of it done),
    `counted` when the counts or the state of the work changed, `enqueued` what came of a drop, `ended` the outcome of a run.
    """

    listed = Signal(object)
    finished_items = Signal(object)
    progressed = Signal(int, float)
    counted = Signal()
    enqueued = Signal(object)
    ended = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(context.desk)
        self._context = context
        self._feed = Feed()
        self._run: Running[queue.QueueOutcome] | None = None
        self._part = 0.0
        self.pace = Pace()
        self.counts: Mapping[ItemState, StateCount] = _NO_COUNTS
        self.told: Path | None = None
        """Folder of the vault whose kept form was told."""
        self._timer = QTimer(self, interval=_FETCH_MS)
        self._timer.timeout.connect(self._on_fetch)

    # --- state ------------------------------------------------------------------------------------------------

    @property
    def working(self) -> bool:
        """Whether the queue is being worked on (or paused)."""
        return self._run is not None

    @property
    def paused(self) -> bool:
        """Whether it is paused."""
        return self._run is not None and self._run.job.paused

    @property
    def remaining(self) -> float:
        """Bytes still to be sealed."""
        left = self.counts[ItemState.WAITING].bytes + self.counts[ItemState.WORKING].bytes
        current = self._feed.current
        return max(0.0, left - (self._part * current.size if current is not None else 0))

    # --- deeds ------------------------------------------------------------------------------------------------

    def enqueue(self, paths: Sequence[Path], request: SealRequest, *, each_file: bool) -> None:
        """Queue files and begin."""

        def done(batch: queue.Batch) -> None:
            self.enqueued.emit(batch)
            self.reload()
            self.start()

        self._context.desk.run(
            lambda session, job: queue.enqueue(session.desk, paths, request, each_file=each_file, job=job),
            owner=self, done=done, lane=Lane.READ, title="ui_seal.work.enqueue",
        )  # fmt: skip

    def start(self) -> None:
        """Work on what waits, unless that goes on already."""
        if self._run is not None or self._context.desk.session is None:
            return

        def work(session: Session, job: Job) -> queue.QueueOutcome:
            return queue.work(session.desk, job, watcher=self._feed, authorities=session.authorities)

        self.pace.clear()
        self._run = self._context.desk.run(
            work, owner=self, done=self._on_done, failed=self._on_failed, progress=self._on_progress, lane=Lane.SEAL,
            title="ui.work.seal", changes=True,
        )  # fmt: skip
        self._timer.start()
        self.counted.emit()

    def pause(self) -> None:
        """Wait at the next step, in the middle of a file if need be."""
        if self._run is not None:
            self._run.pause()
            self.pace.clear()
            self.counted.emit()

    def resume(self) -> None:
        """Go on."""
        if self._run is not None:
            self._run.resume()
            self.counted.emit()
        else:
            self.start()

    def cancel(self, ids: Sequence[int] | None = None) -> None:
        """Cancel items, or all that wait or are in hand."""
        self._change(lambda session: queue.cancel(session.desk, ids))
        if self.paused and ids is None:
            self.resume()

    def retry(self, ids: Sequence[int], *, allow_duplicates: bool = False) -> None:
        """Have items wait again, and begin."""
        self._change(
            lambda session: queue.retry(session.desk, ids, allow_duplicates=allow_duplicates), then=self.start
        )

    def clear(self) -> None:
        """Take what is done off the list."""
        self._change(lambda session: queue.clear_finished(session.desk))

    def reload(self) -> None:
        """Read the list anew."""

        def work(session: Session, _job: Job) -> tuple[Sequence[QueueItem], Mapping[ItemState, StateCount]]:
            return queue.items(session.desk, limit=-1), queue.counts(session.desk)

        def done(found: tuple[Sequence[QueueItem], Mapping[ItemState, StateCount]]) -> None:
            items, self.counts = found
            self.listed.emit(items)
            self.counted.emit()

        if self._context.desk.session is not None:
            self._context.desk.run(work, owner=self, done=done, lane=Lane.READ)

    def hold(self) -> None:
        """The vault is about to be locked: paused work would keep it open, so it ends and waits in the queue."""
        if self._run is not None and self._run.job.paused:
            self._run.cancel()

    # --- what comes back --------------------------------------------------------------------------------------

    def _change(self, work: Callable[[Session], int], then: Callable[[], None] | None = None) -> None:
        def done(_count: int) -> None:
            self.reload()
            if then is not None:
                then()

        self._context.desk.run(lambda session, _: work(session), owner=self, done=done, lane=Lane.READ)

    def _on_progress(self, stage: str, done: int, total: int) -> None:
        current = self._feed.current
        if current is None or stage not in {"encrypt", "verify"}:
            return
        size = max(current.size, 1)
        self._part = min(1.0, part_of(stage, done, total) * (total / size if current.files > 1 else 1))
        self.progressed.emit(current.id, self._part)

    def _on_fetch(self) -> None:
        self._take_finished()
        current = self._feed.current
        total = sum(count.bytes for count in self.counts.values())
        self.pace.note(total - self.remaining)
        if current is None:
            self.progressed.emit(0, 0.0)
        self.counted.emit()

    def _take_finished(self) -> None:
        items = self._feed.fetch()
        if not items:
            return
        self._part = 0.0
        counts = dict(self.counts)
        for item in items:
            _move(counts, item)
        self.counts = counts
        self.finished_items.emit(items)

    def _on_done(self, outcome: queue.QueueOutcome) -> None:
        self._end()
        self.ended.emit(outcome)
        if outcome.stopped is None and outcome.waiting:
            self.start()  # something was queued after its last look

    def _on_failed(self, error: EvidenceDeskError) -> None:
        self._end()
        if not isinstance(error, CanceledError):
            self._context.tasks.on_unhandled(error)

    def _end(self) -> None:
        self._run = None
        self._timer.stop()
        self._take_finished()
        self.progressed.emit(0, 0.0)
        self.reload()


def _move(counts: dict[ItemState, StateCount], item: QueueItem) -> None:
    """One item from waiting (or in hand) to what it became."""
    origin = ItemState.WORKING if counts[ItemState.WORKING].items else ItemState.WAITING
    before, after = counts[origin], counts[item.state]
    counts[origin] = StateCount(items=max(0, before.items - 1), bytes=max(0, before.bytes - item.size))
    counts[item.state] = StateCount(items=after.items + 1, bytes=after.bytes + item.size)


def seal_work(context: Context) -> SealWork:
    """The program's one `SealWork`."""
    found = context.desk.findChild(SealWork)
    return found if isinstance(found, SealWork) else SealWork(context)

"""Work on the queue: seal what waits, batch by batch, each outcome in the transaction of its exhibits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from evidence_desk.core.job import Job
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.core.queue_ports import ItemState, Outcome, QueueItem
from evidence_desk.errors import BugError, BusyError, CanceledError, EvidenceDeskError, RemoteError, UserError
from evidence_desk.services.desk import Desk
from evidence_desk.services.queue_request import parse_request
from evidence_desk.services.seal import BATCH, SealHooks, SealOutcome, seal
from evidence_desk.services.timestamp import timestamp

TAKE_BYTES: Final = 64 * 1024 * 1024
"""Bytes after which no more items are taken up at once: large files are in hand one by one."""
TIMESTAMP_SECONDS: Final = 300.0
"""A long queue has its exhibits timestamped this often, not only at its end."""


class QueueWatcher(Protocol):
    """Who shows the queue. Called in the working thread; must return quickly."""

    def started(self, item: QueueItem) -> None:
        """This item is being read; the steps of the job that follow are its own, in bytes of each file."""
        ...

    def finished(self, item: QueueItem) -> None:
        """What became of an item; what is sealed is durable."""
        ...


class Unwatched:
    """A `QueueWatcher` that does nothing."""

    def started(self, item: QueueItem) -> None:
        """Nothing."""

    def finished(self, item: QueueItem) -> None:
        """Nothing."""


@dataclass(slots=True)
class QueueOutcome:
    """What a run came to.

    Attributes:
        sealed: leaf hashes of the exhibits made, in order.
        waiting: items that are left, when the vault stopped the run.
        stopped: why the vault could take no more: full or read-only disk, damage. The items wait on.
        timestamped: exhibits that got their token, earlier ones that still waited included.
        untimestamped: why there is no token yet; the exhibits are sealed and wait for it.
    """

    sealed: list[bytes] = field(default_factory=list)
    duplicates: int = 0
    failed: int = 0
    canceled: int = 0
    waiting: int = 0
    stopped: EvidenceDeskError | None = None
    timestamped: int = 0
    untimestamped: RemoteError | None = None


def work(
    desk: Desk,
    job: Job,
    *,
    watcher: QueueWatcher,
    authorities: Sequence[TimestampAuthority] = (),
    elapsed: Callable[[], float] = time.monotonic,
) -> QueueOutcome:
    """Seal everything that waits, also what is queued meanwhile; then timestamp it when there are authorities.

    Args:
        desk: the open desk.
        job: progress in bytes of the file in hand. Canceled, it ends at once; what was in hand waits on.
        watcher: told of every item.
        authorities: asked in order.
        elapsed: seconds of a clock that only runs forward.

    Raises:
        CanceledError: the items left wait on.
        BusyError: ``queue.busy`` when another thread works on it.
    """
    with _alone(desk):
        run = _Run(desk, job, watcher, authorities, elapsed)
        try:
            run.all()
        except CanceledError:
            raise
        except EvidenceDeskError as error:
            run.outcome.stopped = error
    run.outcome.waiting = desk.store.queue.counts()[ItemState.WAITING].items
    return run.outcome


@contextmanager
def _alone(desk: Desk) -> Iterator[None]:
    """One worker at a time; whatever it leaves in hand waits again, at the latest when the next one begins."""
    if not desk.working.acquire(blocking=False):
        raise BusyError("queue.busy")
    try:
        yield
    finally:
        with suppress(EvidenceDeskError):  # the disk may be full, which is told already
            _release(desk)
        desk.working.release()


def _release(desk: Desk) -> None:
    with desk.store.transaction():
        desk.store.queue.release(desk.clock.now())


@dataclass(slots=True)
class _Run:
    """One call of `work`."""

    desk: Desk
    job: Job
    watcher: QueueWatcher
    authorities: Sequence[TimestampAuthority]
    elapsed: Callable[[], float]
    outcome: QueueOutcome = field(default_factory=QueueOutcome)
    stamped: float = 0.0

    def all(self) -> None:
        _release(self.desk)
        self.stamped = self.elapsed()
        while taken := self._take():
            self._seal(taken)
            if self.elapsed() - self.stamped >= TIMESTAMP_SECONDS:
                self._timestamp()
        self._timestamp()

    def _take(self) -> Sequence[QueueItem]:
        with self.desk.store.transaction():
            return self.desk.store.queue.take(items=BATCH, size=TAKE_BYTES, at=self.desk.clock.now())

    def _seal(self, taken: Sequence[QueueItem]) -> None:
        queue = self.desk.store.queue
        hooks = SealHooks(
            started=lambda position, _path: self.watcher.started(taken[position]),
            wanted=lambda position: queue.state(taken[position].id) is ItemState.WORKING,
            within=lambda outcomes: queue.finish(
                [_outcome(taken[item.position], item) for item in outcomes if not item.canceled],
                self.desk.clock.now(),
            ),
        )
        try:
            batch = queue.batch(taken[0].batch_id)
            if batch is None:  # erased since
                return
            seal(
                self.desk,
                [Path(os.fsdecode(item.path)) for item in taken],
                parse_request(batch.request),
                job=self.job,
                done=lambda outcome: self._count(taken[outcome.position], outcome),
                hooks=hooks,
                elapsed=self.elapsed,
            )
        except (
            UserError
        ) as error:  # the batch itself is the matter: its case was erased, its request is unreadable
            self._fail(taken, error)

    def _count(self, item: QueueItem, outcome: SealOutcome) -> None:
        if outcome.exhibit is not None:
            self.outcome.sealed.append(outcome.exhibit.leaf_hash)
        self.outcome.duplicates += outcome.duplicate is not None
        self.outcome.failed += outcome.error is not None
        self.outcome.canceled += outcome.canceled
        if outcome.canceled:  # by its row, which may wait again already, or be gone
            for row in self.desk.store.queue.items_by_id([item.id]):
                self.watcher.finished(row)
            return
        exhibit = outcome.exhibit or outcome.duplicate
        became = _outcome(item, outcome)
        self.watcher.finished(
            replace(
                item,
                state=became.state,
                error=became.error,
                parameters=became.parameters,
                leaf_hash=became.leaf_hash,
                number="" if exhibit is None else exhibit.number,
                changed=self.desk.clock.now(),
            )
        )

    def _fail(self, taken: Sequence[QueueItem], error: UserError) -> None:
        queue = self.desk.store.queue
        with self.desk.store.transaction():
            left = [item for item in taken if queue.state(item.id) is ItemState.WORKING]
            queue.finish(
                [
                    Outcome(id=item.id, state=ItemState.FAILED, error=error.code, parameters=error.parameters)
                    for item in left
                ],
                self.desk.clock.now(),
            )
        self.outcome.failed += len(left)
        for item in queue.items_by_id([item.id for item in left]):
            self.watcher.finished(item)

    def _timestamp(self) -> None:
        if not self.authorities:
            return
        try:
            done = timestamp(self.desk, self.authorities, job=self.job)
            self.outcome.timestamped += len(done.exhibits)
            self.outcome.untimestamped = None
        except RemoteError as error:
            self.outcome.untimestamped = error
        self.stamped = self.elapsed()


def _outcome(item: QueueItem, outcome: SealOutcome) -> Outcome:
    if outcome.error is not None:
        error = outcome.error
        return Outcome(id=item.id, state=ItemState.FAILED, error=error.code, parameters=error.parameters)
    if outcome.exhibit is not None:
        return Outcome(id=item.id, state=ItemState.SEALED, leaf_hash=outcome.exhibit.leaf_hash)
    if outcome.duplicate is not None:
        return Outcome(id=item.id, state=ItemState.DUPLICATE, leaf_hash=outcome.duplicate.leaf_hash)
    raise BugError("bug.queue_outcome")

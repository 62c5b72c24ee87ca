"""A run of issuing: begun here, paused, canceled; its results are kept until the vault locks. Outlives the page."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError, EvidenceDeskError
from evidence_desk.services.confirm import Draft
from evidence_desk.services.persons import Unlocked
from ui.certify.drafting import Order
from ui.certify.issuing import Issue, Issued, Sink, Target, issue_alone, issue_confirmed
from ui.certify.pending import Pending, settle
from ui.certify.pin import PinAsker
from ui.context import Context
from ui.tasks import Running

_FETCH_MS: Final = 200
"""Between two changes of what is shown of a run."""


class IssueWork(QObject):
    """One for each open program; at most one run at a time.

    Signals: `began`; `progressed` (certificates or exhibits done, of how many); `added` has certificates just issued; `ended` the `Issue`,
    or None when nothing was issued.
    """

    began = Signal()
    progressed = Signal(int, int)
    added = Signal(object)
    ended = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(context.desk)
        self._context = context
        self.pin = PinAsker(context, self)
        self._run: Running[Issue] | None = None
        self._lock = threading.Lock()
        self._new: deque[Issued] = deque()
        self._reached: tuple[int, int] | None = None
        self.issued: list[Issued] = []
        self.issue: Issue | None = None
        self.target: Target | None = None
        self.total = 0
        self.told: Path | None = None
        """Folder of the vault whose waiting drafts were told."""
        self._timer = QTimer(self, interval=_FETCH_MS)
        self._timer.timeout.connect(self._fetch)
        context.desk.locked.connect(self._on_locked)

    @property
    def working(self) -> bool:
        """Whether a run goes on (or is paused)."""
        return self._run is not None

    @property
    def paused(self) -> bool:
        """Whether it is paused."""
        return self._run is not None and self._run.job.paused

    def issue_alone(self, order: Order, target: Target) -> None:
        """One person issues; nothing happens while another run goes on."""
        self._begin(
            len(order.groups),
            target,
            lambda session, job, sink: issue_alone(
                session, order, target, prompt=self.pin.prompt(job), job=job, sink=sink
            ),
        )

    def issue_confirmed(
        self, item: Pending, drafts: Sequence[Draft], second: Unlocked, target: Target
    ) -> None:
        """The second person confirms what he looked at, and it is issued; what is left of the hand-over goes on waiting."""

        def work(session: Session, job: Job, sink: Sink) -> Issue:
            outcome = issue_confirmed(
                session, drafts, second, target, prompt=self.pin.prompt(job), job=job, sink=sink
            )
            settle(session, item, {issued.number for issued in outcome.issued})
            return outcome

        self._begin(len(drafts), target, work)

    def pause(self) -> None:
        """Wait before the next certificate."""
        if self._run is not None:
            self._run.pause()

    def resume(self) -> None:
        """Go on."""
        if self._run is not None:
            self._run.resume()

    def cancel(self) -> None:
        """Stop before the next certificate; what was issued stays issued."""
        if self._run is not None:
            self._run.cancel()

    def hold(self) -> None:
        """The vault is about to be locked: a paused run would keep it open."""
        if self.paused:
            self.cancel()

    def forget(self) -> None:
        """Drop the results of the last run."""
        self.issued, self.issue, self.target = [], None, None

    # --- the run ----------------------------------------------------------------------------------------------

    def _begin(self, total: int, target: Target, work: Callable[[Session, Job, Sink], Issue]) -> None:
        if self._run is not None or self._context.desk.session is None:
            return
        self.forget()
        self.target, self.total = target, total
        self._run = self._context.desk.run(
            lambda session, job: work(session, job, self._note),
            owner=self, done=self._on_done, failed=self._on_failed, progress=self._on_progress,
            title="ui.work.certify", changes=True,
        )  # fmt: skip
        self._timer.start()
        self.began.emit()

    def _note(self, issued: Issued) -> None:
        """In the thread that issues."""
        with self._lock:
            self._new.append(issued)

    def _fetch(self) -> None:
        with self._lock:
            found = list(self._new)
            self._new.clear()
        if self._context.desk.session is None:
            return
        if found:
            self.issued += found
            self.added.emit(found)
        if self._reached is not None:
            reached, self._reached = self._reached, None
            self.progressed.emit(*reached)

    def _on_progress(self, stage: str, done: int, total: int) -> None:
        if stage == "issue" or self.total == 1:
            self._reached = (done, total)

    def _on_done(self, outcome: Issue) -> None:
        self._end()
        if self._context.desk.session is None:  # locked meanwhile: it is in the vault and in its folder
            self.forget()
            return
        self.issue = outcome
        self.ended.emit(outcome)
        if outcome.stopped is not None and not isinstance(outcome.stopped, CanceledError):
            self._context.messages.error(outcome.stopped)

    def _on_failed(self, error: EvidenceDeskError) -> None:
        self._end()
        self.forget()
        self.ended.emit(None)
        if isinstance(error, CanceledError):
            if error.code != "job.canceled":  # no PIN was given
                self._context.messages.inform("ui_certify.pin_canceled")
        else:
            self._context.tasks.on_unhandled(error)

    def _end(self) -> None:
        self._run, self._reached = None, None
        self._timer.stop()
        self._fetch()

    def _on_locked(self) -> None:
        self.hold()
        self.forget()


def issue_work(context: Context) -> IssueWork:
    """The program's one `IssueWork`."""
    found = context.desk.findChild(IssueWork)
    return found if isinstance(found, IssueWork) else IssueWork(context)

"""The capture in hand and the list of all of them. Outlives the page: a lock hides it and ends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.capture.rows import CaptureRow, CaptureState
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import CanceledError, EvidenceDeskError
from evidence_desk.services.seal import SealRequest
from ui.capture.deed import STAGES, Ended, ToolsFor, make_control, own_tools, recovered, take
from ui.capture.feed import Feed, Now, Stage
from ui.capture.hand import NAME
from ui.capture.order import Order
from ui.context import Context
from ui.guard import Guard
from ui.tasks import Lane, Running

if TYPE_CHECKING:
    from evidence_desk.core.capture.events import Event
    from evidence_desk.services.capture import CaptureControl

_FETCH_MS: Final = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A capture in the list; `cut`: it was cut short, and is neither sealed nor given up."""

    row: CaptureRow
    cut: bool
    urls: tuple[str, ...]
    exhibit: ExhibitRow | None


class CaptureWork(QObject):
    """One for each open program; pages come and go.

    Signals: `changed` when a capture began or ended, `progressed` while it goes on, `told` notable events, `ended` what came
    of it (`Ended`), `listed` all captures, newest first.
    """

    changed = Signal()
    progressed = Signal()
    told = Signal(object)
    ended = Signal(object)
    listed = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(context.desk)
        self.setObjectName(NAME)
        self._context = context
        self.tools: ToolsFor = own_tools
        self.order: Order | None = None
        """Of the capture in hand."""
        self.events: list[Event] = []
        self.result: Ended | None = None
        self.rows: Sequence[Listed] = ()
        self._feed = Feed()
        self._control: CaptureControl | None = None
        self._run: Running[Ended] | None = None
        self._begun = 0.0
        self._timer = QTimer(self, interval=_FETCH_MS)
        self._timer.timeout.connect(self._on_fetch)
        context.desk.locked.connect(self._on_locked)

    # --- state ------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether a capture is in hand."""
        return self._run is not None

    @property
    def now(self) -> Now:
        """How far it has come."""
        return self._feed.now

    @property
    def seconds(self) -> int:
        """Since it was begun."""
        return int(time.monotonic() - self._begun)

    @property
    def stopping(self) -> bool:
        """Whether its end was asked for."""
        return self._control is not None and self._control.stopping

    # --- deeds ------------------------------------------------------------------------------------------------

    def start(self, order: Order, request: SealRequest) -> None:
        """Capture, unless one is in hand."""
        control = make_control(self._feed_anew())
        self._begin(
            lambda session, job: take(
                session, order, request, self.tools(session, self._context.tongue.language), control, self._feed, job
            ),
            order, control,
        )  # fmt: skip

    def recover(self, capture: bytes) -> None:
        """Seal what was recorded of a capture that was cut short."""
        feed = self._feed_anew(Stage.READ)
        self._begin(
            lambda session, job: recovered(
                session, self.tools(session, self._context.tongue.language), capture, feed, job
            ),
            None, None,
        )  # fmt: skip

    def give_up(self, capture: bytes) -> None:
        """Abandon a capture that was cut short; the log says so."""

        def work(session: Session, _job: Job) -> CaptureRow:
            from evidence_desk.services.capture_recover import give_up  # noqa: PLC0415 - large

            return give_up(session.desk, self.tools(session, self._context.tongue.language).recorder, capture)

        self._context.desk.run(
            work, owner=self, done=lambda _row: self.reload(), lane=Lane.VAULT, title="ui_capture.work.give_up", changes=True
        )  # fmt: skip

    def snapshot(self) -> None:
        """Take a snapshot of the page in front."""
        if self._control is not None:
            self._control.snapshot()

    def finish(self) -> None:
        """End it now; what was recorded is sealed."""
        if self._control is not None and self.now.stage is Stage.RECORD:
            self._control.stop()
            self.changed.emit()
        elif self._run is not None and self.now.stage < Stage.RECORD:
            self._run.cancel()

    def end(self) -> None:
        """The vault is about to be locked: what was recorded is sealed, what only waits is not begun."""
        if self._run is not None and self.now.stage is Stage.LOOK:
            self._run.cancel()
        elif self._control is not None:
            self._control.stop()

    def abandon(self) -> None:
        """Give it up; before the log knows of it, nothing is left of it at all."""
        if self._control is None or self._run is None:
            return
        self._control.abandon()
        if self.now.stage is Stage.LOOK:
            self._run.cancel()
        self.changed.emit()

    def forget(self) -> None:
        """The result was seen."""
        self.result, self.events = None, []
        self.changed.emit()

    def reload(self) -> None:
        """Read the list anew."""
        if self._context.desk.session is None:
            return

        def work(session: Session, _job: Job) -> tuple[Listed, ...]:
            return _read(session, lambda: self.tools(session, self._context.tongue.language))

        def done(rows: tuple[Listed, ...]) -> None:
            self.rows = rows if self._context.desk.session is not None else ()
            self.listed.emit(self.rows)

        self._context.desk.run(work, owner=self, done=done, lane=Lane.READ)

    # --- what comes back --------------------------------------------------------------------------------------

    def _feed_anew(self, stage: Stage = Stage.LOOK) -> Feed:
        if self._run is None:
            self._feed = Feed()
            self._feed.reach(stage)
        return self._feed

    def _begin(
        self, work: Callable[[Session, Job], Ended], order: Order | None, control: CaptureControl | None
    ) -> None:
        if self._run is not None or self._context.desk.session is None:
            return
        self.order, self._control, self.result, self.events = order, control, None, []
        self._begun = time.monotonic()
        self._run = self._context.desk.run(
            work, owner=self, done=self._on_done, failed=self._on_failed, progress=self._on_progress, lane=Lane.CAPTURE,
            title="ui_capture.work", changes=True,
        )  # fmt: skip
        self._timer.start()
        self.changed.emit()

    def _on_progress(self, stage: str, done: int, total: int) -> None:
        known = STAGES.get(stage)
        if known is not None:
            self._feed.reach(known, done / total if total else None)

    def _on_fetch(self) -> None:
        events, deeds = self._feed.fetch()
        if deeds:  # whoever browses in the other window is here
            guard = self._context.desk.findChild(Guard)
            if isinstance(guard, Guard):
                guard.seen()
        if events:
            self.events += events
            self.told.emit(events)
        self.progressed.emit()

    def _on_done(self, ended: Ended) -> None:
        self._end()
        if self._context.desk.session is not None:
            self.result = ended
        self.changed.emit()
        self.ended.emit(ended)
        self.reload()

    def _on_failed(self, error: EvidenceDeskError) -> None:
        self._end()
        self.changed.emit()
        if isinstance(error, CanceledError):
            self._context.messages.inform("ui_capture.canceled")
        else:
            self._context.tasks.on_unhandled(error)
        self.reload()

    def _end(self) -> None:
        self._timer.stop()
        self._on_fetch()
        self._run = self._control = None

    def _on_locked(self) -> None:
        """Nothing of what was captured stays; a capture in hand goes on and is sealed."""
        self.rows, self.result = (), None
        if self._run is None:
            self.events, self.order = [], None


def _read(session: Session, tools: Callable[[], object]) -> tuple[Listed, ...]:
    from evidence_desk.core.capture.marks import parse_started  # noqa: PLC0415 - not before it is needed

    rows = session.vault.captures.captures()
    open_ones = [row for row in rows if row.state is CaptureState.RUNNING]
    cut: frozenset[bytes] = frozenset()
    if open_ones and not session.vault.read_only:
        cut = _cut_short(session, tools)
    return tuple(
        Listed(
            row=row,
            cut=row.id in cut,
            urls=parse_started(row.document).plan.urls if row.document else (),
            exhibit=session.vault.exhibits.exhibit(row.ended_leaf)
            if row.state is CaptureState.SEALED and row.ended_leaf is not None
            else None,
        )
        for row in reversed(rows)
    )


def _cut_short(session: Session, tools: Callable[[], object]) -> frozenset[bytes]:
    from evidence_desk.services.capture import CaptureTools  # noqa: PLC0415 - large
    from evidence_desk.services.capture_recover import cut_short  # noqa: PLC0415 - large

    made = tools()
    if not isinstance(made, CaptureTools):
        return frozenset()
    return frozenset(row.id for row in cut_short(session.desk, made.recorder))


def capture_work(context: Context) -> CaptureWork:
    """The program's one `CaptureWork`."""
    found = context.desk.findChild(CaptureWork)
    return found if isinstance(found, CaptureWork) else CaptureWork(context)

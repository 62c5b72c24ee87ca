"""Capture 网页取证: record pages with a real browser, mark what was recorded in time, and seal all of it as one exhibit.

The first leaf is appended before anything is recorded, so that captures that failed or were given up stay and are counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from evidence_desk.core.capture.environment import Reason, When, because
from evidence_desk.core.capture.events import Event
from evidence_desk.core.capture.manifest import PageResult
from evidence_desk.core.capture.marks import KnownHeader, MarkKind
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.capture.ports import EnvironmentChecker, Reach, Recorded, Recorder, Recording
from evidence_desk.core.capture.rows import CaptureResult, CaptureRow, CaptureState
from evidence_desk.core.capture.story import Story, judge
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.job import Job
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import CanceledError, HostError
from evidence_desk.services.capture_marks import Marker
from evidence_desk.services.capture_seal import REQUEST, Capture, seal_capture
from evidence_desk.services.capture_start import Begun, abandon, begin, look, new_id
from evidence_desk.services.desk import Desk
from evidence_desk.services.queue_request import encode_request
from evidence_desk.services.seal import SealRequest

MARK_SECONDS: Final = 60.0
FIRST_TOKEN_SECONDS: Final = 5.0
"""How long the recording waits for the token over mark 0 before it begins without."""
LAST_TOKENS_SECONDS: Final = 30.0
"""How long the sealing waits for tokens that are still asked for."""
CANCELED_TOKENS_SECONDS: Final = 3.0
"""The same for a capture that was canceled."""
_POLL_SECONDS: Final = 0.5
_JUMP_MS: Final = 2_000
"""Difference between the wall clock's way and that of a clock that only runs forward, from which it is said to have jumped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureTools:
    """Who does what the desk cannot do itself.

    Attributes:
        authorities: asked in order for tokens over the marks; none: marks without tokens.
        header: newest header of the court network that is known here.
    """

    recorder: Recorder
    environment: EnvironmentChecker
    authorities: Sequence[TimestampAuthority] = ()
    header: KnownHeader | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a capture is going."""

    seconds: int
    connections: int
    size: int
    marks: int
    tokens: int


@dataclass(slots=True)
class CaptureControl:
    """What a person may want while it is recorded; safe from any thread.

    Attributes:
        told: gets every event of the browser, in the recording thread.
        troubled: gets why the recording cannot go on, as soon as that is known, in the recording thread. What is recorded is kept.
        progress: gets the state about twice a second, in the recording thread.
    """

    told: Callable[[Event], None] = lambda _event: None
    troubled: Callable[[Reason], None] = lambda _reason: None
    progress: Callable[[Progress], None] = lambda _progress: None
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _abandon: threading.Event = field(default_factory=threading.Event, init=False)
    _snapshot: threading.Event = field(default_factory=threading.Event, init=False)

    def stop(self) -> None:
        """End now; what was recorded is sealed."""
        self._stop.set()

    def abandon(self) -> None:
        """Give it up: nothing is sealed, but that it was begun stays in the log."""
        self._abandon.set()
        self._stop.set()

    def snapshot(self) -> None:
        """Take a snapshot of the page in front."""
        self._snapshot.set()

    @property
    def stopping(self) -> bool:
        """Whether it is to end."""
        return self._stop.is_set()

    @property
    def abandoning(self) -> bool:
        """Whether it is given up."""
        return self._abandon.is_set()

    def take_snapshot_wish(self) -> bool:
        """Whether a snapshot is wanted; forgotten once asked."""
        wanted = self._snapshot.is_set()
        self._snapshot.clear()
        return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOutcome:
    """What came of it: the sealed exhibit, or None when it was given up."""

    capture: CaptureRow
    exhibit: ExhibitRow | None = None
    result: CaptureResult | None = None
    reasons: tuple[Reason, ...] = ()
    pages: tuple[PageResult, ...] = ()


def capture(
    desk: Desk,
    tools: CaptureTools,
    plan: CapturePlan,
    request: SealRequest,
    *,
    job: Job,
    control: CaptureControl | None = None,
    elapsed: Callable[[], float] = time.monotonic,
) -> CaptureOutcome:
    """Record, mark, seal.

    Args:
        desk: the open desk.
        tools: who records, looks at the machine, and gives tokens.
        plan: what to record.
        request: case and exhibit fields; its title is that of the first page when empty.
        job: stages ``capture.look``, ``capture.record``, ``capture.build`` and those of sealing. Canceling while it is
            recorded ends the recording; what there is is sealed as partial.
        control: what a person may want meanwhile.
        elapsed: seconds of a clock that only runs forward.

    Raises:
        UsageError: ``annotate.archived``. NotFoundError: ``vault.case_erased``.
        ConfigurationError: the browser cannot be started here; the capture is abandoned then.
        HostError, IntegrityError: vault or disk (``capture.disk_full``); the workspace stays for `recover`.
    """
    control = control or CaptureControl()
    job.step("capture.look", 0, 1)
    capture_id = new_id(desk)
    workspace = tools.recorder.workspace(capture_id)
    try:
        workspace.append(REQUEST, encode_request(request))
        begun = begin(
            desk, capture_id, workspace, plan, request,
            environment=tools.environment, header=tools.header, job=job,
        )  # fmt: skip
    except BaseException:
        tools.recorder.remove(capture_id)
        raise
    try:
        return _Capturing(desk, tools, plan, request, job, control, elapsed, workspace, begun).run()
    except HostError as error:
        tools.recorder.release(capture_id)
        left = desk.store.captures.capture(capture_id)
        if error.code == "host.disk_full" and left is not None and left.state is CaptureState.RUNNING:
            raise HostError("capture.disk_full", number=capture_id.hex()) from error
        raise
    except BaseException:
        tools.recorder.release(capture_id)
        raise


@dataclass(slots=True)
class _Capturing:
    """One call of `capture`, after its first leaf."""

    desk: Desk
    tools: CaptureTools
    plan: CapturePlan
    request: SealRequest
    job: Job
    control: CaptureControl
    elapsed: Callable[[], float]
    workspace: Workspace
    begun: Begun

    def run(self) -> CaptureOutcome:
        """Record, then seal or give up."""
        marker = Marker(self.desk, self.workspace, sha256(self.begun.document), self.tools.authorities)
        try:
            return self._record(marker)
        finally:
            marker.close()

    def _record(self, marker: Marker) -> CaptureOutcome:
        marker.mark(MarkKind.START)
        marker.settle(FIRST_TOKEN_SECONDS, enough=lambda: self.control.stopping or self.job.canceled)
        wall, steady = self.desk.clock.now(), self.elapsed()
        try:
            recording = self.tools.recorder.begin(self.workspace, self.plan)
        except BaseException:  # nothing was recorded
            self._give_up()
            raise
        story = Story(plan=self.plan)
        try:
            trouble = self._watch(recording, story, marker)
        finally:
            recorded = recording.close()
        if trouble is not None and recorded.fault is None:
            recorded = replace(recorded, fault=trouble.code, facts=trouble.parameters)
        for event in recording.poll(0):
            self._hear(story, event)
        if self.control.abandoning or story.abandoned:
            return self._give_up()
        jump = self._jump(wall, steady)
        return self._seal(story, recording.reach(), recorded, marker, [jump] if jump is not None else [])

    def _watch(self, recording: Recording, story: Story, marker: Marker) -> Reason | None:
        """Until the browser has ended, or is to, or the recorder cannot go on; why it cannot, which is told at once."""
        try:
            self._look_on(recording, story, marker)
            fault = recording.fault
        except HostError as error:  # of a mark or a token
            fault = recording.fault or because(error.code, **error.parameters)
        if fault is not None:
            self.control.troubled(fault)
        return fault

    def _look_on(self, recording: Recording, story: Story, marker: Marker) -> None:
        start = marked = self.elapsed()
        stopped = False
        while not recording.ended:
            for event in recording.poll(_POLL_SECONDS):
                self._hear(story, event)
            marker.collect()
            now = self.elapsed()
            if now - marked >= MARK_SECONDS:
                marker.mark(MarkKind.RUNNING, recording.reach())
                marked = self.elapsed()
            if self.control.take_snapshot_wish():
                recording.snapshot()
            if not stopped and (self.control.stopping or self._canceled(int(now - start))):
                recording.stop()
                stopped = True
            self._report(recording.reach(), int(now - start), marker)

    def _canceled(self, seconds: int) -> bool:
        try:
            self.job.step("capture.record", min(seconds, self.plan.max_seconds), self.plan.max_seconds)
        except CanceledError:
            return True
        return False

    def _report(self, reach: Reach, seconds: int, marker: Marker) -> None:
        self.control.progress(
            Progress(
                seconds=seconds, connections=len(reach.streams), size=reach.size,
                marks=marker.count, tokens=marker.tokens,
            )
        )  # fmt: skip

    def _hear(self, story: Story, event: Event) -> None:
        story.hear(event)
        self.control.told(event)

    def _jump(self, wall: datetime, steady: float) -> Reason | None:
        off = round((self.desk.clock.now() - wall).total_seconds() * 1000 - (self.elapsed() - steady) * 1000)
        return because("capture.reason.clock_jump", milliseconds=off) if abs(off) >= _JUMP_MS else None

    def _give_up(self) -> CaptureOutcome:
        abandon(self.desk, self.begun.row)
        self.tools.recorder.remove(self.begun.row.id)
        return CaptureOutcome(capture=self.desk.store.captures.capture(self.begun.row.id) or self.begun.row)

    def _seal(
        self, story: Story, reach: Reach, recorded: Recorded, marker: Marker, reasons: Sequence[Reason]
    ) -> CaptureOutcome:
        job = Job() if self.job.canceled else self.job  # a canceled capture is sealed all the same
        fresh = story.started is not None and story.started.fresh_profile
        after = look(
            self.tools.environment, When.AFTER, self.plan, self.workspace, job, profile=() if fresh else None
        )
        marker.mark(MarkKind.END, reach, DigestPair.of(after))
        hurry = self.job.canceled
        marker.settle(
            CANCELED_TOKENS_SECONDS if hurry else LAST_TOKENS_SECONDS,
            enough=lambda: self.job.canceled and not hurry,
        )
        marker.close()
        marker.note_clock()
        done = seal_capture(
            self.desk,
            Capture(
                row=self.begun.row, started=self.begun.started, workspace=self.workspace, story=story, reach=reach,
                marks=marker.results(), ended=self.desk.clock.now(),
                judge=lambda further: judge(story, recorded, [*reasons, *further]),
            ),
            self.request,
            render=self.tools.environment.render,
            job=job,
        )  # fmt: skip
        self.tools.recorder.remove(self.begun.row.id)
        return CaptureOutcome(
            capture=self.desk.store.captures.capture(self.begun.row.id) or self.begun.row,
            exhibit=done.exhibit, result=done.result, reasons=done.reasons, pages=story.pages(),
        )  # fmt: skip

"""One capture from the form to its timestamp, beside the window. Imports the recorder only when one is begun: it is large."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.capture.environment import Reason, Target, When
from evidence_desk.core.capture.rows import CaptureResult, CaptureRow
from evidence_desk.core.job import Job
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import RemoteError
from evidence_desk.services.seal import SealRequest
from evidence_desk.services.timestamp import timestamp
from evidence_desk.texts import Language
from ui.capture.feed import Feed, Stage
from ui.capture.order import Order

if TYPE_CHECKING:
    from evidence_desk.core.capture.marks import Started
    from evidence_desk.core.capture.ports import EnvironmentChecker
    from evidence_desk.services.capture import CaptureControl, CaptureOutcome, CaptureTools

ToolsFor = Callable[[Session, Language], "CaptureTools"]

STAGES: Final[Mapping[str, Stage]] = {
    "capture.look": Stage.LOOK,
    "capture.record": Stage.RECORD,
    "capture.build": Stage.READ,
    "capture.pack": Stage.SEAL,
    "encrypt": Stage.SEAL,
    "verify": Stage.SEAL,
}
"""Stages of the job, as the window shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of a capture.

    Attributes:
        exhibit: None when it was given up.
        untimestamped: why no authority gave a token; the exhibit waits for one.
    """

    capture: CaptureRow
    exhibit: ExhibitRow | None
    result: CaptureResult | None
    reasons: tuple[Reason, ...]
    untimestamped: RemoteError | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """An `EnvironmentChecker` that says when it is asked."""

    inner: EnvironmentChecker
    feed: Feed

    def check(
        self,
        when: When,
        targets: Sequence[Target],
        job: Job,
        *,
        profile: Sequence[str] | None = None,
        earlier: Mapping[str, bytes] | None = None,
    ) -> tuple[bytes, Mapping[str, bytes]]:
        """See `EnvironmentChecker`."""
        self.feed.reach(Stage.LOOK if when is When.BEFORE else Stage.READ)
        found = self.inner.check(when, targets, job, profile=profile, earlier=earlier)
        self.feed.reach(Stage.START)
        return found

    def render(self, before: bytes, after: bytes | None, started: Started) -> bytes:
        """See `EnvironmentChecker`."""
        return self.inner.render(before, after, started)


def own_tools(session: Session, language: Language) -> CaptureTools:
    """Recorder and checks of this machine."""
    from evidence_desk.bootstrap.capturing import capture_tools  # noqa: PLC0415 - large

    return capture_tools(session, language)


def make_control(feed: Feed) -> CaptureControl:
    """What a person may want while it is recorded, telling `feed`."""
    from evidence_desk.services.capture import CaptureControl  # noqa: PLC0415 - large

    return CaptureControl(told=feed.told, progress=feed.reported, troubled=feed.troubled)


def take(
    session: Session, order: Order, request: SealRequest, tools: CaptureTools, control: CaptureControl, feed: Feed, job: Job
) -> Ended:  # fmt: skip
    """Record, seal, timestamp; see `services.capture.capture`."""
    from evidence_desk.services.capture import capture  # noqa: PLC0415 - large

    watched = replace(tools, environment=Watched(tools.environment, feed))
    outcome = capture(session.desk, watched, order.plan(), request, job=job, control=control)
    return _stamped(session, outcome, feed)


def recovered(session: Session, tools: CaptureTools, capture_id: bytes, feed: Feed, job: Job) -> Ended:
    """Seal what was recorded of a capture that was cut short, and timestamp it."""
    from evidence_desk.services.capture_recover import recover  # noqa: PLC0415 - large

    return _stamped(session, recover(session.desk, tools, capture_id, job=job), feed)


def _stamped(session: Session, outcome: CaptureOutcome, feed: Feed) -> Ended:
    """It is sealed; what the authority says is told beside it. Closing the program does not wait for one."""
    exhibit, away = outcome.exhibit, None
    if exhibit is not None:
        feed.reach(Stage.STAMP)
        try:
            timestamp(session.desk, session.authorities, job=Job())
        except RemoteError as error:
            away = error
        exhibit = session.vault.exhibits.exhibit(exhibit.leaf_hash) or exhibit
    return Ended(
        capture=outcome.capture, exhibit=exhibit, result=outcome.result, reasons=outcome.reasons, untimestamped=away
    )  # fmt: skip

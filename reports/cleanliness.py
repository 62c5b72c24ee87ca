"""清洁性检查报告 of a capture as PDF/A, straight from its environment reports."""

from __future__ import annotations

from evidence_desk.core.capture.environment import Check, EnvironmentReport
from evidence_desk.core.capture.environment_codec import encode
from evidence_desk.core.capture.marks import Started
from evidence_desk.core.certificate import CaseFacts, DemoReason, Exhibit
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.documents import CaptureBegun, CheckedEnvironment, Cleanliness, Imprint
from evidence_desk.core.moment import parse_moment
from evidence_desk.errors import BugError
from evidence_desk.texts import Language
from reports.documents import render


def render_cleanliness(
    before: EnvironmentReport | None,
    after: EnvironmentReport | None,
    language: Language,
    *,
    started: Started | None = None,
    case: CaseFacts | None = None,
    exhibit: Exhibit | None = None,
    demo: tuple[DemoReason, ...] = (),
) -> bytes:
    """PDF/A-3b of the report; the same inputs give the same bytes, since it is dated by the last check.

    A demonstration authority among the clocks marks it 演示/非第三方 without being named in `demo`. What lies in a
    capture is made of both reports and `started` alone, so that whoever has those can make it again.

    Raises:
        BugError: ``bug.no_report`` when there is neither report.
    """
    return render(
        cleanliness(before, after, started=started, case=case, exhibit=exhibit, demo=demo), language
    )


def cleanliness(
    before: EnvironmentReport | None,
    after: EnvironmentReport | None,
    *,
    started: Started | None = None,
    case: CaseFacts | None = None,
    exhibit: Exhibit | None = None,
    demo: tuple[DemoReason, ...] = (),
) -> Cleanliness:
    """The document's model; digests are of the reports' only encoding, that is of their files."""
    last = after or before
    if last is None:
        raise BugError("bug.no_report")
    found = last.fact(Check.PROGRAM, "program")
    capture = None
    if started is not None:
        case = CaseFacts(number=started.case_number)
        capture = CaptureBegun(id=started.id, at=parse_moment(started.at, what="started"))
    imprint = Imprint(
        made=last.finished, case=case or CaseFacts(), demo=demo, program=found[0] if found else ""
    )
    return Cleanliness(
        imprint=imprint, before=_checked(before), after=_checked(after), exhibit=exhibit, capture=capture
    )


def _checked(report: EnvironmentReport | None) -> CheckedEnvironment | None:
    return (
        None if report is None else CheckedEnvironment(report=report, digests=DigestPair.of(encode(report)))
    )

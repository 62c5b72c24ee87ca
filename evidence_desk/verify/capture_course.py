"""Verify how a capture went: which liberties it took, whether its reports are about it, whether its times can be.

Nothing here proves the desk wrong; it is what a reader has to know to weigh the desk's word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final
from urllib.parse import urlsplit

from evidence_desk.core.capture.environment import EnvironmentReport, Target, When, short
from evidence_desk.core.capture.environment_codec import parse as parse_environment
from evidence_desk.core.capture.manifest import Manifest
from evidence_desk.core.capture.marks import MAX_STARTED, STARTED, Mark, parse_started
from evidence_desk.core.capture.plan import CapturePlan, CertificatePolicy
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.core.verdict import Dimension, Parameter, Status, Vouches
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture_contents import AFTER, BEFORE
from evidence_desk.verify.capture_work import Work, read
from evidence_desk.wacz.read import WaczReader

_MAX_REPORT: Final = 64 << 20
_CLOCK: Final = timedelta(minutes=1)
"""By how much a clock may be off, or jump."""
_LATE: Final = timedelta(minutes=10)
"""By how much the first token may come after the beginning."""
_APART: Final = timedelta(minutes=3)
"""Marks come every minute; the last one after the machine was looked at again."""
_EARLIER: Final = timedelta(minutes=10)
"""How long before the beginning the machine may have been looked at."""
_FLAGS: Final = {"sandbox": "sandbox", "observer_closed": "observer", "fresh_profile": "profile"}
_MAX_TARGETS: Final = 64


def check_course(work: Work, reader: WaczReader, manifest: Manifest, marks: Sequence[Mark]) -> None:
    """Liberties, reports, marks and clock."""
    try:
        plan = parse_started(read(reader, STARTED, MAX_STARTED)).plan
        reports = {
            name: parse_environment(read(reader, name, _MAX_REPORT))
            for name in (BEFORE, AFTER)
            if name in reader.evidence
        }
    except MalformedError:
        return  # told by the checks of these files
    _choices(work, plan, manifest)
    _reports(work, plan, manifest, reports)
    _clock(work, manifest, marks)


def _choices(work: Work, plan: CapturePlan, manifest: Manifest) -> None:
    """What was allowed that a careful capture does not need."""
    check = "capture.choices"
    taken: list[tuple[str, dict[str, Parameter]]] = []
    if plan.extra_ca:
        taken.append(("extra_ca", {"count": len(plan.extra_ca)}))
    if plan.certificate_errors is CertificatePolicy.ACCEPT:
        taken.append(("accept", {"count": manifest.counts.get("certificate_errors", 0)}))
    if plan.allow_private:
        taken.append(("private", {}))
    if manifest.browser:  # it ran
        taken += [(reason, {}) for name, reason in _FLAGS.items() if manifest.browser.get(name) != 1]
    for reason, facts in taken:
        work.add(Dimension.ENVIRONMENT, check, Status.UNDETERMINED, reason, Vouches.DESK, **facts)
    if not taken:
        work.add(Dimension.ENVIRONMENT, check, Status.PASSED, "right", Vouches.DESK)


def _reports(
    work: Work, plan: CapturePlan, manifest: Manifest, reports: dict[str, EnvironmentReport]
) -> None:
    """Reports on the machine are about this capture: before and after it, of the addresses that it was to ask."""
    check = "capture.environment"
    targets = set(_targets(plan))
    for name, when in ((BEFORE, When.BEFORE), (AFTER, When.AFTER)):
        report = reports.get(name)
        if report is None:
            continue
        if report.when is not when:
            work.failed(Dimension.ENVIRONMENT, check, "when", name=name)
        elif not set(report.targets) <= targets or len(report.targets) < min(len(targets), _MAX_TARGETS):
            work.failed(Dimension.ENVIRONMENT, check, "targets", name=name)
        low = manifest.begun - (_EARLIER if when is When.BEFORE else _CLOCK)
        high = _CLOCK + (manifest.begun if when is When.BEFORE else manifest.ended)
        outside = [at for at in (report.started, report.finished) if not low <= at <= high]
        if outside:
            work.unknown(
                Dimension.ENVIRONMENT, "capture.moments", "strange", name=name, at=format_moment(outside[0])
            )


def _targets(plan: CapturePlan) -> Iterator[str]:
    """Hosts and ports of the addresses, as a report spells them."""
    for url in plan.urls:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        yield short(str(Target(host=parts.hostname or "", port=port)))


def _clock(work: Work, manifest: Manifest, marks: Sequence[Mark]) -> None:
    """Marks lie close to each other, and no token shows that the desk's clock was ahead, or that marks came late."""
    moments = [parse_moment(mark.at, what="mark") for mark in marks]
    gaps = [(after - before) for before, after in pairwise(moments)]
    if gaps and max(gaps) > _APART:
        work.unknown(Dimension.ENVIRONMENT, "capture.marks", "sparse", seconds=_seconds(max(gaps)))
    shown = [
        (at, item.gen_time)
        for at, item in zip(moments, manifest.marks, strict=False)
        if item.gen_time is not None
    ]
    ahead = max((at - shown_at for at, shown_at in shown), default=timedelta())
    if ahead > _CLOCK:
        work.unknown(Dimension.ENVIRONMENT, "capture.clock", "ahead", seconds=_seconds(ahead))
    if shown:
        first = min(shown_at for _, shown_at in shown)
        if first - manifest.begun > _LATE:
            work.unknown(
                Dimension.ENVIRONMENT, "capture.clock", "late", begun=format_moment(manifest.begun),
                first=format_moment(first), minutes=_seconds(first - manifest.begun) // 60,
            )  # fmt: skip


def _seconds(span: timedelta) -> int:
    return span // timedelta(seconds=1)

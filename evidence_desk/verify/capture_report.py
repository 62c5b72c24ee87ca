"""Verify the printed environment report of a capture: printed again from its data, it must come out the same.

Nothing of the foreign PDF is read: it is compared byte for byte with what this program makes of the reports.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.capture.environment import Check, EnvironmentReport
from evidence_desk.core.capture.environment_codec import parse as parse_environment
from evidence_desk.core.capture.manifest import Manifest
from evidence_desk.core.capture.marks import MAX_STARTED, STARTED, Started, parse_started
from evidence_desk.core.verdict import Dimension
from evidence_desk.errors import MalformedError
from evidence_desk.verify.capture_work import Work, read, reason_of
from evidence_desk.wacz.read import WaczReader

PRINTED: Final = "cleanliness-report.pdf"
_CHECK: Final = "capture.report"
_BEFORE: Final = "environment-before.json"
_AFTER: Final = "environment-after.json"
_MAX_REPORT: Final = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Prints environment reports.

    Attributes:
        program: this program and its parts, in the words of an environment report's check ``program``.
        render: PDFs of the reports before and after of a capture, one in each language.
    """

    program: frozenset[str]
    render: Callable[[EnvironmentReport, EnvironmentReport | None, Started], Sequence[bytes]]


def check_report(work: Work, reader: WaczReader, manifest: Manifest, press: Press | None) -> None:
    """The PDF is what its data print; only the same program with the same parts can tell that it is not."""
    names = {PRINTED, _BEFORE, *(() if manifest.after is None else (_AFTER,))}
    if names & work.withheld:
        work.unknown(Dimension.INTEGRITY, _CHECK, "withheld")
        return
    if press is None:
        work.unknown(Dimension.ENVIRONMENT, _CHECK, "not_printed")
        return
    if not names <= set(reader.evidence):
        work.failed(Dimension.INTEGRITY, _CHECK, "missing")
        return
    try:
        before = parse_environment(read(reader, _BEFORE, _MAX_REPORT))
        after = None if manifest.after is None else parse_environment(read(reader, _AFTER, _MAX_REPORT))
        data = read(reader, PRINTED, _MAX_REPORT)
        started = parse_started(read(reader, STARTED, MAX_STARTED))
    except MalformedError as error:
        work.failed(Dimension.INTEGRITY, _CHECK, "malformed", reason=reason_of(error))
        return
    if data in press.render(before, after, started):
        work.passed(Dimension.INTEGRITY, _CHECK)
    elif _maker(after or before) == press.program:
        work.failed(Dimension.INTEGRITY, _CHECK, "differs")
    else:
        shown = (after or before).fact(Check.PROGRAM, "program")
        work.unknown(Dimension.ENVIRONMENT, _CHECK, "other_program", software=shown[0][:80] if shown else "—")


def _maker(report: EnvironmentReport) -> frozenset[str]:
    """Program and parts that made a report."""
    return frozenset((*report.fact(Check.PROGRAM, "program"), *report.fact(Check.PROGRAM, "components")))

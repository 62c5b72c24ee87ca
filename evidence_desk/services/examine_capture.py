"""A web capture put before an examination by itself: it is looked into, whether or not anything is known of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from evidence_desk.core.job import Job
from evidence_desk.core.verdict import Status, Verdict, unique_caveats
from evidence_desk.errors import MalformedError
from evidence_desk.services.examination import Examination
from evidence_desk.verify.answer import verdict_answer
from evidence_desk.verify.files import InputKind, Originals, recognize, verify_path

NOT_GIVEN = "capture.environment.not_given"


def with_capture(examined: Examination, path: Path, job: Job) -> Examination:
    """An examination with what the file tells when it is a capture that no exhibit of the open vault was judged with.

    Where the capture contradicts itself that is the answer, whatever is known of its digests.
    """
    if any(
        item.check.startswith("capture.") and item.code != NOT_GIVEN for item in examined.verdict.findings
    ):
        return examined
    try:
        if recognize(path) is not InputKind.CAPTURE:
            return examined
    except MalformedError:
        return examined
    own = verify_path(
        path, originals=Originals((), job), trust=examined.trust, now=examined.at, job=job
    ).verdict
    verdict = Verdict(
        policy=examined.verdict.policy,
        findings=(*examined.verdict.findings, *own.findings),
        caveats=unique_caveats((*examined.verdict.caveats, *own.caveats)),
    )
    if own.overall is not Status.FAILED:
        return replace(examined, verdict=verdict)
    return replace(examined, verdict=verdict, answer=verdict_answer(verdict))

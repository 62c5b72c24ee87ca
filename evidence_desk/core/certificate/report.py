"""A verification report 核验报告 as data: what was checked, against which trust, with what answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from evidence_desk.core.canonical import JSON
from evidence_desk.core.certificate.model import FileFacts
from evidence_desk.core.certificate.values import utc_text
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRootFacts:
    """A trust root the verifier started from; `fingerprint` is the SHA-256 of its bytes."""

    name: str
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpFacts:
    """One look-up: what was asked, where, and what it came to, as sentences; `outcome` as its code."""

    question: str
    place: str
    outcome: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """Everything a verification report says.

    Attributes:
        number: of the report; printed on every page.
        checked: moment that the checks went by, UTC.
        subject: name of the checked file, or the text that was asked; `size` in bytes and `digests` only of a file.
        answer: the one sentence; "" for that of the verdict's policy. `result`: what it comes to.
        looked_up: what was looked up elsewhere. `notes`: sentences beside the answer.
        limits: what is not proven beyond what no report proves, as sentences.
        stated_number: number that the checked thing bears, "" when none.
        originals: files that were compared with it.
        demo: reasons as sentences, empty when nothing is a demo.
        signed: whether the report is going to be signed; an unsigned one says so.
    """

    number: str
    checked: datetime
    language: str
    subject: str
    verdict: Verdict
    size: int | None = None
    digests: DigestPair | None = None
    answer: str = ""
    result: str = ""
    looked_up: tuple[LookUpFacts, ...] = ()
    notes: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    stated_number: str = ""
    originals: tuple[FileFacts, ...] = ()
    roots: tuple[TrustRootFacts, ...] = ()
    program: str = ""
    operator: str = ""
    demo: tuple[str, ...] = ()
    signed: bool = False


def report_values(report: VerificationReport) -> dict[str, JSON]:
    """Values of ``report.json``."""
    verdict = report.verdict
    subject: dict[str, JSON] = {"name": report.subject}
    if report.digests is not None and report.size is not None:
        subject |= {"size": report.size, **report.digests.to_json()}
    return {
        "number": report.number,
        "checked": utc_text(report.checked),
        "subject": subject,
        "originals": [
            {"name": item.name, "size": item.size, **item.digests.to_json()} for item in report.originals
        ],
        "policy": verdict.policy.name,
        "overall": verdict.overall.value,
        "answer": {"result": report.result or verdict.overall.value, "sentence": report.answer},
        "looked_up": [
            {"question": item.question, "place": item.place, "outcome": item.outcome, "said": item.said}
            for item in report.looked_up
        ],
        "findings": [_finding(item) for item in verdict.findings],
        "caveats": [{"code": item.code, "parameters": dict(item.parameters)} for item in verdict.caveats],
        "roots": [{"name": root.name, "sha256": root.fingerprint.hex()} for root in report.roots],
    }


def _finding(item: Finding) -> dict[str, JSON]:
    return {
        "dimension": item.dimension.value,
        "check": item.check,
        "status": item.status.value,
        "code": item.code,
        "parameters": dict(item.parameters),
        "who_vouches": item.who_vouches.value,
    }

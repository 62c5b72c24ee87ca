"""What the court network's found entries say together: since when, revoked or not, about exactly this file or not.

Any desk can register a digest that it saw on chain: an entry that fails counts neither for nor against others, and a
certificate is what the desk says that registered it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evidence_desk.core.leaf import LeafType, PlainObject
from evidence_desk.core.moment import format_moment
from evidence_desk.core.verdict import Dimension, Finding, Status, Vouches
from evidence_desk.court.protocol.search import FoundVerdict
from evidence_desk.court.protocol.state import LookupKind
from evidence_desk.services.lookup import LookupOutcome
from evidence_desk.services.question import Question, QuestionKind
from evidence_desk.verify.answer import Answer, Result, Said

MOST_TOLD: Final = 5
"""Entries whose findings are told one by one."""
_CERTIFICATES: Final = frozenset({LookupKind.CERTIFICATE_SHA256, LookupKind.CERTIFICATE_SM3})


def is_revoked(item: FoundVerdict) -> bool:
    """Whether the network has a revocation of the entry."""
    return item.court is not None and any(one.code == "court.events.revoked" for one in item.court.findings)


def network_answer(question: Question, outcome: LookupOutcome) -> Answer:
    """One sentence about a network's outcome that is not absence."""
    told = considered(outcome)
    if told is None:
        return Answer(result=Result.UNDETERMINED, said=Said(code="examination.answer.eldest"))
    facts: dict[str, str | int] = {
        "count": outcome.entries or len(told), "chain": outcome.chain_id, "height": outcome.height,
    }  # fmt: skip
    passed = [
        item
        for item in told
        if item.status is Status.PASSED and item.court is not None and item.court.anchored_at is not None
    ]
    if any(is_revoked(item) for item in told) and (is_of_certificates(outcome) or not passed):
        return Answer(
            result=Result.UNDETERMINED, said=Said(code="examination.answer.revoked", parameters=facts)
        )
    dated = [
        (item.court.height, item.court.anchored_at, item.court.as_of)
        for item in passed
        if item.court is not None and item.court.anchored_at is not None
    ]
    if not dated:
        result = Result.PRESENT if outcome.present else Result.UNDETERMINED
        return Answer(result=result, said=Said(code="examination.answer.court.untimed", parameters=facts))
    height, time, as_of = min(dated)
    facts |= {"height": height, "time": format_moment(time), "asof": as_of}
    code = "certificate" if is_of_certificates(outcome) else _CODES[question.kind]
    return Answer(result=Result.PRESENT, said=Said(code=f"examination.answer.court.{code}", parameters=facts))


_CODES: Final = {
    QuestionKind.FILE: "file",
    QuestionKind.DIGEST: "digest",
    QuestionKind.EVIDENCE_NUMBER: "number",
    QuestionKind.CERTIFICATE_NUMBER: "number",
    QuestionKind.CODE: "leaf",
}


def considered(outcome: LookupOutcome) -> Sequence[FoundVerdict] | None:
    """Entries that count; of a certificate only the eldest, None when that one was not shown."""
    kept = [item for item in outcome.found if item.counts]
    if not is_of_certificates(outcome):
        return kept
    refuted = {item.leaf_hash for item in outcome.found if not item.counts}
    counted = {leaf: height for leaf, height in outcome.heights.items() if leaf not in refuted}
    if not counted:
        return kept
    eldest = min(counted.values())
    first = [item for item in kept if counted.get(item.leaf_hash) == eldest]
    return first or None


def is_of_certificates(outcome: LookupOutcome) -> bool:
    """Whether the digest is known as a certificate's and as nothing else's."""
    return bool(outcome.occurrences) and all(item.kind in _CERTIFICATES for item in outcome.occurrences)


def network_findings(question: Question, outcome: LookupOutcome) -> list[Finding]:
    """Findings of the entries that count, and whether they are about exactly this file."""
    told = (considered(outcome) or ())[:MOST_TOLD]
    findings = [_same(question, told)]
    for item in told:
        findings += [*item.findings, *(() if item.court is None else item.court.findings)]
    return _once(findings)


def _once(findings: Sequence[Finding]) -> list[Finding]:
    result: list[Finding] = []
    for item in findings:
        if item not in result:
            result.append(item)
    return result


def _same(question: Question, found: Sequence[FoundVerdict]) -> Finding:
    """Whether an entry shows both digests and the size of the file that was given."""
    if question.digests is None:
        return _integrity(Status.UNDETERMINED, "none")
    wanted = PlainObject(digests=question.digests, size=question.size)
    leaves = [item.leaf for item in found if item.leaf is not None]
    if any(wanted in leaf.objects for leaf in leaves):
        return _integrity(Status.PASSED, "same")
    shown = question.digests.to_json()
    if any(
        leaf.type is LeafType.CERTIFICATE_ISSUED and leaf.facts.get("certificate") == shown for leaf in leaves
    ):
        return _integrity(Status.PASSED, "certificate")
    return _integrity(Status.UNDETERMINED, "one_digest")


def _integrity(status: Status, reason: str) -> Finding:
    return Finding(
        dimension=Dimension.INTEGRITY, check="examination.file", status=status,
        code=f"examination.file.{reason}",
        who_vouches=Vouches.COMPUTATION if status is Status.PASSED else Vouches.NOBODY,
    )  # fmt: skip

"""Examine what a judge drops, types or scans. Writes nothing; needs neither vault nor network; hostile input is an outcome.

Evidence of ours (certificate, package, proof, token) is judged by the verifier. Any other file is looked up by its
digests, and a scan by the QR codes on it: a scan itself proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.examine_ports import CodeReader, Scan
from evidence_desk.core.job import Job
from evidence_desk.core.qr_payload import CodePayload, parse_code
from evidence_desk.core.trust import NO_TRUST, Trust
from evidence_desk.core.verdict import (
    LOOKUP_POLICY,
    Dimension,
    Finding,
    Status,
    Verdict,
    Vouches,
    unique_caveats,
)
from evidence_desk.court.protocol.registry import desk_family
from evidence_desk.errors import CanceledError, EvidenceDeskError, MalformedError
from evidence_desk.services.court_query import Court
from evidence_desk.services.desk import Desk
from evidence_desk.services.examination import (
    Compared,
    Examination,
    LookedUp,
    Matching,
    Outcome,
    PlaceAnswer,
    Subject,
)
from evidence_desk.services.examine_capture import with_capture
from evidence_desk.services.places import Places, given_of
from evidence_desk.services.question import Question, QuestionKind, ask_file, recognize
from evidence_desk.services.standing import is_revoked, network_answer, network_findings
from evidence_desk.verify.answer import Answer, Result, Said, verdict_answer
from evidence_desk.verify.files import (
    InputKind,
    InputVerdict,
    Originals,
    open_regular,
    verify_path,
    with_root_caveat,
)
from evidence_desk.verify.listing import Listing, read_listing
from evidence_desk.verify.originals import GivenFile

MOST_CODES: Final = 16
"""QR codes of one scan that are looked up."""
MOST_EXHIBITS: Final = 16
"""Exhibits of one piece of evidence whose present standing is asked for."""
SCAN_LIMIT: Final = "examination.limit.scan"
"""Limit of what a picture or scan shows."""
_ALWAYS: Final = (
    "certificate.scope.not_true",
    "certificate.scope.not_author",
    "certificate.scope.not_before",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """What an examination goes by.

    Attributes:
        trust: roots; NO_TRUST leaves signers, times and networks undetermined.
        now: moment of judgement (UTC).
        codes: reader of QR codes; without one scans are ordinary files.
    """

    now: datetime
    job: Job
    trust: Trust = NO_TRUST
    desk: Desk | None = None
    court: Court | None = None
    why_no_court: EvidenceDeskError | None = None
    codes: CodeReader | None = None

    @property
    def places(self) -> Places:
        """Where things are looked up."""
        return Places(
            trust=self.trust, now=self.now, desk=self.desk, court=self.court, why_no_court=self.why_no_court
        )


def examine(
    subject: Subject, *, by: Examiner, originals: Sequence[Path] = (), compared: Sequence[Compared] = ()
) -> Examination:
    """Everything that can be said about a subject.

    Args:
        subject: a file, a text, or the payload of a QR code.
        by: trust, places to ask, moment, job.
        originals: files that the person says belong to it: one that does not fails.
        compared: originals that were matched by their digests (`examine_all`), hashed already.

    Raises:
        CanceledError: nothing else; what cannot be read or meant is an outcome with its error.
    """
    try:
        if subject.path is None:
            question = recognize(subject.text) if subject.code is None else _of_code(subject.code)
            return _asked(subject, question, by)
        listing = read_listing(subject.path)
        if listing is not None:
            return _evidence(subject.path, listing, by, originals, compared)
        return _other(subject, subject.path, by)
    except CanceledError:
        raise
    except EvidenceDeskError as error:
        return refused(subject, error, by)


def refused(subject: Subject, error: EvidenceDeskError, by: Examiner) -> Examination:
    """A subject that could not be examined at all."""
    reason = Said(code=error.code, parameters=error.parameters)
    typed = subject.path is None
    code = "examination.answer.input" if typed else "examination.answer.unreadable"
    return Examination(
        subject=subject, at=by.now, trust=by.trust, verdict=Verdict(policy=LOOKUP_POLICY, findings=()),
        answer=Answer(
            result=Result.INPUT if typed else Result.UNDETERMINED, said=Said(code=code), reason=reason
        ),
        error=error,
    )  # fmt: skip


# --- evidence -------------------------------------------------------------------------------------------------


def _evidence(
    path: Path, listing: Listing, by: Examiner, originals: Sequence[Path], compared: Sequence[Compared]
) -> Examination:  # fmt: skip
    told = Originals(originals, by.job).given
    files = (*told, *(item.file for item in compared))
    paths = (*originals, *(item.path for item in compared))
    item = verify_path(
        path, originals=Originals(paths, by.job, files), trust=by.trust, now=by.now, job=by.job
    )
    named = tuple(
        Compared(path=where, file=file, how=Matching.GIVEN, listed_as=listed_as(listing, file))
        for where, file in zip(originals, told, strict=True)
    )
    examined = of_verdict(
        item, ask_file(path, by.job), trust=by.trust, now=by.now, compared=(*named, *compared)
    )
    number = listing.number
    if not number and len(listing.exhibits) == 1:
        number = format_number(Prefix.EVIDENCE, listing.exhibits[0].leaf_hash)
    return _with_standing(replace(examined, number=number), listing, by)


def of_verdict(
    item: InputVerdict, own: Question, *, trust: Trust, now: datetime, compared: Sequence[Compared] = ()
) -> Examination:
    """The examination that a verdict of the verifier amounts to, without look-ups."""
    return Examination(
        subject=Subject(path=item.path), at=now, trust=trust, kind=item.kind, verdict=item.verdict,
        answer=verdict_answer(item.verdict), size=own.size, digests=own.digests, originals=tuple(compared),
        limits=_ALWAYS,
    )  # fmt: skip


def listed_as(listing: Listing, file: GivenFile) -> str:
    """Name under which evidence lists a file, "" when it does not, or does not say."""
    return next(
        (
            item.name
            for item in listing.files
            if (item.size, item.digests.sha256, item.digests.sm3) == (file.size, file.sha256, file.sm3)
        ),
        "",
    )


def _with_standing(examined: Examination, listing: Listing, by: Examiner) -> Examination:
    """What the network says today of the exhibits, and of a certificate: it may have been revoked since."""
    if by.court is None and by.desk is None and by.why_no_court is None:
        return examined
    questions = [
        _of_code(CodePayload(leaf_hash=item.leaf_hash, origin=item.origin))
        for item in listing.exhibits[:MOST_EXHIBITS]
    ]
    own: LookedUp | None = None
    if listing.kind is InputKind.CERTIFICATE and examined.digests is not None:
        own = by.places.ask(
            Question(kind=QuestionKind.FILE, digests=examined.digests, size=examined.size or 0)
        )
    looked = (*(() if own is None else (own,)), *(by.places.ask(item) for item in questions))
    examined = replace(examined, looked_up=looked)
    if not any(_revoked(item, listing, certificate=item is own) for item in looked):
        return examined
    verdict = examined.verdict
    finding = Finding(
        dimension=Dimension.COURT, check="examination.standing", status=Status.UNDETERMINED,
        code="examination.standing.revoked", who_vouches=Vouches.COURT_NETWORK,
    )  # fmt: skip
    verdict = Verdict(policy=verdict.policy, findings=(*verdict.findings, finding), caveats=verdict.caveats)
    if verdict.overall is Status.FAILED:
        return replace(examined, verdict=verdict)
    answer = Answer(result=Result.UNDETERMINED, said=Said(code="examination.answer.revoked"))
    return replace(examined, verdict=verdict, answer=answer)


def _revoked(looked: LookedUp, listing: Listing, *, certificate: bool) -> bool:
    """Whether the desk that made the evidence revoked it: others cannot revoke what they copied."""
    own = {desk_family(item.origin) for item in listing.exhibits}
    if certificate and any(item.revoked is not None for item in looked.vault.here.certificates):
        return True
    found = looked.court.network.found if looked.court.network is not None else ()
    return any(
        item.counts and is_revoked(item) and item.leaf is not None and desk_family(item.leaf.log) in own
        for item in found
    )


# --- any other file, texts ------------------------------------------------------------------------------------


def _other(subject: Subject, path: Path, by: Examiner) -> Examination:
    question = ask_file(path, by.job)
    own = _asked(subject, question, by)
    own = replace(with_capture(own, path, by.job), size=question.size, digests=question.digests)
    scan = None if by.codes is None else _scan(path, by.codes, by.job)
    if scan is None:
        return own
    notes = list(own.notes)
    if scan.read < scan.pages:
        notes.append(Said(code="examination.note.pages", parameters={"read": scan.read, "pages": scan.pages}))
    payloads, strange = _payloads(scan.texts)
    if strange:
        notes.append(Said(code="examination.note.strange_codes", parameters={"count": strange}))
    if not payloads:
        return replace(own, notes=tuple(notes))
    return _scanned(replace(own, notes=tuple(notes)), payloads, by)


def _scan(path: Path, codes: CodeReader, job: Job) -> Scan | None:
    with open_regular(path) as source:
        try:
            return codes.read(source, job)
        except OSError:  # a stick pulled out meanwhile; the digests were told before
            return None


def _payloads(texts: Sequence[str]) -> tuple[list[CodePayload], int]:
    """Payloads among what was read, and how many codes are none of ours."""
    found: list[CodePayload] = []
    strange = 0
    for text in texts:
        try:
            found.append(parse_code(text))
        except MalformedError:
            strange += 1
    return list(dict.fromkeys(found))[:MOST_CODES], strange


def _scanned(own: Examination, payloads: Sequence[CodePayload], by: Examiner) -> Examination:
    """A picture or print with codes of certificates: the codes lead to entries, the scan proves nothing."""
    parts = [_asked(Subject(code=item), _of_code(item), by) for item in payloads]
    limits = (SCAN_LIMIT, *own.limits)
    looked = (*own.looked_up, *(one for part in parts for one in part.looked_up))
    number = payloads[0].number
    if own.result is Result.PRESENT:
        return replace(own, looked_up=looked, limits=limits, number=number)
    found = next((part for part in parts if part.result is Result.PRESENT), parts[0])
    known = "found" if found.result is Result.PRESENT else "unknown"
    facts: dict[str, str | int] = {"count": len(payloads), "number": found.number}
    answer = Answer(
        result=found.result, said=Said(code=f"examination.answer.scan.{known}", parameters=facts),
        reason=found.answer.said if found.answer.reason is None else found.answer.reason,
    )  # fmt: skip
    scan = Finding(
        dimension=Dimension.INTEGRITY, check="examination.file", status=Status.UNDETERMINED,
        code="examination.file.scan", who_vouches=Vouches.NOBODY,
    )  # fmt: skip
    rest = [one for one in found.verdict.findings if one.check != "examination.file"]
    verdict = Verdict(policy=LOOKUP_POLICY, findings=(scan, *rest), caveats=found.verdict.caveats)
    return replace(own, answer=answer, verdict=verdict, looked_up=looked, limits=limits, number=number)


def _of_code(code: CodePayload) -> Question:
    return Question(kind=QuestionKind.CODE, code=code)


def _asked(subject: Subject, question: Question, by: Examiner) -> Examination:
    """A question at every place, and what it comes to."""
    looked = by.places.ask(question)
    own = by.places.own_verdict(looked, given_of(question, subject.name, subject.path), by.job)
    findings = list(own.findings)
    network = looked.court.network
    if network is not None and looked.court.outcome is Outcome.FOUND:
        findings += [one for one in network_findings(question, network) if one not in findings]
    else:
        findings.append(_not_found(looked.court))
    caveats = own.caveats if network is None else (*own.caveats, *network.caveats)
    verdict = Verdict(
        policy=own.policy if own.findings else LOOKUP_POLICY,
        findings=tuple(findings),
        caveats=unique_caveats(caveats),
    )
    if own.findings or network is not None:
        verdict = with_root_caveat(verdict, by.trust)
    return Examination(
        subject=subject, at=by.now, trust=by.trust, number=_number(question),
        verdict=verdict,
        answer=_answer(question, looked), looked_up=(looked,), notes=tuple(_notes(looked)),
        limits=_limits(question, looked),
    )  # fmt: skip


def _number(question: Question) -> str:
    return question.number if question.code is None else question.code.number


def _not_found(court: PlaceAnswer) -> Finding:
    """Not found is never a pass: an entry that is blinded is not found by the file's digest."""
    absent = court.outcome is Outcome.ABSENT
    return Finding(
        dimension=Dimension.COURT, check="examination.court", status=Status.UNDETERMINED,
        code=court.why.code, parameters=court.why.parameters,
        who_vouches=Vouches.COURT_NETWORK if absent else Vouches.NOBODY,
    )  # fmt: skip


def _answer(question: Question, looked: LookedUp) -> Answer:
    court, vault = looked.court, looked.vault
    if any(item.revoked is not None for item in vault.here.certificates):
        return Answer(result=Result.UNDETERMINED, said=Said(code="examination.answer.revoked"))
    if court.outcome is Outcome.FOUND and court.network is not None:
        return network_answer(question, court.network)
    if vault.outcome is Outcome.FOUND:
        code = "examination.answer.vault"
        return Answer(result=Result.PRESENT, said=Said(code=code, parameters=vault.why.parameters))
    if court.outcome is Outcome.ABSENT and vault.outcome is not Outcome.UNDETERMINED:
        code = "examination.answer.absent"
        return Answer(result=Result.ABSENT, said=Said(code=code, parameters=court.why.parameters))
    if vault.outcome is Outcome.UNDETERMINED:
        said = Said(code="examination.answer.unproven")
        return Answer(result=Result.UNDETERMINED, said=said, reason=vault.why)
    return Answer(result=Result.UNDETERMINED, said=Said(code="examination.answer.unknown"), reason=court.why)


def _notes(looked: LookedUp) -> list[Said]:
    notes: list[Said] = []
    if looked.vault.outcome is Outcome.FOUND and looked.court.outcome is Outcome.FOUND:
        notes.append(looked.vault.why)
    network = looked.court.network
    if network is None:
        return notes
    if looked.court.outcome is Outcome.ABSENT and len(network.asked) < 2:
        notes.append(Said(code="lookup.network.one_gateway"))
    if network.others:
        notes.append(Said(code="lookup.network.others", parameters={"count": network.others}))
    shown = len(network.found) + network.others
    if shown < network.entries:
        facts = {"shown": shown, "count": network.entries}
        notes.append(Said(code="lookup.network.shown", parameters=facts))
    for count, code in (
        (sum(not item.counts for item in network.found), "examination.note.failed"),
        (sum(item.counts and is_revoked(item) for item in network.found), "examination.note.revoked"),
        (sum(item.lied for item in looked.court.faults), "examination.note.lied"),
    ):
        if count:
            notes.append(Said(code=code, parameters={"count": count}))
    return notes


def _limits(question: Question, looked: LookedUp) -> tuple[str, ...]:
    limits: list[str] = []
    if question.digests is None:
        limits.append("examination.limit.no_file")
    if question.kind in {QuestionKind.EVIDENCE_NUMBER, QuestionKind.CERTIFICATE_NUMBER}:
        limits.append("examination.limit.number")
    if looked.court.outcome is Outcome.FOUND:
        limits.append("examination.limit.known")
    if looked.court.outcome is Outcome.ABSENT:
        limits.append("examination.limit.blinded")
    return (*limits, *_ALWAYS)

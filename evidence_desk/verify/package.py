"""Verify an evidence package: structure, index and its note, evidence records, exhibit, and the certificate inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import BinaryIO, Final

from evidence_desk.core.groups import group_of
from evidence_desk.core.job import Job
from evidence_desk.core.package import Package, read_package
from evidence_desk.core.package.layout import CERTIFICATE, MAX_PART, STATEMENT, file_name
from evidence_desk.core.proof import Proof
from evidence_desk.core.statement import parse_statement
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import (
    DATA_POLICY,
    PACKAGE_POLICY,
    Caveat,
    Dimension,
    Finding,
    Parameter,
    Status,
    Verdict,
    unique_caveats,
)
from evidence_desk.errors import MalformedError
from evidence_desk.verify.captured import Spool, is_copy_of
from evidence_desk.verify.checkpoint import INDEX, check_signature
from evidence_desk.verify.court import NOT_ANCHORED
from evidence_desk.verify.exhibit import ExhibitFacts, ExhibitInput, GivenFile, verify_exhibit
from tsa.response import RESPONSE_LIMIT, parse_response

_STAMP: Final = "verify/timestamp.tsr"


def verify_package(
    source: BinaryIO,
    *,
    trust: Trust,
    now: datetime,
    job: Job,
    originals: Sequence[GivenFile] = (),
    spool: Spool | None = None,
) -> Verdict:
    """Verdict on a package; `source` must be seekable. Trust inside the package is never loaded.

    Args:
        source: seekable, read only.
        trust: roots given by the user.
        now: moment of judgment (UTC).
        job: told stage ``verify`` in bytes.
        originals: files put beside the package; each must be one of those inside, or a copy of its capture.
        spool: see `verify_exhibit`.
    """
    try:
        package = read_package(source)
        report = package.verify_index(job)
    except MalformedError as error:
        return _verdict([_finding("package.form", Status.FAILED, "wrong", reason=_reason(error))])
    findings = [_finding("package.form", Status.PASSED, "right", entries=len(package.names))]
    findings += [
        Finding(
            dimension=Dimension.INTEGRITY, check="package.content", status=Status.FAILED, code=problem.code,
            parameters={"name": problem.name},
        )
        for problem in report.problems
    ] or [_finding("package.content", Status.PASSED, "right")]  # fmt: skip
    files = tuple(
        GivenFile(
            label=name,
            size=report.entries[name].size,
            sha256=report.entries[name].digests.sha256,
            sm3=report.entries[name].digests.sm3,
            index=index,
            open=partial(package.reader.window, name),
        )
        for index, name in enumerate(package.files)
    )
    copies = _copies(package, originals)
    exhibit = verify_exhibit(
        ExhibitInput(
            proof=package.proof,
            statement=package.statement,
            disclosures=package.disclosures,
            files=(*files, *copies),
        ),
        trust=trust,
        now=now,
        job=job,
        spool=spool,
    )
    origin = package.index_note.origin
    court = NOT_ANCHORED if exhibit.facts is None else exhibit.facts.court
    findings.append(check_signature(package.note, origin, court.keys(trust, origin), INDEX))
    findings += exhibit.findings
    if exhibit.facts is not None:
        findings += _records(package, exhibit.facts.proof)
        findings += _bound(package, exhibit.facts)
    findings += [_beside(item, files) for item in originals if item not in copies]
    caveats = exhibit.caveats
    if not package.has(CERTIFICATE):
        return _verdict(findings, caveats)
    from evidence_desk.verify.certified import verify_certified  # noqa: PLC0415 - PDF libraries load slowly

    try:
        pdf = package.read(CERTIFICATE, MAX_PART)
    except MalformedError as error:
        findings.append(_finding("package.form", Status.FAILED, "wrong", reason=_reason(error)))
        return _verdict(findings, caveats)
    more = verify_certified(pdf, files=(), trust=trust, now=now, inner=True)
    findings += more.findings
    caveats = unique_caveats((*caveats, *more.caveats))
    if exhibit.facts is not None:
        same = exhibit.facts.leaf_hash in more.leaf_hashes
        status, reason = (Status.PASSED, "right") if same else (Status.FAILED, "other")
        findings.append(_finding("package.certificate", status, reason))
    return Verdict(policy=PACKAGE_POLICY, findings=tuple(findings), caveats=caveats)


def _records(package: Package, proof: Proof) -> list[Finding]:
    """The records in META-INF are those of the proof's first token, each over exactly its group."""
    expected = proof.times[0].records if proof.times else ()
    if tuple(part.der for part in package.records) != expected:
        return [_finding("package.records", Status.FAILED, "differ")]
    groups: dict[int, set[str]] = {0: {STATEMENT}}
    for index, name in enumerate(package.files):
        groups.setdefault(group_of(index), set()).add(name)
    for number, part in enumerate(package.records):
        if {item.name for item in part.manifest.objects} != groups.get(number, set()):
            return [_finding("package.records", Status.FAILED, "group", number=number + 1)]
    return [_finding("package.records", Status.PASSED, "right", count=len(expected))] if expected else []


def _bound(package: Package, facts: ExhibitFacts) -> list[Finding]:
    """The desk that made the package is the exhibit's, the names follow the statement, the token to check by hand is it."""
    findings = []
    if not _same_desk(package.index_note.origin, facts.leaf.log):
        findings.append(_finding("package.desk", Status.FAILED, "other", origin=package.index_note.origin))
    entries = facts.disclosed.files if facts.disclosed else {}
    for index, name in enumerate(package.files):
        entry = entries.get(index)
        if entry is not None and name != file_name(index + 1, entry.name):
            findings.append(_finding("package.name", Status.FAILED, "differs", name=name))
    token = facts.proof.times[0].token if facts.proof.times else None
    if package.has(_STAMP) and (token is None or _stamp(package) != token):
        findings.append(_finding("package.hand_check", Status.FAILED, "token", name=_STAMP))
    return findings


def _same_desk(maker: str, log: str) -> bool:
    """A package is made under the desk's present log, which after a restore is a later epoch than the exhibit's."""
    (ours, _, made), (theirs, _, sealed) = maker.rpartition("/"), log.rpartition("/")
    return ours == theirs and made.isascii() and made.isdecimal() and int(made) >= int(sealed)


def _stamp(package: Package) -> bytes | None:
    try:
        return parse_response(package.read(_STAMP, RESPONSE_LIMIT)).token
    except MalformedError:
        return None


def _copies(package: Package, originals: Sequence[GivenFile]) -> tuple[GivenFile, ...]:
    """Disclosure copies of the package's own capture among the files beside it; they are judged with the exhibit."""
    try:
        capture = parse_statement(package.statement).capture
    except MalformedError:
        return ()
    return tuple(
        item
        for item in originals
        if capture is not None and item.open is not None and is_copy_of(item.open, capture)
    )


def _beside(original: GivenFile, files: Sequence[GivenFile]) -> Finding:
    """A file given beside the package is one of those inside."""
    digests = (original.size, original.sha256, original.sm3)
    same = any((item.size, item.sha256, item.sm3) == digests for item in files)
    status, reason = (Status.PASSED, "same") if same else (Status.FAILED, "other")
    return _finding("package.originals", status, reason, file=original.label)


def _reason(error: MalformedError) -> str:
    return str(error.parameters.get("reason", error.code))


def _verdict(findings: list[Finding], caveats: tuple[Caveat, ...] = ()) -> Verdict:
    return Verdict(policy=DATA_POLICY, findings=tuple(findings), caveats=caveats)


def _finding(check: str, status: Status, reason: str, /, **parameters: Parameter) -> Finding:
    return Finding(
        dimension=Dimension.INTEGRITY,
        check=check,
        status=status,
        code=f"{check}.{reason}",
        parameters=parameters,
    )

"""Verify an evidence package: structure, index and its note, evidence records, exhibit, and the certificate inside."""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO

from evidence_desk.core.groups import group_of
from evidence_desk.core.job import Job
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.package import Package, read_package
from evidence_desk.core.package.layout import CERTIFICATE, MAX_PART, STATEMENT
from evidence_desk.core.proof import Proof, parse_proof
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import DATA_POLICY, Caveat, Dimension, Finding, Parameter, Status, Verdict
from evidence_desk.errors import MalformedError
from evidence_desk.verify.checkpoint import INDEX, check_signature
from evidence_desk.verify.exhibit import ExhibitInput, GivenFile, verify_exhibit


def verify_package(source: BinaryIO, *, trust: Trust, now: datetime, job: Job) -> Verdict:
    """Verdict on a package; `source` must be seekable. Trust inside the package is never loaded."""
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
    findings.append(check_signature(package.note, package.index_note.origin, trust, INDEX))
    files = tuple(
        GivenFile(
            label=name,
            size=report.entries[name].size,
            sha256=report.entries[name].digests.sha256,
            sm3=report.entries[name].digests.sm3,
            index=index,
        )
        for index, name in enumerate(package.files)
    )
    exhibit = verify_exhibit(
        ExhibitInput(
            proof=package.proof, statement=package.statement, disclosures=package.disclosures, files=files
        ),
        trust=trust,
        now=now,
    )
    findings += exhibit.findings
    if exhibit.facts is not None:
        findings += _records(package, exhibit.facts.proof)
    caveats = {item.code: item for item in exhibit.caveats}
    if package.has(CERTIFICATE):
        from evidence_desk.verify.certified import verify_certified  # noqa: PLC0415 - PDF libraries load slowly

        more = verify_certified(
            package.read(CERTIFICATE, MAX_PART), files=(), trust=trust, now=now, inner=True
        )
        findings += more.findings
        caveats |= {item.code: item for item in more.caveats}
        findings += _same_exhibit(package, more.leaf_hashes)
    return _verdict(findings, tuple(caveats.values()))


def _records(package: Package, proof: Proof) -> list[Finding]:
    """The records in META-INF are those of the proof's first token, each over exactly its group."""
    expected = proof.times[0].records if proof.times else ()
    if tuple(part.der for part in package.records) != expected:
        return [_finding("package.records", Status.FAILED, "differ")]
    for number, part in enumerate(package.records):
        group = {STATEMENT} if number == 0 else set()
        group |= {name for index, name in enumerate(package.files) if group_of(index) == number}
        if {item.name for item in part.manifest.objects} != group:
            return [_finding("package.records", Status.FAILED, "group", number=number + 1)]
    return [_finding("package.records", Status.PASSED, "right", count=len(expected))] if expected else []


def _same_exhibit(package: Package, leaf_hashes: tuple[bytes, ...]) -> list[Finding]:
    """The certificate in the package is over the package's exhibit."""
    leaf = parse_proof(package.proof).leaf.leaf
    if leaf_hash(leaf) in leaf_hashes:
        return [_finding("package.certificate", Status.PASSED, "right")]
    return [_finding("package.certificate", Status.FAILED, "other")]


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

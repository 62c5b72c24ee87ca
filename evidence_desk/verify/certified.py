"""Verify a certificate with what hangs on it: the PDF itself, its attached proofs, and the originals put beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from evidence_desk.core.canonical import JSON
from evidence_desk.core.trust import Trust
from evidence_desk.core.verdict import Caveat, Dimension, Finding, Parameter, Status, unique_caveats
from evidence_desk.errors import MalformedError
from evidence_desk.verify.captured import Spool
from evidence_desk.verify.certificate import CertificateTrust, verify_certificate
from evidence_desk.verify.exhibit import ExhibitInput, ExhibitVerdict, GivenFile, verify_exhibit
from evidence_desk.verify.time_proof import token_trust
from evidence_desk.verify.values import covered_values


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedVerdict:
    """Findings on a certificate and its exhibits; `leaf_hashes` of the exhibits whose proofs could be read."""

    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...]
    leaf_hashes: tuple[bytes, ...]
    number: str


def verify_certified(
    pdf: bytes,
    *,
    files: Sequence[GivenFile],
    trust: Trust,
    now: datetime,
    inner: bool = False,
    spool: Spool | None = None,
) -> CertifiedVerdict:
    """Judge a certificate PDF, every attached proof, and the given originals.

    Args:
        pdf: the file as received.
        files: originals put beside it.
        trust: roots; what the PDF carries is never trusted.
        now: moment of judgement (UTC).
        inner: the PDF lies in a package that judges the originals itself: they are not asked for again.
        spool: see `verify_exhibit`.
    """
    outer = verify_certificate(
        pdf,
        trust=CertificateTrust.of(trust),
        token_trust=token_trust(trust),
        now=now,
    )
    findings = list(outer.findings)
    caveats = list(outer.caveats)
    verdicts = [
        verify_exhibit(
            _input(outer.attachments, tag, () if inner else tuple(files)), trust=trust, now=now, spool=spool
        )
        for tag in _tags(outer.attachments)
    ]
    findings += _printed(outer.values, verdicts)
    for verdict in verdicts:
        findings += [item for item in verdict.findings if _is_told(item, inner=inner)]
        caveats += verdict.caveats
    if not inner:
        findings += _originals(files, verdicts)
    return CertifiedVerdict(
        findings=tuple(findings),
        caveats=unique_caveats(caveats),
        leaf_hashes=tuple(item.facts.leaf_hash for item in verdicts if item.facts is not None),
        number=outer.number or "",
    )


def _is_told(finding: Finding, *, inner: bool) -> bool:
    """Files are answered for the certificate as a whole: one may belong to any exhibit.

    In a package, which judges its exhibit itself, only what spoils the attached proofs is told: a false proof, or a
    printed time that is not proven.
    """
    if finding.check == "object.digest":
        return False
    if not inner or finding.status is Status.FAILED:
        return True
    return finding.status is Status.UNDETERMINED and finding.dimension is Dimension.TIME


def _tags(attachments: Mapping[str, bytes]) -> list[str]:
    """``001``, ``002``… of the attached proofs, in order."""
    names = sorted(name for name in attachments if name.startswith("proof-") and name.endswith(".json"))
    return [name.removeprefix("proof-").removesuffix(".json") for name in names]


def _input(attachments: Mapping[str, bytes], tag: str, files: tuple[GivenFile, ...]) -> ExhibitInput:
    return ExhibitInput(
        proof=attachments[f"proof-{tag}.json"],
        statement=attachments.get(f"statement-{tag}.json"),
        disclosures=attachments.get(f"disclosures-{tag}.json"),
        files=files,
    )


def _printed(values: Mapping[str, JSON] | None, verdicts: Sequence[ExhibitVerdict]) -> list[Finding]:
    """What the certificate prints of each exhibit is what its attached proof covers."""
    printed = values.get("exhibits") if values else None
    if not isinstance(printed, list) or len(printed) != len(verdicts) or not verdicts:
        return [_finding("certificate.values", Status.FAILED, "count")]
    for number, (shown, verdict) in enumerate(zip(printed, verdicts, strict=True), start=1):
        try:
            covered = None if verdict.facts is None else covered_values(verdict.facts)
        except MalformedError:
            covered = None
        if covered is None or covered != shown:
            return [_finding("certificate.values", Status.FAILED, "differ", number=number)]
    return [_finding("certificate.values", Status.PASSED, "right", count=len(verdicts))]


def _originals(files: Sequence[GivenFile], verdicts: Sequence[ExhibitVerdict]) -> list[Finding]:
    """Each given file belongs to one of the exhibits; undetermined while one of them cannot say."""
    readable = [verdict.facts for verdict in verdicts if verdict.facts is not None]
    known = {position for facts in readable for position in facts.matched}
    open_ = {position for facts in readable for position in facts.undecided}
    findings = []
    for position, file in enumerate(files):
        if position in known:
            status, reason = Status.PASSED, "belongs"
        elif position in open_:
            status, reason = Status.UNDETERMINED, "no_list"
        else:
            status, reason = Status.FAILED, "wrong"
        findings.append(_finding("object.digest", status, reason, file=file.label))
    return findings


def _finding(check: str, status: Status, reason: str, /, **parameters: Parameter) -> Finding:
    return Finding(
        dimension=Dimension.INTEGRITY,
        check=check,
        status=status,
        code=f"{check}.{reason}",
        parameters=parameters,
    )

"""Judges a certificate or report PDF by itself; the proofs attached to it are judged by the caller.

Order: resources, structure, signature, signer, timestamp, seal, text, values. Later steps still run when an earlier
one failed, as far as the file can be read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from asn1crypto import x509

from evidence_desk.core.canonical import JSON
from evidence_desk.core.certificate import Printed, squeeze
from evidence_desk.core.verdict import Caveat, Dimension, Finding, Status, worst
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.errors import MalformedError
from evidence_desk.texts import Language
from evidence_desk.verify.certificate.confirmation import Circumstances, judge_confirmation
from evidence_desk.verify.certificate.outcome import integrity, signer
from evidence_desk.verify.certificate.seal import is_demo, seal_lines, signer_name
from evidence_desk.verify.certificate.signature import Signature, check_signature, token_imprint
from evidence_desk.verify.certificate.signer_path import judge_path
from evidence_desk.verify.certificate.structure import Structure, read_structure
from evidence_desk.verify.certificate.text import compare_text, compare_values, pages_of, read_printed
from evidence_desk.verify.certificate.trust import CertificateTrust
from tsa.policy import TokenTrust
from tsa.verify import TokenVerdict, verify_token

_TOLERANCE_S: Final = 300
"""How far the claimed signing time may be from the signature timestamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateVerdict:
    """Findings on the PDF itself.

    Attributes:
        attachments: by name; only as good as the findings.
        values: ``values`` of certificate.json; None when it cannot be read.
        number: certificate number; None likewise.
        signer_name: as in the signing certificate, "" when unreadable.
        signed_at: genTime of the signature timestamp when that passed in every respect.
    """

    findings: tuple[Finding, ...]
    caveats: tuple[Caveat, ...] = ()
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    values: Mapping[str, JSON] | None = None
    number: str | None = None
    signer_name: str = ""
    signed_at: datetime | None = None


def verify_certificate(
    pdf: bytes, *, trust: CertificateTrust, token_trust: TokenTrust, now: datetime
) -> CertificateVerdict:
    """Judge a signed certificate or report. Never raises on what it reads."""
    try:
        structure = read_structure(pdf)
    except MalformedError as error:
        return CertificateVerdict(findings=(_malformed(error),))
    findings = [integrity("certificate.file", Status.PASSED, "certificate.file.sound")]
    printed, problem = read_printed(structure.attachments)
    if printed is None:
        findings += [problem] if problem is not None else []
    else:
        findings += [compare_text(pdf, printed), compare_values(printed)]
    signature, found = check_signature(pdf)
    findings += found
    if signature is None:
        return _verdict(findings, [], structure, printed)
    stamped = _stamped(signature, token_trust, now)
    findings += stamped.findings
    caveats = list(stamped.caveats)
    try:
        certificate = load_certificate(signature.certificate)
        described = x509.Certificate.load(signature.certificate)
        name = signer_name(described)
        demo = is_demo(described)
    except (MalformedError, ValueError, TypeError):
        findings.append(_fit_failure("-", "certificate"))
        return _verdict(findings, caveats, structure, printed)
    if demo:
        caveats.append(Caveat(code="demo.signer"))
    moment = stamped.facts.gen_time if stamped.facts and _all_passed(stamped) else None
    findings.append(
        judge_path(
            certificate,
            name,
            signature.others,
            trust=trust,
            stamped=moment,
            now=now,
            check="certificate.signer",
        )
    )
    findings.append(_seal(structure, name, signature, printed, demo=demo))
    if printed is not None:
        judged = judge_confirmation(
            printed,
            structure.attachments,
            Circumstances(issuer_spki=certificate.spki, trust=trust, stamped=moment, now=now),
        )
        findings += judged.findings
        caveats += judged.caveats
    verdict = _verdict(findings, caveats, structure, printed)
    return dataclasses.replace(verdict, signer_name=name, signed_at=moment)


def _verdict(
    findings: list[Finding], caveats: list[Caveat], structure: Structure, printed: Printed | None
) -> CertificateVerdict:
    return CertificateVerdict(
        findings=tuple(findings),
        caveats=tuple(caveats),
        attachments=structure.attachments,
        values=None if printed is None else printed.values,
        number=None if printed is None else printed.number,
    )


def _malformed(error: MalformedError) -> Finding:
    code = "certificate.structure.wrong" if error.code == "certificate.structure.wrong" else ""
    return integrity("certificate.file", Status.FAILED, code or "certificate.file.malformed", **_facts(error))


def _facts(error: MalformedError) -> dict[str, str | int]:
    if error.code == "certificate.structure.wrong":
        return {"what": error.parameters.get("what", "-")}
    return {"reason": error.parameters.get("reason", "-")}


def _all_passed(verdict: TokenVerdict) -> bool:
    return worst(item.status for item in verdict.findings) is Status.PASSED


def _stamped(signature: Signature, trust: TokenTrust, now: datetime) -> TokenVerdict:
    """Findings of our strict token verifier on the signature timestamp, told apart from those on the data's tokens."""
    check = "certificate.timestamp"
    if not signature.tokens:
        missing = signer(check, Status.UNDETERMINED, "certificate.timestamp.missing")
        return TokenVerdict(findings=(missing,), facts=None)
    if len(signature.tokens) > 1:
        several = signer(check, Status.FAILED, "certificate.timestamp.several", count=len(signature.tokens))
        return TokenVerdict(findings=(several,), facts=None)
    hash_oid, imprint = token_imprint(signature)
    verdict = verify_token(signature.tokens[0], hash_oid=hash_oid, imprint=imprint, trust=trust, now=now)
    findings = [
        dataclasses.replace(item, dimension=Dimension.SIGNER, check=f"certificate.timestamp.{item.check}")
        for item in verdict.findings
    ]
    if verdict.facts is not None and signature.claimed is not None:
        seconds = abs(int((signature.claimed - verdict.facts.gen_time).total_seconds()))
        close = seconds <= _TOLERANCE_S
        findings.append(
            signer(
                "certificate.time",
                Status.PASSED if close else Status.FAILED,
                "certificate.time.agrees" if close else "certificate.time.differs",
                seconds=seconds,
            )
        )
    return dataclasses.replace(verdict, findings=tuple(findings))


def _fit_failure(name: str, what: str) -> Finding:
    return signer("certificate.signer", Status.FAILED, "certificate.signer.unfit", name=name, what=what)


def _seal(
    structure: Structure, name: str, signature: Signature, printed: Printed | None, *, demo: bool
) -> Finding:
    """Whether the visible seal names the signer and time of this signature, and nothing else."""
    check = "certificate.seal"
    differs = signer(check, Status.FAILED, "certificate.seal.differs")
    if not structure.seal or signature.claimed is None:
        return differs
    try:
        shown = "".join(pages_of(structure.seal))
    except MalformedError:
        return differs
    language = Language.ZH if printed is None else Language(printed.language)
    wanted = seal_lines(name=name, moment=signature.claimed, demo=demo, language=language)
    if shown != squeeze("".join(wanted)):
        return differs
    return signer(check, Status.PASSED, "certificate.seal.agrees")

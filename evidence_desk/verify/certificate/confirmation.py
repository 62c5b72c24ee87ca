"""Judges the confirmation of a second person: its signature, what it is about, who gave it (docs/spec/confirmation.md).

A certificate that names no second person and carries no confirmation is not judged here: one person issued it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from asn1crypto import x509

from evidence_desk.core.canonical import JSON
from evidence_desk.core.certificate import NAME as RECORD
from evidence_desk.core.certificate import Printed, page_text, squeeze
from evidence_desk.core.confirmation import (
    NAME,
    SIGNATURE_LIMIT,
    SIGNATURE_NAME,
    Confirmation,
    names_person,
    parse_confirmation,
    printed_members,
    same_person,
)
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.verdict import Caveat, Finding, Status
from evidence_desk.crypto.detached import Detached, check_detached
from evidence_desk.crypto.x509 import Certificate
from evidence_desk.errors import MalformedError
from evidence_desk.texts import Language, sentence
from evidence_desk.verify.certificate.outcome import signer
from evidence_desk.verify.certificate.seal import is_demo
from evidence_desk.verify.certificate.signer_path import judge_path
from evidence_desk.verify.certificate.trust import CertificateTrust

_HEADING: Final = "certificate.handling.note"
_TOLERANCE_S: Final = 300
"""How far the desk's clock may be ahead of the signature timestamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Findings on a confirmation; none when there is nothing to confirm."""

    findings: tuple[Finding, ...] = ()
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a confirmation is judged by beside the certificate.

    Attributes:
        issuer_spki: SubjectPublicKeyInfo of the key that signed the certificate, b"" when unknown.
        trust: roots of signers and of persons.
        stamped: proven time of the certificate's signature, None without one.
    """

    issuer_spki: bytes
    trust: CertificateTrust
    stamped: datetime | None
    now: datetime


def judge_confirmation(
    printed: Printed, attachments: Mapping[str, bytes], circumstances: Circumstances
) -> Judged:
    """All findings on the confirmation of a certificate. Never raises on what it reads."""
    declared = _declared(printed)
    presence = _presence(declared, printed, attachments)
    if presence is None:
        return Judged()
    if presence.status is Status.FAILED:
        return Judged(findings=(presence,))
    data = attachments[NAME]
    try:
        confirmation = parse_confirmation(data)
    except MalformedError as error:
        reason = str(error.parameters.get("what", error.code))
        form = signer("confirmation.form", Status.FAILED, "confirmation.form.malformed", reason=reason)
        return Judged(findings=(presence, form))
    findings = [
        presence,
        signer("confirmation.form", Status.PASSED, "confirmation.form.sound"),
        _binding(confirmation, printed, attachments),
        _printed(confirmation, declared),
    ]
    found, signature = _signature(attachments[SIGNATURE_NAME], data)
    findings.append(signature)
    certificate = None if found is None else found.certificate
    findings += _persons(confirmation, certificate, circumstances)
    findings += _time(confirmation, circumstances.stamped)
    if found is None or certificate is None:
        return Judged(findings=tuple(findings))
    findings.append(_credential(confirmation, certificate))
    findings.append(
        judge_path(
            certificate,
            certificate.subject.text,
            found.others,
            trust=circumstances.trust.for_confirmations(),
            stamped=circumstances.stamped,
            now=circumstances.now,
            check="confirmation.signer",
        )
    )
    caveats = (Caveat(code="demo.confirmation"),) if _is_demo(certificate) else ()
    return Judged(findings=tuple(findings), caveats=caveats)


def _declared(printed: Printed) -> JSON:
    declared = printed.values.get("declared")
    return declared.get("confirmation") if isinstance(declared, dict) else None


def _presence(declared: JSON, printed: Printed, attachments: Mapping[str, bytes]) -> Finding | None:
    """Rule 1: printed and attached go together."""
    check = "confirmation.presence"
    if declared is None:
        if NAME not in attachments and SIGNATURE_NAME not in attachments:
            if _says_confirmed(printed):
                return signer(check, Status.FAILED, "confirmation.presence.missing")
            return None
        return signer(check, Status.FAILED, "confirmation.presence.unannounced")
    if NAME not in attachments:
        return signer(check, Status.FAILED, "confirmation.presence.missing")
    if SIGNATURE_NAME not in attachments:
        return signer(check, Status.FAILED, "confirmation.presence.unsigned")
    return signer(check, Status.PASSED, "confirmation.presence.complete")


def _says_confirmed(printed: Printed) -> bool:
    """Whether the pages bear the heading of the section about two persons, whatever the values say."""
    text = "".join(page_text(lines) for lines in printed.pages)
    return any(squeeze(sentence(_HEADING, {}, language)) in text for language in Language)


def _signature(encoded: bytes, data: bytes) -> tuple[Detached | None, Finding]:
    """Rule 2: one signature over exactly these bytes, by the key in the certificate it carries."""
    check = "confirmation.signature"
    try:
        found = check_detached(encoded, data, what=SIGNATURE_NAME, limit=SIGNATURE_LIMIT)
    except MalformedError as error:
        reason = str(error.parameters.get("rule", error.code))
        return None, signer(check, Status.FAILED, "confirmation.signature.malformed", reason=reason)
    match found.wrong:
        case "":
            return found, signer(check, Status.PASSED, "confirmation.signature.right")
        case "signers":
            code = "confirmation.signature.signers"
        case "certificate":
            code = "confirmation.signature.certificate"
        case "attributes":
            code = "confirmation.signature.attributes"
        case "digest":
            code = "confirmation.signature.digest"
        case "reference":
            code = "confirmation.signature.reference"
        case _:
            code = "confirmation.signature.value"
    return found, signer(check, Status.FAILED, code)


def _binding(confirmation: Confirmation, printed: Printed, attachments: Mapping[str, bytes]) -> Finding:
    """Rule 3: it is about this certificate, to the last character and the last attachment."""
    check = "confirmation.binding"
    declared = printed.values.get("declared")
    facts = declared if isinstance(declared, dict) else {}
    if confirmation.number != printed.number:
        return signer(check, Status.FAILED, "confirmation.binding.number", number=confirmation.number[:64])
    if confirmation.version != facts.get("version"):
        return signer(check, Status.FAILED, "confirmation.binding.version", version=confirmation.version)
    if confirmation.case != facts.get("case"):
        return signer(check, Status.FAILED, "confirmation.binding.case")
    if [item.hex() for item in confirmation.exhibits] != _leaf_hashes(printed):
        return signer(check, Status.FAILED, "confirmation.binding.exhibits")
    record = attachments.get(RECORD)
    if record is None or not DigestPair.of(record).matches(confirmation.document):
        return signer(check, Status.FAILED, "confirmation.binding.document")
    name = _other_attachment(confirmation, attachments)
    if name:
        return signer(check, Status.FAILED, "confirmation.binding.attachments", name=name[:120])
    return signer(check, Status.PASSED, "confirmation.binding.right")


def _leaf_hashes(printed: Printed) -> list[JSON]:
    exhibits = printed.values.get("exhibits")
    items = exhibits if isinstance(exhibits, list) else []
    return [item.get("leaf_sha256") if isinstance(item, dict) else None for item in items]


def _other_attachment(confirmation: Confirmation, attachments: Mapping[str, bytes]) -> str:
    """Name of the first attachment that is not as confirmed, "" when all are."""
    present = {name for name in attachments if name not in (RECORD, NAME, SIGNATURE_NAME)}
    for name in sorted(present ^ set(confirmation.attachments)):
        return name
    for name in sorted(present):
        if not DigestPair.of(attachments[name]).matches(confirmation.attachments[name]):
            return name
    return ""


def _printed(confirmation: Confirmation, declared: JSON) -> Finding:
    """Rule 4: what the certificate prints of persons, credential and time is what was confirmed."""
    check = "confirmation.printed"
    if declared != printed_members(confirmation.first, confirmation.confirmed):
        return signer(check, Status.FAILED, "confirmation.printed.differs")
    return signer(check, Status.PASSED, "confirmation.printed.right")


def _persons(
    confirmation: Confirmation, certificate: Certificate | None, circumstances: Circumstances
) -> list[Finding]:
    """Rule 5: two persons, and not the issuer's own key."""
    check, second = "confirmation.persons", confirmation.confirmed.officer.name
    if same_person(confirmation.first.name, second):
        return [signer(check, Status.FAILED, "confirmation.persons.same_name", name=second)]
    if certificate is not None and certificate.spki == circumstances.issuer_spki:
        return [signer(check, Status.FAILED, "confirmation.persons.same_key")]
    return [signer(check, Status.PASSED, "confirmation.persons.two")]


def _credential(confirmation: Confirmation, certificate: Certificate) -> Finding:
    """Rule 6: the credential that is printed is the one that signed, and it names the second person."""
    check, stated = "confirmation.credential", confirmation.confirmed.credential
    name = confirmation.confirmed.officer.name
    differing = {
        "sha256": stated.sha256 != sha256(certificate.encoded),
        "subject": stated.subject != certificate.subject.text,
        "serial": stated.serial != certificate.serial,
        "demo": stated.demo != _is_demo(certificate),
    }
    for what, differs in differing.items():
        if differs:
            return signer(check, Status.FAILED, "confirmation.credential.differs", what=what)
    if not names_person(certificate, name):
        return signer(
            check,
            Status.UNDETERMINED,
            "confirmation.credential.name",
            name=name,
            subject=certificate.subject.text[:200],
        )
    return signer(check, Status.PASSED, "confirmation.credential.agrees")


def _time(confirmation: Confirmation, stamped: datetime | None) -> list[Finding]:
    """Rule 7: confirmed before the certificate was signed; without a proven time nothing is said."""
    check = "confirmation.time"
    if stamped is None:
        return []
    seconds = int((confirmation.confirmed.at - stamped).total_seconds())
    if seconds > _TOLERANCE_S:
        return [signer(check, Status.FAILED, "confirmation.time.after", seconds=seconds)]
    return [signer(check, Status.PASSED, "confirmation.time.before")]


def _is_demo(certificate: Certificate) -> bool:
    try:
        return is_demo(x509.Certificate.load(certificate.encoded))
    except (ValueError, TypeError):
        return False

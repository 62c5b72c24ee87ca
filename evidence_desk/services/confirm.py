"""Confirm 复核: the second person signs exactly what is going to be printed and attached, before it is issued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from evidence_desk.core import certificate as model
from evidence_desk.core.confirmation import (
    NAME,
    SIGNATURE_NAME,
    Confirmation,
    Confirmed,
    same_person,
)
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.ports import CertificateIssuer
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.verdict import Status
from evidence_desk.crypto.detached import sign_detached
from evidence_desk.crypto.pki import signature_algorithm
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.errors import IntegrityError, UsageError
from evidence_desk.services.desk import Desk
from evidence_desk.services.persons import Unlocked, credential_facts, find_person
from evidence_desk.verify.certificate.confirmation import Circumstances, judge_confirmation
from evidence_desk.verify.certificate.signer_path import judge_path
from evidence_desk.verify.certificate.text import compare_values
from evidence_desk.verify.certificate.trust import CertificateTrust


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A whole certificate before it is issued: what a person looks at, and a second one confirms.

    Attributes:
        certificate: the model; `handler` is set when a second person has to confirm it.
        attachments: what is going to be attached, by name.
        exhibits: rows it is about.
        operator: who drafted it, for the custody record.
    """

    certificate: model.Certificate
    attachments: Mapping[str, bytes]
    exhibits: tuple[ExhibitRow, ...]
    operator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedConfirmation:
    """A confirmation and the certificate it is about, ready to be issued.

    Attributes:
        certificate: the draft with persons, credential and time filled in: what is printed.
        record: ``confirmation.json``. signature: ``confirmation.p7s``.
    """

    certificate: model.Certificate
    record: bytes
    signature: bytes


def confirm(desk: Desk, drafted: Draft, second: Unlocked, issuer: CertificateIssuer) -> SignedConfirmation:
    """Have the second person sign a draft; its time becomes the certificate's time of issue.

    Args:
        desk: the desk.
        drafted: what he looked at.
        second: the person who confirms, with his credential; one unlocking serves many drafts.
        issuer: who is going to sign the certificate.

    Raises:
        UsageError: ``confirm.one_person_draft``, ``confirm.same_person``, ``confirm.same_key``, ``confirm.expired``,
            ``confirm.unfit``, ``confirm.unprintable``.
        PermissionDeniedError, HostError, CanceledError: of a credential in a token.
    """
    certificate, person = drafted.certificate, second.person
    first = certificate.handler
    if first is None:
        raise UsageError("confirm.one_person_draft")
    if same_person(first.name, person.name):
        raise UsageError("confirm.same_person", name=person.name)
    _refuse_shared_key(desk, first.name, second, issuer)
    now = desk.clock.now().replace(microsecond=0)
    _refuse_unfit(second, now)
    credential = credential_facts(second.key.certificate)
    demo = certificate.demo
    if credential.demo:
        demo = (*demo, model.DemoReason.CONFIRMATION)
    final = replace(
        certificate, issued=now, demo=demo,
        confirmed=Confirmed(officer=person.officer, credential=credential, at=now),
    )  # fmt: skip
    printed = issuer.printed(final)
    if compare_values(model.parse_printed(printed)).status is not Status.PASSED:
        raise UsageError("confirm.unprintable")
    record = _confirmation(final, printed, drafted.attachments).encode()
    signature = sign_detached(
        record,
        certificate=second.key.certificate,
        chain=second.key.chain,
        algorithm=signature_algorithm(second.key.kind).dump(),
        sign=second.key.sign,
    )
    return SignedConfirmation(certificate=final, record=record, signature=signature)


def check_signed(
    drafted: Draft, confirmation: SignedConfirmation, issuer: CertificateIssuer
) -> dict[str, bytes]:
    """Attachments of the certificate to be issued; it is judged as a verifier will judge it.

    Raises:
        IntegrityError: ``confirm.other_draft`` when the confirmation is about anything else, or not sound.
    """
    whole = {**drafted.attachments, NAME: confirmation.record, SIGNATURE_NAME: confirmation.signature}
    final, before = confirmation.certificate, drafted.certificate
    if replace(final, confirmed=None, issued=before.issued, demo=before.demo) != before:
        raise IntegrityError("confirm.other_draft", code="draft")
    printed = issuer.printed(final)
    judged = judge_confirmation(
        model.parse_printed(printed),
        {**whole, model.NAME: printed},
        Circumstances(
            issuer_spki=load_certificate(issuer.certificate).spki, trust=CertificateTrust(), stamped=None,
            now=final.issued,
        ),
    )  # fmt: skip
    wrong = [item.code for item in judged.findings if item.status is Status.FAILED]
    if wrong or not judged.findings:
        raise IntegrityError("confirm.other_draft", code=wrong[0] if wrong else "none")
    return whole


def _refuse_unfit(second: Unlocked, now: datetime) -> None:
    """A verifier would refuse what such a credential signed, and the certificate would be logged all the same."""
    certificate = load_certificate(second.key.certificate)
    name = second.person.name
    if not certificate.not_before <= now <= certificate.not_after:
        until = certificate.not_after.date().isoformat()
        raise UsageError(
            "confirm.expired", name=name, since=certificate.not_before.date().isoformat(), until=until
        )
    judged = judge_path(
        certificate, name, (), trust=CertificateTrust(), stamped=None, now=now, check="confirmation.signer"
    )
    if judged.status is Status.FAILED:
        raise UsageError("confirm.unfit", name=name)


def _refuse_shared_key(desk: Desk, first: str, second: Unlocked, issuer: CertificateIssuer) -> None:
    """Two persons, two keys, neither of them the institution's."""
    handler = find_person(desk, first)
    taken = [issuer.certificate] if handler is None else [issuer.certificate, handler.certificate]
    own = load_certificate(second.key.certificate).spki
    if own in {load_certificate(item).spki for item in taken}:
        raise UsageError("confirm.same_key", name=second.person.name)


def _confirmation(
    certificate: model.Certificate, printed: bytes, attachments: Mapping[str, bytes]
) -> Confirmation:
    if certificate.handler is None or certificate.confirmed is None:
        raise UsageError("confirm.one_person_draft")
    return Confirmation(
        number=certificate.number,
        version=certificate.version,
        case=certificate.case.number,
        exhibits=tuple(item.leaf_hash for item in certificate.exhibits),
        document=DigestPair.of(printed),
        attachments={name: DigestPair.of(data) for name, data in attachments.items()},
        first=certificate.handler,
        confirmed=certificate.confirmed,
    )

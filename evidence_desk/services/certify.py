"""Certify 出证: build the certificate from verified facts, have it printed and signed, and log its digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from evidence_desk import __version__
from evidence_desk.core import certificate as model
from evidence_desk.core.canonical import JSON
from evidence_desk.core.confirmation import Officer
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.person import sound_text
from evidence_desk.core.ports import CertificateIssuer
from evidence_desk.core.proof import Proof
from evidence_desk.core.rows import CertificateRow, ExhibitRow
from evidence_desk.core.time_record import parse_record, path_text
from evidence_desk.core.trust import Trust
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.errors import PermissionDeniedError, UsageError
from evidence_desk.services.assess import assess_for_print
from evidence_desk.services.capture_count import tally
from evidence_desk.services.confirm import Draft, SignedConfirmation, check_signed
from evidence_desk.services.custody import CustodyNote, append_custody
from evidence_desk.services.describe import describe_case, describe_exhibit, failed_captures
from evidence_desk.services.desk import Desk
from evidence_desk.services.persons import find_person
from evidence_desk.settings import load_two_person
from tsa.policy import is_demo


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyOutcome:
    """An issued certificate and the characters it could not print as such."""

    certificate: CertificateRow
    unprintable: tuple[str, ...]


def certify(
    desk: Desk,
    exhibits: Sequence[ExhibitRow],
    issuer: CertificateIssuer,
    *,
    trust: Trust,
    job: Job,
    operator: str = "",
) -> CertifyOutcome:
    """Issue one certificate over exhibits of one case, by one person.

    Raises:
        PermissionDeniedError: ``certify.two_person``.
        UsageError: ``certify.several_cases``, ``certify.repeated``.
        IntegrityError: ``certify.unsound``. RemoteError: the signature could not be timestamped.
    """
    if load_two_person(desk.store.exhibits):
        raise PermissionDeniedError("certify.two_person")
    drafted = draft(desk, exhibits, issuer, trust=trust, job=job, operator=operator)
    outcome = issue(desk, drafted, None, issuer)
    job.step("certify", len(exhibits), len(exhibits))
    return outcome


def draft(
    desk: Desk,
    exhibits: Sequence[ExhibitRow],
    issuer: CertificateIssuer,
    *,
    trust: Trust,
    job: Job,
    operator: str = "",
    two_person: bool | None = None,
) -> Draft:
    """The certificate over exhibits of one case, verified and complete, not issued.

    Args:
        desk: the desk.
        exhibits: of one case.
        issuer: who is going to sign it.
        trust: what the desk verifies itself with.
        job: progress, an item an exhibit.
        operator: who drafts it; in two-person mode the certificate names him (承办人).
        two_person: whether a second person is to confirm it; None goes by the vault's setting.

    Raises:
        UsageError: ``certify.several_cases``, ``certify.repeated``, ``confirm.no_first``.
        IntegrityError: ``certify.unsound``.
    """
    if len({row.case_number for row in exhibits}) != 1:
        raise UsageError("certify.several_cases")
    if len({row.leaf_hash for row in exhibits}) != len(exhibits):
        raise UsageError("certify.repeated")
    handler = _handler(desk, operator, two_person=two_person)
    parts: list[model.Exhibit] = []
    attachments: dict[str, bytes] = {}
    case = model.CaseFacts()
    for position, row in enumerate(exhibits, start=1):
        job.step("certify", position - 1, len(exhibits))
        proof, facts = assess_for_print(desk, row, trust)
        named = _attachments(desk, position, row, proof)
        attachments |= named
        parts.append(describe_exhibit(desk, row, facts, attachments=tuple(named)))
        case = case if case.number else describe_case(facts)
    certificate = replace(
        _certificate(desk, exhibits, tuple(parts), case, issuer),
        commands=(*_commands(attachments), *(_CONFIRMATION_COMMANDS if handler else ())),
        handler=handler,
    )
    return Draft(
        certificate=certificate, attachments=attachments, exhibits=tuple(exhibits), operator=operator
    )


def issue(
    desk: Desk, drafted: Draft, confirmation: SignedConfirmation | None, issuer: CertificateIssuer
) -> CertifyOutcome:
    """Print, sign and log a drafted certificate, with the confirmation of the second person where one is due.

    Raises:
        PermissionDeniedError: ``certify.two_person`` when a confirmation is due and there is none.
        UsageError: ``certify.stale``. IntegrityError: ``confirm.other_draft``.
        RemoteError: the signature could not be timestamped.
    """
    certificate, attachments = drafted.certificate, drafted.attachments
    if confirmation is not None:
        certificate = confirmation.certificate
        attachments = check_signed(drafted, confirmation, issuer)
    elif certificate.handler is not None or load_two_person(desk.store.exhibits):
        raise PermissionDeniedError("certify.two_person")
    _refuse_stale(desk, drafted)
    printed = issuer.issue(certificate, attachments)
    issued = _log(desk, drafted, certificate, printed.pdf)
    return CertifyOutcome(certificate=issued, unprintable=printed.unprintable)


_CONFIRMATION_COMMANDS: Final = (
    "sha256sum certificate.json; cat confirmation.json",
    "openssl cms -verify -binary -inform DER -in confirmation.p7s -content confirmation.json \\",
    "  -purpose any -CAfile CA.pem",
)


def _handler(desk: Desk, operator: str, *, two_person: bool | None) -> Officer | None:
    """Who handles the certificate, as enrolled; None when one person issues it."""
    wanted = load_two_person(desk.store.exhibits) if two_person is None else two_person
    if not wanted:
        return None
    name = operator.strip()
    if not name or not sound_text(name):
        raise UsageError("confirm.no_first")
    known = find_person(desk, name)
    return Officer(name=name) if known is None else known.officer


def _refuse_stale(desk: Desk, drafted: Draft) -> None:
    """Another certificate over these exhibits, or an erasure, since it was drafted."""
    store, certificate = desk.store.exhibits, drafted.certificate
    present = [store.exhibit(row.leaf_hash) for row in drafted.exhibits]
    gone = any(row is None or row.erased for row in present)
    if gone or certificate.version != _next_version(desk, drafted.exhibits):
        raise UsageError("certify.stale", number=certificate.number)


def _next_version(desk: Desk, exhibits: Sequence[ExhibitRow]) -> int:
    return 1 + max(len(desk.store.exhibits.certificates(row.leaf_hash)) for row in exhibits)


def _certificate(
    desk: Desk,
    exhibits: Sequence[ExhibitRow],
    parts: tuple[model.Exhibit, ...],
    case: model.CaseFacts,
    issuer: CertificateIssuer,
) -> model.Certificate:
    issued = desk.clock.now().replace(microsecond=0)
    version = _next_version(desk, exhibits)
    number = model.certificate_number(
        exhibits=[row.leaf_hash for row in exhibits], version=version, issued=issued, origin=desk.origin
    )
    demo: list[model.DemoReason] = []
    if any(part.token is not None and is_demo(part.token.policy) for part in parts):
        demo.append(model.DemoReason.TOKEN)
    if issuer.demo:
        demo.append(model.DemoReason.SIGNER)
    if any(part.court is not None and part.court.chain_id.startswith(DEMO_PREFIX) for part in parts):
        demo.append(model.DemoReason.CHAIN)
    return model.Certificate(
        number=number, version=version, issued=issued, language="zh", issuer=issuer.name, exhibits=parts,
        case=case, demo=tuple(demo), program=f"Evidence Desk {__version__}",
        failed_captures=failed_captures(desk, exhibits[0].case_number), all_captures=tally(desk),
    )  # fmt: skip


def _attachments(desk: Desk, position: int, row: ExhibitRow, proof: Proof) -> dict[str, bytes]:
    """Attached files of one exhibit: proof, statement, disclosures; the first token with what it covers, its records."""
    tag = f"{position:03d}"
    named = {
        f"proof-{tag}.json": proof.encode(),
        f"statement-{tag}.json": row.statement,
        f"disclosures-{tag}.json": row.disclosures,
    }
    for item in proof.times[:1]:
        preimage = desk.store.exhibits.token(sha256(item.token)).preimage
        named[f"timestamp-{tag}.tst"] = item.token
        named[f"timestamp-{tag}.preimage"] = preimage
        for group, record in enumerate(item.records, start=1):
            tree = parse_record(record).first.tree
            name = f"timestamp-{tag}-{group:03d}.path.txt"
            named[f"evidencerecord-{tag}-{group:03d}.ers"] = record
            if tree is not None:
                named[name] = path_text(tree, sha256(preimage), name=name).encode()
    return named


def _commands(attachments: Mapping[str, bytes]) -> tuple[str, ...]:
    """The check by hand of the first exhibit, with common tools; a test runs these very lines."""
    lines = ["pdfdetach -saveall CERTIFICATE.pdf", "sha256sum ORIGINAL; openssl dgst -sm3 ORIGINAL"]
    if "timestamp-001.tst" in attachments:
        lines += [
            "sha256sum statement-001.json; cat timestamp-001-001.path.txt",
            "openssl ts -verify -data timestamp-001.preimage -in timestamp-001.tst -token_in -CAfile CA.pem",
            "openssl ts -reply -in timestamp-001.tst -token_in -token_out -text",
        ]
    return tuple(lines)


def _log(desk: Desk, drafted: Draft, certificate: model.Certificate, pdf: bytes) -> CertificateRow:
    digests, exhibits, operator = DigestPair.of(pdf), drafted.exhibits, drafted.operator

    def issued(seq: int, at: datetime) -> Leaf:
        facts: dict[str, JSON] = {"certificate": {**digests.to_json()}}
        return Leaf(log=desk.origin, seq=seq, type=LeafType.CERTIFICATE_ISSUED, at=at, facts=facts)

    with desk.appending() as appender:
        _refuse_stale(desk, drafted)  # again: signing waits for an authority, meanwhile a case may be erased
        (leaf,) = appender.append([issued])
        row = CertificateRow(
            number=certificate.number, leaf_hash=leaf.leaf_hash,
            exhibits=tuple(item.leaf_hash for item in exhibits),
            digests=digests, pdf=pdf, issued=certificate.issued,
        )  # fmt: skip
        desk.store.exhibits.add_certificate(row)
        append_custody(
            desk,
            appender,
            [
                CustodyNote(
                    exhibit=item.leaf_hash, action="certified", operator=operator,
                    details=_details(certificate),
                )
                for item in exhibits
            ],
        )  # fmt: skip
    return row


def _details(certificate: model.Certificate) -> dict[str, JSON]:
    details: dict[str, JSON] = {"certificate": certificate.number}
    if certificate.confirmed is not None:
        details["confirmed_by"] = certificate.confirmed.officer.name
    return details

"""Certificates confirmed by a second person, sound or forged in one place; real keys, real PDF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from evidence_desk.core.certificate import NAME as RECORD
from evidence_desk.core.certificate import Certificate
from evidence_desk.core.confirmation import (
    NAME,
    SIGNATURE_NAME,
    Confirmation,
    Confirmed,
    CredentialFacts,
    Officer,
)
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.verdict import Status
from evidence_desk.crypto import pki
from evidence_desk.crypto.detached import sign_detached
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.texts import Language
from evidence_desk.verify.certificate import CertificateTrust, CertificateVerdict, verify_certificate
from reports.certificate import Attachment, printed_certificate, render_certificate
from tests.unit.reports.samples import Signing, a_certificate
from tsa.policy import TokenTrust

FIRST = Officer(name="钱知微", role="公证员助理", identification="工作证")
SECOND = Officer(name="刘子熙", role="公证员", identification="工作证与指纹")
OTHERS: Mapping[str, bytes] = {"proof-001.json": b'{"v":"proof/1"}', "statement-001.json": b"{}"}


def credential(signing: Signing, name: str = SECOND.name) -> pki.Identity:
    return pki.make_signer_certificate(
        name, pki.generate_key(pki.KeyKind.P256), signing.ca,
        not_before=datetime.now(UTC) - timedelta(hours=12), years=2,
    )  # fmt: skip


def facts(identity: pki.Identity) -> CredentialFacts:
    read = load_certificate(identity.certificate)
    return CredentialFacts(
        subject=read.subject.text, serial=read.serial, sha256=sha256(identity.certificate), demo=True
    )


def signature(identity: pki.Identity, data: bytes) -> bytes:
    return sign_detached(
        data, certificate=identity.certificate, chain=identity.chain,
        algorithm=identity.key.signature_algorithm().dump(), sign=identity.key.signer(),
    )  # fmt: skip


@dataclass(frozen=True)
class Office:
    """An issuer's signing key and a second person's credential."""

    signing: Signing
    person: pki.Identity
    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @property
    def certificate(self) -> Certificate:
        confirmed = Confirmed(officer=SECOND, credential=facts(self.person), at=self.at)
        return a_certificate(handler=FIRST, confirmed=confirmed, issued=self.at)

    def confirmation(self, certificate: Certificate | None = None, **changes: object) -> Confirmation:
        """What an honest office signs about a certificate, then with `changes`."""
        about = certificate or self.certificate
        assert about.handler is not None
        assert about.confirmed is not None
        honest = Confirmation(
            number=about.number,
            version=about.version,
            case=about.case.number,
            exhibits=tuple(item.leaf_hash for item in about.exhibits),
            document=DigestPair.of(printed_certificate(about).to_bytes()),
            attachments={name: DigestPair.of(data) for name, data in OTHERS.items()},
            first=about.handler,
            confirmed=about.confirmed,
        )
        return replace(honest, **changes)  # type: ignore[arg-type]

    def sign(self, data: bytes) -> bytes:
        return signature(self.person, data)

    def pdf(
        self, attachments: Mapping[str, bytes | None] | None = None, certificate: Certificate | None = None
    ) -> bytes:
        """The signed PDF; `attachments` replace the honest ones, None leaves one out."""
        about = certificate or self.certificate
        honest: dict[str, bytes | None] = {**OTHERS}
        if about.confirmed is not None:
            record = self.confirmation(about).encode()
            honest |= {NAME: record, SIGNATURE_NAME: self.sign(record)}
        chosen = {**honest, **(attachments or {})}
        assert RECORD not in chosen
        rendered = render_certificate(
            about,
            attachments={
                name: Attachment(data=data, media_type="application/octet-stream")
                for name, data in chosen.items()
                if data is not None
            },
            language=Language.ZH,
        )
        return self.signing.sign(rendered.pdf)

    def signed(self, confirmation: Confirmation, **more: bytes) -> bytes:
        """The PDF with another confirmation, properly signed by the second person."""
        record = confirmation.encode()
        return self.pdf({NAME: record, SIGNATURE_NAME: self.sign(record), **more})

    def verify(
        self, pdf: bytes, *, trust: CertificateTrust | None = None, now: datetime | None = None
    ) -> CertificateVerdict:
        root, crl = self.signing.ca.certificate, self.signing.ca.crl
        return verify_certificate(
            pdf,
            trust=trust or CertificateTrust(roots=(root,), crls=(crl,)),
            token_trust=TokenTrust(roots=(root,), crls=(crl,)),
            now=now or datetime.now(UTC) + timedelta(seconds=2),
        )


def codes(verdict: CertificateVerdict, status: Status = Status.FAILED) -> set[str]:
    return {item.code for item in verdict.findings if item.status is status}

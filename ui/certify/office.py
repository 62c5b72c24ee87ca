"""Who signs here and who confirms: read beside the window, shown by several parts of the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from asn1crypto import x509

from evidence_desk.bootstrap import pem_texts
from evidence_desk.bootstrap import persons as office_persons
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.digests import sha256
from evidence_desk.core.person import OfficePerson
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.errors import ConfigurationError, MalformedError
from evidence_desk.services import persons
from evidence_desk.settings import load_signer_roots
from evidence_desk.verify.certificate.seal import is_demo, signer_name


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerFacts:
    """The key that signs certificates here.

    Attributes:
        name: as the seal prints it. subject, root: distinguished names; `root` is empty when the root is not known here.
        token: label of the token it lies in, empty for the key file; `module`: file name of its PKCS#11 module.
        sha256: of the certificate (DER).
    """

    name: str
    subject: str
    issuer: str
    root: str
    since: datetime
    until: datetime
    demo: bool
    sha256: bytes
    token: str = ""
    serial: str = ""
    module: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """How certificates are issued here; `signer` is None while no key is set up."""

    signer: SignerFacts | None
    two_person: bool
    persons: tuple[OfficePerson, ...]

    @property
    def active(self) -> tuple[OfficePerson, ...]:
        """Persons that are not retired."""
        return tuple(item for item in self.persons if item.retired is None)


def read_office(session: Session) -> Office:
    """Everything at once; needs neither token nor passphrase."""
    try:
        signer = signer_facts(session)
    except ConfigurationError:
        signer = None
    return Office(
        signer=signer, two_person=office_persons.two_person(session), persons=persons.persons(session.desk)
    )


def signer_facts(session: Session) -> SignerFacts:
    """The signing certificate; ConfigurationError ``certify.no_signer``."""
    encoded = session.signer_certificate()
    certificate = load_certificate(encoded)
    setting = session.signer.setting
    loaded = x509.Certificate.load(encoded)
    return SignerFacts(
        name=signer_name(loaded),
        subject=certificate.subject.text,
        issuer=certificate.issuer.text,
        root=_root(session, certificate.issuer.text),
        since=certificate.not_before,
        until=certificate.not_after,
        demo=is_demo(loaded),
        sha256=sha256(encoded),
        token="" if setting is None else setting.token_label,
        serial="" if setting is None else setting.token_serial,
        module="" if setting is None else Path(setting.module).name,
    )


def _root(session: Session, issuer: str) -> str:
    """Name of the root given for this signer; the issuer's own where it is one."""
    setting = session.signer.setting
    if setting is not None and setting.chain:
        return load_certificate(setting.chain[-1]).subject.text
    for text in reversed(load_signer_roots(session.vault.exhibits)):
        try:
            certificates, _ = pem_texts.parts(text)
        except MalformedError:
            continue
        names = [load_certificate(item).subject.text for item in certificates]
        if issuer in names:
            return names[-1]
    return ""

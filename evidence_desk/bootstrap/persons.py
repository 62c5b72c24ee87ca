"""Persons of the office and the two-person mode over an open session: what the command line and the desktop program call."""

from __future__ import annotations

import time
from collections.abc import Callable

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.confirmation import Officer
from evidence_desk.core.person import OfficePerson
from evidence_desk.core.signing_ports import SigningKey
from evidence_desk.crypto.pki import identity_from_pkcs12
from evidence_desk.errors import ConfigurationError
from evidence_desk.services import persons
from evidence_desk.settings import load_two_person, save_two_person
from evidence_desk.vault.person_keys import WrappedPersonKeys

Sleep = Callable[[float], None]


def person_keys(session: Session, sleep: Sleep | None = time.sleep) -> WrappedPersonKeys:
    """Where the keys of persons are kept; with ``sleep=None`` a delay is refused (``vault.wait``) instead of slept."""
    return WrappedPersonKeys(session.vault, session.vault.folder, session.clock, sleep)


def enroll_demo(session: Session, officer: Officer, passphrase: str) -> OfficePerson:
    """Enroll with a demo credential (演示) made here; see `services.persons.enroll_demo`."""
    person = persons.enroll_demo(session.desk, person_keys(session), officer, passphrase)
    session.write_trust()
    return person


def enroll_given(session: Session, officer: Officer, key: SigningKey) -> OfficePerson:
    """Enroll with a credential of his own; see `services.persons.enroll_given`."""
    try:
        issuer = session.signer_certificate()
    except ConfigurationError:
        issuer = b""  # nobody signs certificates here yet
    person = persons.enroll_given(session.desk, officer, key, issuer=issuer)
    session.write_trust()
    return person


def pkcs12_key(data: bytes, passphrase: str) -> SigningKey:
    """The credential in a PKCS#12 file.

    Raises:
        PermissionDeniedError: ``pki.pkcs12_passphrase``. MalformedError: ``pki.pkcs12``, ``pki.key_kind``.
    """
    return persons.OwnKey(identity_from_pkcs12(data, passphrase.encode() or None))


def two_person(session: Session) -> bool:
    """Whether certificates need a second person's confirmation here."""
    return load_two_person(session.vault.exhibits)


def set_two_person(session: Session, *, on: bool) -> None:
    """Turn the two-person mode on or off."""
    with session.vault.transaction():
        save_two_person(session.vault.exhibits, on=on)

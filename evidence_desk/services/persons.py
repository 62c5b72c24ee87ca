"""Persons of the office: enroll, unlock, change passphrase, retire. Nobody is deleted: earlier certificates name him."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from asn1crypto import pem, x509

from evidence_desk.core.confirmation import MAX_TEXT, CredentialFacts, Officer, names_person, same_person
from evidence_desk.core.digests import sha256
from evidence_desk.core.person import CredentialKind, OfficePerson, encode_persons, parse_persons, sound_text
from evidence_desk.core.person_ports import PersonKeys
from evidence_desk.core.ports import ExhibitStore
from evidence_desk.core.signing_ports import SigningKey
from evidence_desk.crypto import pki
from evidence_desk.crypto.oids import DEMO_PDF_POLICY
from evidence_desk.crypto.x509 import load_certificate
from evidence_desk.errors import NotFoundError, UsageError
from evidence_desk.services.desk import Desk
from evidence_desk.settings import load_person_roots, save_person_roots
from evidence_desk.verify.certificate.seal import is_demo

Everybody = tuple[OfficePerson, ...]
_SETTING: Final = "persons"
_DEMO_CA: Final = "demo.persons-ca"
_DEMO_CA_NAME: Final = "证据台演示人员根 Evidence Desk demo persons root"
_DEMO_YEARS: Final = 5
_CRL_DAYS: Final = 366
_CRL: Final = "X509 CRL"


class OwnKey:
    """A key of ours or from a PKCS#12 file, in memory (`core.signing_ports.SigningKey`)."""

    def __init__(self, identity: pki.Identity) -> None:
        self.kind = identity.key.kind
        self.certificate = identity.certificate
        self.chain = identity.chain
        self._sign = identity.key.signer()

    def sign(self, message: bytes) -> bytes:
        """Signature with SHA-256."""
        return self._sign(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocked:
    """A person whose credential can sign now; keep it no longer than the batch that is confirmed."""

    person: OfficePerson
    key: SigningKey


def persons(desk: Desk) -> tuple[OfficePerson, ...]:
    """Everybody ever enrolled, in the order of enrolling."""
    data = desk.store.exhibits.get_setting(_SETTING)
    return () if data is None else parse_persons(data)


def find_person(desk: Desk, name: str) -> OfficePerson | None:
    """The person who is enrolled under a name and not retired."""
    return next(
        (item for item in persons(desk) if item.retired is None and same_person(item.name, name)), None
    )


def one_person(desk: Desk, name: str) -> OfficePerson:
    """`find_person`; NotFoundError ``person.unknown``."""
    found = find_person(desk, name)
    if found is None:
        raise NotFoundError("person.unknown", name=name)
    return found


def enroll_demo(desk: Desk, keys: PersonKeys, officer: Officer, passphrase: str) -> OfficePerson:
    """Enroll with a key made here and a certificate of the vault's demo authority (演示), under his own passphrase.

    Raises:
        UsageError: ``person.known``, ``person.no_name``, ``person.passphrase_short``, ``person.vault_passphrase``.
    """
    _refuse_unsound(desk, officer)
    now = desk.clock.now()
    ca = _demo_ca(desk, now)
    made = pki.make_signer_certificate(
        officer.name, pki.generate_key(pki.KeyKind.P256), ca, not_before=now, years=_DEMO_YEARS
    )
    person = _new(officer, CredentialKind.KEPT, made.certificate, made.chain, now)
    keys.keep(person.id, passphrase, made.to_bytes())
    _store(desk, lambda everybody: (*everybody, person), _pem(ca.certificate, ca.crl))
    return person


def enroll_given(desk: Desk, officer: Officer, key: SigningKey, *, issuer: bytes = b"") -> OfficePerson:
    """Enroll with a credential that he brings along; only its certificates are stored, its root serves for confirmations.

    Args:
        desk: the desk.
        officer: who he is.
        key: the credential.
        issuer: DER certificate of the key that signs certificates here, which nobody may use for himself.

    Raises:
        UsageError: ``person.known``, ``person.no_name``, ``person.other_name``, ``person.key_known``.
    """
    _refuse_unsound(desk, officer)
    certificate = load_certificate(key.certificate)
    if not names_person(certificate, officer.name):
        raise UsageError("person.other_name", name=officer.name, subject=certificate.subject.text[:200])
    taken = {load_certificate(item.certificate).spki for item in persons(desk)}
    if certificate.spki in taken or (issuer and load_certificate(issuer).spki == certificate.spki):
        raise UsageError("person.key_known")
    person = _new(officer, CredentialKind.GIVEN, key.certificate, key.chain, desk.clock.now())
    root = key.chain[-1] if key.chain else key.certificate
    _store(desk, lambda everybody: (*everybody, person), _pem(root))
    return person


def unlock(keys: PersonKeys, person: OfficePerson, passphrase: str) -> Unlocked:
    """Open a person's credential; one unlocking serves a whole batch.

    Raises:
        PermissionDeniedError: ``person.wrong_passphrase``. NotFoundError: ``person.no_key``, ``person.unknown``.
    """
    if person.retired is not None:
        raise NotFoundError("person.unknown", name=person.name)
    if person.kind is not CredentialKind.KEPT:
        raise NotFoundError("person.no_key", name=person.name)
    identity = pki.Identity.from_bytes(keys.open(person.id, passphrase, name=person.name))
    return unlock_given(person, OwnKey(identity))


def unlock_given(person: OfficePerson, key: SigningKey) -> Unlocked:
    """The credential that a person brings along: a PKCS#12 file read into `OwnKey`, or a token.

    Raises:
        NotFoundError: ``person.unknown`` when he is retired. UsageError: ``person.other_credential``.
    """
    if person.retired is not None:
        raise NotFoundError("person.unknown", name=person.name)
    if key.certificate != person.certificate:
        raise UsageError("person.other_credential", name=person.name)
    return Unlocked(person=person, key=key)


def change_passphrase(keys: PersonKeys, person: OfficePerson, old: str, new: str) -> None:
    """New passphrase of a kept credential; errors of `unlock` and `enroll_demo`."""
    unlock(keys, person, old)
    keys.change(person.id, old, new, name=person.name)


def retire(desk: Desk, keys: PersonKeys, person: OfficePerson) -> OfficePerson:
    """He confirms no more: the entry stays, a kept key is destroyed, before anything else: cut short, it can be repeated."""
    now = desk.clock.now().replace(microsecond=0)
    gone = replace(person, retired=now)
    keys.destroy(person.id)
    _store(desk, lambda everybody: tuple(gone if item.id == person.id else item for item in everybody))
    return gone


def credential_facts(encoded: bytes) -> CredentialFacts:
    """What a confirmation and a certificate say of a credential (DER certificate)."""
    certificate = load_certificate(encoded)
    return CredentialFacts(
        subject=certificate.subject.text,
        serial=certificate.serial,
        sha256=sha256(encoded),
        demo=is_demo(x509.Certificate.load(encoded)),
    )


def _refuse_unsound(desk: Desk, officer: Officer) -> None:
    fields = (officer.name, officer.role, officer.identification)
    if not officer.name or not all(sound_text(item) for item in fields):
        raise UsageError("person.no_name", limit=MAX_TEXT)
    if find_person(desk, officer.name) is not None:
        raise UsageError("person.known", name=officer.name)


def _new(
    officer: Officer, kind: CredentialKind, certificate: bytes, chain: tuple[bytes, ...], now: datetime
) -> OfficePerson:
    return OfficePerson(
        id=secrets.token_hex(8), name=officer.name, role=officer.role, identification=officer.identification,
        kind=kind, certificate=certificate, chain=chain, enrolled=now.replace(microsecond=0),
    )  # fmt: skip


def _store(desk: Desk, change: Callable[[Everybody], Everybody], roots: str = "") -> None:
    """Change the persons as they stand, and add the root of a new credential to those of persons, never of certificate signers."""
    store = desk.store
    with store.transaction():
        store.exhibits.set_setting(_SETTING, encode_persons(change(persons(desk))))
        if roots:
            _add_root(store.exhibits, roots)


def _add_root(store: ExhibitStore, roots: str) -> None:
    """One that is known stays, unless this one brings a revocation list."""
    known = load_person_roots(store)
    others = tuple(item for item in known if _first(item) != _first(roots))
    if len(others) == len(known) or _CRL in roots:
        save_person_roots(store, (*others, roots))


def _first(text: str) -> str:
    """The first certificate of a PEM text."""
    return text.partition("-----END CERTIFICATE-----")[0]


def _pem(certificate: bytes, crl: bytes = b"") -> str:
    parts = [pem.armor("CERTIFICATE", certificate)]
    if crl:
        parts.append(pem.armor(_CRL, crl))
    return b"".join(parts).decode()


def _demo_ca(desk: Desk, now: datetime) -> pki.Identity:
    """The vault's demo authority for persons, with a revocation list as young as the newest credential."""
    kept = desk.store.secret(_DEMO_CA)
    if kept is None:
        ca = pki.make_ca(
            _DEMO_CA_NAME,
            pki.generate_key(pki.KeyKind.P256),
            not_before=now,
            years=20,
            policy=DEMO_PDF_POLICY,
        )
        desk.store.set_secret(_DEMO_CA, ca.to_bytes())
        return ca
    ca = pki.Identity.from_bytes(kept)
    moment = now.replace(microsecond=0)
    crl = pki.make_crl(
        ca, this_update=moment, next_update=moment + timedelta(days=_CRL_DAYS), number=int(moment.timestamp())
    )
    fresh = replace(ca, crl=crl)
    desk.store.set_secret(_DEMO_CA, fresh.to_bytes())
    return fresh

"""X.509 certificates as the verifiers need them (RFC 5280), SM2 ones too. Reads; decides nothing.

A certificate is read once per content and remembered: every verification meets the same few again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from evidence_desk.crypto import der, oids
from evidence_desk.crypto.suites import Algorithm, Checked, read_algorithm, verify_signature
from evidence_desk.errors import MalformedError

CERTIFICATE_LIMIT: Final = 32 * 1024

DIGITAL_SIGNATURE: Final = 0
NON_REPUDIATION: Final = 1
KEY_CERT_SIGN: Final = 5
CRL_SIGN: Final = 6

_TEXT_TAGS: Final = {
    0x0C: "utf-8",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1E: "utf-16-be",
    0x1C: "utf-32-be",
}
_LABELS: Final = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.97": "organizationIdentifier",
    oids.EMAIL_ADDRESS: "emailAddress",
}

NameKey = tuple[frozenset[tuple[str, str | bytes]], ...]
"""A distinguished name in a form that compares as RFC 5280 §7.1 asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A distinguished name: its bytes, its comparable form, and a readable line."""

    encoded: bytes
    key: NameKey
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """One extension: whether critical, and the DER inside its OCTET STRING."""

    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Certificate:
    """What a certificate says (RFC 5280 §4.1).

    Attributes:
        fingerprint: SHA-256 of the encoding.
        tbs: the signed part.
        spki: DER SubjectPublicKeyInfo; `spki_sha256` its digest.
        key_usage: numbers of the set bits, None when the extension is absent.
        is_ca: basicConstraints cA; `path_length` its limit, None without one.
        purposes: extended key usages, None when the extension is absent.
    """

    encoded: bytes = field(repr=False)
    fingerprint: bytes
    tbs: bytes = field(repr=False)
    serial: int
    issuer: Name
    subject: Name
    not_before: datetime
    not_after: datetime
    spki: bytes = field(repr=False)
    spki_sha256: bytes
    extensions: Mapping[str, Extension] = field(repr=False)
    algorithm: Algorithm
    signature: bytes = field(repr=False)
    key_usage: frozenset[int] | None
    is_ca: bool
    path_length: int | None
    purposes: frozenset[str] | None
    subject_key_id: bytes | None
    authority_key_id: bytes | None
    alternative_names: tuple[bytes, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and other.encoded == self.encoded

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    @property
    def self_issued(self) -> bool:
        """Whether issuer and subject are the same name."""
        return self.issuer.key == self.subject.key

    def valid_at(self, moment: datetime) -> bool:
        """Whether `moment` lies inside the validity period (RFC 5280 §4.1.2.5, both ends included)."""
        return self.not_before <= moment <= self.not_after


@lru_cache(maxsize=256)
def load_certificate(encoded: bytes) -> Certificate:
    """Read one DER certificate.

    Raises:
        MalformedError: ``malformed.certificate``, ``malformed.too_large``.
    """
    try:
        return _load(encoded)
    except MalformedError as error:
        if error.code == "malformed.der":
            raise MalformedError("malformed.certificate", rule=error.parameters["rule"]) from error
        raise


def _load(encoded: bytes) -> Certificate:
    whole = der.parse(encoded, what="Certificate", limit=CERTIFICATE_LIMIT)
    der.check(whole)
    outer = der.Fields(whole)
    tbs = outer.take(der.SEQUENCE)
    algorithm = read_algorithm(outer.take(der.SEQUENCE))
    signature = der.bits(outer.take(der.BIT_STRING))
    outer.done()
    fields = der.Fields(tbs)
    version = fields.maybe(0xA0)
    if version is not None and der.integer(der.only(version, der.INTEGER)) not in (1, 2):
        raise MalformedError("malformed.der", rule="version")
    serial = der.integer(fields.take(der.INTEGER))
    if read_algorithm(fields.take(der.SEQUENCE)) != algorithm:
        raise MalformedError("malformed.der", rule="algorithm")
    issuer = read_name(fields.take(der.SEQUENCE))
    period = der.Fields(fields.take(der.SEQUENCE))
    not_before, not_after = der.time(period.take()), der.time(period.take())
    period.done()
    subject = read_name(fields.take(der.SEQUENCE))
    spki = fields.take(der.SEQUENCE).encoded
    fields.maybe(0x81)
    fields.maybe(0x82)
    extensions = _extensions(fields.maybe(0xA3))
    fields.done()
    is_ca, path_length = _basic_constraints(extensions)
    return Certificate(
        encoded=encoded,
        fingerprint=hashlib.sha256(encoded).digest(),
        tbs=tbs.encoded,
        serial=serial,
        issuer=issuer,
        subject=subject,
        not_before=not_before,
        not_after=not_after,
        spki=spki,
        spki_sha256=hashlib.sha256(spki).digest(),
        extensions=MappingProxyType(extensions),
        algorithm=algorithm,
        signature=signature,
        key_usage=_key_usage(extensions),
        is_ca=is_ca,
        path_length=path_length,
        purposes=_purposes(extensions),
        subject_key_id=_subject_key_id(extensions),
        authority_key_id=_authority_key_id(extensions),
        alternative_names=_alternative_names(extensions),
    )


def read_name(element: der.Element) -> Name:
    """Read a Name (RFC 5280 §4.1.2.4); MalformedError."""
    return _name(der.expect(element, der.SEQUENCE).encoded)


@lru_cache(maxsize=512)
def _name(encoded: bytes) -> Name:
    whole = der.parse(encoded, what="Name", limit=CERTIFICATE_LIMIT)
    key: list[frozenset[tuple[str, str | bytes]]] = []
    text: list[str] = []
    for rdn in whole.children():
        pairs: list[tuple[str, str | bytes]] = []
        for attribute in der.expect(rdn, der.SET).children():
            fields = der.Fields(der.expect(attribute, der.SEQUENCE))
            kind, value = der.oid(fields.take()), fields.take()
            fields.done()
            shown = _text(value)
            text.append(f"{_LABELS.get(kind, kind)}={shown if shown is not None else value.content.hex()}")
            pairs.append((kind, value.encoded if shown is None else " ".join(shown.split()).casefold()))
        if not pairs:
            raise MalformedError("malformed.der", rule="name")
        key.append(frozenset(pairs))
    return Name(encoded=encoded, key=tuple(key), text=", ".join(text))


def _text(value: der.Element) -> str | None:
    """Text of a DirectoryString, None for other kinds of value."""
    coding = _TEXT_TAGS.get(value.tag)
    if coding is None:
        return None
    try:
        return value.content.decode(coding)
    except UnicodeDecodeError as error:
        raise MalformedError("malformed.der", rule="text") from error


def _extensions(explicit: der.Element | None) -> dict[str, Extension]:
    found: dict[str, Extension] = {}
    if explicit is None:
        return found
    for item in der.only(explicit, der.SEQUENCE).children():
        fields = der.Fields(der.expect(item, der.SEQUENCE))
        kind = der.oid(fields.take())
        # Some authorities write the default FALSE out; the certificate's signature covers it, so it frees nothing.
        flag = fields.maybe(der.BOOLEAN)
        value = fields.take(der.OCTET_STRING).content
        fields.done()
        if kind in found:
            raise MalformedError("malformed.der", rule="extension_twice")
        found[kind] = Extension(critical=flag is not None and der.boolean(flag), value=value)
    return found


def _inside(extensions: Mapping[str, Extension], kind: str, tag: int = der.SEQUENCE) -> der.Element | None:
    extension = extensions.get(kind)
    if extension is None:
        return None
    element = der.parse(extension.value, what="Extension", limit=CERTIFICATE_LIMIT, tag=tag)
    der.check(element)
    return element


def _basic_constraints(extensions: Mapping[str, Extension]) -> tuple[bool, int | None]:
    element = _inside(extensions, oids.BASIC_CONSTRAINTS)
    if element is None:
        return False, None
    fields = der.Fields(element)
    flag, limit = fields.maybe(der.BOOLEAN), fields.maybe(der.INTEGER)
    fields.done()
    length = None if limit is None else der.integer(limit)
    if length is not None and length < 0:
        raise MalformedError("malformed.der", rule="path_length")
    return flag is not None and der.boolean(flag), length


def _key_usage(extensions: Mapping[str, Extension]) -> frozenset[int] | None:
    element = _inside(extensions, oids.KEY_USAGE, der.BIT_STRING)
    return None if element is None else der.set_bits(element)


def _purposes(extensions: Mapping[str, Extension]) -> frozenset[str] | None:
    element = _inside(extensions, oids.EXTENDED_KEY_USAGE)
    return None if element is None else frozenset(der.oid(item) for item in element.children())


def _subject_key_id(extensions: Mapping[str, Extension]) -> bytes | None:
    element = _inside(extensions, oids.SUBJECT_KEY_ID, der.OCTET_STRING)
    return None if element is None else element.content


def _authority_key_id(extensions: Mapping[str, Extension]) -> bytes | None:
    element = _inside(extensions, oids.AUTHORITY_KEY_ID)
    found = None if element is None else der.Fields(element).maybe(0x80)
    return None if found is None else found.content


def _alternative_names(extensions: Mapping[str, Extension]) -> tuple[bytes, ...]:
    element = _inside(extensions, oids.SUBJECT_ALT_NAME)
    return () if element is None else tuple(item.encoded for item in element.children())


@lru_cache(maxsize=1024)
def signed_by(certificate: Certificate, issuer: Certificate) -> Checked:
    """Whether the key of `issuer` made the signature on `certificate`, and with which digest."""
    return verify_signature(
        algorithm=certificate.algorithm,
        spki=issuer.spki,
        message=certificate.tbs,
        signature=certificate.signature,
    )

"""What a CRL says about one certificate (RFC 5280 §5, §6.3): complete direct lists only.

The head is read strictly by us; looking a serial number up is left to cryptography, which is quick on long lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography import x509 as library

from evidence_desk.crypto import der, oids
from evidence_desk.crypto.suites import Algorithm, Outcome, read_algorithm, verify_signature
from evidence_desk.crypto.x509 import CRL_SIGN, Certificate, Name, read_name
from evidence_desk.errors import MalformedError

CRL_LIMIT: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A revocation: when, why ("" when no reason was given), and since when the key must be distrusted."""

    at: datetime
    reason: str
    invalid_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a signed source says of a certificate: `revocation` is None when it is not revoked."""

    this_update: datetime
    next_update: datetime | None
    revocation: Revocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    issuer: Name
    this_update: datetime
    next_update: datetime | None
    algorithm: Algorithm
    tbs: bytes
    signature: bytes
    scope: _Scope
    entries: library.CertificateRevocationList


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """IssuingDistributionPoint (RFC 5280 §5.2.5)."""

    users: bool = False
    authorities: bool = False
    points: frozenset[bytes] | None = None


def ask_crl(encoded: bytes, certificate: Certificate, issuer: Certificate) -> Answer | None:
    """The list's word on `certificate`, None when it has none: other issuer or scope, bad signature, unreadable."""
    crl = _load(encoded)
    if crl is None or crl.issuer.key != certificate.issuer.key or not _covers(crl.scope, certificate):
        return None
    if issuer.key_usage is not None and CRL_SIGN not in issuer.key_usage:
        return None
    if not _signed(encoded, issuer.spki):
        return None
    try:
        revocation = _revocation(crl.entries, certificate.serial)
    except ValueError:  # a negative serial number, or an entry with an impossible date
        return None
    return Answer(this_update=crl.this_update, next_update=crl.next_update, revocation=revocation)


@lru_cache(maxsize=32)
def _load(encoded: bytes) -> _List | None:
    try:
        return _read(encoded)
    except (MalformedError, ValueError):
        return None


def _read(encoded: bytes) -> _List:
    outer = der.Fields(der.parse(encoded, what="CertificateList", limit=CRL_LIMIT))
    tbs = outer.take(der.SEQUENCE)
    algorithm = read_algorithm(outer.take(der.SEQUENCE))
    signature = der.bits(outer.take(der.BIT_STRING))
    outer.done()
    fields = der.Fields(tbs)
    version = fields.maybe(der.INTEGER)
    if version is not None and der.integer(version) != 1:
        raise MalformedError("malformed.der", rule="version")
    if read_algorithm(fields.take(der.SEQUENCE)) != algorithm:
        raise MalformedError("malformed.der", rule="algorithm")
    issuer = read_name(fields.take(der.SEQUENCE))
    this_update = der.time(fields.take(der.UTC_TIME, der.GENERALIZED_TIME))
    next_update = fields.maybe(der.UTC_TIME, der.GENERALIZED_TIME)
    fields.maybe(der.SEQUENCE)
    extensions = fields.maybe(0xA0)
    fields.done()
    return _List(
        issuer=issuer,
        this_update=this_update,
        next_update=None if next_update is None else der.time(next_update),
        algorithm=algorithm,
        tbs=tbs.encoded,
        signature=signature,
        scope=_scope(extensions),
        entries=library.load_der_x509_crl(encoded),
    )


@lru_cache(maxsize=64)
def _signed(encoded: bytes, spki: bytes) -> bool:
    crl = _load(encoded)
    return (
        crl is not None
        and verify_signature(
            algorithm=crl.algorithm, spki=spki, message=crl.tbs, signature=crl.signature
        ).outcome
        is Outcome.RIGHT
    )


def _scope(extensions: der.Element | None) -> _Scope:
    scope = _Scope()
    for item in [] if extensions is None else der.only(extensions, der.SEQUENCE).children():
        fields = der.Fields(der.expect(item, der.SEQUENCE))
        kind, flag = der.oid(fields.take()), fields.maybe(der.BOOLEAN)
        value = fields.take(der.OCTET_STRING).content
        fields.done()
        if kind == oids.ISSUING_DISTRIBUTION_POINT:
            scope = _issuing_point(value)
        elif kind == oids.DELTA_CRL or (flag is not None and der.boolean(flag)):
            raise MalformedError("malformed.der", rule="critical_extension")
    return scope


def _issuing_point(value: bytes) -> _Scope:
    fields = der.Fields(der.parse(value, what="IssuingDistributionPoint", limit=64 * 1024))
    point = fields.maybe(0xA0)
    users, authorities = fields.maybe(0x81), fields.maybe(0x82)
    fields.done()  # some reasons only, indirect, attribute certificates: not a complete list for us
    return _Scope(
        users=users is not None and der.boolean(users),
        authorities=authorities is not None and der.boolean(authorities),
        points=None if point is None else _full_names(point),
    )


def _full_names(point: der.Element) -> frozenset[bytes]:
    """GeneralNames of a DistributionPointName; a name relative to the issuer is not handled and matches nothing."""
    names = der.Fields(point).maybe(0xA0)
    return frozenset() if names is None else frozenset(item.encoded for item in names.children())


def _covers(scope: _Scope, certificate: Certificate) -> bool:
    if (scope.users and certificate.is_ca) or (scope.authorities and not certificate.is_ca):
        return False
    if scope.points is None:
        return True
    extension = certificate.extensions.get(oids.CRL_DISTRIBUTION_POINTS)
    if extension is None:
        return False
    try:
        points = der.parse(extension.value, what="CRLDistributionPoints", limit=64 * 1024).children()
        named = [der.Fields(point).maybe(0xA0) for point in points]
        return any(scope.points & _full_names(point) for point in named if point is not None)
    except MalformedError:
        return False


def _revocation(entries: library.CertificateRevocationList, serial: int) -> Revocation | None:
    entry = entries.get_revoked_certificate_by_serial_number(serial)
    if entry is None:
        return None
    reason, since = "", None
    try:
        for extension in entry.extensions:
            if isinstance(extension.value, library.CRLReason):
                reason = extension.value.reason.value
            elif isinstance(extension.value, library.InvalidityDate):
                since = extension.value.invalidity_date_utc
    except (
        ValueError
    ):  # an entry we cannot read in full stays a revocation without a reason, the hardest kind
        reason, since = "", None
    return Revocation(at=entry.revocation_date_utc, reason=reason, invalid_since=since)

"""Strict reader of CMS SignedData (RFC 5652 §5; GM/T 0010 outer type). Checks shape, never trust."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from evidence_desk.crypto import der, oids
from evidence_desk.crypto.suites import Algorithm, read_algorithm, read_digest
from evidence_desk.crypto.x509 import CERTIFICATE_LIMIT, Name, read_name
from evidence_desk.errors import MalformedError

MAX_CERTIFICATES: Final = 32
MAX_CRLS: Final = 16
MAX_SIGNERS: Final = 16
MAX_ATTRIBUTES: Final = 32
SIGNER_LIMIT: Final = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute with its encoded values (RFC 5652 §5.3)."""

    kind: str
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerInfo:
    """One signer (RFC 5652 §5.3).

    Attributes:
        issuer, serial: signer identifier; None when it is `key_id`.
        signed_attributes: None when absent.
        signed_bytes: what the signature covers: the attributes re-tagged as SET OF; b"" when absent.
        unsigned: whether unsigned attributes follow (nobody vouches for them).
    """

    version: int
    issuer: Name | None
    serial: int | None
    key_id: bytes | None
    digest_oid: str
    digest_encoded: bytes
    signed_attributes: tuple[Attribute, ...] | None
    signed_bytes: bytes = field(repr=False)
    algorithm: Algorithm
    signature: bytes = field(repr=False)
    unsigned: bool

    def values(self, kind: str) -> tuple[tuple[bytes, ...], ...]:
        """Values of each signed attribute of `kind`: one entry an occurrence."""
        return tuple(item.values for item in self.signed_attributes or () if item.kind == kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedData:
    """A SignedData (RFC 5652 §5.1). Certificates and lists are left unread, in their order; `content` is b"" when detached."""

    national: bool
    version: int
    digest_oids: tuple[str, ...]
    content_type: str
    content: bytes = field(repr=False)
    certificates: tuple[bytes, ...] = field(repr=False)
    crls: tuple[bytes, ...] = field(repr=False)
    ocsps: tuple[bytes, ...] = field(repr=False)
    signers: tuple[SignerInfo, ...]


def parse_signed_data(encoded: bytes, *, what: str, limit: int) -> SignedData:
    """Read a ContentInfo that holds SignedData.

    Raises:
        MalformedError: ``malformed.der``, ``malformed.too_large``, ``malformed.cms`` {what, rule}.
    """
    return _signed_data(encoded, what=what, limit=limit, detached=False)


def parse_detached(encoded: bytes, *, what: str, limit: int) -> SignedData:
    """Read a ContentInfo that holds SignedData over id-data that lies outside (RFC 5652 §5.2).

    Raises:
        MalformedError: ``malformed.der``, ``malformed.too_large``, ``malformed.cms`` {what, rule}.
    """
    return _signed_data(encoded, what=what, limit=limit, detached=True)


def _signed_data(encoded: bytes, *, what: str, limit: int, detached: bool) -> SignedData:
    outer = der.Fields(der.parse(encoded, what=what, limit=limit))
    kind = der.oid(outer.take())
    if kind not in (oids.SIGNED_DATA, oids.SIGNED_DATA_NATIONAL):
        raise MalformedError("malformed.cms", what=what, rule="content_type")
    explicit = outer.take(0xA0)
    outer.done()
    fields = der.Fields(der.only(explicit, der.SEQUENCE))
    version = der.integer(fields.take(der.INTEGER))
    digests = tuple(read_digest(item) for item in der.sorted_set(fields.take(der.SET).children()))
    inner = der.Fields(fields.take(der.SEQUENCE))
    content_type = der.oid(inner.take())
    content = b"" if detached else der.only(inner.take(0xA0), der.OCTET_STRING).content
    inner.done()
    certificates = _certificates(fields.maybe(0xA0), what)
    crls, ocsps = _revocation(fields.maybe(0xA1), what)
    signers = der.sorted_set(fields.take(der.SET).children())
    fields.done()
    if len(signers) > MAX_SIGNERS or any(item.end - item.start > SIGNER_LIMIT for item in signers):
        raise MalformedError("malformed.cms", what=what, rule="count")
    national = kind == oids.SIGNED_DATA_NATIONAL
    # RFC 5652 §5.1: 3 for any content but id-data, 5 beside other revocation information; GM/T 0010 writes 1.
    if detached and (kind != oids.SIGNED_DATA or content_type != oids.DATA):
        raise MalformedError("malformed.cms", what=what, rule="content_type")
    if version not in ((1,) if detached else (1, 3) if national else (3, 5) if ocsps else (3,)):
        raise MalformedError("malformed.cms", what=what, rule="version")
    return SignedData(
        national=national,
        version=version,
        digest_oids=digests,
        content_type=content_type,
        content=content,
        certificates=certificates,
        crls=crls,
        ocsps=ocsps,
        signers=tuple(_signer(item, what) for item in signers),
    )


def _certificates(element: der.Element | None, what: str) -> tuple[bytes, ...]:
    items = [] if element is None else element.children()
    if len(items) > MAX_CERTIFICATES:
        raise MalformedError("malformed.cms", what=what, rule="count")
    for item in items:
        if item.tag != der.SEQUENCE or item.end - item.start > CERTIFICATE_LIMIT:
            raise MalformedError("malformed.cms", what=what, rule="certificate")
    return tuple(item.encoded for item in items)


def _revocation(element: der.Element | None, what: str) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """CRLs, and OCSP responses in OtherRevocationInfo (RFC 5652 §10.2.1, RFC 5940 §2)."""
    crls, ocsps = [], []
    items = [] if element is None else element.children()
    if len(items) > MAX_CRLS:
        raise MalformedError("malformed.cms", what=what, rule="count")
    for item in items:
        if item.tag == der.SEQUENCE:
            crls.append(item.encoded)
        elif item.tag == 0xA1:
            other = der.Fields(item)
            if der.oid(other.take()) != oids.OCSP_IN_CRLS:
                raise MalformedError("malformed.cms", what=what, rule="revocation")
            ocsps.append(other.take(der.SEQUENCE).encoded)
            other.done()
        else:
            raise MalformedError("malformed.cms", what=what, rule="revocation")
    return tuple(crls), tuple(ocsps)


def _signer(element: der.Element, what: str) -> SignerInfo:
    der.check(element)
    fields = der.Fields(der.expect(element, der.SEQUENCE))
    version = der.integer(fields.take(der.INTEGER))
    identifier = fields.take(der.SEQUENCE, 0x80)
    issuer = serial = key_id = None
    if identifier.tag == der.SEQUENCE:
        pair = der.Fields(identifier)
        issuer, serial = read_name(pair.take(der.SEQUENCE)), der.integer(pair.take(der.INTEGER))
        pair.done()
    else:
        key_id = identifier.content
    if version != (1 if key_id is None else 3):
        raise MalformedError("malformed.cms", what=what, rule="signer_version")
    digest = fields.take(der.SEQUENCE)
    attributes = fields.maybe(0xA0)
    algorithm = read_algorithm(fields.take(der.SEQUENCE))
    signature = fields.take(der.OCTET_STRING).content
    unsigned = fields.maybe(0xA1)
    fields.done()
    return SignerInfo(
        version=version,
        issuer=issuer,
        serial=serial,
        key_id=key_id,
        digest_oid=read_digest(digest),
        digest_encoded=digest.encoded,
        signed_attributes=None if attributes is None else _attributes(attributes, what),
        signed_bytes=b"" if attributes is None else b"\x31" + attributes.encoded[1:],
        algorithm=algorithm,
        signature=signature,
        unsigned=unsigned is not None,
    )


def _attributes(element: der.Element, what: str) -> tuple[Attribute, ...]:
    """Signed attributes, which must be DER even where the rest is BER (RFC 5652 §5.3)."""
    found = []
    for item in der.sorted_set(element.children()):
        fields = der.Fields(der.expect(item, der.SEQUENCE))
        kind = der.oid(fields.take())
        values = der.sorted_set(fields.take(der.SET).children())
        fields.done()
        found.append(Attribute(kind=kind, values=tuple(value.encoded for value in values)))
    if not 1 <= len(found) <= MAX_ATTRIBUTES:
        raise MalformedError("malformed.cms", what=what, rule="count")
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class EssIdentifier:
    """ESSCertID or ESSCertIDv2: the signer's certificate by digest (RFC 2634 §5.4.1, RFC 5035 §4)."""

    hash_oid: str
    digest: bytes
    issuer: Name | None
    serial: int | None


def ess_identifiers(signer: SignerInfo) -> tuple[EssIdentifier, ...]:
    """The first identifier of each signing-certificate attribute; both versions may be present (RFC 5816 §2.2.1).

    Raises:
        MalformedError: ``malformed.cms`` {rule: ess}, ``malformed.der``.
    """
    found = []
    for kind, version in ((oids.SIGNING_CERTIFICATE, 1), (oids.SIGNING_CERTIFICATE_V2, 2)):
        for values in signer.values(kind):
            if len(values) != 1 or len(signer.values(kind)) != 1:
                raise MalformedError("malformed.cms", what="SigningCertificate", rule="ess")
            whole = der.Fields(der.parse(values[0], what="SigningCertificate", limit=CERTIFICATE_LIMIT))
            identifiers = whole.take(der.SEQUENCE).children()
            whole.maybe(der.SEQUENCE)
            whole.done()
            if not identifiers:
                raise MalformedError("malformed.cms", what="SigningCertificate", rule="ess")
            found.append(_ess(identifiers[0], version))
    return tuple(found)


def _ess(element: der.Element, version: int) -> EssIdentifier:
    fields = der.Fields(der.expect(element, der.SEQUENCE))
    hash_oid = oids.SHA1
    if version == 2:
        algorithm = fields.maybe(der.SEQUENCE)
        hash_oid = oids.SHA256 if algorithm is None else read_digest(algorithm)
    value = fields.take(der.OCTET_STRING).content
    pair = fields.maybe(der.SEQUENCE)
    fields.done()
    if pair is None:
        return EssIdentifier(hash_oid=hash_oid, digest=value, issuer=None, serial=None)
    parts = der.Fields(pair)
    general = der.only(parts.take(der.SEQUENCE), 0xA4)
    serial = der.integer(parts.take(der.INTEGER))
    parts.done()
    return EssIdentifier(
        hash_oid=hash_oid, digest=value, issuer=read_name(der.only(general, der.SEQUENCE)), serial=serial
    )

"""Detached CMS signatures (RFC 5652 §5, RFC 5035): one signer, one spelling. Writes and checks; trusts nobody.

What the writer makes, ``openssl cms -verify -binary -content FILE -inform DER -in FILE.p7s`` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from asn1crypto import core

from evidence_desk.crypto import cms, der, oids
from evidence_desk.crypto.suites import Outcome, digest, verify_signature
from evidence_desk.crypto.x509 import Certificate, load_certificate

_CONTEXT_0: Final = 0xA0
_DIGESTS: Final = frozenset({oids.SHA256, oids.SHA384, oids.SHA512, oids.SM3})
_ATTRIBUTES: Final = frozenset({oids.CONTENT_TYPE, oids.MESSAGE_DIGEST, oids.SIGNING_CERTIFICATE_V2})


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """A detached signature as found.

    Attributes:
        wrong: "" when the signature fits the content and its certificate; else the rule it breaks: ``signers``,
            ``certificate``, ``attributes``, ``digest``, ``value``, ``reference``.
        certificate: the signer's, None when the file does not hold it.
        others: further certificates inside (DER); nobody vouches for them.
    """

    wrong: str
    certificate: Certificate | None
    others: tuple[bytes, ...] = ()


def sign_detached(
    content: bytes,
    *,
    certificate: bytes,
    chain: Sequence[bytes],
    algorithm: bytes,
    sign: Callable[[bytes], bytes],
) -> bytes:
    """DER ContentInfo with a signature over `content`, which stays outside.

    Args:
        content: what is signed.
        certificate: of the signer, DER.
        chain: certificates above it; self-issued ones are left out.
        algorithm: DER AlgorithmIdentifier of what `sign` makes; it must use SHA-256.
        sign: signature over a message (not over its digest).
    """
    signer = load_certificate(certificate)
    sha256 = der.encode(der.SEQUENCE, _oid(oids.SHA256))
    reference = der.encode(der.OCTET_STRING, digest(oids.SHA256, certificate))
    identifier = der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, reference)))
    attributes = sorted(
        [
            _attribute(oids.CONTENT_TYPE, _oid(oids.DATA)),
            _attribute(oids.MESSAGE_DIGEST, der.encode(der.OCTET_STRING, digest(oids.SHA256, content))),
            _attribute(oids.SIGNING_CERTIFICATE_V2, identifier),
        ]
    )
    issuer_serial = der.encode(der.SEQUENCE, signer.issuer.encoded, core.Integer(signer.serial).dump())
    info = der.encode(
        der.SEQUENCE,
        b"\x02\x01\x01",
        issuer_serial,
        sha256,
        der.encode(_CONTEXT_0, *attributes),
        algorithm,
        der.encode(der.OCTET_STRING, sign(der.encode(der.SET, *attributes))),
    )
    kept = {certificate, *(item for item in chain if not load_certificate(item).self_issued)}
    data = der.encode(
        der.SEQUENCE,
        b"\x02\x01\x01",
        der.encode(der.SET, sha256),
        der.encode(der.SEQUENCE, _oid(oids.DATA)),
        der.encode(_CONTEXT_0, *sorted(kept)),
        der.encode(der.SET, info),
    )
    return der.encode(der.SEQUENCE, _oid(oids.SIGNED_DATA), der.encode(_CONTEXT_0, data))


def check_detached(encoded: bytes, content: bytes, *, what: str, limit: int) -> Detached:
    """Whether a detached signature fits `content` and the certificate it carries.

    Raises:
        MalformedError: ``malformed.der``, ``malformed.cms``, ``malformed.too_large``.
    """
    signed = cms.parse_detached(encoded, what=what, limit=limit)
    if len(signed.signers) != 1 or signed.crls or signed.ocsps or signed.signers[0].unsigned:
        return Detached(wrong="signers", certificate=None)
    one = signed.signers[0]
    found = [item for item in signed.certificates if _is_named(one, item)]
    if len(found) != 1:
        return Detached(wrong="certificate", certificate=None)
    certificate = load_certificate(found[0])
    others = tuple(item for item in signed.certificates if item != found[0])
    return Detached(wrong=_wrong(signed, certificate, content), certificate=certificate, others=others)


def _is_named(signer: cms.SignerInfo, encoded: bytes) -> bool:
    """Whether a certificate is the signer's by issuer and serial, byte for byte."""
    certificate = load_certificate(encoded)
    return (
        signer.issuer is not None
        and certificate.issuer.encoded == signer.issuer.encoded
        and certificate.serial == signer.serial
    )


def _wrong(signed: cms.SignedData, certificate: Certificate, content: bytes) -> str:
    one = signed.signers[0]
    kinds = [item.kind for item in one.signed_attributes or ()]
    single = all(len(item.values) == 1 for item in one.signed_attributes or ())
    if set(kinds) != _ATTRIBUTES or len(kinds) != len(_ATTRIBUTES) or not single:
        return "attributes"
    if one.digest_oid not in _DIGESTS or signed.digest_oids != (one.digest_oid,):
        return "attributes"
    if one.values(oids.CONTENT_TYPE)[0][0] != _oid(oids.DATA):
        return "attributes"
    stated = der.parse(
        one.values(oids.MESSAGE_DIGEST)[0][0], what="messageDigest", limit=256, tag=der.OCTET_STRING
    ).content
    if stated != digest(one.digest_oid, content):
        return "digest"
    checked = verify_signature(
        algorithm=one.algorithm,
        spki=certificate.spki,
        message=one.signed_bytes,
        signature=one.signature,
        digest_oid=one.digest_oid,
    )
    if checked.outcome is not Outcome.RIGHT or checked.digest_oid not in _DIGESTS:
        return "value"
    (reference,) = cms.ess_identifiers(one)
    known = reference.hash_oid in _DIGESTS
    if not known or digest(reference.hash_oid, certificate.encoded) != reference.digest:
        return "reference"
    return ""


def _oid(dotted: str) -> bytes:
    return cast("bytes", core.ObjectIdentifier(dotted).dump())


def _attribute(oid: str, value: bytes) -> bytes:
    return der.encode(der.SEQUENCE, _oid(oid), der.encode(der.SET, value))

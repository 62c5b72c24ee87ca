"""Checking of the signatures inside handshakes with the key of the certificate that was shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import sha256
from evidence_desk.crypto import der
from evidence_desk.errors import MalformedError

SCHEMES: Final = {
    0x0201: "rsa_pkcs1_sha1", 0x0203: "ecdsa_sha1",
    0x0401: "rsa_pkcs1_sha256", 0x0501: "rsa_pkcs1_sha384", 0x0601: "rsa_pkcs1_sha512",
    0x0403: "ecdsa_secp256r1_sha256", 0x0503: "ecdsa_secp384r1_sha384", 0x0603: "ecdsa_secp521r1_sha512",
    0x0804: "rsa_pss_rsae_sha256", 0x0805: "rsa_pss_rsae_sha384", 0x0806: "rsa_pss_rsae_sha512",
    0x0809: "rsa_pss_pss_sha256", 0x080A: "rsa_pss_pss_sha384", 0x080B: "rsa_pss_pss_sha512",
    0x0807: "ed25519", 0x0808: "ed448", 0x0708: "sm2sig_sm3",
    0x081A: "ecdsa_brainpoolP256r1tls13_sha256", 0x081B: "ecdsa_brainpoolP384r1tls13_sha384",
    0x081C: "ecdsa_brainpoolP512r1tls13_sha512",
    0x0904: "mldsa44", 0x0905: "mldsa65", 0x0906: "mldsa87",
}  # fmt: skip
_DIGESTS: Final[dict[str, type[HashAlgorithm]]] = {
    "sha1": SHA1, "sha256": SHA256, "sha384": SHA384, "sha512": SHA512,
}  # fmt: skip
_OLD: Final = ("rsa_pkcs1_", "ecdsa_sha1")
"""Beginnings of schemes that CertificateVerify of TLS 1.3 must not use (RFC 8446 §4.2.3)."""
_CERTIFICATE_LIMIT: Final = 1 << 18
_SCT_LIST: Final = "1.3.6.1.4.1.11129.2.4.2"


class Validity(StrEnum):
    """Outcome of a check."""

    VALID = "valid"
    INVALID = "invalid"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeSignature:
    """A signature made in a handshake, with all that another program needs to check it again.

    Attributes:
        scheme, scheme_name: SignatureScheme.
        status: whether the key of the first certificate made it.
        reason: short word where it is not valid: ``signature``, ``scheme``, ``key``, ``certificate``,
            ``delegated_credential``.
        content: the bytes that are signed.
    """

    scheme: int
    scheme_name: str
    status: Validity
    reason: str | None
    content: bytes
    signature: bytes

    @property
    def content_sha256(self) -> bytes:
        """Digest of the signed bytes."""
        return sha256(self.content)

    def to_json(self) -> dict[str, JSON]:
        """For reports; content and signature in hex."""
        return {
            "scheme": self.scheme_name, "status": self.status.value, "reason": self.reason,
            "content": self.content.hex(), "content_sha256": self.content_sha256.hex(),
            "signature": self.signature.hex(),
        }  # fmt: skip


def check_signature(
    certificate: bytes | None, scheme: int, content: bytes, signature: bytes, *, is_13: bool
) -> HandshakeSignature:
    """Check `signature` over `content` with the key of `certificate` (DER)."""
    name = SCHEMES.get(scheme, f"0x{scheme:04X}")
    status, reason = _judge(certificate, name, content, signature, is_13=is_13)
    return HandshakeSignature(
        scheme=scheme, scheme_name=name, status=status, reason=reason, content=content, signature=signature
    )


def unchecked(scheme: int, content: bytes, signature: bytes, reason: str) -> HandshakeSignature:
    """A signature that cannot be checked."""
    return HandshakeSignature(
        scheme=scheme,
        scheme_name=SCHEMES.get(scheme, f"0x{scheme:04X}"),
        status=Validity.UNCHECKED,
        reason=reason,
        content=content,
        signature=signature,
    )


def _judge(
    certificate: bytes | None, name: str, content: bytes, signature: bytes, *, is_13: bool
) -> tuple[Validity, str | None]:
    if is_13 and name.startswith(_OLD):
        return Validity.INVALID, "scheme"
    if name.startswith(("0x", "sm2", "mldsa")):
        return Validity.UNCHECKED, "scheme"
    if certificate is None:
        return Validity.UNCHECKED, "certificate"
    try:
        key = load_der_public_key(_subject_key(certificate))
    except MalformedError:
        return Validity.UNCHECKED, "certificate"
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return Validity.UNCHECKED, "key"
    try:
        fits = _verify(key, name, content, signature, is_13=is_13)
    except (InvalidSignature, ValueError):
        return Validity.INVALID, "signature"
    except UnsupportedAlgorithm:
        return Validity.UNCHECKED, "key"
    return (Validity.VALID, None) if fits else (Validity.INVALID, "key")


def _verify(key: object, name: str, content: bytes, signature: bytes, *, is_13: bool) -> bool:
    """Whether the scheme is one for the key; raises what cryptography raises for a wrong signature."""
    digest = _DIGESTS.get(name.rpartition("_")[2], SHA256)()
    match key:
        case ec.EllipticCurvePublicKey() if name.startswith("ecdsa_"):
            curve = name.split("_")[1].removesuffix("tls13")
            if is_13 and curve.casefold() != key.curve.name.casefold():
                return False
            key.verify(signature, content, ec.ECDSA(digest))
        case rsa.RSAPublicKey() if name.startswith("rsa_pss_"):
            mask = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
            key.verify(signature, content, mask, digest)
        case rsa.RSAPublicKey() if name.startswith("rsa_pkcs1_"):
            key.verify(signature, content, padding.PKCS1v15(), digest)
        case ed25519.Ed25519PublicKey() if name == "ed25519":
            key.verify(signature, content)
        case ed448.Ed448PublicKey() if name == "ed448":
            key.verify(signature, content)
        case _:
            return False
    return True


def _fields(certificate: bytes) -> tuple[bytes, der.Element | None]:
    """SubjectPublicKeyInfo and the extensions (RFC 5280 §4.1); the rest is for who judges the chain."""
    outer = der.Fields(der.parse(certificate, what="Certificate", limit=_CERTIFICATE_LIMIT))
    fields = der.Fields(outer.take(der.SEQUENCE))
    fields.maybe(0xA0)
    fields.take(der.INTEGER)
    for _ in range(4):  # signature, issuer, validity, subject
        fields.take(der.SEQUENCE)
    key = fields.take(der.SEQUENCE).encoded
    fields.maybe(0x81)
    fields.maybe(0x82)
    return key, fields.maybe(0xA3)


def _subject_key(certificate: bytes) -> bytes:
    return _fields(certificate)[0]


def has_embedded_timestamps(certificate: bytes) -> bool:
    """Whether a certificate carries signed certificate timestamps in itself (RFC 6962 §3.3)."""
    try:
        extensions = _fields(certificate)[1]
        if extensions is None:
            return False
        listed = der.only(extensions, der.SEQUENCE).children()
        return any(der.oid(der.Fields(item).take(der.OID)) == _SCT_LIST for item in listed)
    except MalformedError:
        return False

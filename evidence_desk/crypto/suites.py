"""Digest and signature algorithms by OID, international and national (RFC 8017, 5758, 8419; GB/T 32918, 32905).

Pure. Answers whether a signature fits a key and a message; whether an algorithm is still good at some date is the
business of the caller, who gets the cut-off dates here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from evidence_desk.crypto import der, guomi, oids
from evidence_desk.errors import EvidenceDeskError, IntegrityError, MalformedError

MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
"""Beyond this a hostile key only costs time."""
SPKI_LIMIT: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestAlgorithm:
    """A digest by name, with its size in bytes and the day from which nobody should rely on it."""

    name: str
    size: int
    primitive: hashes.HashAlgorithm
    weak_since: datetime | None = None


_MD5_END: Final = datetime(2009, 1, 1, tzinfo=UTC)  # a rogue CA made by MD5 collision, December 2008
_SHA1_END: Final = datetime(2017, 1, 1, tzinfo=UTC)  # first published SHA-1 collision, February 2017

DIGESTS: Final[Mapping[str, DigestAlgorithm]] = MappingProxyType(
    {
        oids.MD5: DigestAlgorithm(name="md5", size=16, primitive=hashes.MD5(), weak_since=_MD5_END),  # noqa: S303
        oids.SHA1: DigestAlgorithm(name="sha1", size=20, primitive=hashes.SHA1(), weak_since=_SHA1_END),  # noqa: S303
        oids.SHA224: DigestAlgorithm(name="sha224", size=28, primitive=hashes.SHA224()),
        oids.SHA256: DigestAlgorithm(name="sha256", size=32, primitive=hashes.SHA256()),
        oids.SHA384: DigestAlgorithm(name="sha384", size=48, primitive=hashes.SHA384()),
        oids.SHA512: DigestAlgorithm(name="sha512", size=64, primitive=hashes.SHA512()),
        oids.SHA3_256: DigestAlgorithm(name="sha3_256", size=32, primitive=hashes.SHA3_256()),
        oids.SHA3_384: DigestAlgorithm(name="sha3_384", size=48, primitive=hashes.SHA3_384()),
        oids.SHA3_512: DigestAlgorithm(name="sha3_512", size=64, primitive=hashes.SHA3_512()),
        oids.SM3: DigestAlgorithm(name="sm3", size=32, primitive=hashes.SM3()),
    }
)
"""Digests we can compute, by OID."""

_RSA_DIGESTS: Final = {
    oids.MD5_RSA: oids.MD5,
    oids.SHA1_RSA: oids.SHA1,
    oids.SHA224_RSA: oids.SHA224,
    oids.SHA256_RSA: oids.SHA256,
    oids.SHA384_RSA: oids.SHA384,
    oids.SHA512_RSA: oids.SHA512,
}
_ECDSA_DIGESTS: Final = {
    oids.ECDSA_SHA1: oids.SHA1,
    oids.ECDSA_SHA224: oids.SHA224,
    oids.ECDSA_SHA256: oids.SHA256,
    oids.ECDSA_SHA384: oids.SHA384,
    oids.ECDSA_SHA512: oids.SHA512,
}
_SM2: Final = frozenset({oids.SM2_SM3, oids.SM2_SIGN, oids.SM2_CURVE})
_CURVES: Final = (
    ec.SECP256R1,
    ec.SECP384R1,
    ec.SECP521R1,
    ec.BrainpoolP256R1,
    ec.BrainpoolP384R1,
    ec.BrainpoolP512R1,
)


class Outcome(Enum):
    """What became of a signature check."""

    RIGHT = "right"
    WRONG = "wrong"
    UNSUPPORTED = "unsupported"
    MISMATCH = "mismatch"
    WEAK_KEY = "weak_key"
    DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Outcome of a signature check and the digest it used ("" when none could be told)."""

    outcome: Outcome
    digest_oid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """An AlgorithmIdentifier: OID and the encoded parameters, None when absent (RFC 5280 §4.1.1.2)."""

    oid: str
    parameters: bytes | None
    encoded: bytes


def read_algorithm(element: der.Element) -> Algorithm:
    """Read an AlgorithmIdentifier; MalformedError."""
    return _algorithm(der.expect(element, der.SEQUENCE).encoded)


@lru_cache(maxsize=512)
def _algorithm(encoded: bytes) -> Algorithm:
    element = der.parse(encoded, what="AlgorithmIdentifier", limit=SPKI_LIMIT)
    der.check(element)
    fields = der.Fields(element)
    oid = der.oid(fields.take())
    items = element.children()
    if len(items) > 2:
        raise MalformedError("malformed.der", rule="component")
    return Algorithm(oid=oid, parameters=items[1].encoded if len(items) == 2 else None, encoded=encoded)


def read_digest(element: der.Element) -> str:
    """OID of a digest AlgorithmIdentifier, whose parameters must be absent or NULL (RFC 5754 §2); MalformedError."""
    algorithm = read_algorithm(element)
    if algorithm.parameters not in (None, b"\x05\x00"):
        raise MalformedError("malformed.der", rule="parameters")
    return algorithm.oid


def digest(oid: str, data: bytes) -> bytes:
    """Digest of `data` by OID; MalformedError ``malformed.digest_algorithm`` for one we do not know."""
    known = DIGESTS.get(oid)
    if known is None:
        raise MalformedError("malformed.digest_algorithm", oid=oid)
    if oid in (oids.SM3, oids.MD5, oids.SHA1):
        hasher = hashes.Hash(known.primitive)
        hasher.update(data)
        return hasher.finalize()
    return hashlib.new(known.name, data).digest()


def sm3_with_identity(spki: bytes, data: bytes) -> bytes:
    """SM3(ZA ‖ data), the digest that GM/T 0009 signs; some signers put it into messageDigest.

    Raises:
        MalformedError: `spki` is not an SM2 key.
    """
    parameters = (
        "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc"
        "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93"
        "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
        "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
    )
    point = guomi.sm2_point_from_spki(spki)
    user = guomi.SM2_USER_ID
    identity = (8 * len(user)).to_bytes(2) + user + bytes.fromhex(parameters) + point[1:]
    return digest(oids.SM3, digest(oids.SM3, identity) + data)


def verify_signature(
    *, algorithm: Algorithm, spki: bytes, message: bytes, signature: bytes, digest_oid: str = ""
) -> Checked:
    """Check `signature` over `message` with the key in `spki` (DER SubjectPublicKeyInfo). Never raises.

    Args:
        algorithm: signatureAlgorithm of the message.
        spki: public key.
        message: the signed bytes, not their digest.
        signature: as carried: DER for ECDSA and SM2.
        digest_oid: digestAlgorithm beside it, used by bare rsaEncryption only.
    """
    try:
        if algorithm.oid in _SM2:
            return _verify_sm2(algorithm, spki, message, signature)
        key = _public_key(spki)
        if algorithm.oid == oids.RSA or algorithm.oid in _RSA_DIGESTS or algorithm.oid == oids.RSA_PSS:
            return _verify_rsa(algorithm, key, message, signature, digest_oid)
        if algorithm.oid in _ECDSA_DIGESTS:
            return _verify_ecdsa(algorithm, key, message, signature)
        if algorithm.oid == oids.ED25519:
            return _verify_ed25519(algorithm, key, message, signature)
    except InvalidSignature:
        return Checked(outcome=Outcome.WRONG)
    except IntegrityError:
        return Checked(outcome=Outcome.DISAGREEMENT, digest_oid=oids.SM3)
    except (EvidenceDeskError, UnsupportedAlgorithm, ValueError, TypeError):
        return Checked(outcome=Outcome.UNSUPPORTED)
    return Checked(outcome=Outcome.UNSUPPORTED)


@lru_cache(maxsize=256)
def _public_key(spki: bytes) -> object:
    if len(spki) > SPKI_LIMIT:
        raise MalformedError("malformed.too_large", what="SubjectPublicKeyInfo", limit=SPKI_LIMIT)
    return load_der_public_key(spki)


def _verify_sm2(algorithm: Algorithm, spki: bytes, message: bytes, signature: bytes) -> Checked:
    if algorithm.parameters not in (None, b"\x05\x00"):
        return Checked(outcome=Outcome.MISMATCH)
    point = guomi.sm2_point_from_spki(spki)
    der.check(der.parse(signature, what="signature", limit=128))
    good = guomi.verify_sm2(point, message, signature)
    return Checked(outcome=Outcome.RIGHT if good else Outcome.WRONG, digest_oid=oids.SM3)


def _verify_rsa(
    algorithm: Algorithm, key: object, message: bytes, signature: bytes, digest_oid: str
) -> Checked:
    if not isinstance(key, rsa.RSAPublicKey):
        return Checked(outcome=Outcome.MISMATCH)
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        return Checked(outcome=Outcome.WEAK_KEY)
    scheme: padding.AsymmetricPadding
    if algorithm.oid == oids.RSA_PSS:
        chosen, salt = _pss(algorithm.parameters)
        scheme = padding.PSS(mgf=padding.MGF1(DIGESTS[chosen].primitive), salt_length=salt)
    else:
        if algorithm.parameters not in (None, b"\x05\x00"):
            return Checked(outcome=Outcome.MISMATCH)
        chosen = _RSA_DIGESTS.get(algorithm.oid, digest_oid)
        scheme = padding.PKCS1v15()
    if chosen not in DIGESTS:
        return Checked(outcome=Outcome.UNSUPPORTED)
    key.verify(signature, message, scheme, DIGESTS[chosen].primitive)
    return Checked(outcome=Outcome.RIGHT, digest_oid=chosen)


@lru_cache(maxsize=64)
def _pss(parameters: bytes | None) -> tuple[str, int]:
    """Digest OID and salt length of RSASSA-PSS-params; both digests must be the same (RFC 4055 §3.1)."""
    if parameters is None:
        raise MalformedError("malformed.der", rule="parameters")
    fields = der.Fields(der.parse(parameters, what="RSASSA-PSS-params", limit=SPKI_LIMIT))
    chosen = masked = oids.SHA1
    if (item := fields.maybe(0xA0)) is not None:
        chosen = read_digest(der.only(item, der.SEQUENCE))
    if (item := fields.maybe(0xA1)) is not None:
        mask = read_algorithm(der.only(item, der.SEQUENCE))
        if mask.oid != oids.MGF1 or mask.parameters is None:
            raise MalformedError("malformed.der", rule="parameters")
        masked = read_digest(der.parse(mask.parameters, what="MGF1", limit=SPKI_LIMIT))
    item = fields.maybe(0xA2)
    salt = 20 if item is None else der.integer(der.only(item, der.INTEGER), octets=2)
    if (item := fields.maybe(0xA3)) is not None and der.integer(der.only(item, der.INTEGER)) != 1:
        raise MalformedError("malformed.der", rule="parameters")
    fields.done()
    if masked != chosen or chosen not in DIGESTS or salt < 0:
        raise MalformedError("malformed.der", rule="parameters")
    return chosen, salt


def _verify_ecdsa(algorithm: Algorithm, key: object, message: bytes, signature: bytes) -> Checked:
    if not isinstance(key, ec.EllipticCurvePublicKey) or algorithm.parameters is not None:
        return Checked(outcome=Outcome.MISMATCH)
    if not isinstance(key.curve, _CURVES):
        return Checked(outcome=Outcome.WEAK_KEY)
    der.check(der.parse(signature, what="signature", limit=256))
    chosen = _ECDSA_DIGESTS[algorithm.oid]
    key.verify(signature, message, ec.ECDSA(DIGESTS[chosen].primitive))
    return Checked(outcome=Outcome.RIGHT, digest_oid=chosen)


def _verify_ed25519(algorithm: Algorithm, key: object, message: bytes, signature: bytes) -> Checked:
    if not isinstance(key, ed25519.Ed25519PublicKey) or algorithm.parameters is not None:
        return Checked(outcome=Outcome.MISMATCH)
    key.verify(signature, message)
    return Checked(outcome=Outcome.RIGHT, digest_oid=oids.SHA512)

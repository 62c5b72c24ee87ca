"""Makes the certificates and revocation lists that the product issues itself: demo authorities and tests.

Everything made here is a demo and says so in its subject (演示, "DEMO – not a third party"); real keys come from an
institution as PKCS#12 (`identity_from_pkcs12`) or a token. No validation happens here.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Self, cast

from asn1crypto import algos, core, crl, keys, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from evidence_desk.crypto import guomi
from evidence_desk.crypto.oids import DEMO_PDF_POLICY, SM2_SM3
from evidence_desk.crypto.pkcs12_cost import MAX_ITERATIONS, most_iterations
from evidence_desk.errors import BugError, MalformedError, PermissionDeniedError

DEMO_ORGANIZATION: Final = "演示 DEMO – not a third party"
_UTC_TIME_ENDS: Final = 2050
_MAX_IDENTITY: Final = 4 << 20
_MIN_RSA_BITS: Final = 2048


class KeyKind(StrEnum):
    """Kinds of keys; the value is what `generate_key` makes of it (RSA keys given from outside may be longer)."""

    RSA = "rsa3072"
    P256 = "p256"
    SM2 = "sm2"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    """A private key as DER PrivateKeyInfo (RFC 5208), not encrypted: keep it only where secrets are kept."""

    kind: KeyKind
    pkcs8: bytes

    def __repr__(self) -> str:
        return f"PrivateKey(kind={self.kind.value!r})"

    def spki(self) -> bytes:
        """DER SubjectPublicKeyInfo."""
        if self.kind is KeyKind.SM2:
            return guomi.sm2_spki(guomi.sm2_public(guomi.sm2_private_from_pkcs8(self.pkcs8)))
        public = _load(self.pkcs8).public_key()
        return public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def signer(self) -> Callable[[bytes], bytes]:
        """Function that signs a message: RSA PKCS#1 v1.5 or ECDSA with SHA-256, SM2 with SM3. Keep it; loading is slow."""
        if self.kind is KeyKind.SM2:
            private = guomi.sm2_private_from_pkcs8(self.pkcs8)
            return lambda message: guomi.sign_sm2(private, message)
        key = _load(self.pkcs8)
        if isinstance(key, rsa.RSAPrivateKey):
            scheme, digest = padding.PKCS1v15(), hashes.SHA256()
            return lambda message: key.sign(message, scheme, digest)
        algorithm = ec.ECDSA(hashes.SHA256())
        return lambda message: key.sign(message, algorithm)

    def signature_algorithm(self) -> algos.SignedDigestAlgorithm:
        """AlgorithmIdentifier of what `signer` makes."""
        return signature_algorithm(self.kind)


def signature_algorithm(kind: KeyKind) -> algos.SignedDigestAlgorithm:
    """AlgorithmIdentifier of the signatures that keys of this kind make."""
    match kind:
        case KeyKind.RSA:
            return algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa", "parameters": core.Null()})
        case KeyKind.P256:
            return algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})
        case KeyKind.SM2:
            return algos.SignedDigestAlgorithm({"algorithm": SM2_SM3})


class _Chain(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.OctetString


class _IdentityRecord(core.Sequence):  # type: ignore[misc]
    _fields = [  # noqa: RUF012 - asn1crypto's way
        ("version", core.Integer),
        ("kind", core.UTF8String),
        ("key", core.OctetString),
        ("certificate", core.OctetString),
        ("chain", _Chain),
        ("crl", core.OctetString),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A private key with its certificate.

    Attributes:
        certificate: DER.
        chain: DER certificates above it, the nearest first, the root last.
        crl: newest DER revocation list of the issuer, b"" when there is none.
    """

    key: PrivateKey
    certificate: bytes
    chain: tuple[bytes, ...] = ()
    crl: bytes = b""

    def to_bytes(self) -> bytes:
        """DER record for the secret store; it holds the private key in the clear."""
        record = _IdentityRecord(
            {
                "version": 1,
                "kind": self.key.kind.value,
                "key": self.key.pkcs8,
                "certificate": self.certificate,
                "chain": _Chain([core.OctetString(item) for item in self.chain]),
                "crl": self.crl,
            }
        )
        return cast("bytes", record.dump())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            MalformedError: ``pki.identity``.
        """
        if len(data) > _MAX_IDENTITY:
            raise MalformedError("pki.identity")
        try:
            record = _IdentityRecord.load(data, strict=True).native
            identity = cls(
                key=PrivateKey(kind=KeyKind(record["kind"]), pkcs8=record["key"]),
                certificate=record["certificate"],
                chain=tuple(record["chain"]),
                crl=record["crl"],
            )
            same = record["version"] == 1 and identity.to_bytes() == data
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise MalformedError("pki.identity") from error
        if not same:
            raise MalformedError("pki.identity")
        return identity

    @property
    def root(self) -> bytes:
        """DER of the topmost certificate known."""
        return self.chain[-1] if self.chain else self.certificate


def generate_key(kind: KeyKind) -> PrivateKey:
    """A new private key."""
    match kind:
        case KeyKind.RSA:
            return PrivateKey(kind=kind, pkcs8=_dump(rsa.generate_private_key(65537, 3072)))
        case KeyKind.P256:
            return PrivateKey(kind=kind, pkcs8=_dump(ec.generate_private_key(ec.SECP256R1())))
        case KeyKind.SM2:
            return PrivateKey(kind=kind, pkcs8=guomi.sm2_pkcs8(guomi.generate_sm2()[0]))


def make_ca(
    name: str, key: PrivateKey, *, not_before: datetime, years: int, policy: str | None = None
) -> Identity:
    """Self-signed demo CA with an empty revocation list of one year (RFC 5280 §4.2)."""
    extensions = [
        _extension("basic_constraints", {"ca": True, "path_len_constraint": 1}, critical=True),
        _extension("key_usage", {"key_cert_sign", "crl_sign"}, critical=True),
    ]
    if policy is not None:
        extensions.append(_policies(policy))
    certificate = _certificate(
        subject=_demo_name(name),
        spki=key.spki(),
        issuer=_demo_name(name),
        issuer_key=key,
        not_before=not_before,
        years=years,
        extensions=extensions,
    )
    ca = Identity(key=key, certificate=certificate)
    moment = not_before.replace(microsecond=0)
    revocations = make_crl(ca, this_update=moment, next_update=moment + timedelta(days=366), number=1)
    return Identity(key=key, certificate=certificate, crl=revocations)


def make_tsa_certificate(
    name: str, key: PrivateKey, ca: Identity, *, not_before: datetime, years: int
) -> Identity:
    """Timestamping certificate: EKU critical and only id-kp-timeStamping (RFC 3161 §2.3)."""
    extensions = [
        _extension("basic_constraints", {"ca": False}, critical=True),
        _extension("key_usage", {"digital_signature", "non_repudiation"}, critical=True),
        _extension("extended_key_usage", ["time_stamping"], critical=True),
    ]
    return _issue(name, key, ca, not_before=not_before, years=years, extensions=extensions)


def make_signer_certificate(
    name: str, key: PrivateKey, ca: Identity, *, not_before: datetime, years: int
) -> Identity:
    """Certificate for signing PDF documents: nonRepudiation, demo policy `DEMO_PDF_POLICY`."""
    extensions = [
        _extension("basic_constraints", {"ca": False}, critical=True),
        _extension("key_usage", {"non_repudiation"}, critical=True),
        _policies(DEMO_PDF_POLICY),
    ]
    return _issue(name, key, ca, not_before=not_before, years=years, extensions=extensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """One revoked certificate; `reason` is an asn1crypto CRLReason name such as ``key_compromise``."""

    serial: int
    at: datetime
    reason: str | None = None


def make_crl(
    ca: Identity,
    *,
    this_update: datetime,
    next_update: datetime,
    number: int,
    revoked: Sequence[Revoked] = (),
) -> bytes:
    """DER revocation list, version 2 (RFC 5280 §5).

    Raises:
        BugError: ``bug.crl_time`` when it would begin before the CA's own validity, or end before it begins.
    """
    certificate = x509.Certificate.load(ca.certificate)
    if not certificate.not_valid_before <= this_update < next_update:
        raise BugError("bug.crl_time")
    tbs = crl.TbsCertList(
        {
            "version": "v2",
            "signature": ca.key.signature_algorithm(),
            "issuer": certificate.subject,
            "this_update": _time(this_update),
            "next_update": _time(next_update),
            "crl_extensions": [
                {
                    "extn_id": "authority_key_identifier",
                    "extn_value": x509.AuthorityKeyIdentifier(
                        {"key_identifier": certificate.key_identifier_value.native}
                    ),
                },
                {"extn_id": "crl_number", "extn_value": core.Integer(number)},
            ],
        }
    )
    if revoked:
        tbs["revoked_certificates"] = [_revoked_entry(item) for item in revoked]
    signed = crl.CertificateList(
        {
            "tbs_cert_list": tbs,
            "signature_algorithm": ca.key.signature_algorithm(),
            "signature": core.OctetBitString(ca.key.signer()(tbs.dump())),
        }
    )
    return cast("bytes", signed.dump())


def identity_from_pkcs12(data: bytes, passphrase: bytes | None) -> Identity:
    """Key and certificates that an institution delivered as PKCS#12 (RSA ≥ 2048 bit or P-256).

    Raises:
        PermissionDeniedError: ``pki.pkcs12_passphrase``.
        MalformedError: ``pki.pkcs12`` (without key or certificate, or made to be opened for hours), ``pki.key_kind``.
    """
    if most_iterations(data) > MAX_ITERATIONS:
        raise MalformedError("pki.pkcs12")
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, passphrase)
    except ValueError as error:
        raise PermissionDeniedError("pki.pkcs12_passphrase") from error
    except Exception as error:
        raise MalformedError("pki.pkcs12") from error
    if key is None or certificate is None:
        raise MalformedError("pki.pkcs12")
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise MalformedError("pki.key_kind")
    kind = kind_of(key.public_key())
    if kind is None:
        raise MalformedError("pki.key_kind")
    encoding = serialization.Encoding.DER
    return Identity(
        key=PrivateKey(kind=kind, pkcs8=_dump(key)),
        certificate=certificate.public_bytes(encoding),
        chain=ordered_chain(
            certificate.public_bytes(encoding), [item.public_bytes(encoding) for item in others]
        ),
    )


def kind_of(key: object) -> KeyKind | None:
    """Kind of a public key, None for one that must not sign certificates (RSA below 2048 bit, other curves)."""
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS:
        return KeyKind.RSA
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return KeyKind.P256
    return None


def to_pem(der: bytes, label: str) -> str:
    """PEM text (RFC 7468), e.g. label ``CERTIFICATE`` or ``X509 CRL``."""
    encoded = base64.b64encode(der).decode("ascii")
    lines = "".join(f"{encoded[start : start + 64]}\n" for start in range(0, len(encoded), 64))
    return f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n"


def ordered_chain(leaf: bytes, others: Sequence[bytes]) -> tuple[bytes, ...]:
    """Certificates above `leaf`, nearest first; strangers are left out."""
    chain: list[bytes] = []
    rest = {x509.Certificate.load(item).subject.dump(): item for item in others}
    current = x509.Certificate.load(leaf)
    while current.issuer.dump() != current.subject.dump() and current.issuer.dump() in rest:
        item = rest.pop(current.issuer.dump())
        chain.append(item)
        current = x509.Certificate.load(item)
    return tuple(chain)


def _issue(
    name: str,
    key: PrivateKey,
    ca: Identity,
    *,
    not_before: datetime,
    years: int,
    extensions: list[x509.Extension],
) -> Identity:
    issuer = x509.Certificate.load(ca.certificate)
    extensions.append(
        _extension(
            "authority_key_identifier",
            x509.AuthorityKeyIdentifier({"key_identifier": issuer.key_identifier_value.native}),
        )
    )
    certificate = _certificate(
        subject=_demo_name(name),
        spki=key.spki(),
        issuer=issuer.subject,
        issuer_key=ca.key,
        not_before=not_before,
        years=years,
        extensions=extensions,
    )
    return Identity(key=key, certificate=certificate, chain=(ca.certificate, *ca.chain), crl=ca.crl)


def _certificate(
    *,
    subject: x509.Name,
    spki: bytes,
    issuer: x509.Name,
    issuer_key: PrivateKey,
    not_before: datetime,
    years: int,
    extensions: list[x509.Extension],
) -> bytes:
    public = keys.PublicKeyInfo.load(spki)
    start = not_before.replace(microsecond=0)
    tbs = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": secrets.randbits(158) | 1 << 158,
            "signature": issuer_key.signature_algorithm(),
            "issuer": issuer,
            "validity": {"not_before": _time(start), "not_after": _time(start + timedelta(days=365 * years))},
            "subject": subject,
            "subject_public_key_info": public,
            "extensions": [*extensions, _extension("key_identifier", public.sha1)],
        }
    )
    signed = x509.Certificate(
        {
            "tbs_certificate": tbs,
            "signature_algorithm": issuer_key.signature_algorithm(),
            "signature_value": core.OctetBitString(issuer_key.signer()(tbs.dump())),
        }
    )
    return cast("bytes", signed.dump())


def _demo_name(name: str) -> x509.Name:
    return x509.Name.build(
        {"country_name": "CN", "organization_name": DEMO_ORGANIZATION, "common_name": name}
    )


def _extension(name: str, value: object, *, critical: bool = False) -> x509.Extension:
    return x509.Extension({"extn_id": name, "critical": critical, "extn_value": value})


def _policies(policy: str) -> x509.Extension:
    return _extension("certificate_policies", [{"policy_identifier": policy}])


def _time(moment: datetime) -> x509.Time:
    """UTCTime up to 2049, GeneralizedTime after (RFC 5280 §4.1.2.5)."""
    moment = moment.astimezone(UTC).replace(microsecond=0)
    name = "utc_time" if moment.year < _UTC_TIME_ENDS else "general_time"
    return x509.Time(name=name, value=moment)


def _revoked_entry(item: Revoked) -> dict[str, object]:
    entry: dict[str, object] = {"user_certificate": item.serial, "revocation_date": _time(item.at)}
    if item.reason is not None:
        reason = {"extn_id": "crl_reason", "extn_value": crl.CRLReason(item.reason)}
        entry["crl_entry_extensions"] = [reason]
    return entry


def _load(pkcs8: bytes) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    key = serialization.load_der_private_key(pkcs8, None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise MalformedError("pki.key_kind")
    return key


def _dump(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

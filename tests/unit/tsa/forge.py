"""A forger of certificates, lists and tokens: right by default, wrong in exactly the way a test asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from asn1crypto import core, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence_desk.crypto import guomi
from tsa.policy import TokenTrust

GEN = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
NOW = GEN + timedelta(seconds=10)
START = datetime(2025, 1, 1, tzinfo=UTC)
END = datetime(2035, 1, 1, tzinfo=UTC)
DATA = "证据".encode()
POLICY = "1.3.6.1.4.1.99999.7"
NONCE = 0x1122334455667788

SHA1, SHA256, SHA512 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.3"
SM3, SM2_SM3 = "1.2.156.10197.1.401", "1.2.156.10197.1.501"
SIGNED_DATA, NATIONAL = "1.2.840.113549.1.7.2", "1.2.156.10197.6.1.4.2.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
ESS_V1, ESS_V2 = "1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"
PROTECTION = "1.2.840.113549.1.9.52"
TIME_STAMPING, CODE_SIGNING = "1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.3"


# --- DER, independent of the product's encoder ------------------------------------------------------------------


def tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def seq(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


def set_of(*parts: bytes, tag: int = 0x31, ordered: bool = True) -> bytes:
    return tlv(tag, *(sorted(parts) if ordered else parts))


def num(value: int) -> bytes:
    return bytes(core.Integer(value).dump())


def oid(dotted: str) -> bytes:
    return bytes(core.ObjectIdentifier(dotted).dump())


def octets(value: bytes) -> bytes:
    return tlv(0x04, value)


def bit_string(value: bytes) -> bytes:
    return tlv(0x03, b"\x00", value)


def algorithm(dotted: str, parameters: bytes = b"") -> bytes:
    return seq(oid(dotted), parameters)


def generalized(moment: datetime) -> bytes:
    return tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def name(common: str, organization: str = "伪造所") -> bytes:
    return bytes(x509.Name.build({"organization_name": organization, "common_name": common}).dump())


def digest(dotted: str, data: bytes) -> bytes:
    if dotted in (SM3, SM2_SM3):
        hasher = hashes.Hash(hashes.SM3())
        hasher.update(data)
        return hasher.finalize()
    return hashlib.new({SHA1: "sha1", SHA256: "sha256", SHA512: "sha512"}[dotted], data).digest()


# --- keys -------------------------------------------------------------------------------------------------------

_PSS = seq(
    tlv(0xA0, algorithm(SHA256)),
    tlv(0xA1, algorithm("1.2.840.113549.1.1.8", algorithm(SHA256))),
    tlv(0xA2, num(32)),
)


class Key:
    """A signing key of a kind: rsa, rsa1024, pss, p256, p384, ed25519, sm2."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.digest_oid = {"ed25519": SHA512, "sm2": SM3}.get(kind, SHA256)
        self._key: Any
        if kind == "sm2":
            self._key, point = guomi.generate_sm2()
            self.spki = guomi.sm2_spki(point)
            return
        if kind.startswith("rsa") or kind == "pss":
            self._key = rsa.generate_private_key(65537, 1024 if kind == "rsa1024" else 2048)
        elif kind == "ed25519":
            self._key = ed25519.Ed25519PrivateKey.generate()
        else:
            self._key = ec.generate_private_key(ec.SECP384R1() if kind == "p384" else ec.SECP256R1())
        self.spki = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def algorithm(self) -> bytes:
        if self.kind.startswith("rsa"):
            return algorithm("1.2.840.113549.1.1.11", b"\x05\x00")
        if self.kind == "pss":
            return algorithm("1.2.840.113549.1.1.10", _PSS)
        dotted = {"ed25519": "1.3.101.112", "sm2": SM2_SM3}.get(self.kind, "1.2.840.10045.4.3.2")
        return algorithm(dotted)

    def sign(self, data: bytes, with_hash: hashes.HashAlgorithm | None = None) -> bytes:
        chosen = with_hash or hashes.SHA256()
        if self.kind == "sm2":
            return guomi.sign_sm2(self._key, data)
        if self.kind.startswith("rsa"):
            return bytes(self._key.sign(data, padding.PKCS1v15(), chosen))
        if self.kind == "pss":
            return bytes(self._key.sign(data, padding.PSS(padding.MGF1(chosen), 32), chosen))
        if self.kind == "ed25519":
            return bytes(self._key.sign(data))
        return bytes(self._key.sign(data, ec.ECDSA(chosen)))


@cache
def key(kind: str, label: str = "") -> Key:
    """One key a kind and label for the whole run: making RSA keys is slow."""
    del label
    return Key(kind)


# --- certificates and lists -------------------------------------------------------------------------------------


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    return seq(oid(dotted), b"\x01\x01\xff" if critical else b"", octets(value))


def key_usage(*bits: int) -> bytes:
    value = 0
    for bit in bits:
        value |= 0x80 >> bit
    unused = (value & -value).bit_length() - 1
    return extension("2.5.29.15", tlv(0x03, bytes([unused, value])), critical=True)


def purposes(*dotted: str, critical: bool = True) -> bytes:
    return extension("2.5.29.37", seq(*(oid(item) for item in dotted)), critical=critical)


def ca_extensions(path_length: int | None = None, *more: bytes) -> tuple[bytes, ...]:
    limit = b"" if path_length is None else num(path_length)
    basic = extension("2.5.29.19", seq(b"\x01\x01\xff", limit), critical=True)
    return (basic, key_usage(5, 6), *more)


LEAF = (key_usage(0), purposes(TIME_STAMPING))


def certificate(
    subject: bytes,
    issuer: bytes,
    *,
    of: Key,
    by: Key,
    serial: int = 7,
    start: datetime = START,
    end: datetime = END,
    extensions: Sequence[bytes] = LEAF,
    signature_algorithm: bytes | None = None,
    with_hash: hashes.HashAlgorithm | None = None,
) -> bytes:
    signed_with = signature_algorithm or by.algorithm
    tbs = seq(
        tlv(0xA0, num(2)),
        num(serial),
        signed_with,
        issuer,
        seq(generalized(start), generalized(end)),
        subject,
        of.spki,
        tlv(0xA3, seq(*extensions)) if extensions else b"",
    )
    return seq(tbs, signed_with, bit_string(by.sign(tbs, with_hash)))


def revoked(serial: int, at: datetime, reason: int | None = None, since: datetime | None = None) -> bytes:
    extensions = []
    if reason is not None:
        extensions.append(extension("2.5.29.21", tlv(0x0A, bytes([reason]))))
    if since is not None:
        extensions.append(extension("2.5.29.24", generalized(since)))
    return seq(num(serial), generalized(at), seq(*extensions) if extensions else b"")


def crl(
    issuer: bytes,
    by: Key,
    *entries: bytes,
    this: datetime = GEN - timedelta(days=2),
    until: datetime | None = GEN + timedelta(days=60),
    extensions: Sequence[bytes] = (),
) -> bytes:
    tbs = seq(
        num(1),
        by.algorithm,
        issuer,
        generalized(this),
        b"" if until is None else generalized(until),
        seq(*entries) if entries else b"",
        tlv(0xA0, seq(*extensions)) if extensions else b"",
    )
    return seq(tbs, by.algorithm, bit_string(by.sign(tbs)))


@dataclass(kw_only=True)
class Pki:
    """Root, and a timestamping certificate under it."""

    kind: str = "p256"
    leaf_extensions: Sequence[bytes] = LEAF
    leaf_end: datetime = END
    leaf_start: datetime = START
    root_name: bytes = field(default_factory=lambda: name("伪造根"))
    leaf_name: bytes = field(default_factory=lambda: name("伪造时间戳"))

    def __post_init__(self) -> None:
        self.root_key = key("p256" if self.kind in ("rsa1024", "ed25519") else self.kind, "root")
        self.key = key(self.kind, "leaf")
        self.root = certificate(
            self.root_name,
            self.root_name,
            of=self.root_key,
            by=self.root_key,
            serial=1,
            extensions=ca_extensions(),
        )
        self.leaf = certificate(
            self.leaf_name,
            self.root_name,
            of=self.key,
            by=self.root_key,
            start=self.leaf_start,
            end=self.leaf_end,
            extensions=self.leaf_extensions,
        )
        self.crl = crl(self.root_name, self.root_key)

    def trust(self, **changes: Any) -> TokenTrust:
        return TokenTrust(**{"roots": (self.root,), "crls": (self.crl,), **changes})


def pki(kind: str = "p256") -> Pki:
    return _pki(kind)


@cache
def _pki(kind: str) -> Pki:
    return Pki(kind=kind)


# --- tokens -----------------------------------------------------------------------------------------------------


def accuracy(seconds: int | None = 1, millis: int | None = None, micros: int | None = None) -> bytes:
    parts = [b"" if seconds is None else num(seconds)]
    parts += [b"" if millis is None else tlv(0x80, num(millis)[2:])]
    parts += [b"" if micros is None else tlv(0x81, num(micros)[2:])]
    return seq(*parts)


def tst_info(**changes: Any) -> bytes:
    wanted: dict[str, Any] = {
        "version": num(1),
        "policy": oid(POLICY),
        "hash_oid": SHA256,
        "imprint": None,
        "serial": num(42),
        "gen_time": GEN,
        "accuracy": accuracy(),
        "ordering": b"",
        "nonce": num(NONCE),
        "tsa": b"",
        "extensions": b"",
        **changes,
    }
    imprint = digest(wanted["hash_oid"], DATA) if wanted["imprint"] is None else wanted["imprint"]
    when = wanted["gen_time"]
    return seq(
        wanted["version"],
        wanted["policy"],
        seq(algorithm(wanted["hash_oid"], b"\x05\x00"), octets(imprint)),
        wanted["serial"],
        generalized(when) if isinstance(when, datetime) else tlv(0x18, when),
        wanted["accuracy"],
        wanted["ordering"],
        wanted["nonce"],
        wanted["tsa"],
        wanted["extensions"],
    )


def attribute(dotted: str, *values: bytes) -> bytes:
    return seq(oid(dotted), set_of(*values))


def ess_v2(certificate_der: bytes, *, hash_oid: str = SHA256, issuer_serial: bytes = b"") -> bytes:
    hashed = b"" if hash_oid == SHA256 else algorithm(hash_oid)
    entry = seq(hashed, octets(digest(hash_oid, certificate_der)), issuer_serial)
    return attribute(ESS_V2, seq(seq(entry)))


def ess_v1(certificate_der: bytes) -> bytes:
    return attribute(ESS_V1, seq(seq(seq(octets(digest(SHA1, certificate_der))))))


def issuer_serial(issuer: bytes, serial: int) -> bytes:
    return seq(seq(tlv(0xA4, issuer)), num(serial))


@dataclass(kw_only=True)
class Recipe:
    """Everything of a token that a test may want to change; None means the right thing."""

    pki: Pki = field(default_factory=pki)
    info: dict[str, Any] = field(default_factory=dict)
    content: bytes | None = None
    content_type: str = TST_INFO
    outer_type: str = SIGNED_DATA
    version: int = 3
    digest_oid: str | None = None
    digest_oids: Sequence[str] | None = None
    digest_parameters: bytes = b""
    certificates: Sequence[bytes] | None = None
    crls: Sequence[bytes] = ()
    ocsps: Sequence[bytes] = ()
    attributes: Sequence[bytes] | None = None
    attributes_ordered: bool = True
    no_attributes: bool = False
    attribute_content_type: str = TST_INFO
    message_digest: bytes | None = None
    ess: Sequence[bytes] | None = None
    more_attributes: Sequence[bytes] = ()
    signer_version: int = 1
    sid: bytes | None = None
    signature_algorithm: bytes | None = None
    signature: bytes | None = None
    with_hash: hashes.HashAlgorithm | None = None
    key: Key | None = None
    signers: int = 1
    unsigned: bytes = b""

    def token(self) -> bytes:
        content = tst_info(**self.info) if self.content is None else self.content
        key_ = self.key or self.pki.key
        digest_oid = self.digest_oid or key_.digest_oid
        oids = [digest_oid] if self.digest_oids is None else self.digest_oids
        certificates = [self.pki.leaf] if self.certificates is None else self.certificates
        revocation = [*self.crls, *(tlv(0xA1, oid("1.3.6.1.5.5.7.16.2"), item) for item in self.ocsps)]
        signer = self._signer(content, digest_oid, key_)
        signed = seq(
            num(self.version),
            set_of(*(algorithm(item, self.digest_parameters) for item in oids)),
            seq(oid(self.content_type), tlv(0xA0, octets(content))),
            set_of(*certificates, tag=0xA0) if certificates else b"",
            set_of(*revocation, tag=0xA1) if revocation else b"",
            set_of(
                *(
                    signer if not index else self._signer(content, digest_oid, key_)
                    for index in range(self.signers)
                )
            ),
        )
        return seq(oid(self.outer_type), tlv(0xA0, signed))

    def _signer(self, content: bytes, digest_oid: str, key_: Key) -> bytes:
        attributes = self.attributes
        if attributes is None:
            value = digest(digest_oid, content) if self.message_digest is None else self.message_digest
            attributes = [
                attribute(CONTENT_TYPE, oid(self.attribute_content_type)),
                attribute(MESSAGE_DIGEST, octets(value)),
                *([ess_v2(self.pki.leaf)] if self.ess is None else self.ess),
                *self.more_attributes,
            ]
        covered = set_of(*attributes, ordered=self.attributes_ordered)
        to_sign = content if self.no_attributes else covered
        sid = seq(self.pki.root_name, num(7)) if self.sid is None else self.sid
        return seq(
            num(self.signer_version),
            sid,
            algorithm(digest_oid, self.digest_parameters),
            b"" if self.no_attributes else b"\xa0" + covered[1:],
            self.signature_algorithm or key_.algorithm,
            octets(key_.sign(to_sign, self.with_hash) if self.signature is None else self.signature),
            self.unsigned,
        )


def token(**changes: Any) -> bytes:
    return Recipe(**changes).token()


def response(token_der: bytes = b"", *, status: int = 0, text: str = "", failure: bytes = b"") -> bytes:
    words = seq(tlv(0x0C, text.encode())) if text else b""
    return seq(seq(num(status), words, failure), token_der)

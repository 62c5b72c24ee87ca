"""Certificates of the test sites: a root of their own, an intermediate, and leaves that are good or wrong on purpose."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

SiteKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A server certificate with its key and what is sent along.

    Attributes:
        chain: DER of the certificates a server sends, leaf first, root left out.
        staple: DER of an OCSP response, when the server is to staple one.
    """

    key: SiteKey
    chain: tuple[bytes, ...]
    staple: bytes | None = None

    @property
    def der(self) -> bytes:
        """The certificate itself."""
        return self.chain[0]

    def pem(self) -> bytes:
        """Key and chain in one PEM text, as `ssl.SSLContext.load_cert_chain` reads it."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + b"".join(
            x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in self.chain
        )


class SiteCa:
    """Root and intermediate; issues leaves. Keys are made anew each time: nothing of it is secret or lasting."""

    def __init__(self, name: str = "Evidence Desk test sites") -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaves: dict[tuple[object, ...], Leaf] = {}
        root_name = _name(f"{name} root")
        self.root = (
            self._builder(root_name, root_name, self._root_key.public_key(), days=3650)
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(_usage(ca=True), critical=True)
            .sign(self._root_key, SHA256())
        )
        self.intermediate = (
            self._builder(root_name, _name(f"{name} issuing"), self._key.public_key(), days=1825)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(ca=True), critical=True)
            .sign(self._root_key, SHA256())
        )

    @property
    def root_pem(self) -> bytes:
        """The root, for clients to trust."""
        return self.root.public_bytes(Encoding.PEM)

    @property
    def root_der(self) -> bytes:
        """The root, DER."""
        return self.root.public_bytes(Encoding.DER)

    def leaf(
        self, *names: str, expired: bool = False, kind: str = "ec", staple: bool = False, days: int = 90
    ) -> Leaf:
        """A leaf for these host names or addresses, the same when asked again; `kind` is ``ec`` or ``rsa``."""
        asked = (*names, expired, kind, staple, days)
        if asked not in self._leaves:
            self._leaves[asked] = self._leaf(names, expired=expired, kind=kind, staple=staple, days=days)
        return self._leaves[asked]

    def _leaf(self, names: Sequence[str], *, expired: bool, kind: str, staple: bool, days: int) -> Leaf:
        key = _new_key(kind)
        start = self.now - (60 * DAY if expired else DAY)
        certificate = (
            self._builder(
                self.intermediate.subject,
                _name(names[0]),
                key.public_key(),
                start=start,
                days=30 if expired else days,
            )
            .add_extension(_alternatives(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_authority_access(), critical=False)
            .sign(self._key, SHA256())
        )
        chain = tuple(one.public_bytes(Encoding.DER) for one in (certificate, self.intermediate))
        return Leaf(key=key, chain=chain, staple=self._staple(certificate) if staple else None)

    def self_signed(self, *names: str) -> Leaf:
        """A leaf that nobody issued."""
        key = _new_key("ec")
        certificate = (
            self._builder(_name(names[0]), _name(names[0]), key.public_key(), days=90)
            .add_extension(_alternatives(names), critical=False)
            .sign(key, SHA256())
        )
        return Leaf(key=key, chain=(certificate.public_bytes(Encoding.DER),))

    def _builder(
        self,
        issuer: x509.Name,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        *,
        days: int,
        start: datetime | None = None,
    ) -> x509.CertificateBuilder:
        start = start or self.now - DAY
        return (
            x509.CertificateBuilder()
            .issuer_name(issuer)
            .subject_name(subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + days * DAY)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )

    def _staple(self, certificate: x509.Certificate) -> bytes:
        response = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=certificate,
                issuer=self.intermediate,
                algorithm=SHA256(),
                cert_status=ocsp.OCSPCertStatus.GOOD,
                this_update=self.now - DAY,
                next_update=self.now + 7 * DAY,
                revocation_time=None,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.intermediate)
            .sign(self._key, SHA256())
        )
        return response.public_bytes(Encoding.DER)


def write_pem(leaf: Leaf, folder: Path) -> Path:
    """Key and chain as a file, for programs that want one."""
    path = folder / "site.pem"
    path.write_bytes(leaf.pem())
    return path


def with_pem(leaf: Leaf) -> tempfile.TemporaryDirectory[str]:
    """A folder that holds ``site.pem`` while it is entered."""
    folder = tempfile.TemporaryDirectory()
    write_pem(leaf, Path(folder.name))
    return folder


def _new_key(kind: str) -> SiteKey:
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternatives(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative(name) for name in names])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _authority_access() -> x509.AuthorityInformationAccess:
    responder = x509.UniformResourceIdentifier("http://ocsp.sites.test/")
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, responder)]
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not ca,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )

"""A small timestamping authority for tests: certificates by cryptography, tokens by ``openssl ts``."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

POLICY = "1.3.6.1.4.1.99999.1"
_CONFIG = """\
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = {policy}
digests = sha256, sha384, sha512
{accuracy}
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class OpensslTsa:
    """One CA with one TSA certificate, valid for `days`."""

    def __init__(self, folder: Path, *, days: int = 3650, accurate: bool = True) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._ca_key = ec.generate_private_key(ec.SECP256R1())
        key = ec.generate_private_key(ec.SECP256R1())
        ca_name = _name(f"CA of {folder.name}")
        start = self._now - timedelta(days=1)
        self.root = (
            x509.CertificateBuilder()
            .subject_name(ca_name)
            .issuer_name(ca_name)
            .public_key(self._ca_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(self._now + timedelta(days=7300))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._ca_key.public_key()), critical=False
            )
            .sign(self._ca_key, hashes.SHA256())
        )
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(f"TSA of {folder.name}"))
            .issuer_name(ca_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(self._now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._ca_key.public_key()), critical=False
            )
            .sign(self._ca_key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        (folder / "ca.pem").write_bytes(self.root.public_bytes(pem))
        (folder / "tsa.pem").write_bytes(self.certificate.public_bytes(pem))
        (folder / "tsa.key").write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(
            _CONFIG.format(folder=folder, policy=POLICY, accuracy="accuracy = secs:1" if accurate else "")
        )

    @property
    def root_der(self) -> bytes:
        return self.root.public_bytes(serialization.Encoding.DER)

    def crl(self, *, days: int = 7300, number: int = 1, at: datetime | None = None) -> bytes:
        """A complete CRL that revokes nothing."""
        return (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(at or self._now - timedelta(hours=1))
            .next_update((at or self._now) + timedelta(days=days))
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._ca_key.public_key()), critical=False
            )
            .sign(self._ca_key, hashes.SHA256())
            .public_bytes(serialization.Encoding.DER)
        )

    def response(self, digest: bytes, algorithm: str = "sha256") -> bytes:
        """DER TimeStampResp over `digest`."""
        self._openssl("-query", "-digest", digest.hex(), f"-{algorithm}", "-cert", "-out", "query.tsq")
        self._openssl(*self._reply(), "-out", "reply.tsr")
        return (self.folder / "reply.tsr").read_bytes()

    def token(self, digest: bytes, algorithm: str = "sha256") -> bytes:
        """DER TimeStampToken over `digest`."""
        self.response(digest, algorithm)
        self._openssl("-reply", "-in", "reply.tsr", "-token_out", "-out", "token.der")
        return (self.folder / "token.der").read_bytes()

    def _reply(self) -> tuple[str, ...]:
        return (
            "-reply",
            "-queryfile",
            "query.tsq",
            "-config",
            "tsa.cnf",
            "-inkey",
            "tsa.key",
            "-signer",
            "tsa.pem",
        )

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", "ts", *arguments], cwd=self.folder, check=True, capture_output=True)


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=sign,
        encipher_only=False,
        decipher_only=False,
    )

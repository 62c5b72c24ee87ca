"""PEM texts of roots: to and from the settings and the trust folder."""

from __future__ import annotations

from asn1crypto import pem

from evidence_desk.core.trust import Roots
from evidence_desk.crypto.pki import Identity
from evidence_desk.errors import MalformedError


def armored(roots: Roots) -> str:
    """PEM of roots and their revocation lists."""
    parts = [pem.armor("CERTIFICATE", item) for item in roots.certificates]
    parts += [pem.armor("X509 CRL", item) for item in roots.crls]
    return b"".join(parts).decode()


def roots_of(identity: Identity) -> str:
    """PEM of an identity's root and its revocation list."""
    parts = [pem.armor("CERTIFICATE", identity.root)]
    if identity.crl:
        parts.append(pem.armor("X509 CRL", identity.crl))
    return b"".join(parts).decode()


def parts(text: str) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Certificates and CRLs of a PEM text."""
    if not text:
        return (), ()
    try:
        blocks = list(pem.unarmor(text.encode(), multiple=True))
    except ValueError as error:
        raise MalformedError("malformed.pem") from error
    return (
        tuple(der for kind, _, der in blocks if kind == "CERTIFICATE"),
        tuple(der for kind, _, der in blocks if kind == "X509 CRL"),
    )


def certificates_of(data: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Certificates and CRLs (DER) of a file: PEM, or one DER certificate.

    Raises:
        MalformedError: ``malformed.pem``, ``signer.certificate`` for neither.
    """
    if b"-----BEGIN " not in data:
        return (data,), ()
    try:
        found = parts(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedError("malformed.pem") from error
    if not found[0]:
        raise MalformedError("signer.certificate")
    return found

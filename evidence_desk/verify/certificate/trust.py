"""What the verification of a certificate starts from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateTrust:
    """Roots of signers (DER) and revocation lists; what a PDF carries is never trusted."""

    roots: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    certificates: tuple[bytes, ...] = ()

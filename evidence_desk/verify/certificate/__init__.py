"""Verification of a certificate or report PDF: bytes and trust in, findings out; nothing is fetched, nothing raised."""

from evidence_desk.verify.certificate.check import (
    CertificateTrust,
    CertificateVerdict,
    verify_certificate,
)

__all__ = ["CertificateTrust", "CertificateVerdict", "verify_certificate"]

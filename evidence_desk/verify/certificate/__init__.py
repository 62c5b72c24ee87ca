"""Verification of a certificate or report PDF: bytes and trust in, findings out; nothing is fetched, nothing raised."""

from evidence_desk.verify.certificate.check import CertificateVerdict, verify_certificate
from evidence_desk.verify.certificate.trust import CertificateTrust

__all__ = ["CertificateTrust", "CertificateVerdict", "verify_certificate"]

"""What the visible seal of a signature must say: one rule for the signer who draws it and the verifier who reads it."""

from __future__ import annotations

from datetime import datetime

from asn1crypto import x509

from evidence_desk.core.certificate import beijing_text
from evidence_desk.crypto.oids import DEMO_PDF_POLICY
from evidence_desk.errors import MalformedError
from evidence_desk.texts import Language, sentence

FIELD: str = "Seal"
"""Name of the signature field."""


def signer_name(certificate: x509.Certificate) -> str:
    """Common name of a signing certificate, else its organization.

    Raises:
        MalformedError: ``malformed.signer_name`` when it has neither.
    """
    names = certificate.subject.native
    for key in ("common_name", "organization_name"):
        value = names.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
    raise MalformedError("malformed.signer_name")


def is_demo(certificate: x509.Certificate) -> bool:
    """Whether the certificate stands under the demo policy for signing PDF (`DEMO_PDF_POLICY`)."""
    policies = certificate.certificate_policies_value
    return policies is not None and any(
        item["policy_identifier"].dotted == DEMO_PDF_POLICY for item in policies
    )


def seal_lines(*, name: str, moment: datetime, demo: bool, language: Language) -> tuple[str, ...]:
    """Lines of the seal: signer, time of signing by the signer's clock, and the demo mark where it is due."""
    lines = [
        sentence("certificate.seal.signer", {"name": name}, language),
        sentence("certificate.seal.time", {"time": beijing_text(moment)}, language),
    ]
    if demo:
        lines.append(sentence("certificate.seal.demo", {}, language))
    return tuple(lines)

"""What an OCSP response says about one certificate (RFC 6960 §3.2, §4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from evidence_desk.crypto import der, oids
from evidence_desk.crypto.suites import Algorithm, Outcome, verify_signature
from evidence_desk.crypto.x509 import Certificate, load_certificate, signed_by
from evidence_desk.errors import MalformedError
from tsa.verify.crl import Answer, Revocation

OCSP_LIMIT: Final = 256 * 1024


def ask_ocsp(encoded: bytes, certificate: Certificate, issuer: Certificate) -> Answer | None:
    """The response's word on `certificate`, None when it has none: other certificate, unauthorized, unreadable."""
    response = _load(encoded)
    if response is None:
        return None
    try:
        single = next((item for item in response.responses if _is_about(item, certificate, issuer)), None)
        if single is None or not any(_signed(response, by) for by in _responders(response, issuer)):
            return None
        if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
            return None
        revocation = None
        if (
            single.certificate_status is ocsp.OCSPCertStatus.REVOKED
            and single.revocation_time_utc is not None
        ):
            reason = single.revocation_reason
            revocation = Revocation(
                at=single.revocation_time_utc, reason="" if reason is None else reason.value
            )
        return Answer(
            this_update=single.this_update_utc,
            next_update=single.next_update_utc,
            revocation=revocation,
        )
    except (MalformedError, ValueError, UnsupportedAlgorithm):
        return None


@lru_cache(maxsize=32)
def _load(encoded: bytes) -> ocsp.OCSPResponse | None:
    if len(encoded) > OCSP_LIMIT:
        return None
    try:
        response = ocsp.load_der_ocsp_response(encoded)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return response if response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL else None


def _is_about(single: ocsp.OCSPSingleResponse, certificate: Certificate, issuer: Certificate) -> bool:
    key = der.Fields(der.parse(issuer.spki, what="SubjectPublicKeyInfo", limit=len(issuer.spki)))
    key.take(der.SEQUENCE)
    return (
        single.serial_number == certificate.serial
        and single.issuer_name_hash == _digest(single.hash_algorithm, certificate.issuer.encoded)
        and single.issuer_key_hash == _digest(single.hash_algorithm, der.bits(key.take(der.BIT_STRING)))
    )


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    hasher = hashes.Hash(algorithm)
    hasher.update(data)
    return hasher.finalize()


def _responders(response: ocsp.OCSPResponse, issuer: Certificate) -> Iterator[Certificate]:
    """The CA itself, or a responder it certified for that, whose own revocation need not be asked (§4.2.2.2)."""
    yield issuer
    for item in response.certificates[:4]:
        try:
            candidate = load_certificate(item.public_bytes(Encoding.DER))
        except MalformedError:
            continue
        if (
            candidate.purposes is not None
            and oids.OCSP_SIGNING in candidate.purposes
            and oids.OCSP_NO_CHECK in candidate.extensions
            and candidate.issuer.key == issuer.subject.key
            and candidate.valid_at(response.produced_at_utc)
            and signed_by(candidate, issuer).outcome is Outcome.RIGHT
        ):
            yield candidate


def _signed(response: ocsp.OCSPResponse, responder: Certificate) -> bool:
    # cryptography gives no parameters, so PSS responses stay unusable; the others have none that matter
    algorithm = Algorithm(oid=response.signature_algorithm_oid.dotted_string, parameters=None, encoded=b"")
    checked = verify_signature(
        algorithm=algorithm,
        spki=responder.spki,
        message=response.tbs_response_bytes,
        signature=response.signature,
    )
    return checked.outcome is Outcome.RIGHT

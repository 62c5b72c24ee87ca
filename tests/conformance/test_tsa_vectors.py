"""trailofbits/rfc3161-client fixtures: responses good, with a bad signature, without and with injected certificates."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from evidence_desk.core.verdict import Status
from evidence_desk.crypto import oids
from tsa.policy import TokenTrust
from tsa.request import parse_request
from tsa.verify import TokenVerdict, verify_response

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DIGESTS = {"sha256": oids.SHA256, "sha384": oids.SHA384, "sha512": oids.SHA512}
NO_CRL = {"token.revocation.no_source"}
"""The fixtures come without revocation data, so that question stays open; all the rest must be answered."""


def judge(
    folder: Path, response: str, algorithm: str, *, query: str = "", data: bytes = b"hello"
) -> TokenVerdict:
    chain = x509.load_pem_x509_certificates((folder / "ts_chain.pem").read_bytes())
    certificates = tuple(item.public_bytes(Encoding.DER) for item in chain)
    return verify_response(
        (folder / response).read_bytes(),
        hash_oid=DIGESTS[algorithm],
        imprint=hashlib.new(algorithm, data).digest(),
        trust=TokenTrust(roots=certificates[-1:], certificates=certificates[:-1]),
        now=NOW,
        request=parse_request((folder / query).read_bytes()) if query else None,
    )


def open_questions(verdict: TokenVerdict) -> set[str]:
    return {item.code for item in verdict.findings if item.status is not Status.PASSED}


@pytest.mark.parametrize(
    ("response", "algorithm"),
    [
        ("response-sha256.tsr", "sha256"),
        ("response-sha384.tsr", "sha384"),
        ("response-sha512.tsr", "sha512"),
        ("response-no-embedded-cert.tsr", "sha256"),
    ],
)
def test_good_response(vectors: Path, response: str, algorithm: str) -> None:
    assert open_questions(judge(vectors / "tsa" / "sigstage", response, algorithm)) == NO_CRL


def test_bad_signature(vectors: Path) -> None:
    verdict = judge(vectors / "tsa" / "sigstage", "response-invalid-signature.tsr", "sha256")
    assert verdict.status is Status.FAILED
    assert open_questions(verdict) == {"token.signature.wrong", *NO_CRL}


def test_other_data(vectors: Path) -> None:
    verdict = judge(vectors / "tsa" / "sigstage", "response-sha256.tsr", "sha256", data=b"other")
    assert open_questions(verdict) == {"token.imprint.differs", *NO_CRL}


def test_answer_to_its_request(vectors: Path) -> None:
    folder = vectors / "tsa" / "test_tsa"
    assert open_questions(judge(folder, "response.tsr", "sha512", query="request.der")) == NO_CRL


def test_answer_to_another_request(vectors: Path) -> None:
    verdict = judge(vectors / "tsa" / "test_tsa", "response.tsr", "sha512", query="other_request.der")
    assert open_questions(verdict) == {"token.nonce.differs", *NO_CRL}


def test_authority_of_another_root(vectors: Path) -> None:
    verdict = judge(vectors / "tsa" / "test_tsa", "other_response.tsr", "sha512")
    assert verdict.status is Status.FAILED
    assert "token.chain.untrusted" in open_questions(verdict)


def test_injected_certificates_do_not_mislead(vectors: Path) -> None:
    folder = vectors / "tsa" / "test_tsa"
    verdict = judge(folder, "response-injected-certs.tsr", "sha512", query="request.der")
    assert open_questions(verdict) == NO_CRL
    plain = judge(folder, "response.tsr", "sha512")
    assert verdict.facts is not None
    assert plain.facts is not None
    assert verdict.facts.signer_certificate == plain.facts.signer_certificate

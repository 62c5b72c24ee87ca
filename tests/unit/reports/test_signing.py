from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pypdfium2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_der_private_key, pkcs12
from cryptography.x509 import load_der_x509_certificate

from evidence_desk.core.verdict import Status, worst
from evidence_desk.crypto import pki
from evidence_desk.errors import MalformedError, RemoteError, UserError
from evidence_desk.texts import Language
from reports.signing import PdfSigner, sign_certificate
from tests.unit.reports.samples import a_certificate, make_signing, render


def test_signature_is_sound_for_an_independent_reader(signing, tmp_path):
    if shutil.which("pdfsig") is None:
        pytest.skip("pdfsig (poppler-utils) is not installed")
    path = tmp_path / "c.pdf"
    path.write_bytes(signing.issue_certificate(a_certificate()))
    out = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid." in out
    assert "Total document signed" in out
    assert "ETSI.CAdES.detached" in out


def test_our_bytes_come_first_and_unchanged(signing):
    pdf = render(a_certificate()).pdf
    assert signing.sign(pdf).startswith(pdf)


def test_timestamp_covers_the_signature_value_and_is_asked_once(signing):
    asked = []

    def timestamp(digest: bytes) -> bytes:
        asked.append(digest)
        return bytes(signing.timestamp(digest))

    signed = sign_certificate(
        render(a_certificate()).pdf,
        signer=signing.signer,
        timestamp=timestamp,
        moment=datetime.now(UTC),
        language=Language.ZH,
    )
    assert [len(item) for item in asked] == [32]
    assert worst(item.status for item in signing.verify(signed).findings) is Status.PASSED


def test_failing_authority_means_no_certificate(signing):
    def timestamp(digest: bytes) -> bytes:
        raise RemoteError("client.silent", size=len(digest))

    with pytest.raises(RemoteError):
        sign_certificate(
            render(a_certificate()).pdf,
            signer=signing.signer,
            timestamp=timestamp,
            moment=datetime.now(UTC),
            language=Language.ZH,
        )


@pytest.mark.parametrize("kind", [pki.KeyKind.RSA, pki.KeyKind.P256])
def test_key_from_pkcs12(kind):
    now = datetime.now(UTC)
    ca = pki.make_ca("根", pki.generate_key(kind), not_before=now - timedelta(days=1), years=5)
    made = pki.make_signer_certificate(
        "机构", pki.generate_key(kind), ca, not_before=now - timedelta(days=1), years=2
    )
    key: Any = load_der_private_key(made.key.pkcs8, None)
    packed = pkcs12.serialize_key_and_certificates(
        b"x", key, load_der_x509_certificate(made.certificate),
        [load_der_x509_certificate(item) for item in made.chain], BestAvailableEncryption(b"secret"),
    )  # fmt: skip
    signer = PdfSigner(pki.identity_from_pkcs12(packed, b"secret"))
    assert (signer.name, signer.demo) == ("机构", True)
    signing = make_signing(now)
    signed = sign_certificate(
        render(a_certificate()).pdf,
        signer=signer,
        timestamp=signing.timestamp,
        moment=datetime.now(UTC),
        language=Language.ZH,
    )
    codes = {item.code for item in signing.verify(signed).findings}
    assert "certificate.signature.intact" in codes
    assert "certificate.signer.untrusted" in codes
    assert isinstance(key, rsa.RSAPrivateKey) is (kind is pki.KeyKind.RSA)


def test_sm2_key_is_refused():
    now = datetime.now(UTC)
    key = pki.generate_key(pki.KeyKind.SM2)
    ca = pki.make_ca("根", key, not_before=now - timedelta(days=1), years=5)
    with pytest.raises(UserError) as caught:
        PdfSigner(ca)
    assert caught.value.code == "certificate.key_kind"


def test_signer_name_that_cannot_be_printed_is_refused():
    with pytest.raises(UserError) as caught:
        make_signing(datetime.now(UTC), name="签署人\u202e")
    assert caught.value.code == "certificate.signer_name"


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7", b"hello"])
def test_what_is_no_pdf_is_refused(signing, pdf):
    with pytest.raises(MalformedError) as caught:
        signing.sign(pdf)
    assert caught.value.code == "malformed.pdf"


def test_long_signer_name_fits_the_seal():
    signing = make_signing(
        datetime.now(UTC),
        name="重庆市渝中区人民法院电子诉讼存证服务中心技术运行管理部（示例）第二签署席"[:60],
    )
    signed = signing.issue_certificate(a_certificate())
    assert "certificate.seal.agrees" in {item.code for item in signing.verify(signed).findings}
    document = pypdfium2.PdfDocument(signed)
    document.init_forms()
    assert document[len(document) - 1].render(scale=1).to_pil().getextrema()

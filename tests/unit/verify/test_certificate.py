from __future__ import annotations

import dataclasses
import io
import random
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pikepdf
import pytest
from asn1crypto import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, String
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.general import SigningError

from evidence_desk.core.certificate import NAME, Printed
from evidence_desk.core.verdict import Dimension, Status, worst
from evidence_desk.crypto import pki
from evidence_desk.texts import Language, has
from evidence_desk.verify.certificate import CertificateTrust, CertificateVerdict, verify_certificate
from reports.pdfa import Attachment, finish
from reports.signing import PdfSigner, sign_certificate
from tests.unit.reports.samples import Signing, a_certificate, make_signing, render
from tsa.policy import TokenTrust

CERTIFICATE = a_certificate()


@pytest.fixture(scope="module")
def signing() -> Signing:
    return make_signing(datetime.now(UTC))


@pytest.fixture(scope="module")
def signed(signing: Signing) -> bytes:
    return signing.issue_certificate(CERTIFICATE)


def codes(verdict: CertificateVerdict, *statuses: Status) -> set[str]:
    wanted = statuses or tuple(Status)
    return {item.code for item in verdict.findings if item.status in wanted}


def failed(verdict: CertificateVerdict) -> set[str]:
    return codes(verdict, Status.FAILED)


def overall(verdict: CertificateVerdict) -> Status:
    return worst(item.status for item in verdict.findings)


def edited(pdf: bytes, change) -> bytes:
    """`pdf` written anew after `change`, unsigned."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        change(document)
        out = io.BytesIO()
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return out.getvalue()


def appended(pdf: bytes, change) -> bytes:
    """`pdf` with an incremental update."""
    writer: Any = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_sound_certificate(signing, signed):
    verdict = signing.verify(signed)
    assert overall(verdict) is Status.PASSED
    assert {item.code for item in verdict.caveats} >= {"demo.signer"}
    assert verdict.number == CERTIFICATE.number
    assert verdict.signer_name == "演示签署人 𠮷"
    assert verdict.signed_at is not None
    assert verdict.attachments["proof-001.json"] == b'{"v":"proof/1"}'
    assert verdict.values is not None
    assert verdict.values["exhibits"]
    assert {item.dimension for item in verdict.findings} == {Dimension.INTEGRITY, Dimension.SIGNER}


def test_every_code_has_a_sentence(signing, signed):
    for verdict in (signing.verify(signed), signing.verify(signed, trusted=False)):
        for language in Language:
            assert all(has(item.code, language) for item in (*verdict.findings, *verdict.caveats))


def test_without_roots_the_signer_is_undetermined(signing, signed):
    verdict = signing.verify(signed, trusted=False)
    assert overall(verdict) is Status.UNDETERMINED
    assert "certificate.signer.no_roots" in codes(verdict, Status.UNDETERMINED)
    assert failed(verdict) == set()
    assert verdict.signed_at is None


def test_strange_roots_leave_the_signer_undetermined(signed):
    stranger = make_signing(datetime.now(UTC))
    verdict = stranger.verify(signed)
    assert "certificate.signer.untrusted" in codes(verdict, Status.UNDETERMINED)


def test_no_revocation_data_is_undetermined(signing, signed):
    verdict = verify_certificate(
        signed,
        trust=CertificateTrust(roots=(signing.ca.certificate,)),
        token_trust=TokenTrust(roots=(signing.ca.certificate,), crls=(signing.ca.crl,)),
        now=datetime.now(UTC) + timedelta(seconds=2),
    )
    assert "certificate.signer.revocation_unknown" in codes(verdict, Status.UNDETERMINED)


def test_revoked_signer_fails(signing, signed):
    now = datetime.now(UTC)
    serial = x509.Certificate.load(signing.identity.certificate).serial_number
    revoked = pki.Revoked(serial=serial, at=now - timedelta(hours=1), reason="key_compromise")
    crl = pki.make_crl(
        signing.ca, this_update=now.replace(microsecond=0), next_update=now + timedelta(days=1), number=2,
        revoked=[revoked],
    )  # fmt: skip
    verdict = verify_certificate(
        signed,
        trust=CertificateTrust(roots=(signing.ca.certificate,), crls=(crl,)),
        token_trust=TokenTrust(roots=(signing.ca.certificate,), crls=(signing.ca.crl,)),
        now=now + timedelta(seconds=5),
    )
    assert "certificate.signer.revoked" in failed(verdict)


def test_certificate_for_another_use_cannot_sign(signing):
    authority = pki.make_tsa_certificate(
        "演示", pki.generate_key(pki.KeyKind.P256), signing.ca, not_before=datetime.now(UTC) - timedelta(days=1),
        years=2,
    )  # fmt: skip
    pdf = sign_certificate(
        render(CERTIFICATE).pdf, signer=PdfSigner(authority), timestamp=signing.timestamp,
        moment=datetime.now(UTC), language=Language.ZH,
    )  # fmt: skip
    assert "certificate.signer.unfit" in failed(signing.verify(pdf))


def test_unsigned_pdf_fails(signing):
    assert "certificate.signature.missing" in failed(signing.verify(render(CERTIFICATE).pdf))


def test_text_added_after_signing_fails(signing, signed):
    def add(writer):
        page = writer.root["/Pages"]["/Kids"][0].get_object()
        stream = generic.StreamObject(
            stream_data=page["/Contents"].data + b"\nBT /F1 20 Tf 1 0 0 1 60 60 Tm <0001> Tj ET"
        )
        page["/Contents"] = writer.add_object(stream)
        writer.update_container(page)

    verdict = signing.verify(appended(signed, add))
    assert {"certificate.coverage.changed", "certificate.text.differs"} <= failed(verdict)


def test_invisible_update_after_signing_fails(signing, signed):
    def add(writer):
        writer.root["/Lang"] = generic.pdf_string("fr")
        writer.update_root()

    assert overall(signing.verify(appended(signed, add))) is Status.FAILED


def test_replaced_attachment_fails(signing, signed):
    def replace(writer):
        names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
        specification = names[3].get_object()
        assert names[2] == "proof-001.json"
        reference = writer.add_object(generic.StreamObject(stream_data=b"{}"))
        specification["/EF"]["/F"] = reference
        writer.update_container(specification)

    verdict = signing.verify(appended(signed, replace))
    assert overall(verdict) is Status.FAILED
    assert verdict.attachments["proof-001.json"] == b"{}"


def test_bytes_appended_after_the_end_fail(signing, signed):
    for tail in (b"\n", b"x", b"%%EOF\n"):
        assert overall(signing.verify(signed + tail)) is Status.FAILED


def test_changed_page_signed_again_by_a_stranger(signing):
    """A stranger can sign anything: then the text no longer fits the record, and the signer is not the issuer."""

    def change(document):
        page = document.pages[0].obj
        content = page.Contents.read_bytes()
        page.Contents = document.make_stream(
            content.replace(b"Tj", b"Tj", 1) + b"\nBT 1 0 0 1 60 60 Tm /F1 20 Tf 24 TL (\x00\x01) Tj T* ET"
        )

    stranger = make_signing(datetime.now(UTC))
    pdf = stranger.sign(edited(render(CERTIFICATE).pdf, change))
    assert "certificate.text.differs" in failed(stranger.verify(pdf))
    assert "certificate.signer.untrusted" in codes(signing.verify(pdf), Status.UNDETERMINED)


def test_record_that_says_other_values_than_the_paper_fails(signing):
    rendered = render(CERTIFICATE)
    values = dict(rendered.printed.values)
    exhibit = dict(values["exhibits"][0])
    exhibit["leaf_sha256"] = "00" * 32
    values["exhibits"] = [exhibit]
    forged = dataclasses.replace(rendered.printed, values=values)
    pdf = signing.sign(with_record(rendered.pdf, forged.to_bytes()))
    assert failed(signing.verify(pdf)) == {"certificate.values.absent"}


def with_record(pdf: bytes, data: bytes | None) -> bytes:
    def change(document):
        names = document.Root.Names.EmbeddedFiles.Names
        at = next(index for index in range(0, len(names), 2) if str(names[index]) == NAME)
        if data is None:
            del names[at : at + 2]
        else:
            names[at + 1].EF.F = document.make_stream(data, Type=Name.EmbeddedFile)

    return edited(pdf, change)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "certificate.text.missing"),
        (b"{}", "certificate.text.malformed"),
        (b"\xff", "certificate.text.malformed"),
    ],
)
def test_missing_or_broken_record_fails(signing, data, code):
    pdf = signing.sign(with_record(render(CERTIFICATE).pdf, data))
    assert code in failed(signing.verify(pdf))


def test_page_count_must_fit(signing):
    rendered = render(CERTIFICATE)
    shorter = dataclasses.replace(rendered.printed, pages=rendered.printed.pages[:-1])
    pdf = signing.sign(with_record(rendered.pdf, shorter.to_bytes()))
    assert "certificate.text.pages" in failed(signing.verify(pdf))


def _annotation(document):
    note = Dictionary(Type=Name.Annot, Subtype=Name.FreeText, Rect=[0, 0, 90, 90], Contents=String("x"))
    document.pages[0].obj.Annots = Array([document.make_indirect(note)])


def _script(document):
    document.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def _layers(document):
    document.Root.OCProperties = Dictionary(OCGs=Array([]), D=Dictionary())


def _image(document):
    picture = document.make_stream(
        b"\0", Subtype=Name.Image, Width=1, Height=1, ColorSpace=Name.DeviceGray, BitsPerComponent=8
    )
    document.pages[0].obj.Resources.XObject = Dictionary(I=picture)


def _hidden_text(document):
    page = document.pages[0].obj
    page.Contents = document.make_stream(b"3 Tr " + page.Contents.read_bytes())


def _rotated(document):
    document.pages[0].obj.Rotate = 180


def _cropped(document):
    document.pages[0].obj.CropBox = Array([0, 0, 10, 10])


def _field(document):
    field = document.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("x"), V=String("y"), Rect=[0, 0, 9, 9]
        )
    )
    document.Root.AcroForm = Dictionary(Fields=Array([field]))


@pytest.mark.parametrize(
    "change", [_annotation, _script, _layers, _image, _hidden_text, _rotated, _cropped, _field]
)
def test_only_what_a_certificate_is_made_of_is_allowed(signing, change):
    pdf = signing.sign(edited(render(CERTIFICATE).pdf, change))
    verdict = signing.verify(pdf)
    assert "certificate.structure.wrong" in failed(verdict)
    assert verdict.attachments == {}


def test_seal_that_names_somebody_else_fails(signing):
    other = dataclasses.replace(CERTIFICATE, language="en")
    pdf = signing.sign(render(other).pdf, language=Language.ZH)
    assert "certificate.seal.differs" in failed(signing.verify(pdf))


def test_claimed_time_far_from_the_timestamp_fails(signing):
    pdf = sign_certificate(
        render(CERTIFICATE).pdf, signer=signing.signer, timestamp=signing.timestamp,
        moment=datetime.now(UTC) - timedelta(days=2), language=Language.ZH,
    )  # fmt: skip
    assert "certificate.time.differs" in failed(signing.verify(pdf))


def test_timestamp_over_something_else_fails(signing):
    pdf = sign_certificate(
        render(CERTIFICATE).pdf, signer=signing.signer, timestamp=lambda digest: signing.timestamp(digest[::-1]),
        moment=datetime.now(UTC), language=Language.ZH,
    )  # fmt: skip
    assert overall(signing.verify(pdf)) is Status.FAILED


def test_second_signature_fails(signing, signed):
    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    with pytest.raises(SigningError):  # DocMDP forbids it, and pyHanko keeps to that
        signers.sign_pdf(writer, signers.PdfSignatureMetadata(field_name="Second"), signing.signer.signer)


def test_encrypted_pdf_is_refused(signing, signed):
    with pikepdf.open(io.BytesIO(signed)) as document:
        out = io.BytesIO()
        document.save(out, encryption=pikepdf.Encryption(owner="a", user=""))
    assert failed(signing.verify(out.getvalue())) == {"certificate.file.malformed"}


def _bomb(layers: int) -> bytes:
    data = bytes(64 << 20)
    for _ in range(layers):
        data = zlib.compress(data, 9)
    filters = b"[" + b"/FlateDecode " * layers + b"]"
    return (
        b"1 0 obj\n<< /Filter "
        + filters
        + b" /Length %d >>\nstream\n" % len(data)
        + data
        + b"\nendstream\nendobj\n"
    )


def test_decompression_bombs_are_refused(signing):
    pdf = b"%PDF-1.7\n" + _bomb(1) * 20
    verdict = signing.verify(pdf)
    assert [dict(item.parameters) for item in verdict.findings] == [{"reason": "bomb"}]
    assert overall(signing.verify(b"%PDF-1.7\n" + _bomb(2) * 20)) is Status.FAILED


@pytest.mark.parametrize("kind", ["ObjStm", "LZWDecode", "Encrypt", "XFA", "Obj#53tm", "JBIG2Decode"])
def test_containers_that_hide_objects_are_refused(signing, signed, kind):
    pdf = signed.replace(b"/Type /Catalog", b"/%s 1 /Type /Catalog" % kind.encode(), 1)
    assert pdf != signed or b"/Type/Catalog" in signed
    assert overall(signing.verify(pdf)) is Status.FAILED


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_end_in_a_finding(signing, data, header):
    verdict = signing.verify((b"%PDF-1.7\n" if header else b"") + data)
    assert overall(verdict) is Status.FAILED


def test_truncated_files_fail(signing, signed):
    for size in range(0, len(signed), len(signed) // 25):
        assert overall(signing.verify(signed[:size])) is Status.FAILED


def flips(size: int, count: int, seed: int) -> list[int]:
    return sorted(random.Random(seed).sample(range(size), count))


def token_names(signed: bytes) -> set[int]:
    """Bytes of names in the token that only identify a certificate; their letter case is free (RFC 5280 §7.1)."""
    token = signed.index(b"2A864886F70D010910020E")
    found: set[int] = set()
    for name in ("演示 DEMO – not a third party".encode(), b"\x06\x03\x55\x04\x06\x13\x02CN"):
        wanted = name.hex().upper().encode()
        at = signed.find(wanted, token)
        while at >= 0:
            found |= set(range(at, at + len(wanted)))
            at = signed.find(wanted, at + 1)
    return found


def assert_no_flip_passes(signing: Signing, signed: bytes, positions: list[int]) -> None:
    for at in sorted(set(positions) - token_names(signed)):
        changed = bytearray(signed)
        changed[at] ^= 1 << (at % 8)
        verdict = signing.verify(bytes(changed))
        assert overall(verdict) is not Status.PASSED, at


def test_no_flipped_byte_passes(signing, signed):
    start = signed.index(b"/Contents <") + 11
    cms = signed[start : signed.index(b"00000000", start)]
    inside = [start + position for position in flips(len(cms), 150, 2)]
    assert_no_flip_passes(signing, signed, flips(len(signed), 120, 1) + inside)


@pytest.mark.full
def test_no_flipped_byte_of_the_signature_passes(signing, signed):
    start = signed.index(b"/Contents <")
    end = signed.index(b">", start) + 40
    zeros = signed.index(b"0" * 40, start)
    assert_no_flip_passes(signing, signed, [*range(start, zeros + 8), *range(end - 80, end)])
    assert_no_flip_passes(signing, signed, flips(len(signed), 300, 3))


def test_institution_certificate_is_no_demo(signing):
    """Without the demo policy there is no caveat about the signer."""
    made = x509.Certificate.load(signing.identity.certificate)
    assert made.certificate_policies_value is not None
    verdict = signing.verify(signing.issue_certificate(CERTIFICATE))
    assert "demo.signer" in {item.code for item in verdict.caveats}


def test_attachment_bytes_reach_the_caller(signing):
    rendered = render(CERTIFICATE)
    printed: Printed = rendered.printed
    pdf = finish(
        edited(rendered.pdf, lambda document: document.Root.__delitem__("/AF")),
        title="x", language="zh", created=CERTIFICATE.issued,
        attachments={
            NAME: Attachment(data=printed.to_bytes(), media_type="application/json"),
            "a.bin": Attachment(data=bytes(range(256)), media_type="application/octet-stream"),
        },
    )  # fmt: skip
    assert signing.verify(signing.sign(pdf)).attachments["a.bin"] == bytes(range(256))

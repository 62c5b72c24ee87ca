from __future__ import annotations

import dataclasses
import io
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta

import pikepdf
import pypdfium2
import pytest
import zxingcpp

from evidence_desk.core.capture.rows import CaptureTally
from evidence_desk.core.certificate import (
    DemoReason,
    TrustRootFacts,
    VerificationReport,
    certificate_values,
    page_text,
    parse_printed,
    squeeze,
)
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.verdict import CERTIFICATE_POLICY, Caveat, Dimension, Finding, Status, Verdict
from evidence_desk.errors import BugError
from evidence_desk.texts import AREAS, Language, sentences
from reports.certificate import Attachment, render_certificate, render_verification_report
from reports.certificate_document import certificate_document
from reports.fonts.faces import width
from reports.layout import LEFT, PAGE, RIGHT, SEAL_BOX, lay_out
from tests.unit.reports.samples import (
    CAPTURE,
    NOW,
    RARE,
    a_certificate,
    a_court,
    a_file,
    a_token,
    an_exhibit,
    render,
)

LONG = an_exhibit(files=tuple(a_file(index) for index in range(1, 301)))
CERTIFICATES = {
    "demo": a_certificate(),
    "several": a_certificate(an_exhibit(1, court=a_court()), CAPTURE, an_exhibit(3), demo=()),
    "long": a_certificate(LONG),
    "bare": a_certificate(an_exhibit(token=None, custody=(), tools=(), witness=None), demo=(), keys=(), commands=()),
    "english": a_certificate(CAPTURE, language="en"),
    "rare": a_certificate(an_exhibit(title=RARE, files=(a_file(1, f"{RARE}.pdf"),)), issuer=RARE),
    "odd": a_certificate(
        an_exhibit(files=(a_file(1, "a\u202efdp.exe"), a_file(2, "两\n行"), a_file(3, "长" * 300), a_file(4, "W" * 300)))
    ),
}  # fmt: skip


def texts_of(pdf: bytes) -> list[str]:
    return [squeeze(page.get_textpage().get_text_range()) for page in pypdfium2.PdfDocument(pdf)]


@pytest.mark.parametrize("name", CERTIFICATES)
def test_extracted_text_is_what_certificate_json_says(name):
    rendered = render(CERTIFICATES[name])
    assert texts_of(rendered.pdf) == [page_text(lines) for lines in rendered.printed.pages]


@pytest.mark.parametrize("name", CERTIFICATES)
def test_nothing_is_drawn_outside_the_page_or_over_the_seal(name):
    pages = lay_out(certificate_document(CERTIFICATES[name]))
    for page in pages:
        for op in page.texts:
            assert op.x >= LEFT - 0.01
            assert op.x + width(op.text, op.style, op.size) <= RIGHT + 0.6, op.text
            assert 30 < op.y < PAGE[1] - 30
    left, bottom, right, top = SEAL_BOX
    for op in pages[-1].texts:
        inside = bottom - 2 < op.y < top and op.x < right and op.x + width(op.text, op.style, op.size) > left
        assert not inside, op.text


def test_every_page_bears_its_number_and_both_numbers():
    certificate = CERTIFICATES["long"]
    pages = texts_of(render(certificate).pdf)
    assert len(pages) > 10
    for index, text in enumerate(pages, 1):
        assert certificate.number in text
        assert certificate.exhibits[0].number in text
        assert f"第{index}页/共{len(pages)}页" in text


def test_every_covered_value_stands_on_paper():
    certificate = CERTIFICATES["several"]
    text = "".join(texts_of(render(certificate).pdf))
    for exhibit in certificate.exhibits:
        assert exhibit.leaf_hash.hex() in text
        assert exhibit.checkpoint.root.hex() in text
        assert exhibit.checkpoint.origin in text
        assert str(a_token().serial) in text
        assert "2026-11-2108:30:17.340" in text
        for entry in exhibit.files:
            assert entry.digests.sha256.hex() in text
            assert entry.digests.sm3.hex() in text
            assert squeeze(entry.name) in text
            assert f"{entry.size:,}" in text


def test_demo_is_marked_on_every_page_and_told_first():
    pages = texts_of(render(CERTIFICATES["demo"]).pdf)
    assert all(text.startswith("演示/非第三方") for text in pages)
    assert "演示/非第三方：时间戳由演示时间戳机构签发；本证书由演示证书签名。" in pages[0]
    assert pages[0].index("时间戳由演示") < pages[0].index("基本信息")
    plain = "".join(texts_of(render(a_certificate(an_exhibit(token=None), demo=())).pdf))
    assert "演示/非第三方" not in plain


@pytest.mark.parametrize("reason", list(DemoReason))
def test_each_demo_reason_has_its_words(reason):
    text = texts_of(render(a_certificate(demo=(reason,))).pdf)[0]
    assert "演示/非第三方：" in text


def test_what_is_missing_is_said():
    text = "".join(texts_of(render(CERTIFICATES["bare"]).pdf))
    assert "未上链" in text
    assert "未盖时间戳" in text
    assert "尚未盖时间戳，不能凭本证书证明数据在何时已经存在" in text
    assert "未做取证环境检查" in text
    assert "见证人无" in text
    assert "平台资质事实无" in text
    anchored = "".join(texts_of(render(a_certificate(an_exhibit(court=a_court()))).pdf))
    assert "未上链" not in anchored
    assert "（未出示签名）" in anchored


def test_captures_of_the_whole_desk_are_counted_on_paper():
    tally = CaptureTally(logs=2, leaves=12345, started=9, sealed=5, abandoned=3, unsealed=1)
    text = "".join(texts_of(render(replace(a_certificate(), all_captures=tally)).pdf))
    assert "开始9次，封存5次，放弃3次，未封存1次；按本终端日志（2份，共12,345条）统计，包括其他案件" in text


def test_a_failed_environment_check_is_never_hidden():
    text = "".join(texts_of(render(CERTIFICATES["several"]).pdf))
    assert "取证前：通过6项，警告6项，未通过5项，未检查5项" in text
    assert "网站可能依据访问者、设备、语言或时间显示不同内容" in text
    assert "2个页面中有1个没有完整载入或没有完整留存" in text
    assert "部分完成" in text
    assert "商品详情䶮" in text


def test_odd_names_are_shown_and_reported():
    rendered = render(CERTIFICATES["odd"])
    text = "".join(texts_of(rendered.pdf))
    assert "a〔U+202E〕fdp.exe" in text
    assert "两〔U+000A〕行" in text
    assert "\u202e" not in text
    assert rendered.unprintable == ("\n", "\u202e")
    assert render(CERTIFICATES["rare"]).unprintable == ()


def test_more_files_than_are_listed_are_counted():
    many = an_exhibit(files=tuple(a_file(index) for index in range(1, 503)), files_root=sha256(b"r"))
    rendered = render(a_certificate(many))
    text = "".join(texts_of(rendered.pdf))
    assert "其余2个文件未逐一印出" in text
    assert sha256(b"r").hex() in text
    exhibits = rendered.printed.values["exhibits"]
    assert isinstance(exhibits, list)
    assert len(exhibits[0]["files"]) == 502


@pytest.mark.parametrize("name", CERTIFICATES)
def test_no_forbidden_claim(name):
    text = "".join(texts_of(render(CERTIFICATES[name]).pdf))
    for claim in (
        "法律效力",
        "必采信",
        "不可篡改",
        "公证",
        "司法鉴定",
        "可信时间戳",
        "区块链",
        "legal effect",
        "notari",
    ):
        assert claim not in text


def test_no_forbidden_claim_in_any_sentence():
    for language in Language:
        for code, text in sentences(language).items():
            if code.startswith(("certificate.", "report.")):
                assert not re.search(
                    "法律效力|必采信|不可篡改|公证|司法鉴定|可信时间戳|immutable|notari", text
                ), code
    assert "certificate" in AREAS


def test_qr_code_holds_the_full_leaf_hash_and_survives_a_photocopy():
    certificate = CERTIFICATES["several"]
    document = pypdfium2.PdfDocument(render(certificate).pdf)
    found = set()
    for page in document:
        picture = (
            page.render(scale=2.5, grayscale=True).to_pil().point(lambda value: 255 if value > 150 else 0)
        )
        found |= {item.text for item in zxingcpp.read_barcodes(picture)}
    first, capture, third = certificate.exhibits
    assert found == {
        f"ED1 leaf={first.leaf_hash.hex()} chain=court-cq-1",
        f"ED1 leaf={capture.leaf_hash.hex()} chain=court-cq-1",
        f"ED1 leaf={third.leaf_hash.hex()} log=desk.example/7KQ2M3",
    }


def test_attachments_are_associated_files():
    rendered = render(CERTIFICATES["demo"])
    with pikepdf.open(io.BytesIO(rendered.pdf)) as pdf:
        assert set(pdf.attachments) == {"certificate.json", "proof-001.json"}
        assert pdf.attachments["proof-001.json"].get_file().read_bytes() == b'{"v":"proof/1"}'
        data = pdf.attachments["certificate.json"].get_file().read_bytes()
        relationships = {str(item.F): str(item.AFRelationship) for item in pdf.Root.AF}
        assert relationships == {"certificate.json": "/Data", "proof-001.json": "/Supplement"}
        assert "Helvetica" not in repr([page.Resources for page in pdf.pages])
    printed = parse_printed(data)
    assert printed == rendered.printed
    assert printed.values == certificate_values(CERTIFICATES["demo"])


def test_attachment_names_must_be_ascii_and_not_ours():
    attachment = Attachment(data=b"", media_type="text/plain")
    for name in ("证明.json", "certificate.json"):
        with pytest.raises(BugError):
            render_certificate(a_certificate(), attachments={name: attachment}, language=Language.ZH)


def test_same_model_same_bytes():
    assert render(CERTIFICATES["several"]).pdf == render(CERTIFICATES["several"]).pdf
    other = dataclasses.replace(CERTIFICATES["several"], issued=NOW + timedelta(seconds=1))
    assert render(other).pdf != render(CERTIFICATES["several"]).pdf


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_pdftotext_reads_rare_names(tmp_path):
    path = tmp_path / "c.pdf"
    path.write_bytes(render(CERTIFICATES["rare"]).pdf)
    out = subprocess.run(["pdftotext", "-enc", "UTF-8", path, "-"], capture_output=True, check=True).stdout
    assert RARE in out.decode()
    assert f"{RARE}.pdf" in out.decode()


def a_report(**changes: object) -> VerificationReport:
    finding = Finding(
        dimension=Dimension.INTEGRITY,
        check="certificate.text",
        status=Status.FAILED,
        code="certificate.text.differs",
        parameters={"page": 2},
    )
    facts: dict[str, object] = {
        "number": "VR-1",
        "checked": NOW,
        "language": "zh",
        "subject": "存证证书.pdf",
        "size": 123_456,
        "digests": DigestPair.of(b"pdf"),
        "verdict": Verdict(
            policy=CERTIFICATE_POLICY, findings=(finding,), caveats=(Caveat(code="demo.signer"),)
        ),
        "stated_number": "EC-1",
        "originals": (a_file(1),),
        "roots": (TrustRootFacts(name="演示根", fingerprint=sha256(b"root")),),
        "program": "证据台 0.1.0",
        "operator": "张㛃",
    }
    return VerificationReport(**(facts | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", list(Language))
def test_report_answers_first_and_tells_every_check(language):
    rendered = render_verification_report(a_report(), attachments={}, language=language)
    pages = texts_of(rendered.pdf)
    assert pages == [page_text(lines) for lines in rendered.printed.pages]
    text = "".join(pages)
    answer, reason = ("未通过", "第2页所印文字与附件certificate.json不一致") if language is Language.ZH else (
        "Failed:", "Thetextofpage2differs")  # fmt: skip
    assert text.index(answer) < text.index("SHA-256")
    assert reason in text
    assert sha256(b"root").hex() in text
    assert DigestPair.of(b"pdf").sm3.hex() in text


def test_report_without_roots_and_originals_says_so():
    report = a_report(roots=(), originals=(), demo=("演示根",), operator="")
    text = "".join(texts_of(render_verification_report(report, attachments={}, language=Language.ZH).pdf))
    assert "没有一并核对原始文件" in text
    assert "未提供信任根" in text
    assert text.startswith("演示/非第三方")
    assert "时间无法判断" in text

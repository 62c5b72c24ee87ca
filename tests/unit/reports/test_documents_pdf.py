"""Documents of a case as PDF: every text extracts, nothing leaves its page, and what is lacking is said."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from evidence_desk.core.certificate import CaseFacts, ClockFacts, DemoReason, Person, SourceFacts
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.documents import (
    CaseDocument,
    Catalog,
    CatalogEntry,
    CustodyLine,
    CustodyRecord,
    ExhibitCustody,
    Imprint,
    Obtained,
    ObtainingRecord,
    SourceStatement,
    Standing,
)
from evidence_desk.texts import Language, sentence
from reports.blocks import Document, texts
from reports.catalog_document import page_text
from reports.documents import as_blocks, render, render_document
from reports.fonts.faces import width
from reports.layout import LEFT, PAGE, RIGHT, lay_out
from tests.unit.core.capture.samples import a_manifest
from tests.unit.reports.samples import NOW, RARE, a_court, an_exhibit

IMPRINT = Imprint(
    made=NOW,
    case=CaseFacts(
        number="（2026）渝0103民初1号", court="重庆市渝中区人民法院", parties=("原告 王䶮", "被告 𬭎盛商贸有限公司"), cause="买卖合同纠纷"
    ),
    demo=(DemoReason.TOKEN,),
    program="Evidence Desk 0.1.0",
)  # fmt: skip
BARE = an_exhibit(
    3, title="", exhibit_no="", purpose="", token=None, operator=Person(), witness=None, source=SourceFacts(), interest="",
    tools=(), clock=ClockFacts(), last_recheck=None, custody=(), kind="",
)  # fmt: skip
ANCHORED = an_exhibit(2, court=a_court())
FULL = an_exhibit(1)


def line(action: str, standing: Standing = Standing.LOGGED, **changes: object) -> CustodyLine:
    facts: dict[str, object] = {
        "at": NOW + timedelta(minutes=len(action)), "operator": "张㛃", "origin": FULL.checkpoint.origin, "seq": 51,
        "leaf_hash": FULL.leaf_hash,
    }  # fmt: skip
    return CustodyLine(action=action, standing=standing, **(facts | changes))  # type: ignore[arg-type]


LINES = (
    line("sealed"),
    line("anchored", Standing.NETWORK, details=(("chain", "court-cq-1"), ("height", 120)), seq=None, leaf_hash=None, operator=""),
    line("rechecked", details=(("files", 2), ("damaged", 0), ("missing", 0))),
    line("damaged", details=(("files", 2), ("damaged", 1), ("missing", 0))),
    line("missing", details=(("files", 2), ("damaged", 2), ("missing", 2))),
    line("corrected", details=(("note", f"改为{RARE}"),)),
    line("opened", Standing.PENDING, seq=None, leaf_hash=None),
    line("restored", Standing.UNCOMPARED, origin="desk.example/7KQ2M3/2", leaf_hash=None),
    line("never heard of"),
)  # fmt: skip
SAMPLES: dict[str, CaseDocument] = {
    "source": SourceStatement(imprint=IMPRINT, exhibits=(FULL, ANCHORED, BARE)),
    "catalog": Catalog(
        imprint=IMPRINT,
        entries=(
            CatalogEntry(exhibit=FULL, pages=(1, 12)), CatalogEntry(exhibit=ANCHORED, pages=(13, 13)), CatalogEntry(exhibit=BARE)
        ),
        paged=True,
    ),
    "custody": CustodyRecord(
        imprint=IMPRINT,
        exhibits=(
            ExhibitCustody(exhibit=FULL, lines=LINES), ExhibitCustody(exhibit=ANCHORED, lines=LINES[:1], earlier_log=True)
        ),
    ),
    "record": ObtainingRecord(
        imprint=IMPRINT,
        exhibits=(
            Obtained(exhibit=FULL), Obtained(exhibit=BARE),
            Obtained(
                exhibit=replace(ANCHORED, capture=a_manifest(NOW)), by_capture=True, capture=DigestPair.of(b"capture"),
                environment=DigestPair.of(b"report"),
            ),
        ),
    ),
}  # fmt: skip
EVERY = [(name, language) for name in SAMPLES for language in Language]


def assert_fits(document: Document) -> None:
    """Every text within the margins, and none over the next on its line."""
    for page in lay_out(document):
        ops = page.reading_order()
        for op in ops:
            assert op.x >= LEFT - 0.1
            assert op.x + width(op.text, op.style, op.size) <= RIGHT + 0.5, op.text
            assert 30 < op.y < PAGE[1] - 30
        for left, right in pairwise(ops):
            if abs(left.y - right.y) < 0.1:
                end = left.x + width(left.text, left.style, left.size)
                assert end <= right.x + 0.5, (left.text, right.text)


def squeezed(text: str) -> str:
    return "".join(text.split())


def pages_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def all_text(name: str, language: Language = Language.ZH) -> str:
    return squeezed("".join(pages_of(render(SAMPLES[name], language))))


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_pages_are_numbered_and_bear_number_and_watermark(name, language):
    pages = pages_of(render(SAMPLES[name], language))
    assert len(pages) > 1
    mark = sentence("certificate.watermark", {}, language)
    for number, text in enumerate(pages, 1):
        furniture = sentence("certificate.page", {"page": number, "pages": len(pages)}, language)
        assert squeezed(furniture) in squeezed(text)
        assert FULL.number in text
        assert IMPRINT.case.number in text
        assert mark in text
    assert "演示/非第三方" in pages[0]


@pytest.mark.parametrize(("name", "language"), EVERY)
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_pdftotext_reads_what_was_printed(name, language, tmp_path: Path):
    path = tmp_path / "document.pdf"
    path.write_bytes(render(SAMPLES[name], language))
    out = subprocess.run(
        ["pdftotext", "-enc", "UTF-8", path, "-"], capture_output=True, check=True
    ).stdout.decode()
    assert "�" not in out
    for page in lay_out(as_blocks(SAMPLES[name], language)):
        for op in page.texts:
            assert squeezed(op.text) in squeezed(out), op.text
    assert ANCHORED.number in squeezed(out)
    for rare in "䶮𬭎":
        assert rare in out


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_nothing_leaves_the_page_or_overlaps_its_neighbor(name, language):
    assert_fits(as_blocks(SAMPLES[name], language))


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_it_is_pdf_a_without_attachments_and_the_same_each_time(name, language):
    pdf = render(SAMPLES[name], language)
    assert pdf == render(SAMPLES[name], language)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert "/OutputIntents" in document.Root
        assert b"<pdfaid:part>3</pdfaid:part>" in document.Root.Metadata.read_bytes()
        assert "/Names" not in document.Root
        assert str(document.Root.Lang) == {"zh": "zh-CN", "en": "en"}[language.value]


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_it_says_that_it_is_unsigned_and_leaves_room_to_sign(name, language):
    last = squeezed(pages_of(render(SAMPLES[name], language))[-1])
    assert squeezed(sentence("documents.unsigned", {}, language)) in last
    wanted = {
        "source": ("provider", "maker"), "catalog": ("submitter", "receiver"), "custody": ("custodian", "maker"),
        "record": ("operator", "operator", "witness"),
    }[name]  # fmt: skip
    for place in wanted:
        found = last.count(squeezed(sentence(f"documents.sign.{place}", {}, language)))
        assert found == wanted.count(place)
    assert last.count(sentence("documents.date.year", {}, language)) >= len(wanted)


def test_without_demo_there_is_no_watermark_and_not_anchored_is_still_said():
    real = replace(IMPRINT, demo=())
    document = as_blocks(SourceStatement(imprint=real, exhibits=(FULL,)), Language.ZH)
    assert document.watermark == ""
    said = "".join(texts(document))
    assert "演示" not in said.replace(FULL.token.tsa if FULL.token else "", "")
    assert said.count("未上链") >= 2


def test_what_was_not_given_is_said_so():
    source, record = all_text("source"), all_text("record")
    assert "未盖时间戳：尚无外部机构为这项证据的存在时间作证。" in source
    assert "登记之后没有原件复核一致的记录。" in source
    assert source.count("未填写") > 8
    assert "无：本项证据由登记文件形成，本程序没有打开网页，也没有提交网址" in record
    assert record.count("未记录：文件在登记之前何时取得，本程序没有记载") == 2
    assert record.count("网络检查未记录") == 2
    assert record.count("本机检查未记录") == 2
    assert "登记时未能与外部时间源对照" in record
    assert "李𬱖已对存证说明作电子签名" in record


def test_the_record_goes_in_the_order_of_the_template_and_to_the_second():
    text = all_text("record")
    places = [text.index(f"{number}、") for number in "一二三四五六七"]
    assert places == sorted(places)
    assert text.index("八、签名") > places[-1]
    assert "2026-11-2116时30分15秒（北京时间）" in text


def test_a_capture_is_named_by_digest():
    text = all_text("record")
    assert DigestPair.of(b"capture").sha256.hex() in text
    assert DigestPair.of(b"report").sm3.hex() in text
    assert "网络适配器取证前：未通过；取证后：通过" in text
    assert "https://shop.example/slow" in text
    assert "共2处进度记录，其中1处取得时间戳" in text


def test_the_catalog_has_pages_and_both_kinds_of_original():
    text = all_text("catalog")
    assert "1–12" in text
    assert "复制件" in text
    assert "页码为“—”的证据未编入案卷纸面页。" in text
    for exhibit in (FULL, ANCHORED, BARE):
        assert exhibit.leaf_hash.hex() in text
        assert exhibit.number in text
    catalog = SAMPLES["catalog"]
    assert isinstance(catalog, Catalog)
    unpaged = as_blocks(replace(catalog, paged=False), Language.ZH)
    assert "本目录未随案卷编页。" in "".join(texts(unpaged))


@pytest.mark.parametrize(("pages", "text"), [(None, "—"), ((4, 4), "4"), ((4, 9), "4–9")])
def test_page_ranges(pages, text):
    assert page_text(pages) == text


def test_custody_prints_place_standing_and_outcome():
    text = all_text("custody")
    assert f"第51条{FULL.leaf_hash.hex()[:16]}" in text
    assert "第51条（日志2）未能与日志条目核对" in text
    assert "待写入日志" in text
    assert "第120号区块" in text
    assert "发现损坏文件2个不符或缺失1个" in text
    assert "原件不在本库文件2个不符或缺失2个其中缺失2个" in text
    assert "neverheardof" in text
    assert "没有复核记录。" in text
    assert "登记在恢复之前的日志中" in text


def test_long_names_many_files_and_hostile_text_fit():
    long = "与被告关于货款支付期限的往来沟通记录" * 12
    exhibit = an_exhibit(
        4, title=long, purpose="Donaudampfschifffahrt" * 20, exhibit_no="证据" * 30,
        files=tuple(FULL.files[0] for _ in range(700)), source=SourceFacts(obtained=long, from_whom="\u202e甲\x00"),
    )  # fmt: skip
    imprint = replace(IMPRINT, case=replace(IMPRINT.case, number="（2026）" * 40))
    for document in (
        SourceStatement(imprint=imprint, exhibits=(exhibit,)),
        Catalog(imprint=imprint, entries=(CatalogEntry(exhibit=exhibit, pages=(1, 100_000)),)),
        CustodyRecord(imprint=imprint, exhibits=(ExhibitCustody(exhibit=exhibit, lines=LINES * 40),)),
        ObtainingRecord(imprint=imprint, exhibits=(Obtained(exhibit=exhibit),)),
    ):
        blocks = as_blocks(document, Language.ZH)
        assert_fits(blocks)
        rendered = render_document(document, Language.ZH)
        assert rendered.pages == len(pages_of(rendered.pdf))
        if not isinstance(document, CustodyRecord):
            assert rendered.unprintable == ("\x00", "\u202e")
        if isinstance(document, SourceStatement | ObtainingRecord):
            assert "其余 200 个文件未逐一印出" in "".join(texts(blocks))

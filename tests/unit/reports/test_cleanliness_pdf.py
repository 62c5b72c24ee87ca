"""清洁性检查报告 as PDF: every outcome is there, failures first, what was cut or kept apart is said, all text extracts."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from evidence_desk.core.capture.environment import (
    STOPPED,
    Check,
    EnvironmentReport,
    Item,
    Outcome,
    Reason,
    When,
    because,
    raw_output,
    values,
)
from evidence_desk.core.capture.environment_codec import encode, parse
from evidence_desk.core.capture.marks import Started, encode_started, parse_started
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.certificate import CaseFacts
from evidence_desk.core.digests import DigestPair
from evidence_desk.errors import BugError
from evidence_desk.texts import Language, sentence
from reports.blocks import texts
from reports.cleanliness import cleanliness, render_cleanliness
from reports.documents import as_blocks, render_document
from reports.fonts.faces import width
from reports.layout import LEFT, PAGE, RIGHT, lay_out
from tests.unit.reports.samples import an_exhibit

AT = datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)
CASE = CaseFacts(number="（2026）渝0103民初1号", parties=("原告 王䶮",))
OUTCOMES = {
    Check.HOSTS: Outcome.FAIL,
    Check.ROOTS: Outcome.WARN,
    Check.MACHINE: Outcome.WARN,
    Check.TRACE: Outcome.UNCHECKED,
}
REASONS = {
    Check.CLOCK: because("environment.clock.agree", count=3, offset=-12),
    Check.HOSTS: because("environment.hosts.target", entries="10.0.0.1 www.example.com"),
    Check.ROOTS: because("environment.roots.added", count=1, names="CN=𬭎盛 Root,O=㛃"),
    Check.MACHINE: because("environment.machine.virtual", signs="kvm"),
    Check.TRACE: because("environment.trace.no_tool"),
    Check.PROFILE: because("environment.profile.empty"),
}  # fmt: skip
LONG = ("a:" * 700 + "\n") * 40 + "Straße\t\x1b[31m\u202e\n" * 3


def an_item(check: Check, when: When) -> Item:
    raws = [raw_output(f"/usr/bin/{check.value} --all", f"{check.value} output\n".encode(), exit_code=0)]
    facts: dict[str, tuple[str, ...]] = {}
    if check is Check.ROOTS:
        facts["added"] = values(f"/etc/x: CN=Root {number} SHA-256 {'ab' * 32}" for number in range(60))
    if check is Check.DNS:
        facts["servers"] = ("192.0.2.1",) if when is When.BEFORE else ("192.0.2.2",)
        raws = [raw_output("/etc/resolv.conf", when.value.encode() * 40_000)]
    if check is Check.PROCESSES:
        raws = [
            raw_output(
                "/proc",
                b"1\tinit\t/sbin/init OpenSesame\n",
                attachment=f"environment-{when.value}-processes.txt",
            )
        ]
    if check is Check.UPDATES:
        raws = [
            raw_output("apt-get", LONG.encode(), exit_code=STOPPED, masked=True),
            raw_output("empty", b""),
        ]
    if check is Check.ADAPTERS:
        raws = [raw_output("GetAdapters", b"\xff\xfe\x00")]
    reason = REASONS.get(check, because("environment.late"))
    outcome = OUTCOMES.get(check, Outcome.PASS)
    return Item(
        check=check, outcome=outcome, reasons=(reason,), facts=facts, raws=tuple(raws), duration_ms=1_234
    )


def a_report(when: When, **changes: object) -> EnvironmentReport:
    started = AT if when is When.BEFORE else AT + timedelta(minutes=5)
    report = EnvironmentReport(
        when=when, system="linux", started=started, finished=started + timedelta(seconds=3),
        uptime_ms=1_000_000 if when is When.BEFORE else 1_300_000, targets=("www.example.com:443",),
        items=tuple(an_item(check, when) for check in Check),
    )  # fmt: skip
    return replace(report, **changes)  # type: ignore[arg-type]


BEFORE, AFTER = a_report(When.BEFORE), a_report(When.AFTER)
BOTH = cleanliness(BEFORE, AFTER, case=CASE)


def squeezed(text: str) -> str:
    return "".join(text.split())


def unhyphened(text: str) -> str:
    """pdftotext joins a word at a line's end and drops its hyphen."""
    return squeezed(text).replace("-", "")


def pages_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()


def said(model: object = BOTH, language: Language = Language.ZH) -> str:
    return squeezed(" ".join(texts(as_blocks(model, language))))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", Language)
def test_it_is_pdf_a_with_numbered_pages_and_the_same_each_time(language):
    pdf = render_cleanliness(BEFORE, AFTER, language, case=CASE)
    assert pdf == render_cleanliness(BEFORE, AFTER, language, case=CASE)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert b"<pdfaid:part>3</pdfaid:part>" in document.Root.Metadata.read_bytes()
    pages = pages_of(pdf)
    mark = DigestPair.of(encode(BEFORE)).sha256.hex()[:16]
    for number, text in enumerate(pages, 1):
        furniture = sentence("certificate.page", {"page": number, "pages": len(pages)}, language)
        assert squeezed(furniture) in squeezed(text)
        assert mark in text
        assert CASE.number in text


@pytest.mark.parametrize("language", Language)
def test_nothing_leaves_the_page_or_overlaps_its_neighbor(language):
    for page in lay_out(as_blocks(BOTH, language)):
        ops = page.reading_order()
        for op in ops:
            assert op.x >= LEFT - 0.1
            assert op.x + width(op.text, op.style, op.size) <= RIGHT + 0.5, op.text
            assert 30 < op.y < PAGE[1] - 30
        for left, right in pairwise(ops):
            if abs(left.y - right.y) < 0.1:
                assert left.x + width(left.text, left.style, left.size) <= right.x + 0.5, (
                    left.text,
                    right.text,
                )


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_pdftotext_reads_what_was_printed(tmp_path: Path):
    path = tmp_path / "report.pdf"
    path.write_bytes(render_cleanliness(BEFORE, AFTER, Language.ZH, case=CASE))
    out = subprocess.run(
        ["pdftotext", "-enc", "UTF-8", path, "-"], capture_output=True, check=True
    ).stdout.decode()
    for page in lay_out(as_blocks(BOTH, Language.ZH)):
        for op in page.texts:
            assert unhyphened(op.text) in unhyphened(out), op.text


@pytest.mark.parametrize("language", Language)
def test_every_check_stands_in_the_overview_in_order_and_no_failure_is_hidden(language):
    text = said(BOTH, language)
    overview = text.index(squeezed(sentence("cleanliness.overview", {}, language)))
    names = [squeezed(sentence(f"environment.item.{check.value}", {}, language)) for check in Check]
    places = [text.index(name, overview) for name in names]
    assert places == sorted(places)
    for report, when in ((BEFORE, "before"), (AFTER, "after")):
        counts = {"total": 22, "passed": 18, "warned": 2, "failed": 1, "unchecked": 1}
        assert [report.count(outcome) for outcome in Outcome] == [18, 2, 1, 1]
        moment = sentence(f"environment.when.{when}", {}, language)
        assert squeezed(sentence("cleanliness.conclusion", {"when": moment, **counts}, language)) in text
    attention = text.index(squeezed(sentence("cleanliness.attention", {}, language)))
    failure = text.index("10.0.0.1www.example.com", attention)
    assert failure < text.index("CN=𬭎盛", attention)


def test_what_was_cut_masked_stopped_or_kept_apart_is_said():
    text = said()
    assert "报告文件只保留前65,536字节，摘要按全部输出计算" in text
    assert "密码已隐去" in text
    assert "到时限被停止" in text
    assert "另存为environment-before-processes.txt" in text
    assert "OpenSesame" not in text
    assert "……另有36项，见报告文件" in text
    assert "……以下还有13行，见报告文件" in text
    assert "fffe00" in text
    assert "运行（前后输出相同）" in text
    assert "未检查”不是通过" in text


def test_characters_that_could_deceive_are_shown_by_number():
    model = cleanliness(a_report(When.BEFORE, targets=("a\x1b\u202e.example:443",)), None)
    rendered = render_document(model, Language.ZH)
    assert set(rendered.unprintable) == {"\x1b", "\u202e"}
    assert "〔U+202E〕" in squeezed("".join(pages_of(rendered.pdf)))


def test_differences_are_listed_and_a_single_check_says_so():
    text = said()
    assert "域名服务器：域名服务器192.0.2.1192.0.2.2" in text
    assert "两次检查的结论与发现没有差异" not in text
    same = said(
        cleanliness(
            BEFORE,
            replace(a_report(When.BEFORE), when=When.AFTER, started=AFTER.started, uptime_ms=1_300_000),
        )
    )
    assert "两次检查的结论与发现没有差异" in same
    single = said(cleanliness(BEFORE, None))
    assert "只做了一次检查" in single
    assert "取证后检查未做" in single


def test_a_jump_a_restart_and_a_changed_outcome_are_told():
    jumped = said(cleanliness(BEFORE, a_report(When.AFTER, uptime_ms=1_900_000)))
    assert "时钟跳变" in jumped
    assert "900000300000" in jumped
    assert "重新启动过" in said(cleanliness(BEFORE, a_report(When.AFTER, uptime_ms=5)))
    items = tuple(
        replace(item, outcome=Outcome.FAIL) if item.check is Check.DISK else item for item in AFTER.items
    )
    assert "磁盘空间：结论通过未通过" in said(cleanliness(BEFORE, a_report(When.AFTER, items=items)))


def test_a_demonstration_marks_every_page():
    pages = pages_of(render_cleanliness(a_report(When.BEFORE, demo=("演示时间戳机构",)), AFTER, Language.ZH))
    assert all("演示" in page for page in pages)
    assert "演示/非第三方" in pages[0]
    assert as_blocks(BOTH, Language.ZH).watermark == ""


def test_a_registered_exhibit_is_named_on_every_page_and_windows_has_its_limit():
    exhibit = an_exhibit(1)
    windows = a_report(When.BEFORE, system="windows")
    for page in pages_of(render_cleanliness(windows, None, Language.ZH, exhibit=exhibit)):
        assert exhibit.number in page
    limit = squeezed(sentence("cleanliness.limits.windows", {}, Language.ZH))
    assert limit in said(cleanliness(windows, None))
    assert limit not in said()


def test_reports_of_other_programs_may_say_anything_and_still_print():
    odd = Item(
        check=Check.CLOCK, outcome=Outcome.PASS,
        reasons=(Reason(code="environment.of_tomorrow", parameters={"code": "x", "self": "y"}), because("environment.clock.agree")),
        facts={"unheard_of": ("1",)},
    )  # fmt: skip
    text = said(cleanliness(a_report(When.BEFORE, items=(odd,)), None))
    assert "environment.of_tomorrow" in text
    assert "unheard_of" in text
    assert render_cleanliness(a_report(When.BEFORE, items=()), None, Language.EN).startswith(b"%PDF")


def test_without_any_report_there_is_no_document():
    with pytest.raises(BugError):
        cleanliness(None, None)


STARTED = Started(
    id=bytes(range(16)), case_number=CASE.number, at="2026-11-22T08:30:20.250Z", environment=None, nonce=bytes(32),
    plan=CapturePlan(urls=("https://www.example.com/",)), header=None,
)  # fmt: skip


@pytest.mark.parametrize("language", Language)
def test_of_a_capture_it_tells_what_its_beginning_committed_to_and_no_more(language):
    text = said(cleanliness(BEFORE, AFTER, started=STARTED), language)
    for told in (CASE.number, STARTED.id.hex(), "2026-11-2216:30:20"):
        assert squeezed(told) in text
    for code in ("certificate.court", "certificate.cause", "certificate.parties", "documents.stated.note"):
        assert squeezed(sentence(code, {}, language)) not in text
    assert STARTED.nonce.hex() not in text
    assert STARTED.plan.urls[0] not in text


def test_whoever_has_reports_and_beginning_makes_the_same_pdf():
    again = parse_started(encode_started(STARTED))
    made = render_cleanliness(BEFORE, AFTER, Language.ZH, started=STARTED)
    assert made == render_cleanliness(parse(encode(BEFORE)), parse(encode(AFTER)), Language.ZH, started=again)
    other = replace(STARTED, case_number="（2026）渝0103民初2号")
    assert made != render_cleanliness(BEFORE, AFTER, Language.ZH, started=other)

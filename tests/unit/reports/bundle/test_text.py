"""Text files and e-mails: every character of every encoding, numbered lines, a bounded number of pages."""

from __future__ import annotations

import re
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.bundle import text_pages
from reports.bundle.encodings import decode
from reports.bundle.mail import mail_lines
from reports.bundle.problem import UnprintableError
from reports.bundle.text_pages import numbered
from tests.unit.reports.bundle.printing import print_file

SAMPLE = Path(__file__).parents[4] / "assets" / "sample_case"
TEXT = "甲方：王䶮，乙方：李㛃\r\n货款 132,000 元；€ 𠮷\r\n"


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("gb18030", "GB18030"), ("utf-16", "UTF-16LE"), ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"), ("utf-32", "UTF-32LE"),
    ],
)  # fmt: skip
def test_encodings(codec, name):
    result = print_file("协议.txt", TEXT.encode(codec))
    page = result.texts[result.body.start]
    assert f"文本（{name}）" in page
    assert "甲方：王䶮，乙方：李㛃" in page
    assert "货款132,000元；€𠮷" in page
    assert "U+FEFF" not in page


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)) * 8,
        b"\xef\xbb\xbf\xff",
        b"\xff\xfe\x00\xd8",
        "中文".encode("gb18030") * 40 + b"\xff",
        b"\0" * 64,
    ],
)
def test_what_is_no_text(data):
    result = print_file("不是文本.txt", data)
    assert result.reasons == ["encoding"]


def test_empty():
    result = print_file("空.txt", b"")
    assert result.reasons == ["empty"]
    assert "文件没有内容" in result.texts[result.body.start]


def test_lines_are_numbered_as_in_the_file():
    result = print_file("行.txt", "".join(f"内容{index}号\n" for index in range(1, 200)).encode())
    joined = "".join(result.texts[result.body])
    for index in (1, 2, 63, 64, 65, 199):
        assert re.search(rf"(?<!\d){index}内容{index}号", joined)


def test_line_breaks():
    text = "a\nb\r\nc\rd\f\n\ne\u2028f"
    assert [(line.number, line.text) for line in numbered(text)] == [
        (1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, ""), (6, ""), (7, "e"), (8, "f"),
    ]  # fmt: skip
    assert [line.text for line in numbered("a\n\n")] == ["a", ""]
    assert list(numbered("")) == []


def test_long_lines_wrap_and_nothing_is_lost():
    text = "一二三四五六七八九十" * 300
    result = print_file("长行.csv", text.encode("gb18030"))
    joined = re.sub(r"第\d+页共\d+页|[^一二三四五六七八九十]", "", "".join(result.texts[result.body]))
    assert text in joined or joined.count("一二三四五六七八九十") >= 290


def test_what_no_font_has_and_what_deceives_is_shown():
    result = print_file("聊天.txt", "好的😀 a\u202eb \x1b[2J e\u0301".encode())
    page = result.texts[result.body.start]
    assert "好的〔U+1F600〕" in page
    assert "〔U+202E〕" in page
    assert "〔U+001B〕" in page


def test_pages_are_bounded(monkeypatch):
    monkeypatch.setattr(text_pages, "MOST_PAGES", 2)
    result = print_file("日志.log", b"line\n" * 1000)
    assert result.reasons == ["too_many_pages"]
    assert "以上为前2页" in result.texts[-1]
    assert result.printed.pages == 5


def test_bytes_are_bounded(monkeypatch):
    monkeypatch.setattr(text_pages, "MOST_BYTES", 1001)
    result = print_file("日志.log", "中".encode() * 1000)
    assert result.reasons == ["too_many_pages"]
    assert "中中中" in result.texts[result.body.start]


def test_html_is_printed_as_source():
    result = print_file("网页.html", "<script>alert('你好')</script>".encode())
    assert "<script>alert('你好')</script>" in result.texts[result.body.start]


def test_a_file_without_extension_is_text_when_it_reads_as_such():
    assert "聊天内容" in print_file("记录", "聊天内容\n".encode()).texts[2]
    assert print_file("记录", b"\x7fELF\x02\x01\x01\0").reasons == ["kind"]


def test_the_sample_e_mail():
    result = print_file("对账邮件.eml", (SAMPLE / "对账邮件.eml").read_bytes())
    page = result.texts[result.body.start]
    for text in (
        "孙既白<sunjibai@muhe-drinks.example>",
        "关于LS-CG-2026-0312号",
        "已到期未付：250,000.00元",
        "ESMTPSid4t9QkR2Lz8",
    ):
        assert text in page
    assert "6ZKx5Lya6K6h" not in page, "nobody reads base64"


def test_attachments_of_an_e_mail_are_named_with_digests():
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "张三 <a@example>", "b@example", "合同"
    message.set_content("见附件。\n")
    message.add_alternative("<b>见附件，HTML</b>", subtype="html")
    message.add_attachment(
        "甲方".encode("gb18030"), maintype="application", subtype="pdf", filename="合同.pdf"
    )
    page = print_file("信.eml", message.as_bytes()).texts[2]
    assert "见附件。" in page
    assert "HTML" not in page
    assert "合同.pdfapplication/pdf4字节SHA-256" in page


def test_an_old_e_mail_in_gb2312():
    data = (
        b"From: a@example\r\nSubject: x\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n"
        + "货款已付，王䶮".encode("gb18030")
    )
    assert "货款已付，王䶮" in print_file("信.eml", data).texts[2]


@pytest.mark.parametrize(
    "data",
    [
        b"no mail at all", b'From: a\nContent-Type: multipart/mixed; boundary=""\n\n--\n', b"From: =?x?q?\xff?=\nDate: \xff\n\nhi",
        b"From: a\nContent-Type: text/plain; charset=nonsense\n\nhi\n", b"From: a@[\n\nhi", b"From: a\n" + b"To: <" * 500 + b"\n\nhi",
    ],
)  # fmt: skip
def test_odd_e_mails_are_printed_somehow(data):
    result = print_file("信.eml", data)
    assert result.printed.pages >= 3


@pytest.mark.parametrize(
    "data",
    [
        b"From: a\nTo: " + b"a " * 2_000_000 + b"\n\nhi",
        b"From: a\rTo: a\r" + b" a\r" * 2_000_000 + b"\r\rhi",
        b"From: a\n" + (b"To: " + b"a " * 8_000 + b"\n") * 200 + b"\nhi",
        b"From: a\nContent-Type: text/plain" + b"; a=b" * 500_000 + b"\n\nhi",
        b"From: a\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 1_000_000,
    ],
)
@pytest.mark.timeout(60)
def test_e_mails_that_would_take_hours_are_not_decoded(data):
    """The library's parser of headers is quadratic; such a file is printed as the text it is."""
    assert mail_lines(data, lambda code, **_: code) is None


def test_nested_beyond_reason():
    data = b"From: a\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (index, index) for index in range(3000)
    )
    assert print_file("套娃.eml", data).printed.pages >= 3


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(min_size=1, max_size=400))
def test_decoding_any_bytes(data):
    with suppress(UnprintableError):
        found = decode(data, whole=True)
        assert found.text.encode(found.encoding.lower()) in data


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=300),
    st.sampled_from(["a.txt", "a.eml"]),
)
def test_any_text_is_printed(text, name):
    assert print_file(name, text.encode()).printed.pages >= 3


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300))
def test_any_e_mail_is_printed(data):
    assert print_file("a.eml", b"From: a@b\nContent-Type: " + data).printed.pages >= 3

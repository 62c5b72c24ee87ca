"""Page numbers: stamped, in the catalog, on title pages and in the bookmarks they are the same."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterable
from typing import cast

import pikepdf
import pytest

from evidence_desk.core.bundle import BundleCertificate
from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError
from evidence_desk.texts import Language
from tests.unit.reports.bundle.printing import add_page, item, print_file, print_items, saved, words
from tests.unit.reports.samples import RARE, a_court


def pdf_of(count: int, text: str = "page") -> bytes:
    with pikepdf.Pdf.new() as document:
        for index in range(count):
            add_page(document, words(f"{text} {index + 1}"))
        return saved(document)


def outline(pdf: bytes) -> list[tuple[int, str, int]]:
    """(depth, title, page) of every bookmark."""
    found: list[tuple[int, str, int]] = []
    with pikepdf.open(io.BytesIO(pdf)) as document:
        places = {page.obj.objgen: number for number, page in enumerate(document.pages, 1)}

        def walk(entries: Iterable[pikepdf.OutlineItem], depth: int) -> None:
            for entry in entries:
                found.append((depth, entry.title, places[cast("pikepdf.Array", entry.destination)[0].objgen]))
                walk(entry.children, depth + 1)

        with document.open_outline() as marks:
            walk(marks.root, 0)
    return found


def test_numbers_agree_everywhere():
    items = [
        item({"甲.pdf": pdf_of(index % 4 + 1), "乙.txt": "文字\n".encode()}, index) for index in range(1, 41)
    ]
    result = print_items(*items)
    texts, pages = result.texts, result.printed.pages
    for number, text in enumerate(texts, 1):
        assert re.findall(r"第(\d+)页共(\d+)页", text) == [(str(number), str(pages))]
    catalog = "".join(texts[: result.printed.ranges[0][0] - 1])
    assert result.printed.ranges[0][0] > 2, "the catalog itself has several pages"
    marks = [(title, page) for depth, title, page in outline(result.pdf) if depth == 0]
    assert marks[0] == ("证据目录", 1)
    at = result.printed.ranges[0][0]
    for index, (first, last) in enumerate(result.printed.ranges):
        number = index + 1
        assert first == at
        assert (f"{first}–{last}" if last < 100 else f"{first}–") in catalog  # a narrow column wraps
        assert f"证据{number}证据名称{number}" in texts[first - 1]
        assert f"卷内页码第{first}–{last}页" in texts[first - 1]
        assert marks[number] == (f"证据{number}\u3000证据名称{number}", first)
        for page in texts[first - 1 : last]:
            assert items[index].exhibit.number in page
        at = last + 1
    assert at == pages + 1


def test_bookmarks_of_files_lead_to_their_first_page():
    result = print_items(
        item({"一.pdf": pdf_of(3, "ONE"), "录像.mp4": b"\0\1\2", "二.pdf": pdf_of(2, "TWO")})
    )
    marks = {title: page for depth, title, page in outline(result.pdf) if depth == 1}
    assert list(marks) == ["一.pdf", "录像.mp4", "二.pdf"]
    assert "ONE1" in result.texts[marks["一.pdf"] - 1]
    assert "不能打印，另附光盘/存储介质" in result.texts[marks["录像.mp4"] - 1]
    assert "TWO1" in result.texts[marks["二.pdf"] - 1]
    title = result.texts[result.printed.ranges[0][0] - 1]
    assert f"第{marks['一.pdf']}–{marks['一.pdf'] + 2}页" in title
    assert "未打印" in title


def test_a_certificate_over_two_exhibits_stands_once():
    certificate = BundleCertificate(number="EC-1111-2222-3333-4444-5", pdf=pdf_of(2, "CERT"))
    first = item({"一.txt": b"one\n"}, 1, certificate=certificate)
    second = item({"二.txt": b"two\n"}, 2, certificate=certificate)
    result = print_items(first, second)
    places = [number for number, text in enumerate(result.texts, 1) if "CERT" in text]
    assert len(places) == 2
    assert "以经电子签名的PDF文件为准" in result.texts[places[0] - 1]
    for start, _ in result.printed.ranges:
        said = f"EC-1111-2222-3333-4444-5（第{places[0]}–{places[1]}页）"
        assert said in result.texts[start - 1]
    assert result.printed.ranges[0][1] == places[1]


def test_what_is_not_there_is_said():
    title = print_items(item({"一.txt": b"one\n"}, token=None)).texts[1]
    assert "未盖时间戳" in title
    assert "未上链" in title
    assert "存证证书未出具" in title
    anchored = print_items(item({"一.txt": b"one\n"}, court=a_court())).texts[1]
    assert "court-cq-1，第120号区块" in anchored
    assert "未上链" not in anchored


def test_digests_are_on_the_title_page_and_every_copy_says_it_is_one():
    result = print_items(item({"合同.pdf": pdf_of(2), "说明.txt": b"text\n"}))
    entry = item({"合同.pdf": pdf_of(2)}).exhibit.files[0]
    title = result.texts[result.printed.ranges[0][0] - 1]
    assert entry.digests.sha256.hex() in title
    assert entry.digests.sm3.hex() in title
    for text in result.texts[result.body]:
        assert "打印件；以原始数据为准（摘要见本证据首页）" in text


@pytest.mark.parametrize("demo", [True, False])
def test_demo_is_marked_on_every_page_and_nothing_else_is(demo):
    result = print_items(item({"合同.pdf": pdf_of(2), "录像.mp4": b"\0"}), demo=demo)
    marked = ["演示/非第三方" in text for text in result.texts]
    assert marked == [demo] * len(marked)


def test_rare_names():
    result = print_items(item({f"{RARE}的合同.pdf": pdf_of(1)}, title=f"{RARE}的合同"))
    assert outline(result.pdf)[2][1] == f"{RARE}的合同.pdf"
    assert all(f"{RARE}的合同.pdf" in text for text in result.texts[result.body])
    assert f"{RARE}的合同" in result.texts[result.printed.ranges[0][0] - 1]


def test_names_that_deceive_are_shown_as_what_they_are():
    result = print_file("报告\u202etxt.pdf", pdf_of(1))
    assert "报告〔U+202E〕txt.pdf" in result.texts[result.printed.ranges[0][0] - 1]


def test_english():
    result = print_items(item({"合同.pdf": pdf_of(1)}), language=Language.EN)
    assert re.search(rf"Page3of{result.printed.pages}", result.texts[2])
    assert "Printedcopy;theoriginaldataprevail" in result.texts[2]
    assert not any("第" in text and "共" in text and "页" in text for text in result.texts)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler is not here")
def test_another_reader_extracts_the_same_numbers(tmp_path):
    result = print_items(item({"合同.pdf": pdf_of(3)}), item({"乙.txt": "你好\n".encode()}, 2))
    path = tmp_path / "卷宗.pdf"
    path.write_bytes(result.pdf)
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    assert done.stderr == b""
    pages = done.stdout.decode("utf-8").split("\f")[:-1]
    assert len(pages) == result.printed.pages
    for number, text in enumerate(pages, 1):
        assert f"第{number}页共{len(pages)}页" in re.sub(r"\s", "", text)


def test_many_files_make_several_title_pages_and_the_numbers_still_hold():
    files = {f"文件{index:03d}.txt": b"line\n" for index in range(60)}
    result = print_items(item(files), item({"尾.txt": b"end\n"}, 2))
    first, last = result.printed.ranges[0]
    titles = last - first + 1 - 60
    assert titles > 3
    listed = "".join(result.texts[first - 1 : first - 1 + titles])
    for index in range(60):
        page = first + titles + index
        assert f"文件{index:03d}.txt" in result.texts[page - 1]
        assert f"第{page}页" in listed


def test_progress_and_cancel():
    seen: list[tuple[str, int, int]] = []
    print_items(item({"一.pdf": pdf_of(3), "二.txt": b"x\n"}), job=Job(lambda *step: seen.append(step)))
    assert {step[0] for step in seen} == {"bundle"}
    assert [step[1] for step in seen] == sorted(step[1] for step in seen)
    assert seen[-1][1:] == (2, 2)
    total = len(seen)
    for stop in range(total):
        count = 0
        job = Job()

        def report(*_: object, stop: int = stop, job: Job = job) -> None:
            nonlocal count
            count += 1
            if count > stop:
                job.cancel()

        job._report = report
        if stop == total - 1:
            continue  # canceled after the last step
        with pytest.raises(CanceledError):
            print_items(item({"一.pdf": pdf_of(3), "二.txt": b"x\n"}), job=job)

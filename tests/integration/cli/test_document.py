"""``evidence-desk document``: four PDFs of a case, and what is refused."""

from __future__ import annotations

import pypdfium2
import pytest

from evidence_desk.bootstrap.opening import open_session
from evidence_desk.texts import Language
from tests.integration.cli.conftest import SECRET

TITLES = {
    "source": ("来源和制作经过说明", "Statement of Source and Making"),
    "catalog": ("证据目录", "List of Exhibits"),
    "custody": ("保管记录", "Custody Record"),
    "record": ("取证笔录", "Record of Obtaining Evidence"),
}


def text_of(path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        return "".join(page.get_textpage().get_text_bounded() for page in document)
    finally:
        document.close()


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", TITLES)
def test_each_document_of_several_exhibits(run, number, prepared, tmp_path, kind, language):
    (other,) = run("seal", prepared.files / "合同.txt", "--case", "（2026）沪01民初1号", "--json").document[
        "exhibits"
    ]
    path = tmp_path / "文书.pdf"
    said = run("document", kind, number, other["number"], "-o", path, "--lang", language.value, "--json")
    assert said.status == 0
    text = text_of(path)
    assert said.document == {
        "document": kind, "exhibits": [number, other["number"]], "pages": said.document["pages"], "path": str(path),
        "unprintable": [],
    }  # fmt: skip
    assert TITLES[kind][language is Language.EN] in text
    for each in (number, other["number"]):
        assert each in text
    assert "（2026）沪01民初1号" in text


def test_it_tells_where_it_lies_and_replaces_nothing_unasked(run, number, tmp_path):
    path = tmp_path / "目录.pdf"
    said = run("document", "catalog", number, "-o", path)
    assert (said.status, said.out.strip()) == (0, f"已制作证据目录：{path}")
    first = path.read_bytes()
    again = run("document", "catalog", number, "-o", path, "--json")
    assert (again.status, again.document["error"]["code"]) == (64, "output.exists")
    assert path.read_bytes() == first
    assert run("document", "catalog", number, "-o", path, "--force").status == 0


def test_making_documents_leaves_no_trace(run, number, tmp_path):
    before = run("custody", number, "--json").document
    for kind in TITLES:
        assert run("document", kind, number, "-o", tmp_path / kind).status == 0
    assert run("custody", number, "--json").document == before


@pytest.mark.parametrize("kind", TITLES)
def test_bad_input(run, number, prepared, tmp_path, kind):
    path = tmp_path / "x.pdf"

    def refused(*numbers: str) -> tuple[int, str]:
        said = run("document", kind, *numbers, "-o", path, "--json")
        assert not path.exists()
        return said.status, said.document["error"]["code"]

    (other,) = run("seal", prepared.files / "合同.txt", "--case", "另案", "--json").document["exhibits"]
    assert refused(number, number) == (64, "documents.repeated")
    assert refused(number, other["number"]) == (64, "documents.several_cases")
    assert refused("ED-0000-0000-0000-0000-0") == (66, "find.exhibit")
    assert refused("nonsense") == (65, "malformed.number")
    assert refused() == (64, "cli.usage")
    nowhere = run("document", kind, number, "-o", tmp_path / "none" / "x.pdf", "--json")
    assert (nowhere.status, nowhere.document["error"]["code"]) == (74, "output.unwritable")


def test_without_a_kind_it_shows_help(run):
    said = run("document")
    assert said.status == 0
    for kind in TITLES:
        assert kind in said.out


def test_after_a_restore_earlier_events_are_compared_where_that_can_be(run, number, tmp_path):
    assert run("recheck", number, "--operator", "孙").status == 0
    assert run("backup", tmp_path / "b").status == 0
    fresh = tmp_path / "fresh"
    assert run("restore", tmp_path / "b", "--vault", fresh).status == 0
    uncompared = "未能与日志条目核对"

    def said() -> str:
        path = tmp_path / "保管.pdf"
        assert run("document", "custody", number, "-o", path, "--vault", fresh, "--force").status == 0
        text = "".join(text_of(path).split())
        assert "登记在恢复之前的日志中" in text
        assert "复核原件：完好" in text
        return text.replace(f"凡{uncompared}的已注明", "")

    assert uncompared not in said()
    with open_session(fresh, SECRET) as opened:
        database = opened.vault._database
        for (name,) in database.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
            database.script(f"DROP TRIGGER {name}")
        database.script("UPDATE custody SET operator = '他人' WHERE action = 'rechecked'")
    assert uncompared in said()

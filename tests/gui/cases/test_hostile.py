"""Names that try to turn, break or format what is shown."""

from __future__ import annotations

import pytest

from evidence_desk.services import annotate
from tests.gui.cases.acting import settled
from tests.gui.cases.rows import add_case, exhibit, insert
from ui.cases.entries import Entry, EntryModel
from ui.cases.exhibits import Column
from ui.plain import lines, plain, tip

HOSTILE = {
    "turned": "合同\u202egpj.exe",
    "broken": "第一行\n第二行\r\x00\x1b[31m",
    "html": "<img src=file:///etc/passwd><b>粗</b>",
    "long": "长" * 10_000,
    "lone": "\udcff坏",
    "mnemonic": "甲&乙&&丙",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_nothing_is_left_of_what_could_harm(name):
    for text in (plain(name), *lines(name)):
        assert all(char.isprintable() or char == "\u3000" for char in text)
        assert len(text) <= 2_001 * 8
    assert len(plain("x" * 10_000)) == 241
    assert "<img" not in tip(name)
    assert "\u202e" not in tip(name)


def test_what_is_common_stays():
    assert plain("甲公司　乙公司\u00a0丙") == "甲公司　乙公司 丙"
    assert lines("一\n二") == ["一", "二"]
    assert tip("") == ""


def test_a_vault_of_them_is_listed_searched_and_opened(session, open_page, window, qtbot, messages):
    case = "案\u202e号<b>&"
    add_case(session, case, {"court": "法院\n<h1>", "parties": ["甲" * 5_000, "\u2066乙"]})
    # A lone surrogate or NUL never gets into the database: names on disk come in with U+FFFD.
    names = [name.replace("\x00", "") for kind, name in HOSTILE.items() if kind != "lone"]
    leaves = insert(
        session,
        [
            exhibit(at, 1 + at, session.vault.origin, case=case, title=name, path=name)
            for at, name in enumerate(names)
        ],
    )
    for leaf in leaves:
        annotate.add_tag(session.desk, leaf, "标&签<i>")
    page = open_page()
    assert page.model.rowCount() == len(HOSTILE) - 1
    page.cases.choose(case)
    settled(page, qtbot)
    for row in range(page.model.rowCount()):
        page.table.stand_on(row)
        page.open_detail()
        settled(page, qtbot)
        title = page.detail.title.text()
        assert "\n" not in title
        assert "\u202e" not in title
        assert len(title) < 300
        tooltip = page.model.data(page.model.index(row, Column.NAME), 3)
        assert "<img" not in tooltip
        assert not window.grab().isNull()
    assert page.head.number.text() == "案\\u{202e}号<b>&"
    for text in HOSTILE.values():
        page.filters.text.setText(text)
        settled(page, qtbot)
    assert not messages.errors
    assert window.width() <= 1400


def test_entries_keep_qts_rules(qtmodeltester):
    model = EntryModel()
    model.show([Entry(lines=("一", "二"), item=1), Entry(lines=("三",))])
    qtmodeltester.check(model, force_py=True)
    assert "二" in model.data(model.index(0), 3)

"""The page: cases, list, filters, choice, room."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QDate, Qt

from evidence_desk.services import annotate
from evidence_desk.services.browse import Order
from evidence_desk.texts import Language
from tests.gui.cases.acting import CASE, OTHER, choose, settled, titles
from ui.cases.exhibits import Column
from ui.look.tokens import Scheme
from ui.page import PageName

ALL = ["录音.mp3", "付款凭证.png", "聊天记录.txt", "买卖合同.pdf"]


def test_what_is_there_is_listed_newest_first(page):
    assert titles(page) == ALL
    assert page.found.text() == "共 4 件"
    words = page.model.index(3, Column.STATES).data()
    assert words == "已登记，已入本地日志，已盖时间戳，未上链，已出证"
    assert page.model.index(0, Column.STATES).data() == "已登记，已入本地日志，未盖时间戳，未上链，未出证"


def test_cases_tell_who_and_what_is_missing(page, qtbot):
    entries = [entry.lines for entry in page.cases.list.entries.entries]
    assert entries[0][0] == "全部案件"
    assert entries[1] == (OTHER, "未填写法院和当事人", "1 件，1 件未盖时间戳，1 件未上链，1 件未出证")
    assert entries[2] == (CASE, "重庆市某区人民法院　甲公司；乙公司", "3 件，3 件未上链，2 件未出证")
    page.cases.choose(CASE)
    settled(page, qtbot)
    assert titles(page) == ALL[1:]
    assert "买卖合同纠纷" in page.head.about.text()
    assert page.menus.case_button.isVisible()


@pytest.mark.parametrize(
    ("text", "found"),
    [("录音", ["录音.mp3"]), ("合同", ["买卖合同.pdf", "付款凭证.png", "聊天记录.txt"]), ("三丰 凭证", ["付款凭证.png"]), ("龘", [])],
)  # fmt: skip
def test_words_find_what_holds_them(page, qtbot, text, found):
    page.filters.text.insert(text)
    assert page.filters.pending  # not at every key
    settled(page, qtbot)
    assert sorted(titles(page)) == sorted(found)
    assert page.found.text().startswith(f"筛选出 {len(found)} 件")
    assert page.nothing.isVisible() == (not found)


def test_filters_narrow_and_are_cleared(page, qtbot, session, filled):
    annotate.add_tag(session.desk, filled[1].leaf_hash, "重要")
    page._refresh()
    settled(page, qtbot)
    filters = page.filters

    def found() -> list[str]:
        settled(page, qtbot)
        return titles(page)

    next(iter(filters._tags.values())).setChecked(True)
    assert found() == ["聊天记录.txt"]
    filters.reset()
    filters.state.setCurrentIndex(filters.state.findText("已出证"))
    assert found() == ["买卖合同.pdf"]
    filters.state.setCurrentIndex(filters.state.findText("仅入本地日志"))
    assert found() == ["录音.mp3"]
    filters.reset()
    filters.kind.setCurrentIndex(filters.kind.findData("communication"))
    assert found() == []
    filters.reset()
    filters.since.setDate(QDate.currentDate().addDays(3))
    assert found() == []
    filters.since.setDate(QDate.currentDate().addDays(-2))
    filters.until.setDate(QDate.currentDate().addDays(2))
    assert found() == ALL
    assert filters.active == 2
    assert filters.more.text() == "筛选（2）"
    filters.set_order(Order.OLDEST)
    assert found() == ALL[::-1]
    filters.reset()
    assert filters.active == 0


def test_selected_rows_are_ranges(page, qtbot):
    page.table.selectAll()
    assert page.table.chosen.ranges == ((0, 3),)
    assert page.found.text() == "共 4 件　已选 4 件"
    page.table.select([0, 2])
    assert page.table.chosen.ranges == ((0, 0), (2, 2))
    assert page.chosen_or_all.count == 2
    page.table.clearSelection()
    assert page.chosen_or_all.ranges == ((0, 3),)
    assert not page.certify.isEnabled()


def test_certifying_goes_to_its_page_with_the_selected(page, qtbot, filled):
    asked: list[tuple[object, object]] = []
    page.wanted.disconnect()
    page.wanted.connect(lambda name, item: asked.append((name, item)))
    page.table.select([0, 3])
    page.certify.click()
    qtbot.waitUntil(lambda: bool(asked))
    assert asked == [(PageName.CERTIFY, [filled[3].leaf_hash, filled[0].leaf_hash])]


def test_the_keyboard_does_it_all(page, window, qtbot):
    window.activateWindow()
    page.table.setFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_Down)
    qtbot.keyClick(page.table, Qt.Key.Key_Down)
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    settled(page, qtbot)
    assert page.detail.isVisible()
    first = page.detail.facts.row.title
    qtbot.keyClick(page.table, Qt.Key.Key_Down)
    settled(page, qtbot)
    assert page.detail.facts.row.title == titles(page)[titles(page).index(first) + 1]
    page._on_escape()
    assert not page.detail.isVisible()
    page._on_search()
    assert page.filters.text.hasFocus() or not window.isActiveWindow()


def test_archived_cases_are_hidden_until_asked_for(page, qtbot, messages):
    page.cases.choose(CASE)
    page.menus.archive.trigger()
    settled(page, qtbot)
    assert titles(page) == ["录音.mp3"]
    assert page.cases.number is None
    assert page.told.isVisible()
    page.cases.archived.setChecked(True)
    settled(page, qtbot)
    assert titles(page) == ALL
    page.told.undo()
    settled(page, qtbot)
    page.cases.archived.setChecked(False)
    settled(page, qtbot)
    assert titles(page) == ALL
    assert not messages.errors


def test_other_pages_show_things_here(page, window, qtbot, session, filled):
    page.filters.text.setText("录音")
    settled(page, qtbot)
    window.show_page(PageName.CASES, filled[1].leaf_hash)
    settled(page, qtbot)
    assert page.cases.number == CASE
    assert page.table.row == 1
    assert page.detail.facts.row.title == "聊天记录.txt"
    page.show_item(OTHER)
    settled(page, qtbot)
    assert titles(page) == ["录音.mp3"]
    annotate.archive_case(session.desk, CASE)
    page.show_item([filled[0].leaf_hash, filled[2].leaf_hash])
    settled(page, qtbot)
    assert page.table.chosen.ranges == ((0, 0), (2, 2))
    assert page.cases.archived.isChecked()
    page.show_item([row.leaf_hash for row in filled])  # of several cases
    settled(page, qtbot)
    assert page.cases.number is None
    assert page.table.chosen.count == 4


def test_what_is_sealed_meanwhile_comes_and_the_choice_does_not_slip(page, window, qtbot, put):
    choose(page, "聊天记录.txt", qtbot)
    put("补充.txt")
    window.context.desk.changed.emit()
    settled(page, qtbot)
    assert titles(page) == ["补充.txt", *ALL]
    row = page.table.row
    assert page.table.chosen.ranges == ((row, row),)
    assert page.model.held(row).title == "聊天记录.txt"
    assert page.detail.facts.row.title == "聊天记录.txt"


def test_locked_while_a_page_is_fetched(page, window, qtbot):
    page._refresh()
    page.show_item(CASE)
    page.filters.text.setText("合同")
    page.filters.changed.emit()
    window.context.desk.lock()
    qtbot.waitUntil(lambda: not window.context.tasks.busy())
    assert PageName.CASES not in window.pages
    assert window.context.desk.folder is None


def test_the_language_changes_while_it_is_shown(page, window, qtbot):
    page.cases.choose(CASE)
    settled(page, qtbot)
    choose(page, "买卖合同.pdf", qtbot)
    window.context.tongue.set_language(Language.EN)
    assert page.found.text() == "3 exhibits　1 selected"
    assert "Not anchored" in page.model.index(0, Column.STATES).data()
    assert page.detail.tabs.tabText(1) == "Files 1"
    assert page.detail.custody.list.entries.entries[0].lines[0] == "certificate issued"
    assert page.cases.list.entries.entries[0].lines[0] == "All cases"
    assert page.filters.state.itemText(0) == "Every state"
    window.context.tongue.set_language(Language.ZH)
    assert page.detail.tabs.tabText(1) == "文件 1"


@pytest.mark.parametrize(
    ("width", "cases", "middle"), [(1500, True, True), (1000, False, True), (640, False, False)]
)
def test_it_is_laid_out_for_the_room_there_is(page, window, qtbot, width, cases, middle):
    window.resize(width, 600)
    choose(page, "买卖合同.pdf", qtbot)
    qtbot.waitUntil(lambda: page.cases.list.isVisible() == cases)
    qtbot.waitUntil(lambda: page.table.isVisible() == middle)
    assert page.detail.isVisible()
    page.close_detail()
    qtbot.waitUntil(page.table.isVisible)
    assert window.width() == width  # nothing forces the window wider


def test_it_fits_the_smallest_window(page, window, qtbot):
    window.resize(640, 480)
    choose(page, "买卖合同.pdf", qtbot)
    page.filters.more.setChecked(True)
    for at in range(page.detail.tabs.count()):
        page.detail.tabs.setCurrentIndex(at)
        qtbot.waitUntil(lambda: (window.width(), window.height()) == (640, 480))


def test_schemes(page, window, qtbot):
    choose(page, "买卖合同.pdf", qtbot)
    for scheme in (Scheme.DARK, Scheme.CONTRAST, Scheme.LIGHT):
        window.context.look.set_scheme(scheme)
        assert not window.grab().isNull()


def test_an_empty_vault_says_what_to_do(window, open_page, qtbot):
    page = open_page()
    assert page.empty.isVisible()
    assert not page.splitter.isVisible()

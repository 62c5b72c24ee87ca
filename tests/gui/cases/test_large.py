"""Twenty thousand exhibits: what is held, what is fetched, how the list follows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex

from evidence_desk.services.browse import Order
from tests.gui.cases.acting import settled
from tests.gui.cases.rows import fill
from tests.gui.watchdog import Watchdog
from ui.cases.exhibits import KEPT, PAGE, WANTED, Column, ExhibitModel

SIZE = 20_000
SOME = 3_000


@pytest.fixture
def leaves(session) -> list[bytes]:
    return fill(session, SIZE)


@pytest.fixture
def some(session) -> list[bytes]:
    return fill(session, SOME)


def shown(page) -> bool:
    """Whether every row in sight is here."""
    table = page.table
    first = table.rowAt(0)
    last = table.rowAt(table.viewport().height() - 1)
    last = page.model.rowCount() - 1 if last < 0 else last
    return all(page.model.held(row) is not None for row in range(first, last + 1))


def test_it_is_scrolled_to_the_end_and_filtered(leaves, open_page, qtbot):
    page = open_page()
    watchdog = Watchdog()
    watchdog.start()
    assert page.model.rowCount() == SIZE
    assert page.found.text() == "共 20,000 件"
    bar = page.table.verticalScrollBar()
    fetched: list[int] = []
    page.model.filled.connect(fetched.append)
    for step in range(201):
        bar.setValue(bar.maximum() * step // 200)
        page.table.viewport().repaint()
    qtbot.waitUntil(lambda: shown(page), timeout=20_000)
    assert page.model.held(SIZE - 1).title == "合同"
    assert len(fetched) <= 2 * WANTED  # what was scrolled past was not fetched
    for step in range(60):
        bar.setValue(bar.maximum() * step // 60)
        qtbot.waitUntil(lambda: shown(page), timeout=20_000)
    assert page.model.pages_held <= KEPT
    page.filters.text.setText("合同")
    settled(page, qtbot)
    assert page.model.rowCount() == SIZE // 100
    page.filters.text.setText("")
    page.filters.state.setCurrentIndex(page.filters.state.findText("未盖时间戳"))
    settled(page, qtbot)
    assert page.model.rowCount() == SIZE // 2
    watchdog.stop()
    assert watchdog.longest > 0  # recorded; the bench says what it may be


def test_an_exhibit_far_down_is_found_and_stood_on(some, open_page, qtbot):
    page = open_page()
    page.show_item(some[500])
    settled(page, qtbot)
    assert page.table.row == SOME - 1 - 500
    qtbot.waitUntil(lambda: shown(page), timeout=20_000)
    assert page.model.held(page.table.row).leaf_hash == some[500]
    assert page.detail.facts.row.leaf_hash == some[500]


def test_everything_is_one_range_and_is_resolved_beside_the_window(some, open_page, qtbot, messages):
    page = open_page()
    page.table.selectAll()
    assert page.chosen.ranges == ((0, SOME - 1),)
    assert page.chosen.count == SOME
    assert page.model.pages_held <= 2
    page.certify.click()
    assert [error.code for error in messages.errors] == ["ui_cases.too_many"]


def test_orders(some, open_page, qtbot):
    page = open_page()
    for order, index in ((Order.OLDEST, 0), (Order.LARGEST, SOME - 1)):
        page.filters.set_order(order)
        settled(page, qtbot)
        assert page.model.held(0).leaf_hash == some[index]
    page.filters.set_order(Order.TITLE)
    settled(page, qtbot)
    assert page.model.held(0).title == "合同"


def test_rows_that_are_not_here_are_placeholders_and_come(some, open_page, qtbot):
    page = open_page()
    model = page.model
    far = model.index(1_550, Column.NAME)
    assert far.data() == "…"
    assert model.index(1_550, Column.STATES).data() == ""
    qtbot.waitUntil(lambda: far.data() != "…", timeout=20_000)
    for number in (12, 14, 16, 18, 20, 22):
        model.line(number * PAGE)
    assert len(model._wanted) == WANTED
    settled(page, qtbot)
    qtbot.waitUntil(lambda: not model._wanted, timeout=20_000)
    assert model.held(22 * PAGE) is not None
    assert model.held(12 * PAGE) is None


def test_model_keeps_qts_rules(some, open_page, qtbot, qtmodeltester):
    page = open_page()
    assert isinstance(page.model, ExhibitModel)
    qtmodeltester.check(page.model, force_py=True)
    qtmodeltester.check(page.cases.list.entries, force_py=True)
    assert page.model.rowCount(page.model.index(0, 0)) == 0
    assert page.model.data(QModelIndex()) is None


def test_a_page_that_cannot_be_read_is_told_once(some, open_page, qtbot, messages, session):
    page = open_page()
    session.vault.database.close()
    page.table.scrollToBottom()
    page.table.viewport().repaint()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    for _ in range(5):
        page.table.viewport().repaint()
    settled(page, qtbot)
    assert len(messages.errors) == 1

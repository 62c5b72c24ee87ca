"""What must not be cut short: results and evidence numbers in the list, states and checks in the view; limits that fit."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QTableView

from evidence_desk.core.capture.events import PageState
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.texts import Language
from tests.gui.capture.staged import Stage, snapped, visited
from tests.gui.capture.test_capture import URL, ended, fill
from tests.gui.capture.test_view import sealed, settled, view
from ui.capture.page import CapturePage
from ui.capture.view.pages import PagesTab
from ui.capture.view.records import EnvironmentTab
from ui.capture.view.window import CaptureWindow
from ui.look import tokens
from ui.window import Window

__all__ = ["sealed", "view"]
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")
_MARGIN = 16
"""Padding of a cell on both sides."""


def outcome(page: CapturePage) -> CaptureResult | None:
    return None if page.work.result is None else page.work.result.result


def cut(table: QTableView, *columns: int) -> list[str]:
    """Texts of these columns that have not the room they need."""
    model, short = table.model(), []
    for row in range(model.rowCount()):
        for column in columns:
            index = model.index(row, column, QModelIndex())
            text = str(index.data(Qt.ItemDataRole.DisplayRole))
            icon = tokens.ICON + tokens.XS if index.data(Qt.ItemDataRole.DecorationRole) is not None else 0
            if table.fontMetrics().horizontalAdvance(text) + icon + _MARGIN > table.columnWidth(column):
                short.append(text)
    return short


@pytest.mark.parametrize("language", Language)
def test_results_and_numbers_in_the_list(page: CapturePage, sealed: bytes, window: Window, qtbot, language):
    window.context.tongue.set_language(language)
    page.tabs.setCurrentIndex(1)
    settled(window, qtbot)
    assert page.captures.model.rowCount() == 1
    assert cut(page.captures.table, 0, 1, 4) == []


@pytest.mark.parametrize("language", Language)
def test_states_and_checks_in_the_view(view: CaptureWindow, window: Window, qtbot, language):
    window.context.tongue.set_language(language)
    for at in range(view.tabs.count()):
        view.tabs.setCurrentIndex(at)
        settled(window, qtbot)
    pages, environment = view.parts["pages"], view.parts["environment"]
    assert isinstance(pages, PagesTab)
    assert isinstance(environment, EnvironmentTab)
    assert cut(pages.table, 0) == []
    assert cut(environment.table, 0, 1, 2) == []


def test_what_a_result_does_not_prove_fits_it(page: CapturePage, stage: Stage, window: Window, qtbot):
    fill(page)
    stage.play(visited(1, URL, PageState.FAILED, "capture.page.failed"))
    page.begin.click()
    ended(page, qtbot)
    assert outcome(page) is CaptureResult.FAILED
    assert "按计划完成" not in page.result.limits.text()
    assert "不证明内容真实" in page.result.limits.text()
    page.result.again.click()
    fill(page)
    stage.over.clear()
    stage.play(snapped(1, URL), visited(1, URL))
    page.begin.click()
    ended(page, qtbot)
    assert outcome(page) is CaptureResult.COMPLETE
    assert "按计划完成" in page.result.limits.text()

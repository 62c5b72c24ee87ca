"""What keeps the window's thread short beside work: one question a cell, one measuring a change, no rounds over loaded code."""

from __future__ import annotations

import gc
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QPushButton, QWidget

from ui import interpreter
from ui.context import Context
from ui.widgets.flow import FlowLayout
from ui.widgets.table import RowsModel, plain_table


class _Words(RowsModel[str]):
    def __init__(self, context: Context) -> None:
        super().__init__(context, ("ui.open", "ui.close"))
        self.cells = 0

    def multiData(self, index, span):  # noqa: N802 - Qt's name
        self.cells += 1
        super().multiData(index, span)

    def data(self, index, role=Qt.ItemDataRole.DisplayRole):
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return f"{self.row(index.row())} {index.column()}"
            case Qt.ItemDataRole.DecorationRole if index.column():
                return Qt.GlobalColor.red
        return None


class _AskedEachRole(_Words):
    def multiData(self, index, span):  # noqa: N802 - Qt's name
        super(RowsModel, self).multiData(index, span)


def test_a_cell_is_asked_once_and_looks_the_same(context, qtbot):
    pictures = []
    for model in (_AskedEachRole(context), _Words(context)):
        table = plain_table(context, model, "ui.open_files")
        qtbot.addWidget(table)
        model.reset(["一", "二", "三"])
        table.resize(400, 300)
        pictures.append(table.grab().toImage())
    assert pictures[0] == pictures[1]
    assert 6 <= model.cells <= 12


class _Counted(FlowLayout):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.measured = 0

    def _arrange(self, rect, *, place):
        self.measured += 1
        return super()._arrange(rect, place=place)


@pytest.fixture
def flow(qtbot):  # the widget lives as long as its layout
    holder = QWidget()
    qtbot.addWidget(holder)
    layout = _Counted(holder)
    layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
    for text in ("one", "two", "three"):
        layout.addWidget(QPushButton(text))
    holder.resize(1000, 200)
    holder.show()
    yield layout
    holder.close()


def test_a_width_is_measured_once_until_something_changes(flow):
    flow.heightForWidth(120)
    before = flow.measured
    assert [flow.heightForWidth(120) for _ in range(50)] == [flow.heightForWidth(120)] * 50
    assert flow.measured == before


def test_more_less_and_longer_items_are_measured_anew(flow, qtbot):
    one, narrow = flow.heightForWidth(1000), flow.heightForWidth(90)
    assert narrow > one
    extra = QPushButton("four")
    flow.addWidget(extra)
    extra.show()
    assert flow.heightForWidth(90) > narrow
    extra.hide()
    assert flow.heightForWidth(90) == narrow
    flow.itemAt(0).widget().setText("a word that is much longer than the others" * 3)
    qtbot.waitUntil(lambda: flow.minimumSize().width() > 400)
    assert flow.heightForWidth(600) > one
    flow.takeAt(0).widget().deleteLater()
    assert flow.minimumSize().width() < 400


def test_loaded_code_is_no_more_gone_through():
    interpreter.load.cache_clear()
    before = gc.get_freeze_count()
    try:
        interpreter.load("json")
        assert gc.get_freeze_count() > before
        gc.unfreeze()
        interpreter.load("json")
        assert gc.get_freeze_count() == 0
    finally:
        gc.unfreeze()
        interpreter.load.cache_clear()


def test_turns_are_short():
    before = 0.005
    sys.setswitchinterval(before)
    try:
        interpreter.take_short_turns()
        assert sys.getswitchinterval() < before
    finally:
        sys.setswitchinterval(before)

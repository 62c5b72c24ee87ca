"""The page: cases, list, filters, choice."""

from __future__ import annotations

from tests.gui.cases.acting import titles
from ui.cases.exhibits import Column


def test_what_is_there_is_listed_newest_first(page, qtbot):
    assert titles(page) == ["录音.mp3", "付款凭证.png", "聊天记录.txt", "买卖合同.pdf"]
    assert page.found.text() == "共 4 件"
    words = page.model.index(3, Column.STATES).data()
    assert words == "已登记，已入本地日志，已盖时间戳，未上链，已出证"
    assert page.model.index(0, Column.STATES).data() == "已登记，已入本地日志，未盖时间戳，未上链，未出证"

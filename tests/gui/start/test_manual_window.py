"""The manual's window: pictures no wider than the page, links to headings, nothing from elsewhere."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QImage, QTextDocument
from PySide6.QtWidgets import QTextBrowser

from tests.gui.sweep import nameless
from ui.context import Context
from ui.look.tokens import Scheme
from ui.manual import MANUAL, ManualWindow, _pictures

ROLES = ("lawyer", "notary", "judge", "administrator", "operator")


@pytest.fixture
def manual(context: Context, qtbot) -> ManualWindow:
    made = ManualWindow(context, None)
    qtbot.addWidget(made)
    made.show()
    return made


def reached(text: QTextBrowser) -> str:
    """The heading that a link led to: uppermost, or as high as the page's end lets it."""
    bar, line = text.verticalScrollBar(), text.cursorRect()
    assert line.top() >= 0
    assert line.top() < 2 * line.height() or (
        bar.value() == bar.maximum() and line.bottom() < text.viewport().height()
    )
    return text.textCursor().block().text()


@pytest.mark.parametrize("role", ROLES)
def test_a_page_of_a_role_shows_its_pictures(manual: ManualWindow, qtbot, role):
    text = manual.text
    page = MANUAL.parent / f"{role}.md"
    text.setSource(QUrl(page.name))
    named = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text("utf-8"))
    shown = _pictures(text.document())
    assert [form.name() for _, _, form in shown] == named
    for _, _, form in shown:
        data = text.loadResource(QTextDocument.ResourceType.ImageResource.value, QUrl(form.name()))
        assert not QImage.fromData(data).isNull(), form.name()
    for width in (1400, 620, 900):
        manual.resize(width, 700)
        qtbot.wait(20)
        room = text.viewport().width()
        widths = [form.width() for _, _, form in _pictures(text.document())]
        margins = 2 * text.document().documentMargin()
        assert widths
        assert all(0 < each <= room - margins for each in widths)
    assert nameless(manual) == []


def test_a_link_leads_to_its_heading(manual: ManualWindow, context: Context, qtbot):
    text = manual.text
    qtbot.waitUntil(lambda: text.viewport().height() > 100)
    text.setSource(QUrl("administrator.md#配置"))
    assert reached(text) == "配置"
    assert 0 < text.verticalScrollBar().value() < text.verticalScrollBar().maximum()
    text.setSource(QUrl("backup.md#%E5%8F%AA%E7%94%A8-age-%E5%8F%96%E5%9B%9E%E5%8E%9F%E4%BB%B6"))
    assert reached(text) == "只用 age 取回原件"
    text.setSource(QUrl("certify.md#没有这一节"))
    assert reached(text) == "出证"
    text.setSource(QUrl("administrator.md#配置"))
    context.look.set_scheme(Scheme.DARK)
    assert reached(text) == "配置"


def test_a_page_brings_nothing_from_elsewhere(manual: ManualWindow, tmp_path):
    (tmp_path / "x.png").write_bytes((MANUAL.parent / "images" / "seal.png").read_bytes())
    kind = QTextDocument.ResourceType.ImageResource.value
    text = manual.text
    assert text.loadResource(kind, QUrl("images/seal.png"))
    for address in (
        QUrl.fromLocalFile(str(tmp_path / "x.png")),
        "../../../README.md",
        "http://127.0.0.1:9/x.png",
    ):
        assert text.loadResource(kind, QUrl(address)) is None

"""Every page, in both languages and all looks, at the smallest and a usual size."""

import pytest
from PySide6.QtWidgets import QWidget

from evidence_desk.texts import Language
from tests.gui.sweep import nameless, untranslated
from ui.look.tokens import COLORS, Scheme
from ui.page import PageName
from ui.window import Window


@pytest.mark.parametrize("name", PageName)
def test_every_widget_of_a_page_has_a_name_and_words(window: Window, qtbot, name: PageName):
    page = window.show_page(name)
    assert page is not None
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=20_000)
    for language in (Language.EN, Language.ZH):
        window.context.tongue.set_language(language)
        assert nameless(window) == []
        assert untranslated(window) == []


@pytest.mark.parametrize("scheme", COLORS)
def test_every_page_in_every_look_and_in_the_smallest_window(window: Window, qtbot, scheme: Scheme):
    window.context.look.set_scheme(scheme)
    window.resize(640, 480)
    for name in PageName:
        page = window.show_page(name)
        assert page is not None
        qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=20_000)
        assert not window.grab().isNull()
        assert page.width() <= window.width()


def test_the_gate_has_names_too(window: Window, qtbot):
    window.show_page(PageName.SEAL)
    window.context.desk.lock()
    assert nameless(window) == []


def test_the_order_of_tab_reaches_every_page_button(window: Window, qtbot):
    order: list[QWidget] = []
    start: QWidget = window.rail.buttons[PageName.SEAL]
    item: QWidget | None = start
    for _ in range(2000):
        if item is None or (order and item is start):
            break
        order.append(item)
        item = item.nextInFocusChain()
    places = [order.index(window.rail.buttons[name]) for name in PageName]
    assert places == sorted(places)

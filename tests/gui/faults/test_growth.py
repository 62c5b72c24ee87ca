"""Pages opened and closed many times: nothing is left of them, and nothing of them hears a change of language or look."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from evidence_desk.texts import Language
from ui.look.tokens import COLORS
from ui.page import Page, PageName
from ui.window import Window


def settled(window: Window, qtbot) -> None:
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=20_000)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def once(window: Window, name: PageName, qtbot) -> Page:
    """Make the page, use it for a moment, throw it away as a lock does."""
    page = window.show_page(name)
    assert page is not None
    settled(window, qtbot)
    window.show_page(PageName.VERIFY if name is not PageName.VERIFY else PageName.STATUS)
    del window.pages[name]
    page.leave()
    window.stack.removeWidget(page)
    page.deleteLater()
    settled(window, qtbot)
    return page


@pytest.mark.parametrize("times", [8, pytest.param(200, marks=pytest.mark.full)])
@pytest.mark.parametrize("name", PageName)
def test_no_widget_is_left(window: Window, qtbot, name: PageName, times: int):
    once(window, name, qtbot)
    gc.collect()
    before = len(QApplication.allWidgets())
    for _ in range(times):
        page = once(window, name, qtbot)
        assert not isValid(page)
    gc.collect()
    assert len(QApplication.allWidgets()) <= before
    assert len(window.context.tongue._bound) < 1500
    for language in Language:
        window.context.tongue.set_language(language)
    for scheme in COLORS:
        window.context.look.set_scheme(scheme)


@pytest.mark.parametrize("name", PageName)
def test_changes_between_the_lock_and_the_end_of_a_page(window: Window, qtbot, messages, name: PageName):
    """A page stands until the events come round again; everything may be told to it until then."""
    window.show_page(name)
    settled(window, qtbot)
    context = window.context
    context.desk.lock()
    for language in (Language.EN, Language.ZH):
        context.tongue.set_language(language)
    for scheme in COLORS:
        context.look.set_scheme(scheme)
    for signal in (context.desk.changed, context.tasks.changed, context.demo.changed):
        signal.emit()
    settled(window, qtbot)
    assert messages.errors == []

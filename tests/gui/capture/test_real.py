"""The whole way with the real browser and a town of test sites: form, result, and what the view shows of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from evidence_desk.bootstrap.capturing import capture_tools
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.texts import Language
from tests.gui.capture.test_capture import ended, fill
from tests.gui.screens import save_screen
from tests.gui.sweep import nameless, untranslated
from tests.sites.recording import TownResolver
from tests.sites.town import Town
from ui.capture.page import CapturePage
from ui.capture.view.pages import PagesTab
from ui.capture.view.requests import RequestsTab
from ui.capture.view.sessions import SessionsTab
from ui.capture.view.window import CaptureWindow
from ui.context import Context
from ui.page import PageName
from ui.window import Window


@pytest.fixture(scope="module")
def town():
    with Town() as sites:
        yield sites


@pytest.fixture
def real_page(window: Window, town: Town, qtbot) -> CapturePage:
    page = window.show_page(PageName.CAPTURE)
    assert isinstance(page, CapturePage)
    resolver = TownResolver(addresses=town.addresses)
    page.work.tools = partial(capture_tools, ntp=(), dns=(), resolver=resolver)
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=20_000)
    return page


def shown_window(context: Context, qtbot) -> CaptureWindow:
    def found() -> list[CaptureWindow]:
        return [
            item
            for item in QApplication.topLevelWidgets()
            if isinstance(item, CaptureWindow) and item.isVisible()
        ]

    qtbot.waitUntil(lambda: bool(found()), timeout=30_000)
    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=60_000)
    return found()[0]


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_pages_of_a_town_are_captured_and_looked_at(
    real_page: CapturePage, town: Town, window: Window, qtbot, messages, tmp_path: Path
):
    page, context = real_page, window.context
    root = tmp_path / "ca.der"
    root.write_bytes(town.ca.root_der)
    messages.files.append([root])
    page.form.options._on_add()
    page.form.options.private.click()
    fill(page, "\n".join((town.url("site.test", "/"), town.url("modern.test", "/"))))
    page.begin.click()
    qtbot.waitUntil(lambda: bool(page.work.events) or not page.work.running, timeout=120_000)
    save_screen(window, "capture-running-zh")
    qtbot.waitUntil(lambda: not page.work.running, timeout=240_000)
    ended(page, qtbot)
    assert messages.errors == []
    result = page.work.result
    assert result is not None
    assert result.result in {CaptureResult.COMPLETE, CaptureResult.PARTIAL}
    assert result.exhibit is not None
    save_screen(window, "capture-result-zh")
    page.result.view.click()
    view = shown_window(context, qtbot)
    _look(view, context, qtbot)
    session = context.desk.session
    assert session is not None
    assert any(event.action == "opened" for event in session.vault.exhibits.custody(result.exhibit.leaf_hash))
    context.desk.lock()
    qtbot.waitUntil(lambda: view.view._source.closed, timeout=10_000)


def _look(view: CaptureWindow, context: Context, qtbot) -> None:
    for at in range(view.tabs.count()):
        view.tabs.setCurrentIndex(at)
        qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=60_000)
        qtbot.wait(50)
        qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=60_000)
        for language in (Language.EN, Language.ZH):
            context.tongue.set_language(language)
            assert nameless(view) == []
            assert untranslated(view) == []
            save_screen(view, f"capture-view-{at}-{language.value}")
    pages, requests, sessions = (view.parts[name] for name in ("pages", "requests", "sessions"))
    assert isinstance(pages, PagesTab)
    assert isinstance(requests, RequestsTab)
    assert isinstance(sessions, SessionsTab)
    assert len(pages.pictures.labels) == 1
    assert requests.model.rowCount() > 5
    assert requests.heads.toPlainText().startswith("GET / HTTP/1.1")
    assert "<!doctype html>" in requests.body.toPlainText().lower()
    assert sessions.model.rowCount() >= 2
    assert "CertificateVerify）：正确" in sessions.text.toPlainText()
    assert "SHA-256" in sessions.text.toPlainText()

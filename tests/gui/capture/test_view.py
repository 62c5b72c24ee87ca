"""The view: what it shows of a capture, from the vault, from a file, damaged, hostile."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from evidence_desk.core.capture.events import Denied, Refused
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError, MalformedError, NotFoundError
from evidence_desk.services.capture_view import CaptureView, is_capture, open_exhibit
from tests.gui.capture.staged import PAGE, Stage, snapped, visited
from tests.gui.capture.test_capture import URL, ended, fill
from tests.gui.conftest import RecordedMessages
from tests.gui.sweep import nameless
from ui.capture.page import CapturePage
from ui.capture.view.files import FilesTab
from ui.capture.view.opening import show_file
from ui.capture.view.pages import PagesTab
from ui.capture.view.records import ActionsTab, DifferencesTab, EnvironmentTab
from ui.capture.view.requests import RequestsTab
from ui.capture.view.window import CaptureWindow
from ui.cases.page import CasesPage
from ui.page import PageName
from ui.verify.page import VerifyPage
from ui.window import Window

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def sealed(page: CapturePage, stage: Stage, qtbot) -> bytes:
    """A capture of one page over plain HTTP."""
    fill(page)
    refused = Refused(tab=1, what=Denied.PRINT, url=URL, detail="")
    stage.play(snapped(1, URL), refused, visited(1, URL))
    page.begin.click()
    ended(page, qtbot)
    assert page.work.result is not None
    assert page.work.result.exhibit is not None
    return page.work.result.exhibit.leaf_hash


@pytest.fixture
def wacz(sealed: bytes, window: Window, tmp_path: Path) -> Path:
    """The same as a file outside the vault."""
    session = window.context.desk.session
    assert session is not None
    row = session.vault.exhibits.exhibit(sealed)
    assert row is not None
    item = next(item for item in row.objects if is_capture(item))
    path = tmp_path / "capture.wacz"
    with session.vault.objects.open(item.stored, case_number=row.case_number) as source:
        path.write_bytes(source.read())
    return path


def windows() -> list[CaptureWindow]:
    return [
        item
        for item in QApplication.topLevelWidgets()
        if isinstance(item, CaptureWindow) and item.isVisible()
    ]


def settled(window: Window, qtbot) -> None:
    qtbot.wait(20)
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=30_000)


@pytest.fixture
def view(page: CapturePage, sealed: bytes, window: Window, qtbot) -> CaptureWindow:
    page.result.view.click()
    qtbot.waitUntil(lambda: bool(windows()), timeout=30_000)
    settled(window, qtbot)
    return windows()[0]


def test_pages_and_their_pictures(view: CaptureWindow, window: Window, qtbot):
    pages = view.parts["pages"]
    assert isinstance(pages, PagesTab)
    assert pages.model.rowCount() == 1
    qtbot.waitUntil(lambda: len(pages.pictures.labels) == 1, timeout=20_000)
    before = pages.pictures.labels[0].pixmap().width()
    pages.pictures.set_zoom(200)
    qtbot.waitUntil(
        lambda: bool(pages.pictures.labels) and pages.pictures.labels[0].pixmap().width() == 800,
        timeout=20_000,
    )
    assert before <= 400
    qtbot.keyClick(pages.pictures, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    assert pages.pictures.zoom == 150
    pages.which.setCurrentIndex(2)
    qtbot.waitUntil(lambda: "第一条 中文内容" in pages.text.toPlainText(), timeout=20_000)


def test_a_request_with_heads_and_body(view: CaptureWindow, window: Window, qtbot, messages, tmp_path: Path):
    view.tabs.setCurrentIndex(1)
    requests = view.parts["requests"]
    assert isinstance(requests, RequestsTab)
    qtbot.waitUntil(requests.save.isEnabled, timeout=20_000)
    assert requests.heads.toPlainText().startswith("GET /a HTTP/1.1\nHost: site.test")
    assert "HTTP/1.1 200 OK" in requests.heads.toPlainText()
    assert requests.body.toPlainText() == PAGE.decode()
    requests.form.setCurrentIndex(1)
    requests._show_body()
    assert requests.body.toPlainText().startswith("00000000  3c 21 64 6f")
    requests.form.setCurrentIndex(2)
    requests._show_body()
    settled(window, qtbot)
    assert requests.picture.labels == []
    messages.saves.append(tmp_path / "body.html")
    requests.save.click()
    settled(window, qtbot)
    assert (tmp_path / "body.html").read_bytes() == PAGE
    requests.filter.setText("nothing like that")
    requests.apply()
    assert requests.model.rowCount() == 0
    requests.filter.setText("GET site 200 html")
    requests.apply()
    assert requests.model.rowCount() == 1
    requests.only.setChecked(True)
    assert requests.model.rowCount() == 0


def test_log_machine_differences_and_files(
    view: CaptureWindow, window: Window, qtbot, messages, tmp_path: Path
):
    for at in range(2, view.tabs.count()):
        view.tabs.setCurrentIndex(at)
        settled(window, qtbot)
        assert nameless(view) == []
    actions, environment = view.parts["actions"], view.parts["environment"]
    assert isinstance(actions, ActionsTab)
    assert isinstance(environment, EnvironmentTab)
    assert "前后相连" in actions.state.text()
    assert actions.model.data(actions.model.index(2, 2)) == "页面请求打印，已忽略。"
    assert environment.model.rowCount() == 2
    assert "timedatectl" in environment.text.toPlainText()
    differences = view.parts["differences"]
    assert isinstance(differences, DifferencesTab)
    assert differences.model.rowCount() == 1
    files = view.parts["files"]
    assert isinstance(files, FilesTab)
    names = [files.model.row(at).name for at in range(files.model.rowCount())]
    assert "data.warc.gz" in names
    files.table.selectRow(names.index("stream-000001.bin"))
    digest = files.model.row(names.index("stream-000001.bin")).digest
    messages.saves.append(tmp_path / "stream.bin")
    files.save.click()
    settled(window, qtbot)
    assert hashlib.sha256((tmp_path / "stream.bin").read_bytes()).digest() == digest
    environment.paper.click()
    settled(window, qtbot)
    assert messages.errors == []


def test_it_goes_when_the_vault_locks(view: CaptureWindow, window: Window, qtbot):
    inner = view.view
    window.context.desk.lock()
    assert windows() == []
    qtbot.waitUntil(lambda: inner._source.closed, timeout=10_000)


def test_from_the_page_cases(sealed: bytes, window: Window, qtbot):
    page = window.show_page(PageName.CASES, sealed)
    assert isinstance(page, CasesPage)
    detail = page.detail
    qtbot.waitUntil(lambda: detail.facts is not None, timeout=30_000)
    detail.files.view_asked.emit(0)
    qtbot.waitUntil(lambda: bool(windows()), timeout=30_000)
    windows()[0].close()
    settled(window, qtbot)


def test_from_a_file_on_the_page_verify(wacz: Path, window: Window, qtbot):
    page = window.show_page(PageName.VERIFY)
    assert isinstance(page, VerifyPage)
    page.accept_paths([wacz])
    qtbot.waitUntil(page.detail.look_button.isVisible, timeout=60_000)
    page.detail.look_button.click()
    qtbot.waitUntil(lambda: bool(windows()), timeout=30_000)
    shown = windows()[0]
    assert shown.loose.isVisible()
    window.context.desk.lock()
    assert windows() == [shown]
    shown.close()
    settled(window, qtbot)


def test_a_damaged_file_is_told(
    wacz: Path, window: Window, qtbot, messages: RecordedMessages, tmp_path: Path
):
    data = bytearray(wacz.read_bytes())
    data[data.rindex(b"datapackage-digest.json") - 200] ^= 1
    broken = tmp_path / "broken.wacz"
    broken.write_bytes(data)
    show_file(window.context, window, broken)
    settled(window, qtbot)
    assert [error.code for error in messages.errors] == ["malformed.wacz"]
    assert windows() == []
    show_file(window.context, window, tmp_path / "absent.wacz")
    settled(window, qtbot)
    assert messages.errors[-1].code == "input.unreadable"


def test_every_flipped_byte_is_read_or_refused(wacz: Path):
    """Never another exception, wherever the damage is."""
    whole = wacz.read_bytes()
    step = max(1, len(whole) // 120)
    for at in range(7, len(whole), step):
        data = bytearray(whole)
        data[at] ^= 0x20
        try:
            view = CaptureView(io.BytesIO(bytes(data)))
            for request in view.requests():
                view.answer(request.number)
            for session in view.sessions():
                view.chain(session)
            view.differences()
            view.actions()
            for name in view.files:
                view.save(name, io.BytesIO(), Job())
        except MalformedError:
            continue


def test_what_is_no_capture_is_not_found(wacz: Path, sealed: bytes, window: Window):
    session = window.context.desk.session
    assert session is not None
    with pytest.raises(NotFoundError):
        open_exhibit(session.desk, bytes(32), io.BytesIO, job=Job())
    with open_exhibit(session.desk, sealed, io.BytesIO, job=Job())._source as source:
        source.seek(0)
        assert source.read() == wacz.read_bytes()
    view = CaptureView(wacz.open("rb"))
    with pytest.raises(NotFoundError):
        view.picture("page-999-viewport.png")
    with pytest.raises(NotFoundError):
        view.answer(0)
    with pytest.raises(EvidenceDeskError):
        view.answer(99)
    view.close()

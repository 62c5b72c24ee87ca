"""A disclosure copy from the window: what is chosen, looked at and made; cancel, lock, faults; languages and keyboard."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from evidence_desk.core.capture.redaction import parse_redaction
from evidence_desk.core.job import Job
from evidence_desk.services.capture_view import CaptureView
from evidence_desk.services.disclosure_preview import Preview
from evidence_desk.texts import Language
from tests.gui.capture.staged import Stage, snapped, visited
from tests.gui.capture.test_capture import URL, ended, fill
from tests.gui.capture.test_view import settled, windows
from tests.gui.conftest import RecordedMessages
from tests.gui.sweep import nameless, untranslated
from ui.capture.disclosure import sheet as module
from ui.capture.disclosure.sheet import DisclosureSheet
from ui.capture.page import CapturePage
from ui.capture.view.window import CaptureWindow
from ui.window import Window

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")
KEYS = b"CLIENT_RANDOM " + b"11" * 32 + b" " + b"22" * 48 + b"\n"
COOKIES = b'{"cookies":[]}\n'


@pytest.fixture
def opened(page: CapturePage, stage: Stage, window: Window, qtbot) -> CaptureWindow:
    """The view of a capture that has secrets."""
    stage.private = {"keylog.txt": KEYS, "cookies.json": COOKIES}
    fill(page)
    stage.play(snapped(1, URL), visited(1, URL))
    page.begin.click()
    ended(page, qtbot)
    page.result.view.click()
    qtbot.waitUntil(lambda: bool(windows()), timeout=30_000)
    settled(window, qtbot)
    return windows()[0]


def sheets() -> list[DisclosureSheet]:
    return [
        item
        for item in QApplication.topLevelWidgets()
        if isinstance(item, DisclosureSheet) and item.isVisible()
    ]


@pytest.fixture
def sheet(opened: CaptureWindow) -> DisclosureSheet:
    opened.disclose.click()
    (made,) = sheets()
    return made


def looked(sheet: DisclosureSheet, window: Window, qtbot) -> None:
    sheet.deed.click()
    settled(window, qtbot)
    assert sheet.fault.isHidden()
    assert sheet.stack.currentIndex() == 1


def tick(sheet: DisclosureSheet, name: str) -> None:
    for listed in (sheet.choice.files, sheet.choice.private):
        for at in range(listed.count()):
            if listed.item(at).data(Qt.ItemDataRole.UserRole) == name:
                listed.item(at).setCheckState(Qt.CheckState.Checked)
                return
    raise AssertionError(name)


def custody(window: Window) -> list[str]:
    session = window.context.desk.session
    assert session is not None
    (row,) = session.vault.exhibits.exhibits()
    return [event.action for event in session.vault.exhibits.custody(row.leaf_hash)]


def test_nothing_chosen_nothing_to_look_at(sheet: DisclosureSheet):
    assert not sheet.deed.isEnabled()
    sheet.choice.addresses.setPlainText("  \n ")
    assert not sheet.deed.isEnabled()
    sheet.choice.credentials.setChecked(True)
    assert sheet.deed.isEnabled()
    assert not sheet.choice.secrets.isEnabled()
    sheet.choice.credentials.setChecked(False)
    sheet.choice.secrets.setChecked(True)
    assert sheet.choice.warning.isVisible()
    assert not sheet.choice.credentials.isEnabled()


def test_files_that_everything_else_hangs_on_are_not_offered(sheet: DisclosureSheet):
    names = [
        sheet.choice.files.item(at).data(Qt.ItemDataRole.UserRole) for at in range(sheet.choice.files.count())
    ]
    assert "page-001-viewport.png" in names
    assert not {"data.warc.gz", "manifest.json", "started.json", "connections.jsonl"} & set(names)


def test_what_was_looked_at_is_what_is_made(
    sheet: DisclosureSheet, window: Window, qtbot, messages: RecordedMessages, tmp_path: Path
):
    choice = sheet.choice
    choice.credentials.setChecked(True)
    choice.addresses.setPlainText("http://site.test/*\n")
    tick(sheet, "page-001-viewport.png")
    choice.reason.setText("只用于调解")
    before = custody(window)
    looked(sheet, window, qtbot)
    assert custody(window) == before
    text = sheet.preview.list.toPlainText()
    for told in ("page-001-viewport.png", "http://site.test/a", "指定略去", "按网址略去", "登录凭据"):
        assert told in text
    path = tmp_path / "copy.wacz"
    messages.saves.append(path)
    sheet.deed.click()
    settled(window, qtbot)
    assert messages.errors == []
    assert sheet.stack.currentIndex() == 2, sheet.fault.text
    assert sheet.outcome.digest.text == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not sheet.outcome.opened.isVisible()
    assert custody(window) == [*before, "disclosed"]
    view = CaptureView(path.open("rb"))
    redaction = parse_redaction(view._read("redaction.json", 1 << 20))
    view.close()
    assert redaction.reason == "只用于调解"
    assert "page-001-viewport.png" not in view.files
    for item in redaction.files:
        assert item.name in text
    found = sheet.preview._preview
    assert isinstance(found, Preview)
    assert found.files == redaction.files
    assert found.records == len(redaction.records) > 0
    sheet.deed.click()
    assert sheets() == []


def test_secrets_are_opened_only_with_a_warning_and_lie_in_the_copy(
    sheet: DisclosureSheet, window: Window, qtbot, messages: RecordedMessages, tmp_path: Path
):
    sheet.choice.secrets.setChecked(True)
    looked(sheet, window, qtbot)
    assert sheet.preview.secrets.isVisible()
    assert "keylog.txt" in sheet.preview.list.toPlainText()
    path = tmp_path / "copy.wacz"
    messages.saves.append(path)
    sheet.deed.click()
    settled(window, qtbot)
    assert "keylog.txt" in sheet.outcome.opened.text()
    view = CaptureView(path.open("rb"))
    assert view._read("keylog.txt", 1 << 20) == KEYS
    view.close()


def test_back_to_change_it(sheet: DisclosureSheet, window: Window, qtbot):
    sheet.choice.credentials.setChecked(True)
    looked(sheet, window, qtbot)
    sheet.back.click()
    assert sheet.stack.currentIndex() == 0
    assert sheet.deed.text() == "预览"
    sheet.choice.credentials.setChecked(False)
    sheet.choice.secrets.setChecked(True)
    looked(sheet, window, qtbot)
    assert "登录凭据" not in sheet.preview.list.toPlainText()


def test_an_address_that_no_record_has_is_told_and_can_be_corrected(
    sheet: DisclosureSheet, window: Window, qtbot
):
    sheet.choice.addresses.setPlainText("https://nowhere.test/*")
    sheet.deed.click()
    settled(window, qtbot)
    assert sheet.stack.currentIndex() == 0
    assert "nowhere.test" in sheet.fault.text
    sheet.choice.addresses.setPlainText("http://site.test/a")
    looked(sheet, window, qtbot)


def waiting(job: Job) -> None:
    while True:
        job.step("capture.open", 1, 3)


def busy_until_canceled(monkeypatch, name: str) -> None:
    def work(*_args: object, job: Job, **_kwargs: object) -> None:
        waiting(job)

    monkeypatch.setattr(module, name, work)


def test_the_making_is_shown_and_can_be_canceled(
    sheet: DisclosureSheet, window: Window, qtbot, messages: RecordedMessages, tmp_path: Path, monkeypatch
):
    """As long as a large capture would take: until it is canceled."""
    sheet.choice.credentials.setChecked(True)
    looked(sheet, window, qtbot)
    busy_until_canceled(monkeypatch, "disclose")
    path = tmp_path / "copy.wacz"
    messages.saves.append(path)
    sheet.deed.click()
    qtbot.waitUntil(lambda: "33%" in sheet.told.text(), timeout=10_000)
    assert sheet.working.isVisible()
    assert not sheet.deed.isEnabled()
    assert not sheet.back.isEnabled()
    sheet.cancel.click()
    assert sheets() == [sheet]
    settled(window, qtbot)
    assert not sheet.working.isVisible()
    assert sheet.stack.currentIndex() == 1
    assert sheet.deed.isEnabled()
    assert not path.exists()
    assert list(tmp_path.glob(".copy*")) == []
    assert messages.errors == []


@pytest.mark.parametrize("step", ["preview", "disclose"])
def test_a_lock_closes_it_and_stops_the_work(
    sheet: DisclosureSheet,
    window: Window,
    qtbot,
    messages: RecordedMessages,
    tmp_path: Path,
    monkeypatch,
    step,
):
    sheet.choice.credentials.setChecked(True)
    if step == "disclose":
        looked(sheet, window, qtbot)
    busy_until_canceled(monkeypatch, step)
    messages.saves.append(tmp_path / "copy.wacz")
    sheet.deed.click()
    window.context.desk.lock()
    settled(window, qtbot)
    assert sheets() == []
    assert not (tmp_path / "copy.wacz").exists()
    assert messages.errors == []


def test_wishes_against_each_other_are_told(sheet: DisclosureSheet, window: Window, qtbot):
    sheet.choice.addresses.setPlainText("http://site.test/a")
    sheet.choice.secrets.setChecked(True)
    sheet.deed.click()
    settled(window, qtbot)
    assert "互相矛盾" in sheet.fault.text
    assert sheet.stack.currentIndex() == 0


def test_every_step_has_names_and_words_in_both_languages(
    sheet: DisclosureSheet, window: Window, qtbot, messages: RecordedMessages, tmp_path: Path
):
    def check() -> None:
        for language in (Language.EN, Language.ZH):
            window.context.tongue.set_language(language)
            assert nameless(sheet) == []
            assert untranslated(sheet) == []

    sheet.choice.credentials.setChecked(True)
    check()
    looked(sheet, window, qtbot)
    check()
    messages.saves.append(tmp_path / "copy.wacz")
    sheet.deed.click()
    settled(window, qtbot)
    check()


def test_by_the_keyboard_alone(sheet: DisclosureSheet, window: Window, qtbot):
    sheet.activateWindow()
    sheet.choice.credentials.setFocus()
    qtbot.keyClick(sheet.choice.credentials, Qt.Key.Key_Space)
    assert sheet.choice.credentials.isChecked()
    seen = set()
    for _ in range(12):
        focused = sheet.focusWidget()
        seen.add(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert {sheet.choice.addresses, sheet.choice.reason, sheet.deed, sheet.cancel} <= seen
    qtbot.keyClick(sheet.choice.reason, Qt.Key.Key_Return)
    settled(window, qtbot)
    assert sheet.stack.currentIndex() == 1
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert sheets() == []


def test_a_file_from_elsewhere_offers_neither(opened: CaptureWindow, window: Window, qtbot, tmp_path: Path):
    loose = CaptureWindow(
        window.context, window, CaptureView(copied(opened, tmp_path).open("rb")), exhibit=None
    )
    loose.show()
    assert not loose.replay.isVisible()
    assert not loose.disclose.isVisible()
    loose.close()
    settled(window, qtbot)


def copied(opened: CaptureWindow, folder: Path) -> Path:
    path = folder / "loose.wacz"
    opened.view._source.seek(0)
    path.write_bytes(opened.view._source.read())
    return path

"""The program around the window: files from outside, help, notifications, faults, log."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QShortcut
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from evidence_desk.errors import UserError
from evidence_desk.texts import Language, has
from tests.gui.conftest import PASSPHRASE
from tests.gui.sweep import nameless, untranslated
from ui.app import prepare
from ui.arguments import Request
from ui.arrivals import Arrivals
from ui.faults import Faults
from ui.help import SHORTCUTS, HelpDialog, show_help
from ui.keys import PAGE_KEYS, install_keys
from ui.logfile import close_log, keep_log
from ui.manual import MANUAL, ManualWindow
from ui.notify import Notifier
from ui.page import Page, PageName
from ui.preferences import Role
from ui.tasks import Lane


@pytest.fixture
def taken(monkeypatch, window):
    """What pages were given."""
    seen: list[tuple[PageName, list[Path]]] = []

    def accept(page: Page, paths: Sequence[Path]) -> bool:
        seen.append((page.name, list(paths)))
        return True

    for name in (PageName.SEAL, PageName.VERIFY):
        monkeypatch.setattr(type(window.show_page(name)), "accept_paths", accept)
    return seen


def test_files_go_where_they_belong(window, taken, tmp_path, qtbot):
    note, certificate = tmp_path / "a.txt", tmp_path / "b.pdf"
    for path in (note, certificate):
        path.write_text("x")
    arrivals = Arrivals(window)
    arrivals.take(Request(paths=(note, certificate)))
    qtbot.waitUntil(lambda: len(taken) == 2, timeout=10_000)
    assert taken == [(PageName.SEAL, [note]), (PageName.VERIFY, [certificate])]


def test_a_judges_files_are_verified(window, taken, tmp_path, qtbot):
    note = tmp_path / "a.txt"
    note.write_text("x")
    window.context.preferences.change(role=Role.JUDGE)
    Arrivals(window).take(Request(paths=(note,)))
    qtbot.waitUntil(lambda: bool(taken), timeout=10_000)
    assert taken == [(PageName.VERIFY, [note])]


def test_files_wait_for_the_vault_and_it_is_said(window, taken, tmp_path, qtbot, messages):
    note = tmp_path / "a.txt"
    note.write_text("x")
    arrivals = Arrivals(window)
    window.context.desk.lock()
    arrivals.take(Request(seal=(note, tmp_path / "gone")))
    qtbot.waitUntil(lambda: bool(arrivals.waiting), timeout=10_000)
    assert window.gate.kept.isVisible()
    assert ("ui_start.missing", {"count": 1}) in messages.said
    assert taken == []
    qtbot.waitUntil(lambda: window.context.desk.folder is None, timeout=10_000)
    window.gate.passphrase.setText(PASSPHRASE)
    window.gate.unlock.click()
    qtbot.waitUntil(lambda: bool(taken), timeout=30_000)
    assert taken == [(PageName.SEAL, [note])]
    assert not window.gate.kept.isVisible()


def test_the_vault_asked_for_is_put_in_front(window, tmp_path):
    window.context.desk.lock()
    Arrivals(window).take(Request(vault=tmp_path / "other"))
    assert window.gate.unlocking.folder == tmp_path / "other"


@pytest.mark.parametrize("page", PageName)
def test_help_of_every_page_in_both_languages(window, page, qtbot):
    window.show_page(page)
    qtbot.keyClick(window, Qt.Key.Key_F1)
    qtbot.waitUntil(lambda: window.findChild(HelpDialog) is not None, timeout=5_000)
    dialog = window.findChild(HelpDialog)
    for language in Language:
        window.context.tongue.set_language(language)
        assert has(f"ui_start.help.{page.value}", language)
        texts = [label.text() for label in dialog.findChildren(QLabel)]
        assert all(texts)
        assert not any("ui_start." in text for text in texts)
    dialog.accept()


def test_every_shortcut_is_listed_and_no_keys_mean_two_things(window):
    dialog = show_help(window)
    keys = [shortcut.keys for shortcut in SHORTCUTS]
    assert len(set(keys)) == len(keys)
    listed = {label.text() for label in dialog.findChildren(QLabel)}
    assert set(keys) <= listed
    for page, own in PAGE_KEYS.items():
        assert len(dict(own)) == len(own)
        assert not {shortcut.keys for shortcut in SHORTCUTS if shortcut.run} & set(dict(own))
        assert set(dict(own)) <= listed
        assert (
            window.context.tongue.say("ui_start.key.on", page=window.context.tongue.say(f"ui.page.{page}"))
            in listed
        )
    dialog.accept()


@pytest.mark.parametrize("page", PageName)
def test_what_a_page_listens_to_is_listed(window, page):
    shown = window.show_page(page)
    made = {shortcut.key().toString() for shortcut in shown.findChildren(QShortcut)}
    assert made <= set(dict(PAGE_KEYS.get(page, ())))
    with pytest.raises(KeyError):
        install_keys(window.show_page(PageName.SEAL), {"Ctrl+J": print})


def test_copied_files_are_pasted_by_keys(window, qtbot, tmp_path):
    page = window.show_page(PageName.SEAL)
    data = QMimeData()
    (tmp_path / "a.txt").write_text("a")
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.txt"))])
    QGuiApplication.clipboard().setMimeData(data)
    button = page.intake.findChildren(QPushButton)[0]
    window.activateWindow()
    button.setFocus()
    qtbot.waitUntil(button.hasFocus)
    with qtbot.waitSignal(page.work.enqueued, timeout=10_000):
        qtbot.keyClick(button, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def test_the_missing_manual_is_told(window, messages, monkeypatch, tmp_path):
    monkeypatch.setattr("ui.help.MANUAL", tmp_path / "README.md")
    show_help(window)._on_manual()
    assert messages.said[-1][0] == "ui_start.help.no_manual"


def test_the_manual_is_read_beside_the_program(window, qtbot):
    show_help(window)._on_manual()
    shown = window.findChild(ManualWindow)
    assert shown is not None
    assert not shown.isModal()
    assert (nameless(shown), untranslated(shown)) == ([], [])
    pages = sorted(MANUAL.parent.glob("*.md"))
    linked = set()
    for path in pages:
        shown.text.setSource(QUrl.fromLocalFile(str(path)))
        assert shown.text.toPlainText().splitlines()[0] == path.read_text("utf-8").splitlines()[
            0
        ].removeprefix("# ")
        linked |= {
            shown.text.source().resolved(QUrl(link)).toLocalFile() for link in links(shown.text.document())
        }
    assert {str(path) for path in pages} <= linked | {str(MANUAL)}
    shown.text.setSource(QUrl("certify.md"))
    shown.back.click()
    assert shown.text.source().fileName() == pages[-1].name
    shown.contents.click()
    assert shown.text.source().fileName() == "README.md"
    window.context.desk.lock()
    assert shown.isVisible(), "it holds nothing of a vault"
    shown.reject()


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "../../pyproject.toml", "../../README.md", "missing.md", ""]
)
def test_the_manual_shows_its_own_pages_alone(context, qtbot, address):
    shown = ManualWindow(context, None)
    before = shown.text.toPlainText()
    shown.text.setSource(QUrl(address))
    assert shown.text.source().toLocalFile() == str(MANUAL)
    assert shown.text.toPlainText() == before
    shown.deleteLater()


def links(document) -> set[str]:
    found = set()
    block = document.begin()
    while block.isValid():
        found |= {form.format.anchorHref() for form in block.textFormats() if form.format.anchorHref()}
        block = block.next()
    return found


def test_long_work_is_told_when_the_window_is_behind(window, qtbot, monkeypatch):
    now = [0.0]
    alerts: list[object] = []
    monkeypatch.setattr(QApplication, "alert", alerts.append)
    notifier = Notifier(window.context, window, clock=lambda: now[0])
    monkeypatch.setattr(type(window), "isActiveWindow", lambda _self: False)
    ended: list[object] = []
    for seconds in (1.0, 60.0):
        window.context.tasks.run(
            Lane.CPU, lambda _job: None, owner=window, done=ended.append, title="ui_start.sample.title"
        )
        now[0] += seconds
        qtbot.waitUntil(lambda: len(ended) == (1 if now[0] < 10 else 2), timeout=10_000)
    assert alerts == [window]
    assert notifier.parent() is window


@pytest.fixture
def logged(tmp_path):
    file = tmp_path / "state" / "desktop.log"
    assert keep_log(file) is None
    yield file
    close_log()
    structlog.reset_defaults()


def fail() -> None:
    raise ValueError("/home/qian/秘密证据.pdf")


def test_what_nobody_foresaw_is_logged_without_its_words_and_told_once(context, logged, qtbot, messages):
    faults = Faults(messages.error)
    for _ in range(3):
        try:
            fail()
        except ValueError as error:
            faults.take(type(error), error, error.__traceback__)
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=5_000)
    qtbot.wait(0)
    assert [error.code for error in messages.errors] == ["bug.task"]
    text = logged.read_text("utf-8")
    assert "秘密" not in text
    entries = [json.loads(line) for line in text.splitlines()]
    assert len(entries) == 3
    assert entries[0]["kind"] == "ValueError"
    assert entries[0]["exception"][1].startswith("test_program.py:")


def test_our_own_error_in_a_slot_keeps_its_sentence(context, qtbot, messages):
    faults = Faults(messages.error)
    error = UserError("vault.missing", folder="x")
    faults.take(type(error), error, None)
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=5_000)
    assert messages.errors == [error]


def test_the_log_keeps_only_what_is_known_to_be_harmless(logged):
    structlog.get_logger("ui.x").info("sealed", path="/evidence/a.pdf", passphrase="x", code="ok")
    entry = json.loads(logged.read_text("utf-8"))
    assert set(entry) == {"event", "level", "timestamp", "code"}


def test_a_log_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    try:
        assert keep_log(tmp_path / "file" / "desktop.log") is not None
        structlog.get_logger("ui.x").info("nothing happens")
    finally:
        close_log()
        structlog.reset_defaults()


def test_the_hooks_are_set_by_install(context, messages, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr("threading.excepthook", None)
    faults = Faults(messages.error)
    faults.install()
    assert sys.excepthook == faults.take


def test_what_a_killed_program_left_half_written_is_told(window, messages, qtbot, tmp_path):
    notes = tmp_path / "state" / "unfinished"
    notes.mkdir(parents=True)
    half = tmp_path / ".卷宗.pdf.7.part"
    half.write_text("half")
    (notes / "0.json").write_text(json.dumps({"path": str(half), "pid": 7}))
    for _ in range(2):
        prepare(window.context)
        qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=20_000)
    assert messages.said.count(("ui_start.unfinished", {"count": 1, "names": "卷宗.pdf"})) == 1
    assert not half.exists()

"""Replay from the window: opened from the view, the list and the page Cases; closed by the person and by the lock."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from evidence_desk.bootstrap import replaying
from evidence_desk.core.capture.events import PageState
from evidence_desk.core.capture.manifest import Manifest
from tests.gui.capture.staged import Stage, visited
from tests.gui.capture.test_capture import URL, ended, fill
from tests.gui.capture.test_view import sealed, settled, view, windows
from tests.gui.conftest import RecordedMessages
from ui.capture.page import CapturePage
from ui.capture.replays import Replays, replays_of
from ui.capture.view.window import CaptureWindow
from ui.cases.page import CasesPage
from ui.page import PageName
from ui.window import Window

__all__ = ["sealed", "view"]
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def shown(replays: Replays, leaf: bytes, qtbot) -> None:
    qtbot.waitUntil(lambda: leaf in replays._open, timeout=60_000)


def leftovers(vault: Path) -> list[str]:
    return [path.name for path in vault.glob(".replay-*")]


def test_from_the_view_with_its_custody_record(
    view: CaptureWindow, sealed: bytes, window: Window, qtbot, messages: RecordedMessages, vault_folder: Path
):
    replays = replays_of(window.context)
    view.replay.click()
    assert replays.busy(sealed)
    assert not view.replay.isEnabled()
    shown(replays, sealed, qtbot)
    assert messages.said[-1][0] == "ui_capture.replay.opened"
    session = window.context.desk.session
    assert session is not None
    actions = [event.action for event in session.vault.exhibits.custody(sealed)]
    assert actions.count("opened") == 2
    replays.close()
    settled(window, qtbot)
    assert view.replay.isEnabled()
    assert messages.errors == []
    assert leftovers(vault_folder) == []


CLOSED_BY_A_PERSON = """
import pathlib, sys, time
from evidence_desk.core.capture.replay import ReplayEnded, ReplayOpened, encode_replay
sys.stdin.buffer.readline()
sys.stdout.buffer.write(encode_replay(ReplayOpened(pages=1)))
sys.stdout.buffer.flush()
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.02)
sys.stdout.buffer.write(encode_replay(ReplayEnded()))
"""


def test_when_the_person_closes_it_another_can_be_opened(
    view: CaptureWindow,
    sealed: bytes,
    window: Window,
    qtbot,
    messages: RecordedMessages,
    tmp_path: Path,
    monkeypatch,
    vault_folder: Path,
):
    """Its window is another program's: here one that is closed at a word."""
    word = tmp_path / "closed"
    command = (sys.executable, "-c", CLOSED_BY_A_PERSON, str(word))
    monkeypatch.setattr(replaying, "command_for", lambda _role: command)
    replays = replays_of(window.context)
    view.replay.click()
    shown(replays, sealed, qtbot)
    assert not view.replay.isEnabled()
    word.touch()
    qtbot.waitUntil(view.replay.isEnabled, timeout=20_000)
    assert messages.errors == []
    assert leftovers(vault_folder) == []


def test_a_lock_closes_it_and_leaves_nothing(
    view: CaptureWindow, sealed: bytes, window: Window, qtbot, vault_folder: Path
):
    replays = replays_of(window.context)
    view.replay.click()
    shown(replays, sealed, qtbot)
    process = replays._open[sealed]._process
    window.context.desk.lock()
    assert not replays.busy(sealed)
    qtbot.waitUntil(lambda: process.status is not None, timeout=20_000)
    settled(window, qtbot)
    assert leftovers(vault_folder) == []


def test_a_lock_while_it_is_being_opened_shows_nothing(
    view: CaptureWindow, sealed: bytes, window: Window, qtbot, messages: RecordedMessages
):
    replays = replays_of(window.context)
    view.replay.click()
    window.context.desk.lock()
    settled(window, qtbot)
    assert not replays.busy(sealed)
    assert replays._open == {}
    assert [code for code, _ in messages.said if code == "ui_capture.replay.opened"] == []
    assert messages.errors == []


def test_the_program_ends_and_leaves_nothing(
    view: CaptureWindow, sealed: bytes, window: Window, qtbot, vault_folder: Path
):
    replays = replays_of(window.context)
    view.replay.click()
    shown(replays, sealed, qtbot)
    process = replays._open[sealed]._process
    replays._quit()  # what Qt calls before the program ends; the process of the tests does not
    assert process.status is not None
    assert leftovers(vault_folder) == []


def test_one_that_fails_is_told_and_can_be_tried_again(
    view: CaptureWindow, sealed: bytes, window: Window, qtbot, messages: RecordedMessages
):
    replays = replays_of(window.context)
    view.replay.click()
    shown(replays, sealed, qtbot)
    replays._open[sealed]._process._running().kill()
    qtbot.waitUntil(lambda: bool(messages.errors), timeout=20_000)
    assert [error.code for error in messages.errors] == ["capture_replay.ended"]
    assert view.replay.isEnabled()


def test_from_the_list_and_from_the_page_cases(
    page: CapturePage, sealed: bytes, window: Window, qtbot, messages: RecordedMessages
):
    replays = replays_of(window.context)
    page.tabs.setCurrentIndex(1)
    page.captures.table.selectRow(0)
    assert page.captures.replay.isEnabled()
    page.captures.replay.click()
    assert not page.captures.replay.isEnabled()
    shown(replays, sealed, qtbot)
    replays.close()
    settled(window, qtbot)
    cases = window.show_page(PageName.CASES, sealed)
    assert isinstance(cases, CasesPage)
    files = cases.detail.files
    qtbot.waitUntil(
        lambda: cases.detail.facts is not None and files.files.current is not None, timeout=30_000
    )
    settled(window, qtbot)
    assert not files.replay.isHidden()
    files.files.setCurrentIndex(files.files.entries.index(1))
    assert files.replay.isHidden()
    files.replay_asked.emit()
    shown(replays, sealed, qtbot)
    replays.close()
    settled(window, qtbot)
    assert messages.errors == []


def test_without_pages_there_is_nothing_to_replay(page: CapturePage, stage: Stage, window: Window, qtbot):
    fill(page)
    stage.play(visited(1, URL, PageState.FAILED, "capture.reason.no_answer"))
    page.begin.click()
    ended(page, qtbot)
    page.result.view.click()
    qtbot.waitUntil(lambda: bool(windows()), timeout=30_000)
    settled(window, qtbot)
    manifest: Manifest = windows()[0].view.manifest
    assert windows()[0].replay.isEnabled() is bool(manifest.pages)

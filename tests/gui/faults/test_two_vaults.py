"""Another start asks for another vault; passphrases tried many times; another vault while the first still works."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.errors import EvidenceDeskError
from tests.gui.conftest import CHEAP, PASSPHRASE, RecordedMessages
from ui.arguments import Request
from ui.arrivals import Arrivals
from ui.page import PageName
from ui.seal.page import SealPage
from ui.window import Window


@pytest.fixture
def other(tmp_path: Path) -> Path:
    folder = tmp_path / "另一个"
    init_session(folder, PASSPHRASE, office="other", demo=True, kdf=CHEAP)[0].close()
    return folder


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "证据.txt"
    path.write_text("证据")
    return path


def idle(window: Window, qtbot) -> None:
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=30_000)


def test_files_for_another_vault_do_not_get_into_this_one(
    window: Window, other: Path, note: Path, messages: RecordedMessages, qtbot
):
    messages.accept = False
    arrivals = Arrivals(window)
    arrivals.take(Request(seal=(note,), vault=other))
    idle(window, qtbot)
    session = window.context.desk.session
    assert session is not None
    page = window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    idle(window, qtbot)
    assert page.model.rowCount() == 0
    assert arrivals.waiting == ()
    assert messages.asked[0][0] == "ui_start.other_vault"


def test_they_wait_for_it_when_the_person_changes(
    window: Window, other: Path, note: Path, messages: RecordedMessages, qtbot
):
    arrivals = Arrivals(window)
    arrivals.take(Request(seal=(note,), vault=other))
    qtbot.waitUntil(lambda: arrivals.waiting == (note,), timeout=20_000)
    qtbot.waitUntil(lambda: window.context.desk.folder is None, timeout=20_000)
    assert window.gate.unlocking.folder == other
    window.gate.passphrase.setText(PASSPHRASE)
    window.gate.unlock.click()
    qtbot.waitUntil(lambda: window.context.desk.folder == other, timeout=20_000)
    qtbot.waitUntil(lambda: arrivals.waiting == (), timeout=20_000)
    idle(window, qtbot)
    session = window.context.desk.session
    assert session is not None
    assert [row.title for row in session.vault.exhibits.exhibits()] == ["证据.txt"]


def test_the_same_vault_by_another_way_is_no_question(
    window: Window, vault_folder: Path, tmp_path: Path, messages: RecordedMessages, qtbot
):
    link = tmp_path / "别名"
    link.symlink_to(vault_folder)
    Arrivals(window).take(Request(vault=link))
    idle(window, qtbot)
    assert messages.asked == []


def test_no_other_vault_while_the_first_still_works(window: Window, other: Path, qtbot):
    desk, go = window.context.desk, threading.Event()
    desk.run(lambda _session, _job: go.wait(20), owner=desk, done=lambda _: None)
    desk.lock()
    errors: list[EvidenceDeskError] = []
    desk.unlock(other, PASSPHRASE, owner=window, done=lambda: None, failed=errors.append)
    assert [error.code for error in errors] == ["ui.vault_working"]
    go.set()
    qtbot.waitUntil(lambda: desk.folder is None, timeout=20_000)


def test_wrong_passphrases_many_times(window: Window, vault_folder: Path, qtbot):
    """Whatever is hammered on, only what the delay allows is tried, and the right one opens it after the wait."""
    desk = window.context.desk
    desk.lock()
    qtbot.waitUntil(lambda: desk.folder is None, timeout=20_000)
    errors: list[EvidenceDeskError] = []
    for number in range(30):
        desk.unlock(vault_folder, f"wrong {number}", owner=window, done=lambda: None, failed=errors.append)
    qtbot.waitUntil(lambda: len(errors) == 30, timeout=30_000)
    codes = [error.code for error in errors]
    assert set(codes) <= {"vault.wrong_passphrase", "vault.wait"}
    assert codes.count("vault.wrong_passphrase") <= 2
    assert desk.session is None
    opened: list[bool] = []

    def again(_error: EvidenceDeskError | None = None) -> None:
        desk.unlock(vault_folder, PASSPHRASE, owner=window, done=lambda: opened.append(True), failed=again)

    again()
    qtbot.waitUntil(lambda: bool(opened), timeout=30_000)

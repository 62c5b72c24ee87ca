"""Answers that arrive after the vault was locked or their page was deleted: nothing is shown, nothing breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services.queue import QueueOutcome
from evidence_desk.services.seal import SealRequest, seal
from tests.gui.conftest import PASSPHRASE
from tests.gui.faults.conftest import sparse
from ui.cases.viewing import PREFIX, viewing
from ui.context import Context
from ui.page import PageName
from ui.seal.page import SealPage
from ui.tasks import Lane
from ui.window import Window


def idle(context: Context, qtbot) -> None:
    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=30_000)


def test_what_was_read_is_not_shown_after_a_lock(window: Window, qtbot):
    """It counts as canceled, for a widget that is still there."""
    context, go = window.context, threading.Event()
    idle(context, qtbot)
    shown: list[str] = []
    failed: list[EvidenceDeskError] = []
    label = QLabel()
    qtbot.addWidget(label)

    def work(_session: Session, _job: Job) -> str:
        assert go.wait(20)
        return "秘"

    context.desk.run(work, owner=label, done=shown.append, failed=failed.append, lane=Lane.READ)
    context.desk.lock()
    go.set()
    idle(context, qtbot)
    assert shown == []
    assert [error.code for error in failed] == ["job.canceled"]


def test_the_seal_page_is_told_of_an_end_while_it_goes(window: Window, qtbot, messages):
    """The page was locked away but not deleted yet when the last answer of the queue came."""
    page = window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    idle(window.context, qtbot)
    window.context.desk.lock()
    page.work.ended.emit(QueueOutcome(sealed=[bytes(32)]))
    page.form.changed.emit()
    page.work.reload()
    assert messages.errors == []


class Opener(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.paths: list[Path] = []

    @Slot(QUrl)
    def take(self, url: QUrl) -> None:
        self.paths.append(Path(url.toLocalFile()))


@pytest.fixture
def opener() -> Iterator[Opener]:
    made = Opener()
    QDesktopServices.setUrlHandler("file", made, "take")  # type: ignore[arg-type]  # the stub wants bytes, Qt a name
    yield made
    QDesktopServices.unsetUrlHandler("file")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def copies(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(f"{PREFIX}*/*/*") if path.is_file()]


@pytest.mark.parametrize("again", [False, True])
def test_a_copy_being_decrypted_is_gone_after_a_lock(
    window: Window, opener: Opener, temporary: Path, tmp_path, qtbot, again: bool
):
    context = window.context
    session = context.desk.session
    assert session is not None
    (outcome,) = seal(
        session.desk, [sparse(tmp_path / "大.mp4", 300 << 20)], SealRequest(case_number="案"), job=Job()
    )
    assert outcome.exhibit is not None
    folder = session.vault.folder
    viewing(context).open(outcome.exhibit.leaf_hash, 0)
    qtbot.waitUntil(lambda: bool(copies(temporary)), timeout=20_000)
    context.desk.lock()
    if again:
        opened: list[bool] = []
        context.desk.unlock(folder, PASSPHRASE, owner=window, done=lambda: opened.append(True), failed=print)
        qtbot.waitUntil(lambda: bool(opened), timeout=20_000)
    idle(context, qtbot)
    assert copies(temporary) == []
    assert opener.paths == []


def test_nothing_is_decrypted_when_the_lock_came_before(
    window: Window, opener: Opener, temporary: Path, tmp_path, qtbot
):
    """The work waited in its lane behind something else."""
    context, go = window.context, threading.Event()
    session = context.desk.session
    assert session is not None
    (outcome,) = seal(
        session.desk, [sparse(tmp_path / "a.mp4", 1 << 20)], SealRequest(case_number="案"), job=Job()
    )
    assert outcome.exhibit is not None
    context.desk.run(lambda _session, _job: go.wait(20), owner=context.desk, done=lambda _: None)
    viewing(context).open(outcome.exhibit.leaf_hash, 0)
    context.desk.lock()
    go.set()
    idle(context, qtbot)
    assert copies(temporary) == []
    assert opener.paths == []

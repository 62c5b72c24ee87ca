"""The window is closed during each kind of job: soon, without half files, with the vault as it should be."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PySide6.QtCore import QObject

from evidence_desk.bootstrap.authorities import add_authority, try_authority
from evidence_desk.bootstrap.opening import open_session
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services import queue
from evidence_desk.services.audit import audit
from evidence_desk.services.seal import SealRequest, seal
from tests.gui.conftest import PASSPHRASE, RecordedMessages
from tests.gui.faults.conftest import sparse
from ui.cases.page import CasesPage
from ui.context import Context
from ui.page import PageName
from ui.seal.page import SealPage
from ui.settings.page import SettingsPage
from ui.settings.security import SecurityTab
from ui.status.page import StatusPage
from ui.tasks import Lane
from ui.verify.page import VerifyPage
from ui.window import Window

BIG = 1 << 30


def closes(window: Window, qtbot) -> None:
    """Close it as a person does; within seconds it is gone and its vault closed."""
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=10_000)
    assert window.context.desk.folder is None
    assert window.context.tasks.running == ()


def sound(folder: Path) -> tuple[list[ExhibitRow], dict[str, ItemState]]:
    """Exhibits and queue of the vault, opened anew and checked."""
    with open_session(folder, PASSPHRASE) as session:
        assert audit(session.desk, job=Job()).faults == ()
        queue.resume_state(session.desk)
        states = {Path(str(item.path, "utf-8")).name: item.state for item in queue.items(session.desk)}
        return list(session.vault.exhibits.exhibits()), states


def test_while_a_large_file_is_sealed(window: Window, vault_folder, tmp_path, qtbot):
    page = window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    page.accept_paths([sparse(tmp_path / "大.bin", BIG)])
    qtbot.waitUntil(lambda: 0 < page.work._part < 1, timeout=20_000)
    closes(window, qtbot)
    rows, states = sound(vault_folder)
    assert rows == []
    assert states == {"大.bin": ItemState.WAITING}
    assert [path for path in (vault_folder / "objects").rglob("*") if path.is_file()] == []


def test_while_the_queue_is_paused(window: Window, vault_folder, tmp_path, qtbot):
    page = window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    page.accept_paths([sparse(tmp_path / "大.bin", BIG)])
    qtbot.waitUntil(lambda: 0 < page.work._part < 1, timeout=20_000)
    page.pause.click()
    closes(window, qtbot)
    assert sound(vault_folder)[1] == {"大.bin": ItemState.WAITING}


def test_what_was_typed_last_is_kept(window: Window, vault_folder, qtbot):
    page = window.show_page(PageName.SEAL)
    assert isinstance(page, SealPage)
    page.form.lines["purpose"].setText("合同关系成立")
    closes(window, qtbot)
    with open_session(vault_folder, PASSPHRASE) as session:
        draft = queue.load_draft(session.desk, "seal")
    assert draft is not None
    assert draft.content["purpose"] == "合同关系成立"


@pytest.fixture
def large(window: Window, tmp_path: Path) -> ExhibitRow:
    """One sealed exhibit of 200 MB."""
    session = window.context.desk.session
    assert session is not None
    path = sparse(tmp_path / "现场.mp4", 200 << 20)
    (outcome,) = seal(session.desk, [path], SealRequest(case_number="案"), job=Job())
    assert outcome.exhibit is not None
    return outcome.exhibit


def begin_backup(window: Window, target: Path) -> None:
    page = window.show_page(PageName.STATUS)
    assert isinstance(page, StatusPage)
    page._on_backup()


def begin_recheck(window: Window, target: Path) -> None:
    page = window.show_page(PageName.STATUS)
    assert isinstance(page, StatusPage)
    page._on_recheck()


def begin_bundle(window: Window, target: Path) -> None:
    page = window.show_page(PageName.CASES)
    assert isinstance(page, CasesPage)
    page.deeds.bundle("案", packages=True)


def begin_audit(window: Window, target: Path) -> None:
    page = window.show_page(PageName.SETTINGS)
    assert isinstance(page, SettingsPage)
    tab = next(item for item in page.made if isinstance(item, SecurityTab))
    tab._on_audit()


def begin_verification(window: Window, target: Path) -> None:
    page = window.show_page(PageName.VERIFY)
    assert isinstance(page, VerifyPage)
    page.accept_paths([sparse(target.with_name("巨大.bin"), 8 * BIG)])


@pytest.mark.parametrize(
    "begin", [begin_backup, begin_recheck, begin_bundle, begin_audit, begin_verification]
)
def test_while_something_is_made_or_read(
    window: Window, messages: RecordedMessages, vault_folder, large, tmp_path, qtbot,
    begin: Callable[[Window, Path], None],
):  # fmt: skip
    out = tmp_path / "out"
    out.mkdir()
    messages.saves.append(out / "成品")
    begin(window, out / "成品")
    titled = [task for task in window.context.tasks.running if task.title]
    assert titled
    closes(window, qtbot)
    assert [path.name for path in out.rglob("*") if path.name != "巨大.bin"] in ([], ["成品"])
    rows, _ = sound(vault_folder)
    assert [row.leaf_hash for row in rows] == [large.leaf_hash]
    assert [path for path in vault_folder.rglob("*") if path.suffix == ".part"] == []


def test_a_fault_in_a_callback_does_not_keep_it_open(open_context: Context, qtbot):
    """The exception goes to the program's hook; the program closes all the same."""
    tasks, ended, go = open_context.tasks, [], threading.Event()

    def broken(_answer: object) -> None:
        raise RuntimeError("a fault of ours")

    with qtbot.captureExceptions() as caught:
        tasks.run(Lane.CPU, lambda _job: go.wait(20), owner=open_context.desk, done=broken)
        tasks.close(lambda: ended.append(True))
        go.set()
        qtbot.waitUntil(lambda: bool(ended), timeout=20_000)
    assert [str(item[1]) for item in caught] == ["a fault of ours"]


def test_nothing_is_begun_while_or_after_it_closes(open_context: Context, qtbot):
    tasks, ended = open_context.tasks, []
    done: list[object] = []
    failed: list[EvidenceDeskError] = []
    owner = QObject()
    go = threading.Event()
    tasks.run(Lane.CPU, lambda _job: go.wait(20), owner=owner, done=done.append)
    tasks.close(lambda: ended.append(True))
    tasks.run(Lane.CPU, lambda _job: 2, owner=owner, done=done.append, failed=failed.append)
    kept = tasks.run(Lane.CPU, lambda _job: 3, owner=owner, done=done.append, keep=True)
    assert kept.active
    go.set()
    qtbot.waitUntil(lambda: bool(ended), timeout=20_000)
    assert done == [True, 3]
    assert [error.code for error in failed] == ["job.canceled"]
    late = tasks.run(Lane.CPU, lambda _job: 4, owner=owner, done=done.append)
    assert not late.active


def test_it_is_asked_once_and_may_stay(window: Window, messages, qtbot):
    messages.accept = False
    go = threading.Event()
    desk = window.context.desk
    desk.run(lambda _session, _job: go.wait(20), owner=desk, done=lambda _: None, title="ui.work.seal")
    window.close()
    assert [code for code, _ in messages.asked] == ["ui.close.busy"]
    assert window.isVisible()
    assert window.isEnabled()
    go.set()
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=20_000)
    closes(window, qtbot)


def test_a_second_click_on_the_way_out_does_nothing(window: Window, qtbot):
    go = threading.Event()
    desk = window.context.desk
    desk.run(lambda _session, _job: go.wait(20), owner=desk, done=lambda _: None)
    window.close()
    window.close()
    go.set()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=10_000)


@pytest.fixture
def silent() -> Iterator[tuple[str, list[socket.socket]]]:
    """The address of somebody who takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        thread = threading.Thread(target=take)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", taken
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for item in taken:
            item.close()


@pytest.mark.parametrize("lane", [Lane.VAULT, Lane.NET])
def test_while_an_authority_is_silent(
    window: Window, silent: tuple[str, list[socket.socket]], tmp_path, qtbot, lane: Lane
):
    """It would be asked three times for ten seconds each."""
    session = window.context.desk.session
    assert session is not None
    (tmp_path / "a.txt").write_text("a")
    seal(session.desk, [tmp_path / "a.txt"], SealRequest(case_number="案"), job=Job())
    address, taken = silent
    add_authority(session, address, name="沉默")
    desk = window.context.desk
    qtbot.waitUntil(lambda: not window.context.tasks.busy(), timeout=20_000)
    if lane is Lane.NET:
        desk.run(lambda session, _: try_authority(session, "沉默"), owner=desk, done=print, lane=lane)
    else:
        page = window.show_page(PageName.STATUS)
        assert isinstance(page, StatusPage)
        page._on_timestamp()
    qtbot.waitUntil(lambda: bool(taken), timeout=20_000)
    closes(window, qtbot)

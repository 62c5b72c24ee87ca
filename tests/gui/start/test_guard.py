"""Locking by itself, and what is wiped then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from evidence_desk.bootstrap.session import Session
from evidence_desk.errors import ConfigurationError
from ui.guard import Guard, awake_and_asleep
from ui.private_clipboard import private_clipboard
from ui.session_lock import SessionLock
from ui.tasks import Lane


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guard(window, clock):
    return Guard(window.context, clock=clock, check_ms=10)


def test_it_locks_when_nobody_is_there(window, guard, clock, qtbot, messages):
    clock.now += 60 * 10 - 1
    guard.check()
    assert window.context.desk.session is not None
    clock.now += 2
    with qtbot.waitSignal(window.context.desk.locked, timeout=5_000):
        pass
    assert window.stack.currentWidget() is window.gate
    assert messages.said[-1] == ("ui_start.locked_idle", {"minutes": 10})


def test_keys_and_mouse_put_it_off(window, guard, clock):
    guard._on_window(window.windowHandle())
    clock.now += 60 * 9
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Shift)
    clock.now += 60 * 9
    QTest.mouseMove(window.windowHandle(), QPoint(200, 200))
    clock.now += 60 * 9
    guard.check()
    assert window.context.desk.session is not None


def test_never_means_never(window, guard, clock):
    window.context.preferences.change(idle_minutes=0)
    clock.now += 10**6
    guard.check()
    assert window.context.desk.session is not None


def test_the_session_lock_locks(window, guard, qtbot):
    guard.session_lock.locked.emit()
    assert window.context.desk.session is None


def test_work_goes_on_behind_the_lock_and_the_keys_go_when_it_ends(window, guard, qtbot):
    context = window.context
    go, seen = threading.Event(), []

    def work(session, job):
        go.wait(30)
        seen.append(list(session.vault.exhibits.cases()))
        return session

    done: list[Session] = []
    context.desk.run(work, owner=context.desk, done=done.append, lane=Lane.SEAL)
    guard.lock()
    assert context.desk.session is None
    assert window.stack.currentWidget() is window.gate
    assert context.desk.folder is not None, "still open for its work"
    go.set()
    qtbot.waitUntil(lambda: context.desk.folder is None, timeout=30_000)
    assert seen == [[]]
    with pytest.raises(ConfigurationError, match=r"vault\.closed"):
        done[0].vault.signer.sign_ed25519(b"")


def test_boxes_are_closed(window, guard, qtbot):
    box = QDialog(window)
    box.open()
    guard.lock()
    assert not box.isVisible()


def test_private_words_leave_the_clipboard_on_lock(window, guard):
    board = QGuiApplication.clipboard()
    private_clipboard(window.context.desk).copy("AAAA-BBBB")
    assert board.text() == "AAAA-BBBB"
    guard.lock()
    assert board.text() == ""


def test_private_words_leave_the_clipboard_in_time(window, qtbot):
    board = QGuiApplication.clipboard()
    private_clipboard(window.context.desk).copy("AAAA-BBBB", seconds=0.01)
    qtbot.waitUntil(lambda: board.text() == "", timeout=5_000)


def test_what_somebody_else_copied_stays(window, guard):
    board = QGuiApplication.clipboard()
    private_clipboard(window.context.desk).copy("AAAA-BBBB")
    board.setText("something else")
    guard.lock()
    assert board.text() == "something else"


def test_time_goes_on():
    assert awake_and_asleep() <= awake_and_asleep()


def test_no_bus_no_words(qtbot, monkeypatch):
    """Qt warnings fail tests."""
    SessionLock().deleteLater()


_LISTEN = """
import sys
from PySide6.QtCore import QCoreApplication, QTimer
from ui.session_lock import SessionLock
app = QCoreApplication([])
lock = SessionLock()
lock.locked.connect(lambda: (print("locked", flush=True), app.quit()))
print("ready", flush=True)
QTimer.singleShot(20000, app.quit)
app.exec()
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not shutil.which("dbus-run-session") or not shutil.which("dbus-send"),
    reason="needs a D-Bus daemon",
)  # fmt: skip
@pytest.mark.parametrize("name", ["org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"])
def test_a_real_bus_tells_that_the_screen_was_locked(name):
    script = (
        f'"{sys.executable}" -c "$LISTEN" | {{ read line; '
        f"dbus-send --session --type=signal /{name.replace('.', '/')} {name}.ActiveChanged boolean:false; "
        f"dbus-send --session --type=signal /{name.replace('.', '/')} {name}.ActiveChanged boolean:true; "
        "cat; }"
    )
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script],
        env={**os.environ, "LISTEN": _LISTEN},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["locked"], done.stderr

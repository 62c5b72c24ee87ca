"""One program a user: two real processes, killed ones, and strangers at the socket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket

from ui.arguments import MAX_BYTES, Request, encode_request
from ui.single import Instance, socket_name

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "config"


@pytest.fixture
def first(folder, qapp):
    made = Instance(folder)
    assert made.claim()
    yield made
    made.close()


def start(folder: Path, *arguments: str, script: str = "") -> subprocess.Popen[str]:
    """The real program, or a script, with this configuration."""
    command = [sys.executable, "-c", script] if script else [sys.executable, "-m", "ui.app"]
    environment = {
        **os.environ,
        "EVIDENCE_DESK_CONFIG": str(folder),
        "EVIDENCE_DESK_STATE": str(folder.parent / "state"),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONUNBUFFERED": "1",
    }
    return subprocess.Popen(
        [*command, *arguments], env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


SECOND = "import sys\nfrom ui.app import main\nsys.exit(main(sys.argv[1:]))\n"
FIRST = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer
from ui.single import Instance
app = QCoreApplication([])
mine = Instance(Path(sys.argv[1]))
print(mine.claim(), flush=True)
mine.handed.connect(lambda request: (print(len(request.seal), flush=True), app.quit()))
QTimer.singleShot(60000, app.quit)
app.exec()
"""


def test_a_second_start_hands_over_and_leaves(first, folder, tmp_path, qtbot):
    file = tmp_path / "合同 1.pdf"
    file.write_text("x")
    with (
        qtbot.waitSignal(first.handed, timeout=60_000) as handed,
        start(folder, "--seal", str(file), script=SECOND) as second,
    ):
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=60_000)
        assert (second.returncode, second.stderr.read() if second.stderr else "") == (0, "")
    assert handed.args == [Request(seal=(file,))]


def test_after_kill_9_the_next_is_first(folder, qtbot, qapp):
    with start(folder, str(folder), script=FIRST) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline().strip() == "True"
        later = Instance(folder)
        assert not later.claim()
        killed.send_signal(signal.SIGKILL)
        killed.wait(30)
    next_one = Instance(folder)
    assert next_one.claim()
    with qtbot.waitSignal(next_one.handed, timeout=60_000), start(folder, script=SECOND) as second:
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=60_000)
    next_one.close()


def test_another_configuration_is_another_program(first, tmp_path):
    other = Instance(tmp_path / "other")
    assert other.claim()
    other.close()


def visit(folder: Path) -> QLocalSocket:
    made = QLocalSocket()
    made.connectToServer(socket_name(folder))
    assert made.waitForConnected(5_000)
    return made


@pytest.mark.parametrize(
    "data",
    [b"\n", b"hello\n", b'{"v": 1}\n', b"\0" * 1000 + b"\n", b"x" * (MAX_BYTES + 10), b"[" * 50_000 + b"\n"],
    ids=["empty", "words", "members", "zeros", "endless", "deep"],
)
def test_strangers_are_shown_the_door(first, folder, qtbot, data):
    heard: list[Request] = []
    first.handed.connect(heard.append)
    stranger = visit(folder)
    stranger.write(data)
    qtbot.waitUntil(
        lambda: stranger.state() is QLocalSocket.LocalSocketState.UnconnectedState, timeout=20_000
    )
    assert heard == []
    with qtbot.waitSignal(first.handed, timeout=60_000), start(folder, script=SECOND) as second:
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=60_000)


def test_many_silent_ones_do_not_keep_it_from_working(first, folder, qtbot, monkeypatch):
    strangers = [visit(folder) for _ in range(40)]
    qtbot.waitUntil(lambda: len(first._visits) == 16, timeout=10_000)
    for stranger in strangers:
        stranger.abort()
    qtbot.waitUntil(lambda: not first._visits, timeout=10_000)


def test_a_folder_that_cannot_be_written_to_starts_all_the_same(qapp):
    alone = Instance(Path("/proc/nowhere"))
    assert alone.claim()
    alone.close()


def test_whoever_leaves_before_the_answer_breaks_nothing(first, folder, qtbot, tmp_path):
    words = encode_request(Request(seal=(tmp_path / "a.pdf",)))
    for _ in range(20):
        visit = QLocalSocket()
        visit.connectToServer(socket_name(folder))
        assert visit.waitForConnected(5_000)
        visit.write(words)
        visit.flush()
        visit.abort()
        qtbot.wait(5)
        qtbot.waitUntil(lambda: not first._visits, timeout=10_000)

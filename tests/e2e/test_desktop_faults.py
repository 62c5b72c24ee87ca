"""The desktop program killed, or its window closed, at each kind of work: the next start finds everything and says so."""

from __future__ import annotations

import os
import queue as queues
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session, open_session
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState
from evidence_desk.services import queue
from evidence_desk.services.audit import audit
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.texts import Language, sentence
from tests.e2e.desktop_worker import CASE
from tests.e2e.sealer import PASSPHRASE
from tests.unit.vault.rows import CHEAP
from ui.cases.viewing import PREFIX

ROOT = Path(__file__).resolve().parents[2]
FILES = 12
SIZE = 24 << 20
PATIENCE = 40.0


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    init_session(folder, PASSPHRASE, office="kill", demo=True, kdf=CHEAP)[0].close()
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    (folder / "in").mkdir(parents=True)
    return folder


class Worker:
    """The program in a process of its own, and the lines it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []
        self._lines: queues.Queue[str] = queues.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.strip())
        self._lines.put("")

    def until(self, word: str, count: int = 1, patience: float = PATIENCE) -> str:
        """Until it said this often a line that begins so."""
        while True:
            line = self._lines.get(timeout=patience)
            assert line, f"ended before it said {word}: {self.said}"
            self.said.append(line)
            if sum(item.startswith(word) for item in self.said) >= count:
                return line

    def end(self) -> int:
        """What it still said, and its exit status."""
        status = self.process.wait(PATIENCE)
        self._reader.join()
        while line := self._lines.get():
            self.said.append(line)
        return status


@contextmanager
def program(vault: Path, out: Path, work: str, complaints: Path) -> Iterator[Worker]:
    environment = {
        **os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONWARNINGS": "error", "QT_LOGGING_RULES": "",
        "EVIDENCE_DESK_CONFIG": str(out / "config"), "EVIDENCE_DESK_STATE": str(out / "state"),
    }  # fmt: skip
    (out / "close").unlink(missing_ok=True)
    with (
        complaints.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.desktop_worker", str(vault), str(out), work],
            env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT,
        ) as process,
    ):  # fmt: skip
        worker = Worker(process)
        try:
            yield worker
        finally:
            process.kill()


def run(vault: Path, out: Path, work: str, *, kill: bool, after: tuple[str, int] = ("BEGUN", 1)) -> list[str]:
    """Let it work until it said something, then kill it or close its window; what it said."""
    complaints = out / f"{work}.stderr"
    with program(vault, out, work, complaints) as worker:
        worker.until(*after)
        if kill:
            worker.process.kill()
            assert worker.end() == -9
        else:
            (out / "close").touch()
            assert worker.end() == 0
            assert worker.said[-1] == "CLOSED"
    assert complaints.read_text(errors="replace") == ""
    return worker.said


def files(out: Path) -> list[Path]:
    """Large enough that a few are in hand at once."""
    paths = [out / "in" / f"{number:04d}.bin" for number in range(FILES)]
    for path in paths:
        path.write_bytes(path.name.encode())
        os.truncate(path, SIZE)
    return paths


def sealed_files(vault: Path, count: int) -> None:
    folder = vault.with_name("originals")
    folder.mkdir()
    paths = [folder / f"{number:04d}.txt" for number in range(count)]
    for path in paths:
        path.write_text(path.name)
    with open_session(vault, PASSPHRASE) as session:
        assert all(
            item.exhibit for item in seal(session.desk, paths, SealRequest(case_number=CASE), job=Job())
        )
        timestamp(session.desk, session.authorities, job=Job())


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "closed"])
def test_while_it_seals(vault: Path, out: Path, kill: bool):
    paths = files(out)
    said = run(vault, out, "seal", kill=kill, after=("SEALED", 1))
    told = {line.split()[1] for line in said if line.startswith("SEALED")}
    with open_session(vault, PASSPHRASE) as session:
        assert audit(session.desk, job=Job()).faults == ()
        assert told <= {row.number for row in session.vault.exhibits.exhibits()}
        states = {item.state for item in queue.items(session.desk, limit=-1)}
    assert ItemState.WAITING in states
    assert (ItemState.WORKING in states) is kill
    said = [line for line in run(vault, out, "resume", kill=False) if line.startswith("SAYS")]
    code = "queue.interrupted" if kill else "queue.left"
    beginning = sentence(code, {"waiting": 1, "interrupted": 1, "since": ""}, Language.ZH)[:4]
    assert any(line.startswith(f"SAYS {beginning}") for line in said), said
    with open_session(vault, PASSPHRASE) as session:
        found = Counter(row.objects[0].stored.digests for row in session.vault.exhibits.exhibits())
        assert audit(session.desk, job=Job()).faults == ()
    assert found == Counter(DigestPair.of(path.read_bytes()) for path in paths)


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "closed"])
def test_while_a_form_is_filled_in(vault: Path, out: Path, kill: bool):
    beginning = sentence("queue.draft", {"saved": "|"}, Language.ZH).split("|")[0]
    said = run(vault, out, "draft", kill=kill)
    assert not any(line.startswith("SAYS") for line in said)
    for _ in range(2):
        said = run(vault, out, "resume", kill=False)
        assert [line.startswith(f"SAYS {beginning}") for line in said].count(True) == 1, said


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "closed"])
def test_while_it_certifies(vault: Path, out: Path, kill: bool):
    sealed_files(vault, 12)
    said = run(vault, out, "certify", kill=kill, after=("ISSUED", 2))
    told = {line.split()[1] for line in said if line.startswith("ISSUED")}
    with open_session(vault, PASSPHRASE) as session:
        assert audit(session.desk, job=Job()).faults == ()
        rows = list(session.vault.exhibits.certificates())
    assert told <= {row.number for row in rows}
    assert len({row.number for row in rows}) == len(rows)
    made = {path.stem: DigestPair.of(path.read_bytes()) for path in out.glob("*.pdf")}
    assert {row.number: row.digests for row in rows if row.number in made} == made
    if not kill:
        assert set(made) == {row.number for row in rows}
        assert list(out.glob(".*.part")) == []


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "closed"])
def test_while_it_writes_a_bundle(vault: Path, out: Path, kill: bool):
    sealed_files(vault, 40)
    run(vault, out, "bundle", kill=kill)
    with open_session(vault, PASSPHRASE) as session:
        assert audit(session.desk, job=Job()).faults == ()
    assert not (out / "卷宗.pdf").exists()
    assert not (out / "卷宗-证据包").exists()
    if kill:
        run(vault, out, "resume", kill=False)
    assert list(out.glob(".*.part")) == []


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "closed"])
def test_while_an_original_is_looked_at(vault: Path, out: Path, kill: bool, monkeypatch: pytest.MonkeyPatch):
    """The decrypted copy of a killed run is gone after the next start."""
    sealed_files(vault, 1)
    temporary = out / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    run(vault, out, "view", kill=kill)
    assert any(path.is_file() for path in temporary.rglob(f"{PREFIX}*/*/*")) is kill
    run(vault, out, "resume", kill=False)
    assert list(temporary.glob(f"{PREFIX}*")) == []


def processes(mark: str) -> list[str]:
    """Command lines of processes that name a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if mark in words and "desktop_worker" not in words:
                found.append(words)
    return found


def gone(true: Callable[[], bool], patience: float) -> bool:
    """Poll: the processes are nobody's children here."""
    deadline = time.monotonic() + patience
    while not true():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.05)
    return True


@pytest.mark.engine
@pytest.mark.parametrize("after", ["BEGUN", "JOINED"])
@pytest.mark.parametrize("kill", [True, False], ids=["killed", "closed"])
def test_no_court_node_outlives_it(vault: Path, out: Path, kill: bool, after: str):
    mark = f"{vault.name}-demo-court"
    complaints = out / "demo.stderr"
    with program(vault, out, "demo", complaints) as worker:
        worker.until("BEGUN")
        assert gone(lambda: bool(processes(str(vault.with_name(mark)))), 20), "no node was started"
        if after == "JOINED":
            worker.until("JOINED", patience=150)
        if kill:
            worker.process.kill()
        else:
            (out / "close").touch()
        assert worker.end() == (-9 if kill else 0)
    assert gone(lambda: not processes(str(vault.with_name(mark))), 30), processes(mark)
    with open_session(vault, PASSPHRASE) as session:
        assert audit(session.desk, job=Job()).faults == ()

"""The queue when something breaks: a stick pulled out, a folder gone, a vault on a full or a read-only disk."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState, QueueItem
from evidence_desk.errors import HostError, UnreadableError
from evidence_desk.services import queue
from evidence_desk.services.audit import audit
from evidence_desk.services.seal import SealRequest
from evidence_desk.services.sources import find_each, find_sources, opened
from evidence_desk.texts import Language, error_sentences
from tests.integration.services.conftest import PASSPHRASE
from tests.integration.services.test_queue import Notes, drop, files, states, work
from tests.integration.vault.test_host_faults import fill
from tests.unit.vault.rows import CHEAP

linux = pytest.mark.skipif(sys.platform != "linux", reason="mounts of Linux")


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no right to {command[0]}: {done.stderr.decode(errors='replace').strip()}")


@contextmanager
def mounted(where: Path, *arguments: str) -> Iterator[Path]:
    where.mkdir(exist_ok=True)
    run("mount", *arguments, str(where))
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


@dataclass
class Stick:
    """A file system in a file; without the file's rest every read of it is an I/O error."""

    image: Path
    where: Path

    def pull_out(self) -> None:
        os.truncate(self.image, 4096)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    image = tmp_path / "image"
    with image.open("wb") as stream:
        stream.truncate(48 << 20)
    run("mke2fs", "-q", "-t", "ext2", str(image))
    where = tmp_path / "stick"
    with mounted(where, "-o", "loop", str(image)):
        for name in ("a", "b", "c"):
            (where / name).write_bytes(os.urandom(10_000_000))
    with mounted(where, "-o", "loop,ro", str(image)):  # anew: nothing is in the page cache
        yield Stick(image, where)


@linux
def test_a_stick_pulled_out_while_it_is_read(session: Session, stick: Stick, tmp_path: Path):
    drop(session, stick.where / "a", stick.where / "b")
    drop(session, *files(tmp_path / "in", "on our own disk"))

    def report(stage: str, done: int, _total: int) -> None:
        if stage == "encrypt" and done >= 2_000_000:
            stick.pull_out()

    notes = Notes()
    outcome = work(session, notes, Job(report))
    assert (len(outcome.sealed), outcome.failed, outcome.stopped) == (1, 2, None)
    assert states(session) == {"a": "failed", "b": "failed", "on our own disk": "sealed"}
    first = notes.finished_[0]
    assert first.error == "input.gone"
    assert first.parameters["reason"] == os.strerror(errno.EIO)
    for language in Language:
        what, advice = error_sentences(UnreadableError(first.error, **first.parameters), language)
        assert str(stick.where / "a") in what
        assert advice
    assert len(list((session.vault.folder / "objects").iterdir())) == 1
    assert audit(session.desk, job=Job()).faults == ()


def test_a_folder_that_disappears(session: Session, tmp_path: Path):
    gone = tmp_path / "gone"
    paths = files(gone, "a", "b", "c")
    drop(session, gone, *paths)
    drop(session, *files(tmp_path / "in", "kept"))

    def act(item: QueueItem) -> None:
        if os.fsdecode(item.path).endswith("/b"):
            shutil.rmtree(gone)

    outcome = work(session, Notes(on_start=act))
    assert states(session) == {
        "gone": "sealed",
        "a": "sealed",
        "b": "failed",
        "c": "failed",
        "kept": "sealed",
    }
    assert {item.error for item in queue.items(session.desk, states=(ItemState.FAILED,))} == {"input.missing"}
    assert outcome.stopped is None


def test_a_folder_that_disappears_under_the_reader(tmp_path: Path):
    folder = tmp_path / "in"
    files(folder, "a")
    (source,) = find_sources(folder / "a")

    def read() -> None:
        with opened(source) as (stream, _):
            stream.read()
            shutil.rmtree(folder)

    with pytest.raises(UnreadableError) as caught:
        read()
    assert caught.value.code == "input.gone"


@pytest.mark.parametrize("code", [errno.EIO, errno.ENODEV, errno.ESTALE, errno.ENXIO])
@pytest.mark.parametrize("kept", [True, False])
def test_what_a_lost_device_answers(tmp_path: Path, code: int, kept: bool):
    """As it comes from the reader itself, and as the vault hands it on."""
    (path,) = files(tmp_path / "in", "a")
    (source,) = find_sources(path)

    def read() -> None:
        with opened(source):
            error = OSError(code, os.strerror(code))
            if not kept:
                raise error
            raise UnreadableError("vault.source_unreadable", reason="OSError") from error

    with pytest.raises(UnreadableError) as caught:
        read()
    assert (caught.value.code, caught.value.parameters["reason"]) == ("input.gone", os.strerror(code))


def test_a_host_error_within_is_not_taken_for_the_sources(tmp_path: Path):
    (path,) = files(tmp_path / "in", "a")
    (source,) = find_sources(path)
    with pytest.raises(HostError), opened(source):
        raise HostError("host.disk_full", what="objects")
    with pytest.raises(OSError, match="full"), opened(source):
        raise OSError(errno.ENOSPC, "full")


def test_each_file_of_what_is_not_there(tmp_path: Path):
    (path,) = files(tmp_path / "in", "a")
    told: list[str] = []
    for at in (tmp_path / "missing", path / "below a file"):
        assert list(find_each(at, lambda _path, error: told.append(error.code))) == []
    assert told == ["input.missing", "input.missing"]
    assert [source.name for source in find_each(path, lambda _path, _error: None)] == ["a"]


@linux
def test_a_full_disk_stops_the_queue_and_loses_nothing(tmp_path: Path):
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=12m", "tmpfs") as disk:
        session, _ = init_session(disk / "v", PASSPHRASE, office="test", demo=True, kdf=CHEAP)
        paths = [tmp_path / f"{number}.bin" for number in range(40)]
        for path in paths:
            path.write_bytes(os.urandom(500_000))
        drop(session, *paths)
        outcome = work(session)
        assert outcome.stopped is not None
        assert outcome.stopped.code == "host.disk_full"
        assert outcome.waiting == 40 - len(outcome.sealed)
        assert outcome.failed == 0
        held = {path.name for path in (disk / "v" / "objects").iterdir()}
        assert len(held) == len(outcome.sealed), "originals of what was not sealed are gone"
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert queue.resume_state(session.desk).waiting == outcome.waiting
        assert len(work(session).sealed) == outcome.waiting
        assert set(states(session).values()) == {"sealed"}
        assert len(list(session.vault.exhibits.exhibits())) == 40
        assert audit(session.desk, job=Job()).faults == ()
        session.close()


@linux
def test_a_disk_without_any_room(tmp_path: Path):
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=12m", "tmpfs") as disk:
        session, _ = init_session(disk / "v", PASSPHRASE, office="test", demo=True, kdf=CHEAP)
        drop(session, *files(tmp_path / "in", "a", "b"))
        fill(disk)
        outcome = work(session)
        assert outcome.stopped is not None
        assert outcome.stopped.code == "host.disk_full"
        with pytest.raises(HostError, match=r"host\.disk_full"):
            drop(session, *(files(tmp_path / "many", *(f"{number}" * 60 for number in range(3000)))))
        (disk / "ballast").unlink()
        assert len(work(session).sealed) == 2
        session.close()


@linux
def test_a_folder_of_originals_that_turned_read_only(session: Session, tmp_path: Path):
    drop(session, *files(tmp_path / "in", "a", "b"))
    objects = session.vault.folder / "objects"
    with mounted(objects, "--bind", str(objects)):
        run("mount", "-o", "remount,bind,ro", str(objects))
        outcome = work(session)
    assert outcome.stopped is not None
    assert outcome.stopped.code == "host.read_only"
    assert (outcome.waiting, outcome.failed) == (2, 0)
    assert set(states(session).values()) == {"waiting"}
    assert len(work(session).sealed) == 2


def test_one_bad_file_does_not_stop_the_others(session: Session, tmp_path: Path):
    good = files(tmp_path / "in", "a", "z")
    drop(session, good[0], Path("/proc/self/mem"), good[1], request=SealRequest(case_number="案"))
    outcome = work(session)
    assert (len(outcome.sealed), outcome.stopped) == (2, None)

"""Full and read-only disks, a recorder that is killed, a clock that jumps."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evidence_desk.capture.folder import FolderWorkspace
from evidence_desk.capture.guard import Guard
from evidence_desk.capture.proxy import LOOPBACK, BlindProxy
from evidence_desk.capture.recovery import recover_index
from evidence_desk.core.capture.connection import Connection, Ending, Fate, parse_index, stream_name
from evidence_desk.core.capture.notice import Notice, NoticeKind
from evidence_desk.core.capture.stream import Direction, StreamReader
from evidence_desk.errors import HostError
from tests.integration.capture import recorder_child
from tests.integration.capture.recorders import (
    PATIENCE,
    Names,
    Recorder,
    WallClock,
    drained,
    echo,
    exactly,
    recording,
    serving,
    until,
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="mounts of Linux")
NAMES = Names({"example.com": (LOOPBACK,)})
MB = 1 << 20
ROOT = Path(__file__).parents[3]


@contextmanager
def mounted(where: Path, *arguments: str) -> Iterator[Path]:
    where.mkdir()
    done = subprocess.run(["mount", *arguments, str(where)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no right to mount: {done.stderr.decode(errors='replace').strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4096))


def endless(end: socket.socket) -> None:
    block = os.urandom(65536)
    while True:
        end.sendall(block)


@linux
@pytest.mark.parametrize("kind", ["tmpfs", "ext2"])
def test_a_full_disk_stops_the_recording_and_forwards_nothing_unrecorded(tmp_path: Path, kind: str):
    arguments = ("-t", "tmpfs", "-o", "size=4m", "tmpfs")
    if kind == "ext2":
        image = tmp_path / "image"
        with image.open("wb") as file:
            file.truncate(6 * MB)
        if subprocess.run(
            ["mke2fs", "-q", "-t", "ext2", str(image)], capture_output=True, check=False
        ).returncode:
            pytest.skip("no mke2fs")
        arguments = ("-o", "loop", str(image))  # type: ignore[assignment]
    with mounted(tmp_path / "disk", *arguments) as disk:
        with serving(endless) as server, serving(echo) as other, recording(disk, names=NAMES) as recorder:
            idle = recorder.connect("example.com", other.port)
            idle.sendall(b"before")
            assert exactly(idle, 6) == b"before"
            with recorder.connect("example.com", server.port) as end:
                got = drained(end)
            until(lambda: recorder.proxy.failure is not None)
            failure = recorder.proxy.failure
            assert isinstance(failure, HostError)
            assert failure.code == "host.disk_full"
            assert drained(idle) == b""  # every connection ends, none goes on unrecorded
            idle.close()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((LOOPBACK, recorder.port))
            until(lambda: recorder.kinds() == [NoticeKind.FAILED])
            recorder.proxy.stop()
            assert len(got) > MB
            assert recorder.way(2, Direction.IN).startswith(got)
            assert recorder.way(1, Direction.IN) == b"before"
            for name, state in recorder.proxy.running_digest().items():
                assert recorder.workspace.size(name) == state.size
        if kind == "tmpfs":
            subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
            index = recover_index(FolderWorkspace(disk / "capture"), WallClock())
            assert [line.number for line in index] == [1, 2]
            assert index[1].received == len(recorder.way(2, Direction.IN))
            assert {line.ending for line in index} <= {Ending.UNKNOWN, Ending.STOPPED}


@linux
def test_no_room_even_for_a_new_stream(tmp_path: Path):
    with (
        mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=1m,nr_inodes=8", "tmpfs") as disk,
        serving(echo) as server,
        recording(disk, names=NAMES) as recorder,
    ):
        ends = []
        while recorder.proxy.failure is None:
            try:
                ends.append(recorder.connect("example.com", server.port))
            except (OSError, AssertionError):
                until(lambda: recorder.proxy.failure is not None)
        assert recorder.proxy.failure.code == "host.disk_full"
        for end in ends:
            end.close()
        assert 0 < len(ends) < 8


@linux
def test_a_read_only_disk_is_told_before_anything_begins(tmp_path: Path):
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=1m", "tmpfs") as disk:
        workspace = FolderWorkspace(disk / "capture")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(HostError, match=r"host\.read_only"):
            BlindProxy(workspace, Guard(), WallClock()).start()


@linux
def test_room_for_the_index_comes_back(tmp_path: Path):
    """A full disk at the very end: the streams are whole, and the index is recovered when there is room."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=256k", "tmpfs") as disk:
        with serving(echo) as server, recording(disk, names=NAMES) as recorder:
            with recorder.connect("example.com", server.port) as end:
                end.sendall(b"hello")
                assert exactly(end, 5) == b"hello"
                fill(disk / "ballast")
            until(lambda: recorder.proxy.failure is not None)
            recorder.proxy.stop()
            failure = recorder.proxy.failure
            assert failure is not None
            assert failure.code == "host.disk_full"
            assert "connections.jsonl" not in recorder.workspace.names() or not recorder.workspace.size(
                "connections.jsonl"
            )
        (disk / "ballast").unlink()
        (line,) = recover_index(recorder.workspace, WallClock())
        assert (line.host, line.sent, line.received, line.ending) == ("example.com", 5, 5, Ending.UNKNOWN)


@contextmanager
def child(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    command = [sys.executable, recorder_child.__file__, str(folder), str(os.getpid()), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL")
def test_a_killed_recorder_leaves_what_it_forwarded(tmp_path: Path):
    """kill -9 while three streams flow: what the browser saw lies in the streams, and the index is made again."""
    folder = tmp_path / "capture"
    seen: dict[int, bytes] = {}
    with serving(endless) as server, serving(echo) as quiet, child(folder) as (process, port):
        recorder = Recorder(None, port, FolderWorkspace(folder), [])  # type: ignore[arg-type]
        with recorder.connect(LOOPBACK, quiet.port) as done:
            done.sendall(b"first")
            assert exactly(done, 5) == b"first"
        until(lambda: "connections.jsonl" in recorder.workspace.names())
        until(lambda: recorder.workspace.size("connections.jsonl") > 0)
        ends = [recorder.connect(LOOPBACK, server.port) for _ in range(3)]

        def read(number: int, end: socket.socket) -> None:
            seen[number] = drained(end)

        threads = [
            threading.Thread(target=read, args=(number, end)) for number, end in enumerate(ends, start=2)
        ]
        for thread in threads:
            thread.start()
        until(lambda: all(recorder.workspace.size(stream_name(number)) > 4 * MB for number in (2, 3, 4)))
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        for thread in threads:
            thread.join()
        for end in ends:
            end.close()
    workspace = FolderWorkspace(folder)
    index = recover_index(workspace, WallClock())
    assert [line.number for line in index] == [1, 2, 3, 4]
    assert (index[0].ending, index[0].sent) == (Ending.CLOSED, 5)
    for line in index[1:]:
        assert (line.fate, line.ending, line.reason in {"killed", "torn"}) == (
            Fate.OPENED,
            Ending.UNKNOWN,
            True,
        )
        assert (line.host, line.port, line.address, line.closed_at) == (LOOPBACK, server.port, LOOPBACK, None)
        with workspace.open(stream_name(line.number)) as file:
            data = file.read()
        assert line.received >= len(seen[line.number]) > MB
        assert len(data) >= line.received
    for number, got in seen.items():
        recorded = b"".join(
            chunk.data for chunk in _chunks(workspace, number) if chunk.direction is Direction.IN
        )
        assert recorded.startswith(got)
    with workspace.open("connections.jsonl") as file:
        assert parse_index(file.read()) == index
    assert recover_index(workspace, WallClock()) == index  # nothing is left to do


def _chunks(workspace: FolderWorkspace, number: int):
    with workspace.open(stream_name(number)) as file:
        return list(StreamReader(file))


@linux
@pytest.mark.parametrize("descriptors", ["60", "26"])
def test_few_descriptors(tmp_path: Path, descriptors: str):
    """Forty clients at once: they wait their turn, or are refused where it is too tight; none is served unrecorded."""
    folder = tmp_path / "capture"
    with serving(echo) as server, child(folder, descriptors) as (process, port):
        recorder = Recorder(None, port, FolderWorkspace(folder), [])  # type: ignore[arg-type]
        codes: list[int] = []

        def browse() -> None:
            try:
                end, code = recorder.ask(LOOPBACK, server.port)
            except (OSError, AssertionError):
                code = -1
            else:
                with end:
                    if not code:
                        end.sendall(b"hello")
                        assert exactly(end, 5) == b"hello"
                        threading.Event().wait(0.2)
            codes.append(code)

        threads = [threading.Thread(target=browse) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert codes.count(0) >= 4
        before = len(codes)
        browse()
        assert codes[before:] == [0]
        assert process.poll() is None

        def opened() -> list[int]:
            return [line.received for line in _index(recorder.workspace) if line.fate is Fate.OPENED]

        until(lambda: len(opened()) >= codes.count(0))
        assert opened() == [5] * codes.count(0)


def _index(workspace: FolderWorkspace) -> tuple[Connection, ...]:
    if "connections.jsonl" not in workspace.names():
        return ()
    with workspace.open("connections.jsonl") as file:
        data = file.read()
    return parse_index(data[: data.rfind(b"\n") + 1])


class JumpingClock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def test_a_jump_of_the_clock_is_told(tmp_path: Path):
    clock, notices = JumpingClock(), list[Notice]()
    proxy = BlindProxy(FolderWorkspace(tmp_path / "capture"), Guard(), clock, events=notices.append)
    proxy.start()
    clock.ahead = timedelta(hours=-1)
    until(lambda: bool(notices))
    proxy.stop()
    (notice,) = notices
    assert notice.kind is NoticeKind.CLOCK_JUMP
    assert -3_600_200 <= int(notice.reason) <= -3_599_800


def test_a_fault_of_our_own_stops_the_recording_too(tmp_path: Path):
    def watch(_notice: Notice) -> None:
        raise ValueError("in the watcher")

    proxy = BlindProxy(FolderWorkspace(tmp_path / "capture"), Guard(), WallClock(), events=watch)
    port = proxy.start()
    proxy.allow_pid(os.getpid())
    recorder = Recorder(proxy, port, FolderWorkspace(tmp_path / "capture"), [])
    end, code = recorder.ask(LOOPBACK, 80)
    end.close()
    assert code != 0
    until(lambda: proxy.failure is not None)
    assert proxy.failure is not None
    assert proxy.failure.code == "bug.recorder"
    proxy.stop()

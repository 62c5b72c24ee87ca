"""The folder of a capture."""

from __future__ import annotations

import errno
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from evidence_desk.capture.folder import FolderWorkspace, host_fault, write_whole
from evidence_desk.errors import BugError, HostError, NotFoundError

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")


@pytest.fixture
def workspace(tmp_path: Path) -> FolderWorkspace:
    return FolderWorkspace(tmp_path / "capture")


def test_room_is_kept_and_given_back(tmp_path):
    workspace = FolderWorkspace(tmp_path / "capture")
    workspace.reserve(2, 100)
    assert workspace.names() == []
    sizes = []
    for parts in (1, 1, 1):
        sizes.append(sum(path.stat().st_size for path in workspace.path.iterdir()))
        workspace.give_back(parts)
    assert sizes == [200, 100, 0]


def test_files_come_and_are_read(workspace: FolderWorkspace):
    with workspace.create("b.bin") as file:
        file.write(b"hello")
    workspace.append("a.jsonl", b"1\n")
    workspace.append("a.jsonl", b"2\n")
    workspace.append("empty", b"")
    workspace.replace("b.bin", b"other")
    workspace.replace("c.json", b"{}")
    assert workspace.names() == ["a.jsonl", "b.bin", "c.json", "empty"]
    contents = {}
    for name in workspace.names():
        with workspace.open(name) as file:
            contents[name] = file.read()
    assert contents == {"a.jsonl": b"1\n2\n", "b.bin": b"other", "c.json": b"{}", "empty": b""}
    assert workspace.size("a.jsonl") == 4
    assert FolderWorkspace(workspace.path).names() == workspace.names()


def test_what_is_there_is_not_made_again(workspace: FolderWorkspace):
    workspace.append("a", b"x")
    with pytest.raises(BugError, match=r"bug\.workspace_exists"):
        workspace.create("a")
    assert workspace.size("a") == 1


def test_what_is_not_there(workspace: FolderWorkspace):
    for call in (workspace.open, workspace.size):
        with pytest.raises(NotFoundError, match=r"capture\.no_file"):
            call("missing")


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "A", "", "a/b", "_x"])
def test_names_lead_nowhere_else(workspace: FolderWorkspace, name: str):
    for call in (workspace.open, workspace.size, workspace.create):
        with pytest.raises(BugError, match=r"bug\.workspace_name"):
            call(name)
    for write in (workspace.append, workspace.replace):
        with pytest.raises(BugError, match=r"bug\.workspace_name"):
            write(name, b"x")
    assert workspace.names() == []


def test_a_spool_is_nobody_s_file(workspace: FolderWorkspace):
    with workspace.spool() as spool:
        spool.write(b"abc")
        spool.seek(0)
        assert spool.read() == b"abc"
        assert workspace.names() == []
    assert list(workspace.path.iterdir()) == []


@posix
def test_private(workspace: FolderWorkspace):
    workspace.append("a", b"x")
    workspace.replace("b", b"x")
    workspace.create("c").close()
    assert stat.S_IMODE(workspace.path.stat().st_mode) == 0o700
    assert {stat.S_IMODE((workspace.path / name).stat().st_mode) for name in "abc"} == {0o600}


@posix
def test_links_are_not_followed(workspace: FolderWorkspace, tmp_path: Path):
    target = tmp_path / "outside"
    target.write_bytes(b"outside")
    (workspace.path / "link").symlink_to(target)
    (workspace.path / "folder").mkdir()
    assert workspace.names() == []
    with pytest.raises(HostError):
        workspace.open("link")
    with pytest.raises(HostError):
        workspace.append("link", b"x")
    workspace.replace("link", b"ours")
    assert target.read_bytes() == b"outside"
    with workspace.open("link") as file:
        assert file.read() == b"ours"


def test_no_folder_to_make_it_in(tmp_path: Path):
    with pytest.raises(HostError, match="ENOENT"):
        FolderWorkspace(tmp_path / "missing" / "capture")
    (tmp_path / "file").touch()
    with pytest.raises(HostError, match="EEXIST"):
        FolderWorkspace(tmp_path / "file")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "host.disk_full"), (errno.EDQUOT, "host.disk_full"), (errno.EFBIG, "host.file_too_large"), (errno.EROFS, "host.read_only"),
        (errno.EACCES, "host.read_only"), (errno.EIO, "host.io"), (None, "host.io"),
    ],
)  # fmt: skip
def test_what_the_system_says(number: int | None, code: str):
    error = OSError() if number is None else OSError(number, "x")
    assert host_fault(error, "a").code == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_all_or_nothing():
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(OSError, match="space"):
            write_whole(descriptor, b"x", end=0)
    finally:
        os.close(descriptor)


@posix
def test_a_part_that_was_written_is_taken_back(tmp_path: Path):
    """A file-size limit cuts the write in two: the first half goes, the second is refused."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "file"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        write_whole(descriptor, b"a" * 10, end=0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (15, hard))
        with pytest.raises(OSError, match="large"):
            write_whole(descriptor, b"b" * 10, end=10)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        write_whole(descriptor, b"c" * 10, end=10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
        os.close(descriptor)
    assert path.read_bytes() == b"a" * 10 + b"c" * 10


@posix
def test_a_file_that_could_not_be_begun_is_not_there(workspace: FolderWorkspace):
    """An empty one would be taken for what should be in it."""
    resource = pytest.importorskip("resource")
    workspace.append("there", b"")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5, hard))
        for name in ("new", "there"):
            with pytest.raises(HostError, match=r"host\.file_too_large"):
                workspace.append(name, b"b" * 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)
    assert workspace.names() == ["there"]
    assert workspace.size("there") == 0

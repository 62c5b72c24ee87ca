"""Files that are whole or absent after a power cut: write, sync, rename, sync the folder."""

from __future__ import annotations

import ctypes
import os
import secrets
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from evidence_desk.vault.faults import host_fault, host_faults

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
TEMPORARY_PREFIX: Final = "tmp-"
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_ONE_BY_ONE: Final = 32
"""Up to this many files are synced one by one; beyond it one syncfs is cheaper."""


def temporary_name() -> str:
    """A fresh name that the startup sweep recognizes."""
    return TEMPORARY_PREFIX + secrets.token_hex(12)


def create_private(path: Path) -> int:
    """Descriptor of a new file (0600) open for writing; an existing one is refused."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, PRIVATE_FILE)


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable; Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, data: bytes, *, wipe_old: bool = False) -> None:
    """Replace `path` by `data`, durable on return.

    Args:
        path: file to write.
        data: its whole content.
        wipe_old: overwrite the blocks of the replaced file too (best effort: journals and flash may keep copies).

    Raises:
        HostError: ``host.disk_full``, ``host.read_only``, ``host.io``; the old file is then untouched.
    """
    temporary = path.with_name(temporary_name())
    old = _open_old(path) if wipe_old else None
    try:
        descriptor = create_private(temporary)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
        sync_folder(path.parent)
        if old is not None:
            _overwrite(old)
    except OSError as error:
        with suppress(OSError):  # a read-only disk refuses even what is not there
            temporary.unlink(missing_ok=True)
        raise host_fault(error, path.name) from error
    finally:
        if old is not None:
            os.close(old)


def sync_files(folder: Path, names: Iterable[str]) -> None:
    """Make the content and names of many files of one folder durable.

    Raises:
        HostError: ``host.io`` or ``host.disk_full`` when the disk refused.
    """
    with host_faults(folder.name):
        todo = list(names)
        if len(todo) <= _ONE_BY_ONE or not _sync_filesystem(folder):
            for name in todo:
                sync_file(folder / name)
        sync_folder(folder)


def sync_descriptor(descriptor: int) -> None:
    """Make what was written to an open file durable."""
    os.fsync(descriptor)


def sync_file(path: Path) -> None:
    """Make the content of one existing file durable."""
    descriptor = os.open(path, os.O_RDWR | _BINARY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`, however the system splits it."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _open_old(path: Path) -> int | None:
    if sys.platform == "win32":  # an open file could not be replaced there
        return None
    try:
        return os.open(path, os.O_RDWR)
    except OSError:
        return None


def _overwrite(descriptor: int) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    write_all(descriptor, bytes(os.fstat(descriptor).st_size))
    os.fsync(descriptor)


def _sync_filesystem(folder: Path) -> bool:
    """syncfs(2): waits for every dirty page of the file system and, from Linux 5.8 on, reports failed ones."""
    syncfs = _syncfs()
    if syncfs is None:
        return False
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    finally:
        os.close(descriptor)
    return True


def _syncfs() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    release = os.uname().release.split(".")
    if [int("".join(filter(str.isdigit, part)) or 0) for part in release[:2]] < [5, 8]:
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    return None if function is None else lambda descriptor: int(function(descriptor))

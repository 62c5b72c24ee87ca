"""A workspace in a folder of the disk (`core.capture.workspace.Workspace`): 0700, its files 0600."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

from evidence_desk.core.capture.workspace import check_name, is_name
from evidence_desk.errors import BugError, HostError, NotFoundError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_BINARY: Final[int] = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_TEMPORARY: Final = "_"
"""Begins no name of a workspace."""
_RESERVE: Final = "_reserve-"


def host_fault(error: OSError, name: str) -> HostError:
    """Our error for a failed operation on a file."""
    if error.errno in _FULL:
        return HostError("host.disk_full", what=name)
    if error.errno == errno.EFBIG:
        return HostError("host.file_too_large", what=name)
    if error.errno in _DENIED:
        return HostError("host.read_only", what=name)
    return HostError("host.io", what=name, reason=errno.errorcode.get(error.errno or 0, "unknown"))


def write_whole(descriptor: int, data: bytes | memoryview, *, end: int) -> None:
    """Write all of `data` at the end of a file of `end` bytes, or leave the file as it was.

    Raises:
        OSError: the disk refused.
    """
    try:
        done = os.write(descriptor, data)
        if done < len(data):
            view = memoryview(data)
            while view := view[done:]:
                done = os.write(descriptor, view)
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, end)
            os.lseek(descriptor, end, os.SEEK_SET)
        raise


class FolderWorkspace:
    """Files of one capture in `path`, which is made when missing.

    Raises:
        HostError: ``host.disk_full``, ``host.read_only`` or ``host.io``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise host_fault(error, path.name) from error

    def names(self) -> Sequence[str]:
        """Names of all files, sorted."""
        with self._faults(self.path.name), os.scandir(self.path) as entries:
            return sorted(
                item.name for item in entries if is_name(item.name) and item.is_file(follow_symlinks=False)
            )

    def size(self, name: str) -> int:
        """Bytes of a file as it lies there now."""
        with self._faults(name):
            return self._path(name).stat(follow_symlinks=False).st_size

    def open(self, name: str) -> BinaryIO:
        """Read a file from its beginning."""
        with self._faults(name):
            return cast("BinaryIO", os.fdopen(os.open(self._path(name), os.O_RDONLY | _BINARY), "rb"))

    def create(self, name: str) -> BinaryIO:
        """New empty file to write; it has a descriptor."""
        with self._faults(name):
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY
            return cast("BinaryIO", os.fdopen(os.open(self._path(name), flags, 0o600), "wb"))

    def append(self, name: str, data: bytes) -> None:
        """Add to the end of a file; durable on return, all of it or nothing."""
        path = self._path(name)
        with self._faults(name):
            made = not path.exists()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o600)
            try:
                end = os.lseek(descriptor, 0, os.SEEK_END)
                write_whole(descriptor, data, end=end)
                os.fsync(descriptor)
            except OSError:
                if made:
                    with suppress(OSError):
                        path.unlink()
                raise
            finally:
                os.close(descriptor)
            if not end:
                self._sync()

    def replace(self, name: str, data: bytes) -> None:
        """Give a file this content; durable on return, the old one or the new."""
        path = self._path(name)
        temporary = self.path / f"{_TEMPORARY}{secrets.token_hex(12)}"
        with self._faults(name):
            try:
                descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
                try:
                    write_whole(descriptor, data, end=0)
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                temporary.replace(path)
            except OSError:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
                raise
            self._sync()

    def discard(self, name: str) -> None:
        """Remove a file that can be made again; nothing happens when it is missing."""
        with self._faults(name):
            self._path(name).unlink(missing_ok=True)

    def spool(self) -> BinaryIO:
        """Anonymous file on the same disk; gone when closed."""
        with self._faults("spool"):
            return cast("BinaryIO", tempfile.TemporaryFile("w+b", dir=self.path, prefix=_TEMPORARY))

    def room(self) -> int:
        """Bytes that are free on the disk."""
        with self._faults(self.path.name):
            return shutil.disk_usage(self.path).free

    def reserve(self, parts: int, size: int) -> None:
        """Keep room on the disk, to be given back in parts by `give_back`; a full disk shows now."""
        for number in range(parts):
            path = self.path / f"{_RESERVE}{number}"
            with self._faults("reserve"):
                try:
                    path.write_bytes(
                        secrets.token_bytes(size)
                    )  # a disk that packs could keep no room for zeros
                except OSError:
                    path.unlink(missing_ok=True)
                    raise

    def give_back(self, parts: int) -> None:
        """Give back so many parts of what was reserved, as far as they are left."""
        with suppress(OSError):
            for path in sorted(self.path.glob(f"{_RESERVE}*"))[:parts]:
                path.unlink()

    def _path(self, name: str) -> Path:
        return self.path / check_name(name)

    def _sync(self) -> None:
        """Make names durable; Windows has no such call and needs none."""
        if sys.platform == "win32":
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _faults(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileExistsError as error:
            raise BugError("bug.workspace_exists", name=name) from error
        except FileNotFoundError as error:
            raise NotFoundError("capture.no_file", name=name) from error
        except OSError as error:
            raise host_fault(error, name) from error

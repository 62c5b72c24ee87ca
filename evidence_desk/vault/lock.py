"""The lock that only one writer of a vault can hold; the kernel drops it when the process dies."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Self

from evidence_desk.errors import BusyError
from evidence_desk.vault.durable import PRIVATE_FILE
from evidence_desk.vault.faults import host_faults

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class FileLock:
    """An exclusive lock on a file beside the data.

    Raises:
        BusyError: `busy_code` when another holder (process, or the same one) has it.
        HostError: the file cannot be opened.
    """

    def __init__(self, path: Path, *, busy_code: str, wait: bool = False) -> None:
        with host_faults(path.name):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            _lock(self._descriptor, wait=wait)
        except OSError as error:
            os.close(self._descriptor)
            raise BusyError(busy_code) from error

    def release(self) -> None:
        """Give the lock back; harmless twice."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()


if sys.platform == "win32":

    def _lock(descriptor: int, *, wait: bool) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

else:

    def _lock(descriptor: int, *, wait: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))

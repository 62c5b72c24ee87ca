"""Serial numbers that are never used twice, whatever happens to the process or the state folder (RFC 3161 §2.4.2).

A number is counter × 2^64 + session. The counter is reserved in blocks, in a file that is made durable before the
first number of a block is given out: kill -9 loses numbers, it never repeats one. The session is random for each
process, so a state folder brought back from a backup doesn't repeat numbers either.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from evidence_desk.errors import HostError, IntegrityError
from tsa.authority.durable import exclusive, write_durably

BLOCK: Final = 1000
"""Numbers reserved at once; at most this many are lost by a crash."""
_SESSION_BITS: Final = 64
_MAX_COUNTER: Final = 1 << 62
_LINE: Final = re.compile(rb"next (0|[1-9]\d{0,18})\n\Z")


class SerialNumbers:
    """Source of serial numbers kept in `folder`; threads and processes may share the folder.

    Raises:
        IntegrityError: ``authority.serial_file`` when the file is not what we wrote; nothing is issued then.
        HostError: ``authority.serial_write`` when a block can't be made durable.
    """

    def __init__(self, folder: Path, *, block: int = BLOCK) -> None:
        self._path = folder / "serial"
        self._lock_path = folder / "serial.lock"
        self._block = block
        self._session = secrets.randbits(_SESSION_BITS)
        self._mutex = threading.Lock()
        self._pid = 0
        self._numbers: Iterator[int] = iter(())

    def next(self) -> int:
        """A positive number of at most 126 bits."""
        with self._mutex:
            if self._pid != os.getpid():
                # A forked child must not go on with its parent's block.
                self._pid = os.getpid()
                self._session = secrets.randbits(_SESSION_BITS)
                self._numbers = iter(())
            number = next(self._numbers, None)
            if number is None:
                self._numbers = iter(self._reserve())
                number = next(self._numbers)
            return number << _SESSION_BITS | self._session

    def _reserve(self) -> range:
        with self._guarded(), exclusive(self._lock_path):
            start = self._read()
            end = start + self._block
            if end >= _MAX_COUNTER:
                raise IntegrityError("authority.serial_file", file=self._path.name)
            write_durably(self._path, b"next %d\n" % end)
            return range(start, end)

    def _read(self) -> int:
        try:
            found = _LINE.match(self._path.read_bytes())
        except FileNotFoundError:
            return 1
        if found is None:
            raise IntegrityError("authority.serial_file", file=self._path.name)
        return int(found.group(1))

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise HostError("authority.serial_write", reason=error.strerror or "") from error

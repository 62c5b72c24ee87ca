"""Growing delay after wrong passphrases, kept in a file so that a new process doesn't start afresh.

It slows down a person at this machine. Whoever takes the folder away is slowed by Argon2id alone. Attempts are made one
by one under a lock that nobody holds while he waits: several processes get no more attempts than one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from evidence_desk.core.ports import Clock
from evidence_desk.errors import BusyError, HostError, PermissionDeniedError
from evidence_desk.vault.durable import write_atomically
from evidence_desk.vault.lock import FileLock

Sleep = Callable[[float], None]
"""Waits so many seconds; in its place None means: refuse (``vault.wait``) instead of waiting."""
FILE_NAME: Final = "attempts"
_FIRST_SECONDS: Final = 0.5
_MAX_SECONDS: Final = 60.0
_MAX_COUNT: Final = 10_000
T = TypeVar("T")


class WallClock:
    """The machine's clock, for callers that have no other."""

    def now(self) -> datetime:
        """Current time."""
        return datetime.now(UTC)


class Attempts:
    """Failures since the last success, and the moment before which no new attempt is made."""

    def __init__(self, folder: Path, clock: Clock, sleep: Sleep | None, *, name: str = FILE_NAME) -> None:
        self._path = folder / name
        self._lock_path = folder / f"{name}.lock"
        self._clock = clock
        self._sleep = sleep

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One passphrase operation at a time; a folder that cannot be written to does without.

        Raises:
            BusyError: ``vault.busy`` when others held it for too long.
        """
        try:
            lock = FileLock(self._lock_path, busy_code="vault.busy", wait=True)
        except BusyError:
            raise
        except HostError:
            yield
            return
        with lock:
            yield

    def guarded(self, attempt: Callable[[], T | None]) -> T | None:
        """What `attempt` gives, made when its time has come; None after a failure, counted and waited for.

        Raises:
            PermissionDeniedError: ``vault.wait`` when its time has not come and waiting is not wanted.
            BusyError: as `exclusive`.
        """
        while True:
            with self.exclusive():
                left = self.remaining()
                if left <= 0:
                    result = attempt()
                    if result is not None:
                        self.succeeded()
                        return result
                    seconds = self._count()
                    break
            self.wait(left)
        if self._sleep is not None:
            self._sleep(seconds)
        return None

    def wait(self, seconds: float | None = None) -> None:
        """Wait out what an earlier failure left, even one of a process killed while it waited.

        Raises:
            PermissionDeniedError: ``vault.wait`` when waiting is not wanted.
        """
        left = self.remaining() if seconds is None else seconds
        if left <= 0:
            return
        if self._sleep is None:
            raise PermissionDeniedError("vault.wait", seconds=math.ceil(left))
        self._sleep(left)

    def remaining(self) -> float:
        """Seconds until an attempt may be made, 0 when it may be now; under the lock.

        After a failure whose wait ends impossibly late the clock was set back: that must not lock anybody out, so the
        wait begins anew.
        """
        count, not_before = self._read()
        left = (not_before - self._clock.now()).total_seconds()
        if not count or left <= 0:
            return 0.0
        longest = delay(count)
        if left > longest:
            return longest if self._write(count, longest) else 0.0
        return left

    def failed(self) -> None:
        """Count a failure, then wait if that is wanted."""
        seconds = self._count()
        if self._sleep is not None:
            self._sleep(seconds)

    def _count(self) -> float:
        count = min(self._read()[0] + 1, _MAX_COUNT)
        seconds = delay(count)
        self._write(count, seconds)  # in a read-only folder the caller's wait is all there is
        return seconds

    def succeeded(self) -> None:
        """Forget earlier failures."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return

    def _write(self, count: int, seconds: float) -> bool:
        """Note so many failures and a wait from now on; whether that could be written."""
        not_before = self._clock.now() + timedelta(seconds=seconds)
        text = json.dumps({"failures": count, "not_before": not_before.astimezone(UTC).isoformat()})
        try:
            write_atomically(self._path, text.encode("ascii"))
        except HostError:
            return False
        return True

    def _read(self) -> tuple[int, datetime]:
        nothing = (0, datetime.min.replace(tzinfo=UTC))
        try:
            with self._path.open("rb") as stream:
                value = json.loads(stream.read(1024))
            count, moment = value["failures"], datetime.fromisoformat(value["not_before"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return nothing
        if type(count) is not int or not 0 < count <= _MAX_COUNT or moment.tzinfo is None:
            return nothing
        return count, moment


def remaining(folder: Path, clock: Clock | None = None, *, name: str = FILE_NAME) -> float:
    """Seconds until the passphrase of a vault may be tried again, 0 when it may be now; tries nothing, waits for nothing.

    For programs that show the wait: open with ``sleep=None``, and ask here after each failure.
    """
    return Attempts(folder, clock or WallClock(), None, name=name).remaining()


def delay(failures: int) -> float:
    """Seconds to wait after so many failures: 0.5, 1, 2, 4 … 60."""
    return min(_FIRST_SECONDS * 2.0 ** min(failures - 1, 16), _MAX_SECONDS)

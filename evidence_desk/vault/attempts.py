"""Growing delay after wrong passphrases, kept in a file so that a new process doesn't start afresh.

It slows down a person at this machine. Whoever takes the folder away is slowed by Argon2id alone.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from evidence_desk.core.ports import Clock
from evidence_desk.errors import HostError
from evidence_desk.vault.durable import write_atomically
from evidence_desk.vault.lock import FileLock

Sleep = Callable[[float], None]
FILE_NAME: Final = "attempts"
_LOCK_NAME: Final = "attempts.lock"
_FIRST_SECONDS: Final = 0.5
_MAX_SECONDS: Final = 60.0
_MAX_COUNT: Final = 10_000


class WallClock:
    """The machine's clock, for callers that have no other."""

    def now(self) -> datetime:
        """Current time."""
        return datetime.now(UTC)


class Attempts:
    """Failures since the last success, and the moment before which no new attempt is made."""

    def __init__(self, folder: Path, clock: Clock, sleep: Sleep) -> None:
        self._path = folder / FILE_NAME
        self._lock_path = folder / _LOCK_NAME
        self._clock = clock
        self._sleep = sleep

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One passphrase operation at a time; a folder that cannot be written to does without."""
        try:
            lock = FileLock(self._lock_path, busy_code="vault.busy", wait=True)
        except HostError:
            yield
            return
        with lock:
            yield

    def wait(self) -> None:
        """Sleep out what an earlier failure left, even one of a process killed while it waited."""
        count, not_before = self._read()
        left = (not_before - self._clock.now()).total_seconds()
        if count and left > 0:
            self._sleep(min(left, delay(count)))  # a clock set back must not lock anybody out

    def failed(self) -> None:
        """Count a failure, then sleep."""
        count = min(self._read()[0] + 1, _MAX_COUNT)
        seconds = delay(count)
        not_before = self._clock.now() + timedelta(seconds=seconds)
        text = json.dumps({"failures": count, "not_before": not_before.astimezone(UTC).isoformat()})
        with contextlib.suppress(HostError):  # read-only folder: the sleep below is all there is
            write_atomically(self._path, text.encode("ascii"))
        self._sleep(seconds)

    def succeeded(self) -> None:
        """Forget earlier failures."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return

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


def delay(failures: int) -> float:
    """Seconds to wait after so many failures: 0.5, 1, 2, 4 … 60."""
    return min(_FIRST_SECONDS * 2.0 ** min(failures - 1, 16), _MAX_SECONDS)

"""Names of originals while several threads store: durable in batches, and taken back only when nobody counts on them.

Two threads may store the same bytes of a case at once: one object. The thread that made it within a batch that fails
must not remove it under the other, whose rows are not committed yet.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from evidence_desk.core.rows import StoredObject
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.vault import durable
from evidence_desk.vault.faults import host_faults


class Batch:
    """Objects of one block: those whose durability is put off, and those that it made."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self.unsynced: set[str] = set()
        self.made: set[str] = set()

    def settle(self, kept: Iterable[StoredObject]) -> None:
        """Make these durable, so that rows may refer to them, and remove the others that the block made.

        Raises:
            HostError: ``host.io`` or ``host.disk_full``.
        """
        names = {stored.name for stored in kept}
        self._batches.sync(names)
        self._batches.discard(self.made - names)
        self.unsynced.clear()


class _Local(threading.local):
    """The batch that a thread has open."""

    def __init__(self) -> None:
        self.batch: Batch | None = None


class Batches:
    """Batches of all threads over one folder of objects.

    Args:
        folder: the objects folder.
        referenced: which of these names do rows of the database refer to.
    """

    def __init__(self, folder: Path, referenced: Callable[[Iterable[str]], set[str]]) -> None:
        self._folder = folder
        self._referenced = referenced
        self._local = _Local()
        self._guard = threading.Lock()
        self._shared: dict[str, bool] = {}
        """Objects made in open batches, and whether another thread counts on them too."""

    @property
    def within(self) -> bool:
        """Whether this thread has a batch open."""
        return self._local.batch is not None

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """See `ObjectRepository.batch`."""
        if self._local.batch is not None:
            yield self._local.batch
            return
        batch = self._local.batch = Batch(self)
        try:
            yield batch
            self.sync(batch.unsynced)
        except BaseException:
            with contextlib.suppress(EvidenceDeskError, OSError):
                self.discard(batch.made)
            raise
        finally:
            self._local.batch = None
            with self._guard:
                for name in batch.made:
                    self._shared.pop(name, None)

    def held(self, name: str) -> bool:
        """Whether there is such an object; if so, no other thread's batch takes it away any more."""
        with self._guard:
            there = (self._folder / name).is_file()
            if there:
                self._claim(name)
            return there

    def reused(self, name: str) -> None:
        """An object that was there is to be durable with what this thread stores."""
        if self._local.batch is not None:
            self._local.batch.unsynced.add(name)
        else:
            with host_faults(self._folder.name):
                durable.sync_file(self._folder / name)
                durable.sync_folder(self._folder)  # the batch that made it may not have come to it

    def publish(self, temporary: Path, name: str) -> None:
        """Give a whole file its name."""
        batch = self._local.batch
        with host_faults(self._folder.name):
            with self._guard:
                self._claim(name)
                temporary.replace(self._folder / name)
                if batch is not None and name not in self._shared:
                    self._shared[name] = False
                    batch.made.add(name)
            if batch is not None:
                batch.unsynced.add(name)
            else:
                durable.sync_folder(self._folder)

    def sync(self, names: Iterable[str]) -> None:
        """Make these objects durable."""
        durable.sync_files(self._folder, names)

    def discard(self, names: set[str]) -> None:
        """Remove objects that this thread's batch made, unless rows refer to them or another thread counts on them."""
        if not names:
            return
        doomed = names - self._referenced(names)
        with self._guard, host_faults(self._folder.name):
            for name in doomed:
                if not self._shared.get(name):
                    (self._folder / name).unlink(missing_ok=True)

    def _claim(self, name: str) -> None:
        batch = self._local.batch
        if name in self._shared and (batch is None or name not in batch.made):
            self._shared[name] = True

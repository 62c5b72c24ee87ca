"""The desk: an open store with its trusted log, and the one way leaves are appended."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from evidence_desk.core.canonical import JSON
from evidence_desk.core.leaf import Leaf
from evidence_desk.core.log import TrustedLog, note_keys
from evidence_desk.core.note import NoteKeys
from evidence_desk.core.ports import Clock, Store
from evidence_desk.core.rows import LeafRow

LeafMaker = Callable[[int, datetime], Leaf]
"""Makes a leaf for a sequence number and a moment."""


@dataclass(slots=True)
class Desk:
    """One open vault with its verified log.

    Attributes:
        origin: origin of the active log.
        zone: name of the local time zone, for statements.
        tools: programs that take part, for statements: name, version, digests.
        working: held by the one thread that works on the queue.
    """

    store: Store
    clock: Clock
    origin: str
    zone: str = "UTC"
    tools: tuple[Mapping[str, JSON], ...] = ()
    random: Callable[[int], bytes] = secrets.token_bytes
    working: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)
    _log: TrustedLog | None = field(default=None, init=False)

    @property
    def keys(self) -> NoteKeys:
        """Public checkpoint keys."""
        return note_keys(self.origin, self.store.signer)

    @property
    def log(self) -> TrustedLog:
        """The log, verified when first used.

        Raises:
            IntegrityError: what is stored is not what was signed.
        """
        log = self._log
        if log is None:
            with self.store.exclusive():
                log = self._log = self._log or TrustedLog.open(self.store.log, self.keys)
        return log

    def forget(self) -> None:
        """Verify the log anew when it is next used: its keys or leaves were changed past `appending`."""
        self._log = None

    @contextmanager
    def appending(self) -> Iterator[Appender]:
        """One durable transaction in which leaves are appended and rows written; all or nothing.

        Threads append one after the other: nobody sees the new leaves before `log` covers them.
        """
        with self.store.exclusive():
            appender = Appender(self, self.log)
            try:
                with self.store.transaction():
                    yield appender
                self._log = appender.log
            except BaseException:
                self._log = None
                raise


@dataclass(slots=True)
class Appender:
    """Appends within one transaction; see `Desk.appending`."""

    desk: Desk
    log: TrustedLog

    def append(self, makers: Sequence[LeafMaker]) -> tuple[LeafRow, ...]:
        """Make the leaves, append them under one checkpoint, and return their rows."""
        now = self.desk.clock.now()
        leaves = [make(self.log.size + offset, now) for offset, make in enumerate(makers)]
        self.log, append = self.log.append(leaves, self.desk.store.signer)
        self.desk.store.log.write(append)
        return append.leaves

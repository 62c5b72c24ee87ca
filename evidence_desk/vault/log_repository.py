"""The log's tables (`core.ports.LogStore`). A vault may hold several logs; the newest is the active one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from evidence_desk.core.rows import LeafRow, LogAppend
from evidence_desk.errors import ConfigurationError, IntegrityError, NotFoundError
from evidence_desk.vault.database import Database, Row, time_text

_PAGE: Final = 2000


class LogRepository:
    """One log by its id; the archived ones are for reading, unless they are filled from the network."""

    def __init__(
        self, database: Database, log_id: int, origin: str, *, archived: bool = False, outbox: bool = True
    ) -> None:
        self._database = database
        self._id = log_id
        self._archived = archived
        self._outbox = outbox
        self.origin = origin

    @property
    def log_id(self) -> int:
        """Key of this log in the other tables."""
        return self._id

    def write(self, append: LogAppend) -> None:
        """Store leaves, tiles, checkpoint and outbox row; inside a transaction.

        Raises:
            IntegrityError: ``vault.log_size`` when `old_size` is not the stored size, ``vault.constraint`` when a
                stored leaf, tile or checkpoint would change.
        """
        if self._archived:
            raise ConfigurationError("vault.log_archived")
        stored = self.size()
        if append.old_size != stored or not append.leaves:
            raise IntegrityError("vault.log_size", stored=stored, expected=append.old_size)
        for position, leaf in enumerate(append.leaves, start=append.old_size):
            if leaf.seq != position:
                raise IntegrityError("vault.log_size", stored=position, expected=leaf.seq)
        self._database.write_many(
            "INSERT INTO leaves (log_id, seq, type, leaf_hash, leaf) VALUES (?, ?, ?, ?, ?)",
            ((self._id, leaf.seq, leaf.type, leaf.leaf_hash, leaf.leaf) for leaf in append.leaves),
        )
        self._database.write_many(
            "INSERT INTO tiles (log_id, level, position, hashes) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (log_id, level, position) DO UPDATE SET hashes = excluded.hashes",
            ((self._id, level, index, hashes) for (level, index), hashes in append.tiles.items()),
        )
        self._database.write(
            "INSERT INTO checkpoints (log_id, size, note) VALUES (?, ?, ?)",
            (self._id, append.new_size, append.checkpoint),
        )
        if self._outbox:
            self._database.write(
                "INSERT INTO outbox (kind, log_id, size) VALUES ('checkpoint', ?, ?)",
                (self._id, append.new_size),
            )

    def size(self) -> int:
        """Number of leaves."""
        row = self._database.row("SELECT max(seq) FROM leaves WHERE log_id = ?", (self._id,))
        return 0 if row is None or row[0] is None else int(row[0]) + 1

    def checkpoint(self) -> bytes:
        """Newest checkpoint note, b"" for an empty log."""
        row = self._database.row(
            "SELECT note FROM checkpoints WHERE log_id = ? ORDER BY size DESC LIMIT 1", (self._id,)
        )
        return b"" if row is None else bytes(row[0])

    def checkpoints(self) -> Iterator[tuple[int, bytes]]:
        """All (size, note) in order of size."""
        last = -1
        while page := self._database.rows(
            "SELECT size, note FROM checkpoints WHERE log_id = ? AND size > ? ORDER BY size LIMIT ?",
            (self._id, last, _PAGE),
        ):
            yield from page
            last = page[-1][0]

    def checkpoint_at(self, size: int) -> bytes:
        """Checkpoint note of exactly this size, b"" when none was signed."""
        row = self._database.row(
            "SELECT note FROM checkpoints WHERE log_id = ? AND size = ?", (self._id, size)
        )
        return b"" if row is None else bytes(row[0])

    def nearest_checkpoint(self, above: int, most: int) -> tuple[int, bytes] | None:
        """Greatest (size, note) with above < size ≤ most."""
        row = self._database.row(
            "SELECT size, note FROM checkpoints WHERE log_id = ? AND size > ? AND size <= ? "
            "ORDER BY size DESC LIMIT 1",
            (self._id, above, most),
        )
        return None if row is None else (int(row[0]), bytes(row[1]))

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Store a checkpoint of an earlier size of this log, signed later; one that is there stays."""
        if self._archived:
            raise ConfigurationError("vault.log_archived")
        if not 0 < size <= self.size():
            raise IntegrityError("vault.log_size", stored=self.size(), expected=size)
        self._database.write(
            "INSERT INTO checkpoints (log_id, size, note) VALUES (?, ?, ?) ON CONFLICT (log_id, size) DO NOTHING",
            (self._id, size, note),
        )

    def tile(self, level: int, index: int) -> bytes:
        """Stored hashes of a tile, b"" when there is none yet."""
        row = self._database.row(
            "SELECT hashes FROM tiles WHERE log_id = ? AND level = ? AND position = ?",
            (self._id, level, index),
        )
        return b"" if row is None else bytes(row[0])

    def leaf(self, seq: int) -> LeafRow:
        """One leaf.

        Raises:
            NotFoundError: ``vault.no_leaf``.
        """
        row = self._database.row(
            "SELECT seq, type, leaf_hash, leaf FROM leaves WHERE log_id = ? AND seq = ?", (self._id, seq)
        )
        if row is None:
            raise NotFoundError("vault.no_leaf", seq=seq)
        return _leaf(row)

    def leaf_by_hash(self, leaf_hash: bytes) -> LeafRow | None:
        """One leaf of this log by leaf hash."""
        row = self._database.row(
            "SELECT seq, type, leaf_hash, leaf FROM leaves WHERE leaf_hash = ? AND log_id = ?",
            (leaf_hash, self._id),
        )
        return None if row is None else _leaf(row)

    def rotations(self) -> Iterator[LeafRow]:
        """All ``key.rotated`` leaves, in order."""
        rows = self._database.rows(
            "SELECT seq, type, leaf_hash, leaf FROM leaves WHERE log_id = ? AND type = 'key.rotated' ORDER BY seq",
            (self._id,),
        )
        return map(_leaf, rows)

    def captures(self) -> Iterator[LeafRow]:
        """All leaves of captures, in order."""
        rows = self._database.rows(
            "SELECT seq, type, leaf_hash, leaf FROM leaves WHERE log_id = ? "
            "AND type IN ('capture.started', 'capture.sealed', 'capture.abandoned') ORDER BY seq",
            (self._id,),
        )
        return map(_leaf, rows)

    def leaves(self, start: int, stop: int) -> Iterator[LeafRow]:
        """Leaves start ≤ seq < stop in order, read in pages."""
        while start < stop:
            page = self._database.rows(
                "SELECT seq, type, leaf_hash, leaf FROM leaves WHERE log_id = ? AND seq >= ? AND seq < ? "
                "ORDER BY seq LIMIT ?",
                (self._id, start, stop, _PAGE),
            )
            if not page:
                return
            yield from map(_leaf, page)
            start = page[-1][0] + 1


class LogDirectory:
    """All logs of a vault, oldest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def origins(self) -> list[str]:
        """Origins in order of opening; the last is active."""
        return [row[0] for row in self._database.rows("SELECT origin FROM logs ORDER BY id")]

    def active(self) -> LogRepository:
        """The log that takes new leaves.

        Raises:
            IntegrityError: ``vault.damaged`` when there is none.
        """
        row = self._database.row("SELECT id, origin FROM logs ORDER BY id DESC LIMIT 1")
        if row is None:
            raise IntegrityError("vault.damaged", what="logs")
        return LogRepository(self._database, row[0], row[1])

    def archived(self, origin: str) -> LogRepository:
        """Read access to a log, by origin.

        Raises:
            NotFoundError: ``vault.no_log``.
        """
        row = self._database.row("SELECT id FROM logs WHERE origin = ?", (origin,))
        if row is None:
            raise NotFoundError("vault.no_log", origin=origin)
        return LogRepository(self._database, row[0], origin, archived=True)

    def rebuilding(self, origin: str) -> LogRepository:
        """Write access to a log that is not the active one; what it takes is not for the outbox.

        Raises:
            NotFoundError: ``vault.no_log``.
            ConfigurationError: ``vault.log_active``.
        """
        log = self.archived(origin)
        if log.log_id == self.active().log_id:
            raise ConfigurationError("vault.log_active")
        return LogRepository(self._database, log.log_id, origin, outbox=False)

    def add(self, origin: str, opened: datetime) -> None:
        """Open a new, empty log; it becomes the active one."""
        self._database.write("INSERT INTO logs (origin, opened) VALUES (?, ?)", (origin, time_text(opened)))


def _leaf(row: Row) -> LeafRow:
    return LeafRow(seq=row[0], type=row[1], leaf_hash=row[2], leaf=row[3])

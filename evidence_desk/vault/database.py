"""One SQLCipher connection: keyed, checked at opening, one transaction at a time, errors translated.

WAL journal: a commit costs one fsync (synchronous=FULL makes it durable before it returns), and readers and backups
never wait for the writer. WAL needs a local disk; a vault on a network share must have one user at a time.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlcipher3 import dbapi2

from evidence_desk.errors import (
    BugError,
    BusyError,
    ConfigurationError,
    EvidenceDeskError,
    HostError,
    IntegrityError,
)
from evidence_desk.vault.faults import database_faults, host_faults

FILE_NAME: Final = "vault.db"
_RAW_KEY: Final = re.compile(r"[0-9a-f]{64}\Z")
_PAGE: Final = 4096
WHOLE_CHECK_LIMIT: Final = 32 * 1024 * 1024
"""Databases up to this size are checked whole at every opening; page MACs guard the rest as it is read."""
_BUSY_MILLISECONDS: Final = 10_000
_JOURNAL_LIMIT: Final = 64 * 1024 * 1024

Value = None | int | str | bytes
Row = tuple[Any, ...]


class Database:
    """A keyed connection shared by threads; each call holds a lock, a transaction holds it until its end."""

    def __init__(self, connection: dbapi2.Connection, *, read_only: bool) -> None:
        self._connection: dbapi2.Connection | None = connection
        self._lock = threading.RLock()
        self.read_only = read_only

    @classmethod
    def open(cls, path: Path, key: bytes, *, read_only: bool) -> Database:
        """Open an existing database.

        Args:
            path: the file.
            key: 32 raw bytes.
            read_only: open beside a writer, or on a read-only disk.

        Raises:
            IntegrityError: ``vault.damaged``.
            HostError: missing, unreadable, disk full.
        """
        with host_faults(path.name):
            if not path.is_file():
                raise IntegrityError("vault.damaged", what=path.name)
            size = path.stat().st_size
        if size < _PAGE or size % _PAGE:
            raise IntegrityError("vault.damaged", what=path.name)
        try:
            database = cls._connect(path, key, "ro" if read_only else "rw", read_only=read_only)
        except HostError as error:
            if isinstance(error, BusyError | ConfigurationError) or not read_only or _has_journal(path):
                raise
            # A read-only disk has no room for the shared memory of WAL; without a journal the file alone is whole.
            database = cls._connect(path, key, "ro&immutable=1", read_only=True)
        try:
            database.check(whole=size <= WHOLE_CHECK_LIMIT)
        except EvidenceDeskError:
            database.close()
            raise
        return database

    @classmethod
    def create(cls, path: Path, key: bytes) -> Database:
        """A new, empty database; an existing file is refused."""
        with host_faults(path.name):
            path.touch(mode=0o600, exist_ok=False)
        return cls._connect(path, key, "rw", read_only=False)

    @classmethod
    def _connect(cls, path: Path, key: bytes, mode: str, *, read_only: bool) -> Database:
        with database_faults():
            connection = dbapi2.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            _prepare(connection, key, read_only=read_only)
        except BaseException:
            connection.close()
            raise
        return cls(connection, read_only=read_only)

    def check(self, *, whole: bool) -> None:
        """Refuse a database that cannot be read; with `whole` every page and index is checked.

        Raises:
            IntegrityError: ``vault.damaged``.
        """
        self.rows("SELECT count(*) FROM sqlite_schema")
        if not whole:
            return
        # This one reads the file past SQLite's locks: beside a writer it would see pages half written.
        alone = not self.read_only
        if alone and self.rows("PRAGMA cipher_integrity_check"):
            raise IntegrityError("vault.damaged", what=FILE_NAME)
        if self.rows("PRAGMA quick_check(1)") != [("ok",)]:
            raise IntegrityError("vault.damaged", what=FILE_NAME)

    def rows(self, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
        """All rows of a query."""
        with self._lock, database_faults():
            return list(self._open().execute(sql, parameters))

    def row(self, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
        """First row of a query."""
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def write(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run one changing statement inside a transaction; returns the rowid of an insert.

        Raises:
            BugError: ``bug.no_transaction``.
        """
        with self._lock, database_faults():
            return int(self._inside().execute(sql, parameters).lastrowid or 0)

    def change(self, sql: str, parameters: Sequence[Value] = ()) -> int:
        """Run one UPDATE inside a transaction; returns the number of rows it met."""
        with self._lock, database_faults():
            return int(self._inside().execute(sql, parameters).rowcount)

    def write_many(self, sql: str, parameters: Iterable[Sequence[Value]]) -> None:
        """Run one changing statement for many rows inside a transaction."""
        with self._lock, database_faults():
            self._inside().executemany(sql, parameters)

    def script(self, sql: str) -> None:
        """Run statements as they stand (migrations, pragmas)."""
        with self._lock, database_faults():
            self._open().executescript(sql)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE … COMMIT, rolled back on any exception.

        Raises:
            BugError: ``bug.nested_transaction``.
            ConfigurationError: ``vault.read_only`` for a vault opened for reading.
            BusyError: ``vault.busy``.
        """
        if self.read_only:
            raise ConfigurationError("vault.read_only")
        with self._lock:
            connection = self._open()
            if connection.in_transaction:
                raise BugError("bug.nested_transaction")
            with database_faults():
                connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                with database_faults():
                    connection.execute("COMMIT")
            except BaseException:
                self.roll_back()
                raise

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """No other thread uses this connection within the block; re-entrant."""
        with self._lock:
            yield

    @contextmanager
    def overwriting_deleted(self) -> Iterator[None]:
        """What a transaction within the block deletes is gone from the journal too once it is over."""
        with self._lock:
            yield
            self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def rewrite(self) -> None:
        """Write the whole file anew: what was deleted also leaves the gaps within pages, which no setting overwrites.

        Takes the size of the file twice on the disk meanwhile, in a temporary file that is encrypted like this one.

        Raises:
            HostError: disk full; nothing is changed then.
        """
        with self._lock:
            self.rows("PRAGMA temp_store = FILE")
            try:
                self.rows("VACUUM")
            finally:
                self.rows("PRAGMA temp_store = MEMORY")
            self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def roll_back(self) -> None:
        """Give up the open transaction, if any (SQLite may have done so itself, on a full disk)."""
        with self._lock:
            connection = self._open()
            if connection.in_transaction:
                with contextlib.suppress(dbapi2.Error):
                    connection.execute("ROLLBACK")

    def copy_to(self, path: Path, key: bytes) -> None:
        """Consistent encrypted copy in one step, beside a writer.

        One step holds one snapshot; in small steps a busy writer would start the copy anew for ever.
        """
        target = Database.create(path, key)
        try:
            with self._lock, database_faults():
                self._open().backup(target._open())  # noqa: SLF001 - same class
            # The copy travels alone: no WAL beside it.
            target.rows("PRAGMA journal_mode=DELETE")
        finally:
            target.close()

    def close(self) -> None:
        """Close; the last connection empties and removes the WAL. Harmless twice."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with contextlib.suppress(dbapi2.Error):
                    connection.close()

    def _open(self) -> dbapi2.Connection:
        if self._connection is None:
            raise ConfigurationError("vault.closed")
        return self._connection

    def _inside(self) -> dbapi2.Connection:
        connection = self._open()
        if not connection.in_transaction:
            raise BugError("bug.no_transaction")
        return connection


def _prepare(connection: dbapi2.Connection, key: bytes, *, read_only: bool) -> None:
    """Key and settings of a fresh connection."""
    text = key.hex()
    if not _RAW_KEY.match(text):  # anything else would silently be taken for a passphrase
        raise BugError("bug.raw_key")
    with database_faults():
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{text}'\"")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute(
            "PRAGMA recursive_triggers = ON"
        )  # else REPLACE deletes past the append-only triggers
        if read_only:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            return
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode is None or mode[0] != "wal":
            raise HostError("host.io", what=FILE_NAME, reason="journal")
        # What rows, indexes and texts leave behind when they are rewritten is overwritten too: an erasure must find it all.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_LIMIT}")


def _has_journal(path: Path) -> bool:
    journal = path.with_name(path.name + "-wal")
    return journal.exists() and journal.stat().st_size > 0


def time_text(moment: datetime) -> str:
    """UTC text with microseconds, sortable."""
    if moment.tzinfo is None:
        raise BugError("bug.naive_time")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    """Moment of `time_text`."""
    return datetime.fromisoformat(text)


def optional_time(text: str | None) -> datetime | None:
    """Moment of `time_text`, None for NULL."""
    return None if text is None else parse_time(text)

"""The state in one SQLite file (WAL, synchronous=FULL): a commit is one transaction, durable when it returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from evidence_desk.court.node.app.store import Changes
from evidence_desk.errors import ConfigurationError, HostError

_FORMAT: Final = 1
_SCHEMA: Final = (
    "CREATE TABLE state (space TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (space, key)) "
    "STRICT, WITHOUT ROWID"
)
_CACHE_KIB: Final = 64 << 10


class SqliteStore:
    """`StateStore` in a file; one process, one thread."""

    def __init__(self, path: Path) -> None:
        """Open or create.

        Raises:
            HostError: ``node.store`` when the file cannot be used.
            ConfigurationError: ``node.store_format`` when another version of the program wrote it.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _told():
            self._connection = sqlite3.connect(path, isolation_level=None)
        try:
            with _told():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version = {_FORMAT}")
            self._connection.execute("COMMIT")
        elif version != _FORMAT:
            raise ConfigurationError("node.store_format", found=version, wanted=_FORMAT)

    def get(self, space: str, key: bytes) -> bytes | None:
        """Value of a row."""
        with _told():
            row = self._connection.execute(
                "SELECT value FROM state WHERE space = ? AND key = ?", (space, key)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def scan(self, space: str) -> Iterator[tuple[bytes, bytes]]:
        """Rows in order of their keys (bytewise, as SQLite compares blobs)."""
        with _told():
            yield from self._connection.execute(
                "SELECT key, value FROM state WHERE space = ? ORDER BY key", (space,)
            )

    def between(self, space: str, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Some rows in order of their keys."""
        with _told():
            rows = self._connection.execute(
                "SELECT key, value FROM state WHERE space = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?",
                (space, start, stop, limit),
            ).fetchall()
        return [(bytes(key), bytes(value)) for key, value in rows]

    def commit(self, changes: Changes) -> None:
        """Write all changes in one transaction."""
        with _told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(
                    "INSERT INTO state VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                    # In order of keys: pages are then written one after the other.
                    [(space, key, changes[space, key]) for space, key in sorted(changes)],
                )
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise HostError("node.store", reason=getattr(error, "sqlite_errorname", "SQLITE_ERROR")) from error

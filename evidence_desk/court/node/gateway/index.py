"""What a gateway remembers on disk about the chain: blocks after which the validators changed, and tokens over headers.

All of it can be had again from engine and authority; so nothing here is believed without being verified once more.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence_desk.errors import HostError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS network (chain_id TEXT NOT NULL, cursor INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS changes (height INTEGER PRIMARY KEY, block BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (header_hash BLOB PRIMARY KEY, token BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keybag_changes (family TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL, key TEXT NOT NULL, expires INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRow:
    """A request for registration that waits: whose it is, the desk's key in hex, the last height at which it counts."""

    id: str
    client: str
    key: str
    expires: int


class GatewayIndex:
    """The file; used by one thread.

    Raises:
        HostError: ``api.store`` from every method, when disk or file fail.
    """

    def __init__(self, path: Path, chain_id: str) -> None:
        self._path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
            known = self._db.execute("SELECT chain_id FROM network").fetchall()
        except (sqlite3.Error, OSError) as error:
            raise _failed(error) from error
        if known != [(chain_id,)]:
            self._start_again(chain_id)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def cursor(self) -> int:
        """Height up to which all headers were looked through."""
        found = self._one("SELECT cursor FROM network", ())
        return found if isinstance(found, int) else 0

    def changes(self) -> list[bytes]:
        """Stored blocks, ascending."""
        try:
            return [row[0] for row in self._db.execute("SELECT block FROM changes ORDER BY height")]
        except sqlite3.Error as error:
            raise _failed(error) from error

    def advance(self, cursor: int, changes: dict[int, bytes]) -> None:
        """Note the blocks found up to a height."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for height, block in changes.items():
                self._db.execute("INSERT OR REPLACE INTO changes VALUES (?, ?)", (height, block))
            self._db.execute("UPDATE network SET cursor = ?", (cursor,))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise _failed(error) from error

    def forget(self) -> None:
        """Drop the blocks; tokens stay."""
        self._write("DELETE FROM changes", ())
        self._write("UPDATE network SET cursor = 0", ())

    def token(self, header_hash: bytes) -> bytes:
        """Token over a header hash, b"" when there is none."""
        found = self._one("SELECT token FROM tokens WHERE header_hash = ?", (header_hash,))
        return found if isinstance(found, bytes) else b""

    def add_token(self, header_hash: bytes, token: bytes) -> None:
        """Keep a token; the first stays."""
        self._write("INSERT OR IGNORE INTO tokens VALUES (?, ?)", (header_hash, token))

    def keybag_change(self, family: str) -> str:
        """Moment of the last accepted change of a family's keybag, "" for none."""
        return str(self._one("SELECT at FROM keybag_changes WHERE family = ?", (family,)) or "")

    def set_keybag_change(self, family: str, at: str) -> None:
        """Note the moment; it stays when the keybag is deleted, so that an old request can't bring it back."""
        self._write("INSERT OR REPLACE INTO keybag_changes VALUES (?, ?)", (family, at))

    def pending(self) -> list[PendingRow]:
        """Requests for registration, oldest first."""
        try:
            rows = self._db.execute("SELECT id, client, key, expires FROM pending ORDER BY number").fetchall()
        except sqlite3.Error as error:
            raise _failed(error) from error
        return [PendingRow(id=row[0], client=row[1], key=row[2], expires=row[3]) for row in rows]

    def add_pending(self, row: PendingRow) -> None:
        """Note a request; one that is known stays whose it is."""
        self._write(
            "INSERT OR IGNORE INTO pending (id, client, key, expires) VALUES (?, ?, ?, ?)",
            (row.id, row.client, row.key, row.expires),
        )

    def drop_pending(self, identity: str) -> None:
        """Forget a request and whose it was."""
        self._write("DELETE FROM pending WHERE id = ?", (identity,))

    def _start_again(self, chain_id: str) -> None:
        for table in ("network", "changes", "tokens", "keybag_changes", "pending"):
            self._write(f"DELETE FROM {table}", ())  # noqa: S608 - our own names
        self._write("INSERT INTO network VALUES (?, 0)", (chain_id,))

    def _one(self, statement: str, values: tuple[object, ...]) -> object:
        try:
            row = self._db.execute(statement, values).fetchone()
        except sqlite3.Error as error:
            raise _failed(error) from error
        return None if row is None else row[0]

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise _failed(error) from error


def _failed(error: Exception) -> HostError:
    return HostError("api.store", reason=type(error).__name__)

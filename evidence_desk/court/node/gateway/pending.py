"""Requests for registration that wait for the operators. Anybody may send one, so nobody's fill the place of others."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence_desk.court.node.gateway.index import GatewayIndex, PendingRow
from evidence_desk.court.protocol.actions import RegisterDesk
from evidence_desk.court.protocol.transactions import Transaction, parse_transaction
from evidence_desk.errors import EvidenceDeskError, HostError

MAX_PENDING: Final = 1_000
"""Requests kept."""
MAX_OF_CLIENT: Final = 50
"""Of one client; many desks of a court may come from one address."""
MAX_OF_KEY: Final = 4
"""Of one desk's key."""
_SUFFIX: Final = ".tx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many requests are kept."""

    total: int = MAX_PENDING
    client: int = MAX_OF_CLIENT
    key: int = MAX_OF_KEY


class Pending:
    """Files ``<id>.tx`` in a folder; the index knows whose they are.

    A new request always finds a place: its key's, its client's, or the fullest client's oldest one gives way.
    """

    def __init__(
        self, folder: Path, index: GatewayIndex, chain_id: str, limits: Limits | None = None
    ) -> None:
        self._folder = folder
        self._index = index
        self._chain_id = chain_id
        self._limits = limits or Limits()
        self._adopted = False

    def keep(self, transaction: Transaction, data: bytes, *, client: str, height: int) -> None:
        """Keep a RegisterDesk transaction.

        Args:
            transaction: one that registers.
            data: its bytes.
            client: whose it is, as `client_key` counts.
            height: of the newest block; what has expired by then is dropped. 0 where it is not known.

        Raises:
            HostError: ``api.store``.
        """
        row = _row(transaction, client)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            rows = self._swept(height)
            if all(item.id != row.id for item in rows):
                self._make_room(rows, row)
            write_whole(self._path(row.id), data)
        except OSError as error:
            raise HostError("api.store", reason=type(error).__name__) from error
        self._index.add_pending(row)

    def _swept(self, height: int) -> list[PendingRow]:
        """What is kept, oldest first; without what has expired or was taken away by the operators."""
        there = {file.stem for file in self._folder.glob(f"*{_SUFFIX}")}
        if not self._adopted:
            self._adopt(there)
            self._adopted = True
        rows: list[PendingRow] = []
        for row in self._index.pending():
            if row.id not in there or row.expires < height:
                self._drop(row)
            else:
                rows.append(row)
        return rows

    def _make_room(self, rows: list[PendingRow], new: PendingRow) -> None:
        limits = self._limits
        same_key = [row for row in rows if row.key == new.key]
        same_client = [row for row in rows if row.client == new.client]
        if len(same_key) >= limits.key:
            self._drop(same_key[0])
        elif len(same_client) >= limits.client:
            self._drop(same_client[0])
        elif len(rows) >= limits.total:
            fullest = Counter(row.client for row in rows).most_common(1)[0][0]
            self._drop(next(row for row in rows if row.client == fullest))

    def _adopt(self, there: set[str]) -> None:
        """Files that the index does not know, as those of nobody; what is no request of this network is left alone."""
        known = {row.id for row in self._index.pending()}
        for name in sorted(there - known):
            try:
                transaction = parse_transaction(self._path(name).read_bytes(), chain_id=self._chain_id)
            except EvidenceDeskError:
                continue
            if isinstance(transaction.payload, RegisterDesk) and transaction.id.hex() == name:
                self._index.add_pending(_row(transaction, ""))

    def _drop(self, row: PendingRow) -> None:
        self._path(row.id).unlink(missing_ok=True)
        self._index.drop_pending(row.id)

    def _path(self, identity: str) -> Path:
        return self._folder / f"{identity}{_SUFFIX}"


def _row(transaction: Transaction, client: str) -> PendingRow:
    payload = transaction.payload
    key = payload.keys.ed25519.hex() if isinstance(payload, RegisterDesk) else ""
    return PendingRow(id=transaction.id.hex(), client=client, key=key, expires=transaction.expires_height)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all, also after a power failure."""
    staging = path.with_name(path.name + ".new")
    handle = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

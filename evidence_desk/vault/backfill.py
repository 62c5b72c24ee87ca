"""Rows that a migration writes from what is there already, where SQL alone cannot. Runs inside the migration's transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from evidence_desk.vault.browse_index import BrowseIndex
from evidence_desk.vault.case_tables import CaseTables
from evidence_desk.vault.database import Database
from evidence_desk.vault.log_repository import LogDirectory


def _browse(database: Database) -> None:
    """Schema 5: exhibits sealed before it are listed and found."""
    index = BrowseIndex(database)
    for exhibit_id, row in CaseTables(database, LogDirectory(database).active).with_ids():
        index.add(exhibit_id, row)


FILLS: Final[Mapping[str, Callable[[Database], None]]] = {"005.sql": _browse}

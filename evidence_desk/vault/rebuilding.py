"""An earlier log that is being filled from the network (`core.ports.RebuildStore`)."""

from __future__ import annotations

from evidence_desk.vault.database import Database
from evidence_desk.vault.exhibit_repository import ExhibitRepository
from evidence_desk.vault.log_repository import LogDirectory, LogRepository


class Rebuilding:
    """Tables whose writes go to one earlier log; the active log is out of reach."""

    def __init__(self, database: Database, logs: LogDirectory, origin: str) -> None:
        self._log = logs.rebuilding(origin)
        self._exhibits = ExhibitRepository(database, lambda: self._log)

    @property
    def log(self) -> LogRepository:
        """The log's tables; nothing it takes goes to the outbox."""
        return self._log

    @property
    def exhibits(self) -> ExhibitRepository:
        """The other tables."""
        return self._exhibits

"""A vault seen with an earlier log in the active one's place, to fill that log from the network (`core.ports.Store`)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.envelope import Box
from evidence_desk.core.rows import StoredObject
from evidence_desk.errors import ConfigurationError
from evidence_desk.vault.browse_tables import BrowseTables
from evidence_desk.vault.capture_tables import CaptureTables
from evidence_desk.vault.court_tables import CourtRepository
from evidence_desk.vault.exhibit_repository import ExhibitRepository
from evidence_desk.vault.keys import DeskSigner
from evidence_desk.vault.log_repository import LogRepository
from evidence_desk.vault.objects import ObjectRepository
from evidence_desk.vault.queue_tables import QueueRepository

if TYPE_CHECKING:
    from evidence_desk.vault.store import Vault


class Rebuilding:
    """Writes go to one earlier log; the active log is out of reach, and nothing can be signed."""

    def __init__(self, vault: Vault, origin: str) -> None:
        self._vault = vault
        self._log = vault.logs.rebuilding(origin)
        self._exhibits = ExhibitRepository(vault.database, lambda: self._log)
        self._court = CourtRepository(vault.database, lambda: self._log)

    @property
    def log(self) -> LogRepository:
        """The earlier log; nothing it takes goes to the outbox."""
        return self._log

    @property
    def exhibits(self) -> ExhibitRepository:
        """The other tables."""
        return self._exhibits

    @property
    def court(self) -> CourtRepository:
        """What the court network accepted of the earlier log."""
        return self._court

    @property
    def browse(self) -> BrowseTables:
        """Lists, tags, notes, links."""
        return self._vault.browse

    @property
    def queue(self) -> QueueRepository:
        """Files waiting to be sealed, and drafts of forms."""
        return self._vault.queue

    @property
    def captures(self) -> CaptureTables:
        """Web captures."""
        return self._vault.captures

    @property
    def objects(self) -> ObjectRepository:
        """Encrypted originals."""
        return self._vault.objects

    @property
    def signer(self) -> DeskSigner:
        """None: an earlier log is not continued.

        Raises:
            ConfigurationError: ``vault.log_archived``.
        """
        raise ConfigurationError("vault.log_archived")

    def archived_log(self, origin: str) -> LogRepository:
        """Read access to a log."""
        return self._vault.archived_log(origin)

    def rebuilding(self, origin: str) -> Rebuilding:
        """Another earlier log."""
        return self._vault.rebuilding(origin)

    def exclusive(self) -> AbstractContextManager[None]:
        """No other thread of this process reads or writes tables within the block."""
        return self._vault.exclusive()

    def transaction(self) -> AbstractContextManager[None]:
        """One durable SQL transaction."""
        return self._vault.transaction()

    def secret(self, name: str) -> bytes | None:
        """A private blob."""
        return self._vault.secret(name)

    def set_secret(self, name: str, value: bytes) -> None:
        """Store a private blob."""
        self._vault.set_secret(name, value)

    def seal_box(self, case_number: str | None, leaf_hash: bytes, plain: bytes) -> Box | None:
        """Box under a key of the vault."""
        return self._vault.seal_box(case_number, leaf_hash, plain)

    def open_box(self, leaf_hash: bytes, box: Box) -> tuple[str | None, bytes] | None:
        """Content of a box."""
        return self._vault.open_box(leaf_hash, box)

    def stored_object(self, digests: DigestPair, size: int, *, case_number: str) -> StoredObject | None:
        """Where an original lies or would lie."""
        return self._vault.stored_object(digests, size, case_number=case_number)

    def keybag_copy(self) -> tuple[bytes, bytes]:
        """Copy of the keybag for gateways."""
        return self._vault.keybag_copy()

    @property
    def origins(self) -> list[str]:
        """Origins of all logs, oldest first."""
        return self._vault.origins

    def erase_case(self, case_number: str) -> None:
        """Delete the keys of a case and what they protect."""
        self._vault.erase_case(case_number)

    def erased_cases(self) -> frozenset[str]:
        """Numbers of cases whose keys were deleted."""
        return self._vault.erased_cases()

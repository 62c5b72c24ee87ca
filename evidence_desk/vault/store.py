"""The vault: one folder that holds database, originals, keybag and keys (`core.ports.Store`)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.envelope import Box
from evidence_desk.core.note import NoteKeys, check_ed25519, parse_note
from evidence_desk.core.ports import Clock
from evidence_desk.core.rows import StoredObject
from evidence_desk.crypto.guomi import sm2_public
from evidence_desk.errors import ConfigurationError, HostError, NotFoundError, PermissionDeniedError
from evidence_desk.vault import building, durable, migrations
from evidence_desk.vault.attempts import Sleep
from evidence_desk.vault.browse_tables import BrowseTables
from evidence_desk.vault.capture_tables import CaptureTables
from evidence_desk.vault.court_tables import CourtRepository
from evidence_desk.vault.database import FILE_NAME as DATABASE
from evidence_desk.vault.database import Database
from evidence_desk.vault.envelope_boxes import EnvelopeBoxes
from evidence_desk.vault.epochs import Epochs
from evidence_desk.vault.exhibit_repository import ExhibitRepository
from evidence_desk.vault.faults import host_faults
from evidence_desk.vault.keybag import FILE_NAME as KEYBAG
from evidence_desk.vault.keybag import Keybag
from evidence_desk.vault.keybag_copy import make_copy, open_copy
from evidence_desk.vault.keys import DeskKeys, DeskSigner, KdfParameters, VaultKey
from evidence_desk.vault.lock import FileLock
from evidence_desk.vault.log_repository import LogDirectory, LogRepository
from evidence_desk.vault.objects import FOLDER as OBJECTS
from evidence_desk.vault.objects import ObjectRepository, object_name
from evidence_desk.vault.passphrase import (
    change_passphrase,
    renew_recovery_key,
    reset_passphrase,
    unlock,
    unlock_by_recovery,
)
from evidence_desk.vault.queue_tables import QueueRepository
from evidence_desk.vault.rebuilding import Rebuilding
from evidence_desk.vault.recovery import (
    NextKeyDigests,
    format_recovery_key,
    next_key_digests,
    next_log_keys,
    parse_recovery_key,
)
from evidence_desk.vault.vault_file import Secrets, VaultFile

__all__ = ["Opening", "Vault", "change_passphrase", "reset_passphrase"]

_WRITER_LOCK: Final = "writer.lock"
_NAMES_AT_ONCE: Final = 500
_HOUR: Final = 3600.0
REWRITE: Final = "rewrite-pending"
"""Setting of a vault whose database is still to be written anew after an erasure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Where and how a vault is opened."""

    folder: Path
    clock: Clock
    read_only: bool


class Vault:
    """An open vault. Threads may share it; close it (or use it as a context manager) to wipe its keys."""

    def __init__(self, opening: Opening, secrets: Secrets) -> None:
        """Use `create`, `open`, `open_with_recovery` or `backup.restore`."""
        self._folder = opening.folder
        self._clock = opening.clock
        self._read_only = opening.read_only
        self._writer_lock = (
            None if opening.read_only else FileLock(opening.folder / _WRITER_LOCK, busy_code="vault.in_use")
        )
        self._key = VaultKey(secrets.vault_key)
        self._backup_recipient = secrets.backup_recipient
        try:
            self._database = Database.open(
                opening.folder / DATABASE, self._key.subkey("vault.db"), read_only=opening.read_only
            )
        except BaseException:
            self._release()
            raise
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def _load(self) -> None:
        migrations.migrate(self._database)
        self._keybag = Keybag(self._folder / KEYBAG, lambda: self._key.subkey("keybag"))
        self._desk_keys = DeskKeys(self._folder / building.DESK_KEYS, lambda: self._key.subkey("desk.keys"))
        self._logs = LogDirectory(self._database)
        self._log = self._logs.active()
        self._epochs = Epochs(self._database)
        self._exhibits = ExhibitRepository(self._database, lambda: self._log)
        self._court = CourtRepository(self._database, lambda: self._log)
        self._queue = QueueRepository(self._database)
        self._captures = CaptureTables(self._database)
        self._browse = BrowseTables(self._database)
        self._objects = ObjectRepository(
            self._folder / OBJECTS, self._keybag, referenced=self._referenced, read_only=self._read_only
        )
        self._boxes = EnvelopeBoxes(self._keybag)
        self._signer: DeskSigner | None = None
        if not self._read_only:
            self._finish_erasures()
            self._objects.sweep()
            self._sweep_folder()

    # --- opening ----------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        folder: Path,
        passphrase: str,
        *,
        clock: Clock,
        origin: str,
        kdf: KdfParameters | None = None,
        settings: Mapping[str, bytes] | None = None,
    ) -> tuple[Self, str]:
        """Make a new vault in a missing or empty folder; returns it open, and the recovery key to print.

        `settings` are in it from the first moment on.

        Raises:
            UsageError: ``vault.exists``, ``vault.not_empty`` or ``vault.passphrase_empty``.
            MalformedError: ``malformed.origin``.
            HostError: disk full, read-only folder; nothing is left behind.
        """
        secrets, recovery_key = building.create(
            folder, passphrase, clock=clock, origin=origin, kdf=kdf, settings=settings or {}
        )
        return cls(Opening(folder=folder, clock=clock, read_only=False), secrets), recovery_key

    @classmethod
    def open(
        cls,
        folder: Path,
        passphrase: str,
        *,
        clock: Clock,
        read_only: bool = False,
        sleep: Sleep | None = time.sleep,
    ) -> Self:
        """Open by passphrase; read-only works beside a writer.

        Raises:
            PermissionDeniedError: ``vault.wrong_passphrase``, after a delay that grows with each failure; with
                ``sleep=None`` at once, and ``vault.wait`` (seconds) until that delay is over, see `attempts.remaining`.
            BusyError: ``vault.in_use`` when another process has it open for writing.
            NotFoundError: ``vault.missing``.
            ConfigurationError: ``vault.newer_version``.
            IntegrityError: ``vault.damaged``.
        """
        secrets = unlock(folder, passphrase, clock=clock, sleep=sleep)
        return cls(Opening(folder=folder, clock=clock, read_only=read_only), secrets)

    @classmethod
    def open_with_recovery(
        cls, folder: Path, recovery_key: str, *, clock: Clock, read_only: bool = False
    ) -> Self:
        """Open by the printed recovery key.

        Raises:
            MalformedError: ``malformed.recovery_key`` when it was mistyped.
            PermissionDeniedError: ``vault.wrong_recovery_key`` when it belongs to another vault.
        """
        secrets = unlock_by_recovery(folder, recovery_key)
        return cls(Opening(folder=folder, clock=clock, read_only=read_only), secrets)

    def close(self) -> None:
        """Close the database and wipe the keys; harmless twice."""
        self._database.close()
        for holder in ("_keybag", "_desk_keys"):
            if hasattr(self, holder):
                getattr(self, holder).forget()
        self._signer = None
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # --- port -------------------------------------------------------------------------------------------------

    @property
    def log(self) -> LogRepository:
        """The active log's tables."""
        return self._log

    @property
    def exhibits(self) -> ExhibitRepository:
        """The other tables."""
        return self._exhibits

    @property
    def court(self) -> CourtRepository:
        """What the court network accepted."""
        return self._court

    @property
    def browse(self) -> BrowseTables:
        """Lists, tags, notes, links."""
        return self._browse

    @property
    def queue(self) -> QueueRepository:
        """Files waiting to be sealed, and drafts of forms."""
        return self._queue

    @property
    def captures(self) -> CaptureTables:
        """Web captures."""
        return self._captures

    @property
    def objects(self) -> ObjectRepository:
        """Encrypted originals."""
        return self._objects

    @property
    def signer(self) -> DeskSigner:
        """Checkpoint keys of the active log.

        Raises:
            ConfigurationError: ``vault.keys_missing`` when ``desk.keys`` is gone.
        """
        if self._signer is None:
            prepared = self._desk_keys.prepared(self.origin)
            if prepared is not None and self._signed_by(prepared):
                # A rotation whose leaf is in the log and whose keys were not yet put in their place.
                if not self._read_only:
                    self._desk_keys.promote(self.origin)
                self._signer = prepared
            else:
                self._signer = self._desk_keys.signer(self.origin)
        return self._signer

    def prepare_rotation(self, recovery_key: str) -> tuple[DeskSigner, NextKeyDigests]:
        """Keys that the recovery key holds ready for the active log, kept beside the present ones; digests of those after.

        Raises:
            MalformedError: ``malformed.recovery_key``.
            PermissionDeniedError: ``vault.wrong_recovery_key`` when they are not those the log committed to.
        """
        self._for_writing()
        paper = parse_recovery_key(recovery_key)
        rotation = sum(1 for _ in self._log.rotations())
        if next_key_digests(paper, self.origin, rotation) != self.next_key_digests:
            raise PermissionDeniedError("vault.wrong_recovery_key")
        seed, sm2_private = next_log_keys(paper, self.origin, rotation)
        self._desk_keys.prepare(self.origin, seed, sm2_private, sm2_public(sm2_private))
        signer = DeskSigner(seed, sm2_private, sm2_public(sm2_private))
        return signer, next_key_digests(paper, self.origin, rotation + 1)

    def renew_recovery_key(self, passphrase: str) -> str:
        """A new recovery key in the place of the old one, to print. The active log goes on to name the old one's next keys.

        Raises:
            PermissionDeniedError: ``vault.wrong_passphrase``, ``vault.wait``.
        """
        self._for_writing()
        key = renew_recovery_key(self.folder, passphrase, clock=self._clock, sleep=None)
        with self.transaction():
            self._epochs.renew(self.origin, key)
        return format_recovery_key(key)

    def set_next_keys(self, digests: NextKeyDigests) -> None:
        """Digests that the active log commits to from now on; inside the transaction of the rotation's leaf."""
        self._epochs.replace(self.origin, digests)

    def finish_rotation(self) -> None:
        """Forget the keys before the rotation."""
        self._signer = None
        self.signer  # noqa: B018 - puts the prepared keys in their place

    def _signed_by(self, signer: DeskSigner) -> bool:
        note = self._log.checkpoint()
        keys = NoteKeys(name=self.origin, ed25519=signer.ed25519_public, sm2=signer.sm2_public)
        return bool(note) and bool(check_ed25519(parse_note(note), keys))

    def exclusive(self) -> AbstractContextManager[None]:
        """No other thread of this process reads or writes tables within the block; re-entrant."""
        return self._database.exclusive()

    def transaction(self) -> AbstractContextManager[None]:
        """One durable SQL transaction, rolled back on any exception; not nestable."""
        return self._database.transaction()

    def secret(self, name: str) -> bytes | None:
        """A private blob from ``desk.keys``; not part of backups."""
        return self._desk_keys.secret(name)

    def set_secret(self, name: str, value: bytes) -> None:
        """Store a private blob in ``desk.keys``."""
        self._for_writing()
        self._desk_keys.set_secret(name, value)

    # --- logs -------------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """Where the vault lies."""
        return self._folder

    @property
    def clock(self) -> Clock:
        """The vault's clock."""
        return self._clock

    @property
    def database(self) -> Database:
        """The connection; for backup."""
        return self._database

    @property
    def keybag(self) -> Keybag:
        """Keys of the cases; for backup."""
        return self._keybag

    @property
    def logs(self) -> LogDirectory:
        """All logs."""
        return self._logs

    @property
    def key(self) -> VaultKey:
        """The vault key; for backup."""
        return self._key

    @property
    def backup_recipient(self) -> str:
        """Public half of the backup identity (age1…)."""
        return self._backup_recipient

    @property
    def read_only(self) -> bool:
        """Whether it was opened for reading only."""
        return self._read_only

    @property
    def origin(self) -> str:
        """Origin of the active log."""
        return self._log.origin

    @property
    def origins(self) -> list[str]:
        """Origins of all logs, oldest first; the last is the active one's."""
        return self._logs.origins()

    @property
    def next_key_digests(self) -> NextKeyDigests:
        """Digests of the keys that may succeed the active log's; the keys themselves are only on paper.

        Raises:
            ConfigurationError: ``vault.recovery_key_needed`` when none were prepared for this epoch.
        """
        return self._epochs.digests(self.origin)

    def archived_log(self, origin: str) -> LogRepository:
        """Read access to an earlier log (or the active one).

        Raises:
            NotFoundError: ``vault.no_log``.
        """
        return self._logs.archived(origin)

    def rebuilding(self, origin: str) -> Rebuilding:
        """Write access to an earlier log, for what the network holds of it.

        Raises:
            NotFoundError: ``vault.no_log``.
            ConfigurationError: ``vault.log_active`` for the log that takes new leaves.
        """
        self._for_writing()
        return Rebuilding(self, origin)

    def set_origin(self, origin: str) -> None:
        """Open a successor log: new, empty, with new signing keys; the old one stays readable.

        Raises:
            MalformedError: ``malformed.origin``.
            ConfigurationError: ``vault.recovery_key_needed`` when no next keys were prepared for its epoch.
            IntegrityError: ``vault.constraint`` for an origin that was used before.
        """
        self._for_writing()
        self._epochs.digests(origin)
        if origin not in self.origins:
            self._desk_keys.create_signer(origin)
        with self.transaction():
            self._logs.add(origin, self._clock.now())
        self._log = self._logs.active()
        self._signer = None

    # --- cases ------------------------------------------------------------------------------------------------

    def envelope_key(self, case_number: str) -> bytes:
        """32-byte key of a case's envelopes; made for a new case.

        Raises:
            NotFoundError: ``vault.case_erased``.
        """
        if self._read_only:
            return self._keybag.keys(case_number).envelope_key
        return self._keybag.keys_for_writing(case_number).envelope_key

    def case_identity(self, case_number: str) -> str:
        """Age identity of a case (AGE-SECRET-KEY-1…), for recovery with the age command line.

        Raises:
            NotFoundError: ``vault.case_erased`` or ``vault.case_unknown``.
        """
        return self._keybag.keys(case_number).identity

    def seal_box(self, case_number: str | None, leaf_hash: bytes, plain: bytes) -> Box | None:
        """Box for a leaf's envelope under the key of a case, or of the desk; None when the case has no key."""
        return self._boxes.seal(case_number, leaf_hash, plain)

    def open_box(self, leaf_hash: bytes, box: Box) -> tuple[str | None, bytes] | None:
        """(case or None for the desk, plain bytes) of a box, None when none of our keys opens it."""
        return self._boxes.open(leaf_hash, box)

    def stored_object(self, digests: DigestPair, size: int, *, case_number: str) -> StoredObject | None:
        """Where an original with these digests lies or would lie; None when the case has no keys."""
        try:
            keys = self._keybag.keys(case_number)
        except NotFoundError:
            return None
        return StoredObject(name=object_name(keys, digests), size=size, digests=digests)

    def erase_case(self, case_number: str) -> None:
        """Delete the keys of a case, then its objects and what its rows tell; leaves and custody stay.

        Earlier backups keep the keys.

        Raises:
            HostError: the keys were not deleted.
        """
        self._for_writing()
        names = self._exhibits.erased_names(case_number)
        self._keybag.erase(case_number)
        with self._database.overwriting_deleted(), self.transaction():
            self._erase_rows(case_number)
        self._objects.remove(names)
        self._rewrite()

    def keybag_copy(self) -> tuple[bytes, bytes]:
        """(digest of its content, copy of the keybag for gateways), see `vault.keybag_copy`."""
        return make_copy(
            VaultFile.read(self._folder), self._key, self._backup_recipient, self._keybag.export(),
            origins=self.origins, settings=self._exhibits.settings(), now=self._clock.now(),
        )  # fmt: skip

    def take_over_copy(self, data: bytes, *, passphrase: str = "", recovery_key: bytes = b"") -> bool:
        """Add what a copy of this vault's keybag knows beyond ours; whether anything changed.

        Raises:
            MalformedError: ``malformed.keybag_copy``, also for a copy of another vault.
            PermissionDeniedError: ``vault.wrong_passphrase``, ``vault.wrong_recovery_key``.
        """
        self._for_writing()
        own = VaultFile.read(self._folder)
        copy = open_copy(data, own, passphrase=passphrase, recovery_key=recovery_key)
        before = self._keybag.export()
        self._keybag.merge(copy.keybag)
        for number in sorted(self._keybag.erased() & self._exhibits.unerased_cases()):
            self.erase_case(number)
        return self._keybag.export() != before

    def erased_cases(self) -> frozenset[str]:
        """Numbers of cases whose keys were deleted."""
        return self._keybag.erased()

    def is_erased(self, case_number: str) -> bool:
        """Whether the keys of a case were deleted."""
        return self._keybag.is_erased(case_number)

    # --- care -------------------------------------------------------------------------------------------------

    def check_database(self) -> None:
        """Check every page and index of the database.

        Raises:
            IntegrityError: ``vault.damaged``.
        """
        self._database.check(whole=True)

    def _finish_erasures(self) -> None:
        """An erasure cut short after the keys were deleted: mark the case, so that the sweep removes its objects."""
        unmarked = self._keybag.erased() & self._exhibits.unerased_cases()
        if unmarked:
            with self._database.overwriting_deleted(), self.transaction():
                for number in unmarked:
                    self._erase_rows(number)
        if self._exhibits.get_setting(REWRITE) == b"true":
            with contextlib.suppress(
                HostError
            ):  # a full disk is told elsewhere; the next opening tries again
                self._rewrite()

    def _rewrite(self) -> None:
        self._database.rewrite()
        with self.transaction():
            self._exhibits.set_setting(REWRITE, b"false")

    def _erase_rows(self, case_number: str) -> None:
        self._exhibits.set_setting(REWRITE, b"true")
        self._queue.erase_rows(case_number)
        self._captures.erase_rows(case_number)
        self._exhibits.erase_rows(case_number, self._clock.now())

    def _sweep_folder(self) -> None:
        """Remove temporary files of a crash; young ones may be another process' change of passphrase."""
        oldest = time.time() - _HOUR
        with host_faults(self._folder.name):
            for path in self._folder.glob(f"{durable.TEMPORARY_PREFIX}*"):
                if path.is_file() and path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)

    def _for_writing(self) -> None:
        if self._read_only:
            raise ConfigurationError("vault.read_only")

    def _release(self) -> None:
        self._key.wipe()
        if self._writer_lock is not None:
            self._writer_lock.release()

    def _referenced(self, names: Iterable[str]) -> set[str]:
        """Those of `names` that rows refer to."""
        todo = list(names)
        found: set[str] = set()
        for start in range(0, len(todo), _NAMES_AT_ONCE):
            part = todo[start : start + _NAMES_AT_ONCE]
            marks = ",".join("?" * len(part))
            rows = self._database.rows(
                "SELECT DISTINCT o.name FROM objects o JOIN exhibits e ON e.id = o.exhibit_id "  # noqa: S608
                "JOIN cases c ON c.number = e.case_number "
                f"WHERE c.erased IS NULL AND o.name IN ({marks})",
                part,
            )
            found.update(row[0] for row in rows)
        return found

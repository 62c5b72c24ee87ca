"""Backup into one file beside a writer, and a restore that proves itself and opens a successor log.

A backup holds what is encrypted already (database, objects, vault.toml) and the keybag, encrypted to the backup
identity that only passphrase or recovery key unwrap. Signing keys are never in it: a restored desk goes on under the
next epoch with new keys, because leaves lost with the disk would otherwise make it sign two histories.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import pyrage
from pyrage import x25519

from evidence_desk.core.job import Job
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.core.ports import Clock, LogStore
from evidence_desk.core.rows import ObjectRow
from evidence_desk.errors import (
    IntegrityError,
    MalformedError,
    PermissionDeniedError,
    UnreadableError,
    UsageError,
)
from evidence_desk.vault import building, durable, migrations
from evidence_desk.vault.archive import ArchiveReader, ArchiveWriter, progress, require_room
from evidence_desk.vault.database import FILE_NAME as DATABASE
from evidence_desk.vault.database import Database
from evidence_desk.vault.epochs import Epochs, epoch, origin_of
from evidence_desk.vault.exhibit_repository import ExhibitRepository
from evidence_desk.vault.faults import host_faults
from evidence_desk.vault.keybag import FILE_NAME as KEYBAG
from evidence_desk.vault.keybag import Keybag
from evidence_desk.vault.keys import DeskKeys, VaultKey
from evidence_desk.vault.log_repository import LogDirectory
from evidence_desk.vault.objects import FOLDER as OBJECTS
from evidence_desk.vault.objects import ObjectRepository
from evidence_desk.vault.recovery import parse_recovery_key
from evidence_desk.vault.store import Opening, Vault
from evidence_desk.vault.vault_file import FILE_NAME as VAULT_FILE
from evidence_desk.vault.vault_file import Secrets, VaultFile

KEYBAG_MEMBER: Final = "keybag.age"
ORIGINALS: Final = "originals-incomplete"
"""Setting of a vault built without its originals: those that are missing are no damage."""
LAST_BACKUP: Final = "last-backup"
"""File in the vault's folder with the time of the last backup."""
_MAC_PURPOSE: Final = "backup"
_MAX_KEYBAG: Final = 256 * 1024 * 1024
_MAX_VAULT_FILE: Final = 64 * 1024

VerifyLog = Callable[[LogStore], None]
"""Recomputes a log from its leaves and compares it with its checkpoint; raises when they differ."""


def last_backup(folder: Path) -> datetime | None:
    """When the vault in `folder` was backed up last; None when never, or not known. A note for people, not a proof."""
    try:
        return parse_moment((folder / LAST_BACKUP).read_text("ascii").strip(), what=LAST_BACKUP)
    except (OSError, UnicodeDecodeError, MalformedError):
        return None


def backup(vault: Vault, file: Path, *, job: Job | None = None) -> None:
    """Write a consistent backup, beside writers; an existing `file` is only replaced by a whole one.

    Args:
        vault: open, for reading or writing.
        file: where to write; its folder must exist.
        job: gets steps of stage ``backup`` in bytes.

    Raises:
        HostError: disk full, read-only folder; `file` is then as before.
        IntegrityError: ``vault.object_missing``.
    """
    temporary = file.with_name(f".{durable.temporary_name()}")
    copy = file.with_name(f".{durable.temporary_name()}")  # the vault itself may lie on a read-only disk
    try:
        vault.database.copy_to(copy, vault.key.subkey("vault.db"))
        with host_faults(file.name):
            descriptor = durable.create_private(temporary)
            with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor, not a path
                with ArchiveWriter(stream) as archive:
                    _write(vault, archive, copy, job or Job())
                stream.flush()
                durable.sync_descriptor(stream.fileno())
            temporary.replace(file)
            durable.sync_folder(file.parent)
        with suppress(OSError):  # the folder may be on a read-only disk; the backup is written all the same
            (vault.folder / LAST_BACKUP).write_text(format_moment(vault.clock.now()) + "\n", "ascii")
    finally:
        for leftover in (temporary, copy):
            with suppress(OSError):
                leftover.unlink(missing_ok=True)


def _write(vault: Vault, archive: ArchiveWriter, copy: Path, job: Job) -> None:
    """Members in the order copy, keybag, objects: an object of the copy can only be gone by an erasure since."""
    database = Database.open(copy, vault.key.subkey("vault.db"), read_only=True)
    try:
        objects = _listed(database)
    finally:
        database.close()
    total, done = sum(size for _, _, size in objects) + copy.stat().st_size, 0
    archive.add(VAULT_FILE, io.BytesIO((vault.folder / VAULT_FILE).read_bytes()))
    with copy.open("rb") as source:
        done += archive.add(DATABASE, source)
    recipient = x25519.Recipient.from_str(vault.backup_recipient)
    sealed = io.BytesIO()
    pyrage.encrypt_io(io.BytesIO(vault.keybag.export()), sealed, [recipient])
    archive.add(KEYBAG_MEMBER, io.BytesIO(sealed.getvalue()))
    written: set[str] = set()
    for name, case_number, _ in objects:
        if name in written:
            continue
        progress(job, "backup", done, total)
        try:
            source = (vault.folder / OBJECTS / name).open("rb")
        except FileNotFoundError as error:
            if vault.is_erased(case_number) or vault.exhibits.get_setting(ORIGINALS) == b"true":
                continue
            raise IntegrityError("vault.object_missing") from error
        with source:
            done += archive.add(f"{OBJECTS}/{name}", source)
        written.add(name)
    created = format_moment(vault.clock.now())
    archive.finish(mac_key=vault.key.subkey(_MAC_PURPOSE), facts={"created": created})
    progress(job, "backup", total, total)


def restore(
    file: Path,
    folder: Path,
    *,
    clock: Clock,
    verify_log: VerifyLog,
    job: Job | None = None,
    passphrase: str | None = None,
    recovery_key: str | None = None,
    origin: str | None = None,
) -> Vault:
    """Make a vault from a backup, after proving all of it; returns it open with a new, empty log.

    Every member is compared with the manifest, every object decrypted and re-hashed, every log given to `verify_log`.
    Earlier logs stay readable by `Vault.archived_log`; the new one has new signing keys under the next epoch.

    Args:
        file: the backup.
        folder: missing or empty; an existing vault is never overwritten.
        clock: time of opening of the new log.
        verify_log: recomputes one log; raises when it doesn't hold.
        job: gets steps of stages ``restore`` and ``verify`` in bytes.
        passphrase: that of the time of the backup; or
        recovery_key: the printed key.
        origin: of the new log, when the next epoch was used before by another restore.

    Raises:
        UsageError: ``vault.exists``, ``vault.not_empty``, ``vault.key_needed``.
        PermissionDeniedError: ``vault.wrong_passphrase`` or ``vault.wrong_recovery_key``.
        MalformedError: ``malformed.backup``.
        IntegrityError: ``vault.damaged``, ``vault.object_damaged``, or what `verify_log` raises.
        UnreadableError: ``vault.source_unreadable``.
    """
    job = job or Job()
    paper = None if recovery_key is None else parse_recovery_key(recovery_key)
    try:
        stream = file.open("rb")
    except OSError as error:
        raise UnreadableError("vault.source_unreadable", reason=type(error).__name__) from error
    with stream, ArchiveReader(stream) as archive:
        secrets = _unlock(archive, passphrase, paper)
        archive.check_mac(VaultKey(secrets.vault_key).subkey(_MAC_PURPOSE))
        with building.scaffold(folder) as work:
            require_room(work, sum(size for _, size in archive.members.values()))
            _extract(archive, work, job)
            _take_over(archive, work, secrets)
            rebuilt = _Rebuilt(work, VaultKey(secrets.vault_key))
            try:
                rebuilt.prove(verify_log, job)
                rebuilt.open_successor(origin, paper, clock)
            finally:
                rebuilt.close()
    return Vault(Opening(folder=folder, clock=clock, read_only=False), secrets)


def _unlock(archive: ArchiveReader, passphrase: str | None, paper: bytes | None) -> Secrets:
    vault_file = VaultFile.decode(archive.small(VAULT_FILE, _MAX_VAULT_FILE))
    if paper is not None:
        secrets = vault_file.unlock_by_recovery(paper)
        if secrets is None:
            raise PermissionDeniedError("vault.wrong_recovery_key")
        return secrets
    if passphrase is None:
        raise UsageError("vault.key_needed")
    secrets = vault_file.unlock(passphrase)
    if secrets is None:
        raise PermissionDeniedError("vault.wrong_passphrase")
    return secrets


def _extract(archive: ArchiveReader, work: Path, job: Job) -> None:
    total, done = sum(size for _, size in archive.members.values()), 0
    with host_faults(OBJECTS):
        (work / OBJECTS).mkdir(mode=durable.PRIVATE_FOLDER)
    for name, (_, size) in archive.members.items():
        progress(job, "restore", done, total)
        if name != KEYBAG_MEMBER:
            archive.extract(name, work / name)
        done += size
    progress(job, "restore", total, total)


def _take_over(archive: ArchiveReader, work: Path, secrets: Secrets) -> None:
    """The keybag, from the backup identity to the vault's own wrapping."""
    key, plain = VaultKey(secrets.vault_key), io.BytesIO()
    sealed = io.BytesIO(archive.small(KEYBAG_MEMBER, _MAX_KEYBAG))
    try:
        pyrage.decrypt_io(sealed, plain, [x25519.Identity.from_str(secrets.backup_identity)])
    except Exception as error:
        raise MalformedError("malformed.backup", what=KEYBAG_MEMBER) from error
    Keybag(work / KEYBAG, lambda: key.subkey("keybag")).import_(plain.getvalue())


def fill_from_backup(vault: Vault, file: Path, *, job: Job | None = None) -> int:
    """Take missing originals out of a backup of this vault, however old; each is decrypted and re-hashed. How many came.

    Raises:
        MalformedError: ``malformed.backup``, also for a backup of another vault.
        UnreadableError: ``vault.source_unreadable``. HostError: disk full.
    """
    job = job or Job()
    wanted = {item.stored.name: (item, case) for item, case in missing_originals(vault)}
    try:
        stream = file.open("rb")
    except OSError as error:
        raise UnreadableError("vault.source_unreadable", reason=type(error).__name__) from error
    came: list[str] = []
    with stream, ArchiveReader(stream) as archive:
        archive.check_mac(vault.key.subkey(_MAC_PURPOSE))
        there = [name for name in wanted if f"{OBJECTS}/{name}" in archive.members]
        total, done = sum(archive.members[f"{OBJECTS}/{name}"][1] for name in there), 0
        require_room(vault.folder, total)
        for name in there:
            progress(job, "restore", done, total)
            done += archive.members[f"{OBJECTS}/{name}"][1]
            temporary = vault.folder / OBJECTS / durable.temporary_name()
            archive.extract(f"{OBJECTS}/{name}", temporary)
            temporary.replace(vault.folder / OBJECTS / name)
            item, case_number = wanted[name]
            if vault.objects.check(item.stored, case_number=case_number, job=Job()):
                came.append(name)
            else:
                vault.objects.remove([name])
        progress(job, "restore", total, total)
    durable.sync_files(vault.folder / OBJECTS, sorted(came))
    return len(came)


def missing_originals(vault: Vault) -> Iterator[tuple[ObjectRow, str]]:
    """Originals (with their case) that rows name and the vault does not hold; those of erased cases are none."""
    seen: set[str] = set()
    for exhibit in vault.exhibits.exhibits():
        for item in exhibit.objects:
            if item.stored.name not in seen and not vault.objects.present(item.stored):
                seen.add(item.stored.name)
                yield item, exhibit.case_number


class _Rebuilt:
    """A vault's folder that is not yet in its place."""

    def __init__(self, work: Path, key: VaultKey) -> None:
        self._work = work
        self._key = key
        self._database = Database.open(work / DATABASE, key.subkey("vault.db"), read_only=False)
        self._keybag = Keybag(work / KEYBAG, lambda: key.subkey("keybag"))
        self._logs = LogDirectory(self._database)

    def prove(self, verify_log: VerifyLog, job: Job) -> None:
        """Every page, every log, every object."""
        self._database.check(whole=True)
        migrations.migrate(self._database)
        for origin in self._logs.origins():
            verify_log(self._logs.archived(origin))
        objects = ObjectRepository(self._work / OBJECTS, self._keybag, referenced=set, read_only=True)
        exhibits = ExhibitRepository(self._database, self._logs.active)
        incomplete = exhibits.get_setting(ORIGINALS) == b"true"
        known: set[str] = set()
        for exhibit in exhibits.exhibits():
            if self._keybag.is_erased(exhibit.case_number):
                continue
            for item in exhibit.objects:
                if item.stored.name in known or (incomplete and not objects.present(item.stored)):
                    continue
                if not objects.check(item.stored, case_number=exhibit.case_number, job=job):
                    raise IntegrityError("vault.object_damaged")
                known.add(item.stored.name)
        durable.sync_files(
            self._work / OBJECTS, sorted(path.name for path in (self._work / OBJECTS).iterdir())
        )

    def open_successor(self, origin: str | None, paper: bytes | None, clock: Clock) -> None:
        """A new log under the next epoch (or `origin`), with new keys."""
        last = self._logs.active().origin
        successor = origin or origin_of(last, epoch(last) + 1)
        epochs = Epochs(self._database)
        DeskKeys(self._work / building.DESK_KEYS, lambda: self._key.subkey("desk.keys")).create_signer(
            successor
        )
        with self._database.transaction():
            if paper is not None:
                epochs.prepare(successor, paper)
            epochs.digests(successor)
            self._logs.add(successor, clock.now())

    def close(self) -> None:
        """Let go of the folder."""
        self._database.close()
        self._key.wipe()


def _listed(database: Database) -> list[tuple[str, str, int]]:
    """(object name, case number, size in bytes) of everything rows refer to, but for erased cases."""
    return [
        (row[0], row[1], row[2])
        for row in database.rows(
            "SELECT o.name, e.case_number, o.size FROM objects o JOIN exhibits e ON e.id = o.exhibit_id "
            "JOIN cases c ON c.number = e.case_number WHERE c.erased IS NULL ORDER BY e.id, o.position"
        )
    ]

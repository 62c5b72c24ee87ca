"""Making the folder of a vault: built beside its place, then renamed, so that it is there whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from evidence_desk.core.checkpoint import check_origin
from evidence_desk.core.ports import Clock
from evidence_desk.errors import UsageError
from evidence_desk.vault import durable, migrations
from evidence_desk.vault.database import FILE_NAME as DATABASE
from evidence_desk.vault.database import Database
from evidence_desk.vault.epochs import Epochs
from evidence_desk.vault.exhibit_repository import ExhibitRepository
from evidence_desk.vault.faults import host_faults
from evidence_desk.vault.keybag import FILE_NAME as KEYBAG
from evidence_desk.vault.keybag import Keybag, empty_keybag
from evidence_desk.vault.keys import DeskKeys, KdfParameters, VaultKey
from evidence_desk.vault.log_repository import LogDirectory
from evidence_desk.vault.objects import FOLDER as OBJECTS
from evidence_desk.vault.recovery import format_recovery_key, new_recovery_key
from evidence_desk.vault.vault_file import FILE_NAME as VAULT_FILE
from evidence_desk.vault.vault_file import Secrets, VaultFile

DESK_KEYS: Final = "desk.keys"


def refuse_occupied(folder: Path) -> None:
    """A vault takes a new folder, or an empty one.

    Raises:
        UsageError: ``vault.exists`` or ``vault.not_empty``.
    """
    with host_faults(folder.name):
        if (folder / VAULT_FILE).exists():
            raise UsageError("vault.exists", folder=str(folder))
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError("vault.not_empty", folder=str(folder))


@contextmanager
def scaffold(folder: Path) -> Iterator[Path]:
    """Temporary folder that takes the place of `folder` at the end of the block, or vanishes when it fails.

    Raises:
        UsageError: ``vault.exists`` or ``vault.not_empty``.
        HostError: the parent cannot be written to.
    """
    refuse_occupied(folder)
    with host_faults(folder.name):
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = folder.parent / f".{durable.temporary_name()}"
        work.mkdir(mode=durable.PRIVATE_FOLDER)
    try:
        yield work
        with host_faults(folder.name):
            for path in work.iterdir():
                if path.is_file():
                    durable.sync_file(path)
            durable.sync_folder(work)
            if folder.exists():
                folder.rmdir()  # empty, as checked; Windows does not rename over it
            work.rename(folder)
            durable.sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def create(
    folder: Path,
    passphrase: str,
    *,
    clock: Clock,
    origin: str,
    kdf: KdfParameters | None,
    settings: Mapping[str, bytes],
) -> tuple[Secrets, str]:
    """Build a new vault on the disk; returns its secrets and the printable recovery key."""
    check_origin(origin)
    secrets, recovery_key = Secrets.generate(), new_recovery_key()
    file = VaultFile.create(secrets, passphrase, recovery_key, kdf or KdfParameters(), clock.now())
    with scaffold(folder) as work:
        with host_faults(OBJECTS):
            (work / OBJECTS).mkdir(mode=durable.PRIVATE_FOLDER)
        key = VaultKey(secrets.vault_key)
        database = Database.create(work / DATABASE, key.subkey("vault.db"))
        try:
            migrations.migrate(database)
            with database.transaction():
                logs = LogDirectory(database)
                logs.add(origin, clock.now())
                Epochs(database).prepare(origin, recovery_key)
                exhibits = ExhibitRepository(database, logs.active)
                for name, value in settings.items():
                    exhibits.set_setting(name, value)
        finally:
            database.close()
        DeskKeys(work / DESK_KEYS, lambda: key.subkey("desk.keys")).create_signer(origin)
        Keybag(work / KEYBAG, lambda: key.subkey("keybag")).import_(empty_keybag())
        file.write(work)
        key.wipe()
    return secrets, format_recovery_key(recovery_key)

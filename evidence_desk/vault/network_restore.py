"""A vault built anew from a keybag copy: keys of the cases, settings, empty logs to be filled, and the successor's keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evidence_desk.core.ports import Clock
from evidence_desk.vault import building, durable, migrations
from evidence_desk.vault.database import FILE_NAME as DATABASE
from evidence_desk.vault.database import Database
from evidence_desk.vault.epochs import Epochs
from evidence_desk.vault.exhibit_repository import ExhibitRepository
from evidence_desk.vault.faults import host_faults
from evidence_desk.vault.keybag import FILE_NAME as KEYBAG
from evidence_desk.vault.keybag import Keybag
from evidence_desk.vault.keybag_copy import KeybagCopy
from evidence_desk.vault.keys import DeskKeys, VaultKey
from evidence_desk.vault.log_repository import LogDirectory
from evidence_desk.vault.objects import FOLDER as OBJECTS
from evidence_desk.vault.store import Opening, Vault


def rebuild(
    folder: Path,
    copy: KeybagCopy,
    recovery_key: bytes,
    *,
    earlier: Sequence[str],
    successor: str,
    clock: Clock,
) -> Vault:
    """Make the vault; returns it open with an empty active log `successor` and empty logs `earlier` before it.

    The passphrase is that of the time of the copy.

    Raises:
        UsageError: ``vault.exists``, ``vault.not_empty``.
        IntegrityError: ``vault.damaged`` for a keybag that cannot be read.
        HostError: disk full, read-only folder; nothing is left behind.
    """
    key = VaultKey(copy.secrets.vault_key)
    with building.scaffold(folder) as work:
        with host_faults(OBJECTS):
            (work / OBJECTS).mkdir(mode=durable.PRIVATE_FOLDER)
        database = Database.create(work / DATABASE, key.subkey("vault.db"))
        try:
            migrations.migrate(database)
            logs = LogDirectory(database)
            with database.transaction():
                for origin in (*earlier, successor):
                    logs.add(origin, clock.now())
                Epochs(database).prepare(successor, recovery_key)
                store = ExhibitRepository(database, logs.active)
                for name, value in copy.settings.items():
                    store.set_setting(name, value)
        finally:
            database.close()
        DeskKeys(work / building.DESK_KEYS, lambda: key.subkey("desk.keys")).create_signer(successor)
        Keybag(work / KEYBAG, lambda: key.subkey("keybag")).import_(copy.keybag)
        copy.vault_file.write(work)
        key.wipe()
    return Vault(Opening(folder=folder, clock=clock, read_only=False), copy.secrets)

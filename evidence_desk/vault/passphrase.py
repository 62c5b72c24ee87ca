"""Unlocking by passphrase or paper, and changing the passphrase; works on the folder, open or not."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from evidence_desk.core.ports import Clock
from evidence_desk.errors import PermissionDeniedError
from evidence_desk.vault.attempts import Attempts, Sleep, WallClock
from evidence_desk.vault.recovery import new_recovery_key, parse_recovery_key
from evidence_desk.vault.vault_file import Secrets, VaultFile


def unlock(folder: Path, passphrase: str, *, clock: Clock, sleep: Sleep | None) -> Secrets:
    """Secrets of a vault by passphrase, with the growing delay; see `Vault.open` for errors."""
    return _guarded(folder, lambda file: file.unlock(passphrase), clock=clock, sleep=sleep)


def unlock_by_recovery(folder: Path, recovery_key: str) -> Secrets:
    """Secrets of a vault by its printed recovery key (256 random bits: no delay needed)."""
    secrets = VaultFile.read(folder).unlock_by_recovery(parse_recovery_key(recovery_key))
    if secrets is None:
        raise PermissionDeniedError("vault.wrong_recovery_key")
    return secrets


def check_passphrase(
    folder: Path, passphrase: str, *, clock: Clock | None = None, sleep: Sleep | None = time.sleep
) -> None:
    """Whether `passphrase` opens the vault, open or not; errors and delay as `Vault.open`."""
    unlock(folder, passphrase, clock=clock or WallClock(), sleep=sleep)


def change_passphrase(
    folder: Path, old: str, new: str, *, clock: Clock | None = None, sleep: Sleep | None = time.sleep
) -> None:
    """Wrap the vault key under a new passphrase; works while the vault is open.

    Backups made before still open with the old passphrase.

    Raises:
        PermissionDeniedError: ``vault.wrong_passphrase``, with ``sleep=None`` also ``vault.wait``.
        UsageError: ``vault.passphrase_empty``.
    """

    def rewrap(file: VaultFile) -> Secrets | None:
        secrets = file.unlock(old)
        if secrets is not None:
            file.with_passphrase(secrets, new).write(folder)
        return secrets

    _guarded(folder, rewrap, clock=clock or WallClock(), sleep=sleep)


def reset_passphrase(folder: Path, recovery_key: str, new: str, *, clock: Clock | None = None) -> None:
    """Set a new passphrase with the printed recovery key.

    Raises:
        MalformedError: ``malformed.recovery_key``.
        PermissionDeniedError: ``vault.wrong_recovery_key``.
    """
    attempts = Attempts(folder, clock or WallClock(), time.sleep)
    secrets = unlock_by_recovery(folder, recovery_key)
    with attempts.exclusive():
        VaultFile.read(folder).with_passphrase(secrets, new).write(folder)
        attempts.succeeded()


def renew_recovery_key(
    folder: Path, passphrase: str, *, clock: Clock | None = None, sleep: Sleep | None = time.sleep
) -> bytes:
    """Wrap the vault key under a new recovery key and return that; the one before opens only backups made before.

    Raises:
        PermissionDeniedError: ``vault.wrong_passphrase``, with ``sleep=None`` also ``vault.wait``.
    """
    key = new_recovery_key()

    def rewrap(file: VaultFile) -> Secrets | None:
        secrets = file.unlock(passphrase)
        if secrets is not None:
            file.with_recovery_key(secrets, key).write(folder)
        return secrets

    _guarded(folder, rewrap, clock=clock or WallClock(), sleep=sleep)
    return key


def _guarded(
    folder: Path, attempt: Callable[[VaultFile], Secrets | None], *, clock: Clock, sleep: Sleep | None
) -> Secrets:
    VaultFile.read(folder)  # no lock file in a folder that is no vault
    secrets = Attempts(folder, clock, sleep).guarded(lambda: attempt(VaultFile.read(folder)))
    if secrets is None:
        raise PermissionDeniedError("vault.wrong_passphrase")
    return secrets

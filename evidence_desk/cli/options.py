"""Options that every command takes, and opening the vault with them."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import platformdirs
import typer

from evidence_desk.bootstrap.opening import unlocked
from evidence_desk.bootstrap.session import Session
from evidence_desk.errors import HostError, PermissionDeniedError
from evidence_desk.keyring_store import KeyringStore
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language
from evidence_desk.vault.vault_file import FILE_NAME as VAULT_FILE
from evidence_desk.vault.vault_file import VaultFile

PASSPHRASE: Final = "EVIDENCE_DESK_PASSPHRASE"  # noqa: S105 - the name of a variable
NEW_PASSPHRASE: Final = "EVIDENCE_DESK_NEW_PASSPHRASE"  # noqa: S105 - the name of a variable

RECOVERY_KEY: Final = "EVIDENCE_DESK_RECOVERY_KEY"

VaultOption = Annotated[
    Path | None,
    typer.Option("--vault", envvar="EVIDENCE_DESK_VAULT", help="存证库文件夹 / folder of the vault"),
]
LanguageOption = Annotated[
    Language, typer.Option("--lang", envvar="EVIDENCE_DESK_LANG", help="语言 / language")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="只输出一个 JSON 文档 / one JSON document and nothing else")
]
OperatorOption = Annotated[str, typer.Option("--operator", help="操作人 / operator")]
TrustOption = Annotated[
    Path | None,
    typer.Option("--trust", help="信任根文件夹（含 trust.json）/ folder of trust roots (with trust.json)"),
]


def vault_folder(vault: Path | None) -> Path:
    """The given folder, else the usual place of this user."""
    return vault or platformdirs.user_data_path("evidence-desk", appauthor=False) / "vault"


def passphrase(out: Output, *, code: str = "cli.ask_passphrase", variable: str = PASSPHRASE) -> str:
    """From the environment for unattended use, else from a prompt on the terminal.

    Raises:
        PermissionDeniedError: ``cli.no_passphrase``, ``cli.no_recovery_key`` when there is neither.
    """
    if variable in os.environ:
        return os.environ[variable]
    if not sys.stdin.isatty():
        lacking = "cli.no_recovery_key" if variable == RECOVERY_KEY else "cli.no_passphrase"
        raise PermissionDeniedError(lacking, variable=variable)
    return getpass.getpass(out.text(code) + " ")


@contextmanager
def session(out: Output, vault: Path | None, *, read_only: bool = False) -> Iterator[Session]:
    """The open vault of a command."""
    folder = vault_folder(vault)
    remembered = _remembered(out, folder)
    if remembered is not None:
        opened = _by_keyring(folder, remembered, read_only=read_only)
    else:
        opened = unlocked(folder, passphrase(out), read_only=read_only)
    try:
        yield opened
    finally:
        opened.close()


def _remembered(out: Output, folder: Path) -> str | None:
    """The passphrase in the keyring, for vaults that a person had remembered; the environment goes before it."""
    if PASSPHRASE in os.environ or not (folder / VAULT_FILE).is_file():
        return None
    store = KeyringStore()
    vault_id = VaultFile.read(folder).vault_id
    if not store.remembers(vault_id):
        return None
    try:
        return store.recall(vault_id)
    except HostError as error:  # locked, or gone: the passphrase can be typed
        out.warn(error)
        return None


def _by_keyring(folder: Path, remembered: str, *, read_only: bool) -> Session:
    try:
        return unlocked(folder, remembered, read_only=read_only)
    except PermissionDeniedError as error:
        if error.code != "vault.wrong_passphrase":
            raise
        KeyringStore().forget(
            VaultFile.read(folder).vault_id
        )  # or each command would be one more wrong attempt
        raise PermissionDeniedError("keyring.stale") from error

"""Questions to the person at the keyboard: passphrases, and whether to go on."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Final

import typer

from evidence_desk.errors import PermissionDeniedError, UsageError
from evidence_desk.terminal.output import Output

GOVERNANCE_PASSPHRASE: Final = "COURT_GOVERNANCE_PASSPHRASE"  # noqa: S105 - the name of a variable
BACKUP_PASSPHRASE: Final = "COURT_BACKUP_PASSPHRASE"  # noqa: S105 - the name of a variable


def passphrase(out: Output, variable: str = GOVERNANCE_PASSPHRASE) -> str:
    """From the environment for unattended use, else asked on the terminal.

    Raises:
        PermissionDeniedError: ``operation.no_passphrase`` when there is neither.
    """
    if variable in os.environ:
        return os.environ[variable]
    if not sys.stdin.isatty():
        raise PermissionDeniedError("operation.no_passphrase", variable=variable)
    return getpass.getpass(out.text("operation.ask_passphrase") + " ")


def new_passphrase(out: Output, variable: str = GOVERNANCE_PASSPHRASE, *, wanted: bool) -> str:
    """A passphrase for something new, asked twice; "" when none is wanted and none is in the environment.

    Raises:
        PermissionDeniedError: ``operation.no_passphrase``.
        UsageError: ``operation.passphrases_differ``.
    """
    if not wanted:
        return os.environ.get(variable, "")
    first = passphrase(out, variable)
    if variable not in os.environ and first != passphrase(out, variable):
        raise UsageError("operation.passphrases_differ")
    if not first:
        raise PermissionDeniedError("operation.no_passphrase", variable=variable)
    return first


def confirm(out: Output, *, yes: bool) -> None:
    """Ask whether to go on, unless told not to.

    Raises:
        UsageError: ``operation.unconfirmed`` when there is nobody to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("operation.unconfirmed")
    typer.confirm(out.text("operation.ask"), abort=True, err=True)

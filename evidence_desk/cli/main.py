"""``evidence-desk``: all commands under one program."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import Abort, TyperException

from evidence_desk.cli import authority
from evidence_desk.cli.certify import certify, correct, export, revoke
from evidence_desk.cli.doctor import doctor
from evidence_desk.cli.identity import identity
from evidence_desk.cli.init import init
from evidence_desk.cli.maintain import audit, backup, change, recheck, restore
from evidence_desk.cli.seal import seal, timestamp
from evidence_desk.cli.show import custody, list_exhibits, lookup, show
from evidence_desk.cli.verify import verify
from evidence_desk.core.verdict import ExitStatus
from evidence_desk.errors import CanceledError
from evidence_desk.terminal.output import ErrorTold

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="证据台：电子证据的登记、时间戳、出证与核验 / Evidence Desk: seal, timestamp, certify, verify",
)
for command, name in (
    (init, "init"), (seal, "seal"), (list_exhibits, "list"), (show, "show"), (timestamp, "timestamp"),
    (certify, "certify"), (export, "export"), (verify, "verify"), (lookup, "lookup"), (custody, "custody"),
    (revoke, "revoke"), (correct, "correct"), (audit, "audit"), (recheck, "recheck"), (backup, "backup"),
    (restore, "restore"), (change, "passphrase"), (doctor, "doctor"), (identity, "identity"),
):  # fmt: skip
    app.command(name)(command)
app.add_typer(authority.app, name="authority")


def run() -> None:
    """Entry point."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status (docs/spec/exit-codes.md)."""
    try:
        result = app(args=arguments, prog_name="evidence-desk", standalone_mode=False)
    except ErrorTold as told:
        return told.status
    except TyperException as error:
        error.show()
        return ExitStatus.USAGE.value
    except (Abort, KeyboardInterrupt):
        return CanceledError.exit_status
    return result if isinstance(result, int) else 0

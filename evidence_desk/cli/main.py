"""``evidence-desk``: all commands under one program."""

from __future__ import annotations

import os
from itertools import pairwise

import typer
from typer.exceptions import Abort, TyperException

from evidence_desk.cli import (
    authority,
    capture,
    capture_replay,
    document,
    network,
    person,
    settings,
    signer,
)
from evidence_desk.cli.anchor import anchor
from evidence_desk.cli.annotate import archive, note, tag
from evidence_desk.cli.bundle import bundle
from evidence_desk.cli.certify import certify, correct, export, reprint, revoke
from evidence_desk.cli.doctor import doctor
from evidence_desk.cli.erase import erase
from evidence_desk.cli.identity import identity
from evidence_desk.cli.init import init
from evidence_desk.cli.lookup import lookup
from evidence_desk.cli.maintain import audit, backup, change, recheck
from evidence_desk.cli.restore import restore
from evidence_desk.cli.seal import seal, timestamp
from evidence_desk.cli.show import custody, list_exhibits, show
from evidence_desk.cli.verify import verify
from evidence_desk.core.verdict import ExitStatus
from evidence_desk.errors import CanceledError, UsageError
from evidence_desk.terminal.output import ErrorTold, Output
from evidence_desk.terminal.program import run_program
from evidence_desk.texts import Language

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="证据台：电子证据的登记、时间戳、出证与核验 / Evidence Desk: seal, timestamp, certify, verify",
)
for command, name in (
    (init, "init"), (seal, "seal"), (list_exhibits, "list"), (show, "show"), (timestamp, "timestamp"),
    (certify, "certify"), (reprint, "reprint"), (export, "export"), (verify, "verify"), (lookup, "lookup"), (custody, "custody"),
    (revoke, "revoke"), (correct, "correct"), (audit, "audit"), (recheck, "recheck"), (backup, "backup"),
    (restore, "restore"), (erase, "erase"), (change, "passphrase"), (doctor, "doctor"), (identity, "identity"),
    (anchor, "anchor"), (tag, "tag"), (note, "note"), (archive, "archive"), (bundle, "bundle"),
    (capture.capture, "capture"),
):  # fmt: skip
    app.command(name)(command)
app.add_typer(authority.app, name="authority")
app.add_typer(signer.app, name="signer")
app.add_typer(capture_replay.captures, name="captures")
app.add_typer(document.app, name="document")
app.add_typer(network.app, name="network")
app.add_typer(person.app, name="person")
app.add_typer(settings.app, name="settings")
_GROUPS = ("authority", "captures", "document", "network", "person", "settings", "signer")
"""Commands that only hold others."""


def run() -> None:
    """Entry point."""
    run_program(main)


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status (docs/spec/exit-codes.md)."""
    if not arguments or arguments in [[name] for name in _GROUPS]:
        arguments = [*arguments, "--help"]
    try:
        result = app(args=arguments, prog_name="evidence-desk", standalone_mode=False)
    except ErrorTold as told:
        return told.status
    except TyperException as error:
        _output(arguments).fail(UsageError("cli.usage", message=error.format_message()))
        return ExitStatus.USAGE.value
    except (Abort, KeyboardInterrupt):
        return CanceledError.exit_status
    return result if isinstance(result, int) else 0


def _output(arguments: list[str]) -> Output:
    """The voice for arguments that could not be read: language and form as far as they can be told."""
    wanted = os.environ.get("EVIDENCE_DESK_LANG", Language.ZH.value)
    for option, value in pairwise([*arguments, ""]):
        if option == "--lang":
            wanted = value
        elif option.startswith("--lang="):
            wanted = option.removeprefix("--lang=")
    language = Language(wanted) if wanted in set(Language) else Language.ZH
    return Output(language, as_json="--json" in arguments)

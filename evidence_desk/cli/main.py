"""``evidence-desk``: all commands under one program."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from itertools import pairwise
from typing import Final

import typer
from typer.exceptions import Abort, TyperException

from evidence_desk.core.verdict import ExitStatus
from evidence_desk.errors import CanceledError, UsageError
from evidence_desk.terminal.output import ErrorTold, Output
from evidence_desk.terminal.program import run_program
from evidence_desk.texts import Language

COMMANDS: Final = {
    "init": "init", "seal": "seal", "list": "show:list_exhibits", "show": "show", "timestamp": "seal:timestamp",
    "certify": "certify", "reprint": "certify:reprint", "export": "certify:export", "verify": "verify",
    "lookup": "lookup", "custody": "show:custody", "revoke": "certify:revoke", "correct": "certify:correct",
    "audit": "maintain:audit", "recheck": "maintain:recheck", "backup": "maintain:backup", "restore": "restore",
    "erase": "erase", "passphrase": "maintain:change", "doctor": "doctor", "identity": "identity", "anchor": "anchor",
    "tag": "annotate:tag", "note": "annotate:note", "archive": "annotate:archive", "bundle": "bundle",
    "capture": "capture", "selftest": "selftest",
    "authority": "authority:app", "signer": "signer:app", "captures": "capture_replay:captures",
    "document": "document:app", "network": "network:app", "person": "person:app", "settings": "settings:app",
    "updates": "updates:app",
}  # fmt: skip
"""Where each command is: a module of this package and the name in it. Only the one that is run is loaded, for a quick start."""
_GROUPS = ("authority", "captures", "document", "network", "person", "settings", "signer", "updates")
"""Commands that only hold others."""


def run() -> None:
    """Entry point."""
    run_program(main)


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status (docs/spec/exit-codes.md)."""
    if not arguments or arguments in [[name] for name in _GROUPS]:
        arguments = [*arguments, "--help"]
    try:
        result = _program(arguments)(args=arguments, prog_name="evidence-desk", standalone_mode=False)
    except ErrorTold as told:
        return told.status
    except TyperException as error:
        _output(arguments).fail(UsageError("cli.usage", message=error.format_message()))
        return ExitStatus.USAGE.value
    except (Abort, KeyboardInterrupt):
        return CanceledError.exit_status
    return result if isinstance(result, int) else 0


def _program(arguments: list[str]) -> typer.Typer:
    """What is needed to run these arguments; all commands where help is asked for, or a name is not known."""
    known = bool(arguments) and arguments[0] in COMMANDS
    return program(arguments[:1] if known else COMMANDS)


def program(names: Iterable[str]) -> typer.Typer:
    """The program with these of its commands."""
    made = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        help="证据台：电子证据的登记、时间戳、出证与核验 / Evidence Desk: seal, timestamp, certify, verify",
    )
    made.callback()(_no_options)  # else a program of one command has no name for it
    for name in names:
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(import_module(f"evidence_desk.cli.{module}"), attribute or name)
        if isinstance(command, typer.Typer):
            made.add_typer(command, name=name)
        else:
            made.command(name)(command)
    return made


def _no_options() -> None:
    """Options belong to the commands."""


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

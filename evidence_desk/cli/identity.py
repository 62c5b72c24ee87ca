"""``evidence-desk identity``: the age identity of a case, so that originals can be recovered without this program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from evidence_desk.cli.describe import fault_json, print_faults
from evidence_desk.cli.options import (
    RECOVERY_KEY,
    JsonOption,
    LanguageOption,
    OperatorOption,
    VaultOption,
    passphrase,
    session,
)
from evidence_desk.errors import UsageError
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

ROTATE: Final = "rotate"
"""In the place of a case number."""


def identity(
    case: Annotated[
        str,
        typer.Argument(help="案号；或 rotate：更换终端密钥 / case number, or rotate: new keys of the desk"),
    ],
    by_recovery_key: Annotated[
        bool, typer.Option("--recovery-key", help="与 rotate 同用：凭恢复密钥 / with rotate: by recovery key")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="已知后果，不再询问 / the consequence is known, do not ask")
    ] = False,
    operator: OperatorOption = "",
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """显示案件的 age 密钥；rotate：凭恢复密钥更换终端密钥 / A case's age identity; rotate: new keys of the desk."""
    if case == ROTATE:
        _rotate(vault, lang, by_recovery_key=by_recovery_key, as_json=as_json)
        return
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        key = opened.vault.case_identity(case)
        _confirm(out, yes=yes)
        rows = list(opened.vault.exhibits.exhibits(case_number=case))
        record(
            opened.desk,
            [CustodyNote(exhibit=row.leaf_hash, action="identity_shown", operator=operator) for row in rows],
        )
        # Lines with # are comments of an age identity file: the output can be used as one.
        out.line(f"# {''.join(char if char.isprintable() else '?' for char in case)}")
        out.line(key)
        out.document(
            {
                "case": case,
                "identity": key,
                "objects": [
                    {"number": row.number, "path": item.path, "stored": item.stored.name}
                    for row in rows
                    for item in row.objects
                ],
            }
        )


def _rotate(vault: Path | None, lang: Language, *, by_recovery_key: bool, as_json: bool) -> None:
    """The keys on paper take the place of those on the disk, in the network first."""
    with Output(lang, as_json=as_json) as out:
        if not by_recovery_key:
            raise UsageError("identity.rotate_by_recovery_key")
        with session(out, vault) as opened:
            paper = passphrase(out, code="cli.ask_recovery_key", variable=RECOVERY_KEY)
            with out.job() as job:
                outcome = opened.rotate_keys(paper, job=job)
            out.say("identity.rotated", origin=outcome.origin)
            if outcome.registered:
                out.say("identity.rotated.registered", height=outcome.height)
            else:
                out.say("identity.rotated.alone")
            print_faults(out, outcome.faults)
            out.document(
                {
                    "log": outcome.origin,
                    "ed25519": opened.desk.keys.ed25519.hex(),
                    "sm2": opened.desk.keys.sm2.hex(),
                    "registered": outcome.registered,
                    "height": outcome.height or None,
                    "faults": [fault_json(out, item) for item in outcome.faults],
                }
            )


def _confirm(out: Output, *, yes: bool) -> None:
    """Say on stderr what the key opens; ask unless told not to."""
    out.errors.print(out.text("identity.warning"), style="yellow")
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("identity.unconfirmed")
    typer.confirm(out.text("identity.ask"), abort=True, err=True)

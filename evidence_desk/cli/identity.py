"""``evidence-desk identity``: the age identity of a case, so that originals can be recovered without this program."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from evidence_desk.cli.options import JsonOption, LanguageOption, OperatorOption, VaultOption, session
from evidence_desk.errors import UsageError
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language


def identity(
    case: Annotated[str, typer.Argument(help="案号 / case number")],
    yes: Annotated[
        bool, typer.Option("--yes", help="已知后果，不再询问 / the consequence is known, do not ask")
    ] = False,
    operator: OperatorOption = "",
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """显示案件的 age 密钥，用于不依赖本程序恢复原件 / Show the age identity of a case."""
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


def _confirm(out: Output, *, yes: bool) -> None:
    """Say on stderr what the key opens; ask unless told not to."""
    out.errors.print(out.text("identity.warning"), style="yellow")
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("identity.unconfirmed")
    typer.confirm(out.text("identity.ask"), abort=True, err=True)

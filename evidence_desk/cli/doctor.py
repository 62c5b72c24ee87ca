"""``evidence-desk doctor``: versions, clock, store, authorities; what is missing and what to do."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from evidence_desk.bootstrap.diagnosis import (
    NOTES,
    Check,
    Installation,
    check_disk,
    check_installation,
    check_vault,
)
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session, vault_folder
from evidence_desk.core.moment import format_moment
from evidence_desk.errors import ConfigurationError, EvidenceDeskError
from evidence_desk.terminal.output import Output, error_title
from evidence_desk.texts import Language


def doctor(
    vault: VaultOption = None, lang: LanguageOption = Language.ZH, as_json: JsonOption = False
) -> None:
    """检查程序、时钟、存证库与时间戳机构 / Check program, clock, vault and authorities."""
    with Output(lang, as_json=as_json) as out:
        installation = Installation()
        folder = vault_folder(vault)
        checks = check_installation(installation, folder)
        if (folder / "vault.toml").is_file():
            checks += _inside(out, folder)
        now = format_moment(datetime.now(UTC))
        out.line(
            f"Evidence Desk {installation.version}  Python {installation.python}  {installation.platform}"
        )
        out.line(f"{installation.openssl}  UTC {now}")
        for name, found in installation.packages.items():
            out.line(f"    {name} {found or '-'}")
        for item in checks:
            outcome = "right" if item.right else "wrong"
            fact = out.text(f"doctor.{item.name}.{outcome}", fact=_fact(out, item))
            out.line(f"{out.text(f'doctor.{outcome}')} {out.text(f'doctor.{item.name}')}  {fact}")
        document: dict[str, Any] = {
            **asdict(installation),
            "utc": now,
            "checks": [{"name": item.name, "right": item.right, "fact": _fact(out, item)} for item in checks],
        }
        out.document(document)
        if not all(item.right for item in checks if item.name not in NOTES):
            raise typer.Exit(ConfigurationError.exit_status)


def _inside(out: Output, folder: Path) -> list[Check]:
    checks = [check_disk(folder)]
    try:
        with session(out, folder, read_only=True) as opened:
            checks += check_vault(opened)
    except EvidenceDeskError as error:
        checks.append(Check(name="open", right=False, error=error))
    return checks


def _fact(out: Output, item: Check) -> str:
    if item.error is None:
        return item.fact
    said = error_title(item.error, out.language)
    return f"{item.fact}: {said}" if item.fact else said

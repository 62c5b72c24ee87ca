"""``evidence-desk settings two-person`` and ``retention``: rules of the vault, and what it reminds its users of."""

from __future__ import annotations

from dataclasses import asdict, replace
from enum import StrEnum
from typing import Annotated

import typer

from evidence_desk.bootstrap import persons as office
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session
from evidence_desk.settings import MAX_DAYS, MAX_YEARS, load_retention, save_retention
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

app = typer.Typer(no_args_is_help=True, help="存证库的规则 / rules of the vault")


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


@app.command("two-person")
def two_person(
    switch: Annotated[Switch | None, typer.Argument(help="on 或 off；不给出则显示 / else shown")] = None,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """双人出证：证书须经第二人复核 / Whether certificates need a second person's confirmation."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=switch is None) as opened:
        if switch is not None:
            office.set_two_person(opened, on=switch is Switch.ON)
        on = office.two_person(opened)
        out.say("settings.two_person.on" if on else "settings.two_person.off")
        out.document({"two_person": on})


@app.command("retention")
def retention(
    backup_days: Annotated[
        int | None,
        typer.Option("--backup-days", min=1, max=MAX_DAYS, help="备份间隔，天 / days between backups"),
    ] = None,
    recheck_days: Annotated[
        int | None,
        typer.Option("--recheck-days", min=1, max=MAX_DAYS, help="原件复核间隔，天 / between re-checks"),
    ] = None,
    keep_years: Annotated[
        int | None,
        typer.Option("--keep-years", min=0, max=MAX_YEARS, help="案件保管期限，年；0 不设 / 0: no term"),
    ] = None,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """保管与提醒：到期只提醒，不自动删除 / What is called to mind when; nothing is deleted by it."""
    given = {"backup_days": backup_days, "recheck_days": recheck_days, "keep_years": keep_years}
    changes = {name: value for name, value in given.items() if value is not None}
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=not changes) as opened:
        store = opened.vault
        value = replace(load_retention(store.exhibits), **changes)
        if changes:
            with store.exclusive(), store.transaction():
                save_retention(store.exhibits, value)
        out.say("settings.retention", backup=value.backup_days, recheck=value.recheck_days)
        out.say(
            "settings.retention.term" if value.keep_years else "settings.retention.no_term",
            years=value.keep_years,
        )
        out.document({"retention": asdict(value)})

"""``evidence-desk settings two-person``: rules that the vault holds its users to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from evidence_desk.bootstrap import persons as office
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session
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

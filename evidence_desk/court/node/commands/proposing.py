"""``court-node govern propose``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from evidence_desk.core.digests import parse_hex
from evidence_desk.court.node.ceremony import parse_member
from evidence_desk.court.node.commands.acting import (
    EXPIRY,
    Act,
    DoorFolder,
    ExpiresOption,
    GatewayOption,
    KeyOption,
    SaveOption,
    YesOption,
)
from evidence_desk.court.node.commands.options import JsonOption, LanguageOption
from evidence_desk.court.node.files import read_input
from evidence_desk.court.node.governing import (
    proposing,
    words,
)
from evidence_desk.court.protocol.actions import (
    AddValidator,
    Govern,
    Parameter,
    RemoveValidator,
    RevokeDesk,
    SetParameter,
    Upgrade,
)
from evidence_desk.errors import UsageError
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

propose = typer.Typer(no_args_is_help=True, help="提案 / propose")
_MAX_MEMBER: Final = 16 * 1024


@propose.command("add")
def propose_add(
    member: Annotated[Path, typer.Argument(help="新机构的 member.json / the new institution's file")],
    *,
    folder: DoorFolder = None,
    gateway: GatewayOption = "",
    key: KeyOption = None,
    expires_in: ExpiresOption = EXPIRY,
    save: SaveOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """接纳一个机构的验证节点 / admit an institution's validator."""
    with Output(language, as_json=as_json) as out:
        new = parse_member(read_input(member, _MAX_MEMBER))
        action = AddValidator(
            consensus_key=new.consensus_key, governance_key=new.governance_key, institution=new.institution
        )
        send_proposal(Act.of(out, folder, gateway, key, yes=yes), proposing(add=action), expires_in, save)


@propose.command("remove")
def propose_remove(
    institution: Annotated[str, typer.Argument(help="机构代码，或共识公钥 / code, or consensus key in hex")],
    *,
    folder: DoorFolder = None,
    gateway: GatewayOption = "",
    key: KeyOption = None,
    expires_in: ExpiresOption = EXPIRY,
    save: SaveOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """移除一个机构的验证节点 / remove an institution's validator."""
    with Output(language, as_json=as_json) as out:
        act = Act.of(out, folder, gateway, key, yes=yes)
        if len(institution) == 64:
            consensus_key = parse_hex(institution, what="consensus key")
        else:
            consensus_key = act.shown().institution(institution).consensus_key
        send_proposal(act, proposing(remove=RemoveValidator(consensus_key=consensus_key)), expires_in, save)


@propose.command("parameter")
def propose_parameter(
    name: Annotated[str, typer.Argument(help="lookup_quota | max_submit_bytes")],
    value: Annotated[int, typer.Argument(min=1)],
    *,
    folder: DoorFolder = None,
    gateway: GatewayOption = "",
    key: KeyOption = None,
    expires_in: ExpiresOption = EXPIRY,
    save: SaveOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """更改一个参数 / change a parameter."""
    with Output(language, as_json=as_json) as out:
        if name.upper() not in Parameter.__members__:
            raise UsageError("governance.parameter", name=name[:40])
        action = SetParameter(parameter=Parameter[name.upper()], value=value)
        send_proposal(
            Act.of(out, folder, gateway, key, yes=yes), proposing(parameter=action), expires_in, save
        )


@propose.command("upgrade")
def propose_upgrade(
    height: Annotated[
        int, typer.Argument(min=1, help="按旧规则执行的最后一个区块 / last block of the old rules")
    ],
    version: Annotated[int, typer.Argument(min=1, help="新规则的版本 / version of the new rules")],
    *,
    folder: DoorFolder = None,
    gateway: GatewayOption = "",
    key: KeyOption = None,
    expires_in: ExpiresOption = EXPIRY,
    save: SaveOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """自某高度起启用新规则 / follow new rules from a height on."""
    with Output(language, as_json=as_json) as out:
        action = Upgrade(height=height, app_version=version)
        send_proposal(Act.of(out, folder, gateway, key, yes=yes), proposing(upgrade=action), expires_in, save)


@propose.command("revoke")
def propose_revoke(
    origin: Annotated[
        str, typer.Argument(help="存证台日志 / the desk's log: desk.<office>.evidence/<uuid>/<n>")
    ],
    *,
    effective: Annotated[int, typer.Option(min=1, help="生效高度 / height from which it holds")],
    suspect_from: Annotated[int, typer.Option(min=1, help="自此高度起的存证存疑 / from here on in doubt")],
    folder: DoorFolder = None,
    gateway: GatewayOption = "",
    key: KeyOption = None,
    expires_in: ExpiresOption = EXPIRY,
    save: SaveOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """撤销一个存证台 / revoke a desk."""
    with Output(language, as_json=as_json) as out:
        action = RevokeDesk(origin=origin, effective_height=effective, suspect_from=suspect_from)
        send_proposal(Act.of(out, folder, gateway, key, yes=yes), proposing(revoke=action), expires_in, save)


def send_proposal(act: Act, payload: Govern, expires_in: int, save: Path | None) -> None:
    """Tell what is proposed, and propose it."""
    if payload.propose is not None:
        act.send(payload, words(payload.propose), expires_in=expires_in, save=save)

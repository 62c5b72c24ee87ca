"""``court-node govern``: decide on applications, vote, look at what is open; and ``report-equivocation``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from evidence_desk.core.note import MAX_NOTE
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
from evidence_desk.court.node.commands.proposing import propose, send_proposal
from evidence_desk.court.node.files import read_input
from evidence_desk.court.node.governing import (
    MAX_APPLICATION,
    Governance,
    find_proposal,
    proposing,
    read_application,
    report_words,
    words,
)
from evidence_desk.court.protocol.actions import (
    Govern,
    RegisterDesk,
    ReportEquivocation,
    Vote,
)
from evidence_desk.court.protocol.transactions import MAX_TRANSACTION, parse_transaction
from evidence_desk.errors import UsageError
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

govern = typer.Typer(no_args_is_help=True, help="治理：提案与表决 / decisions of institutions")
govern.add_typer(propose, name="propose")


@govern.command("register")
@propose.command("register")
@propose.command("rotate")
def register(
    application: Annotated[Path, typer.Argument(help="登记或更换密钥的申请文件 / a desk's application")],
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
    """审查存证台的申请：已有相同提案则表决，否则提案 / review a desk's application: vote for it, or propose it."""
    with Output(language, as_json=as_json) as out:
        act = Act.of(out, folder, gateway, key, yes=yes)
        standing = act.door.standing()
        wanted = read_application(read_input(application, MAX_APPLICATION), standing.chain_id)
        opened = act.shown().open_at(standing.height) if act.home is not None else ()
        same = [item for item in opened if wanted in {item.proposal.register, item.proposal.rotate}]
        if same:
            payload = Govern(vote=Vote(proposal=same[0].number))
            act.send(payload, words(same[0].proposal), expires_height=same[0].expires_height)
            return
        name = "register" if isinstance(wanted, RegisterDesk) else "rotate"
        send_proposal(act, proposing(**{name: wanted}), expires_in, save)


@govern.command("vote")
def vote(
    proposal: Annotated[
        str, typer.Argument(help="提案编号（开头至少 8 位），或提案文件 / ID, or a saved proposal")
    ],
    *,
    folder: DoorFolder = None,
    gateway: GatewayOption = "",
    key: KeyOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """赞成一个提案；反对则不表决 / vote for a proposal; against it one does not vote."""
    with Output(language, as_json=as_json) as out:
        act = Act.of(out, folder, gateway, key, yes=yes)
        if os.path.sep in proposal or Path(proposal).is_file():
            tx = read_input(Path(proposal), MAX_TRANSACTION)
            saved = parse_transaction(tx, chain_id=act.door.standing().chain_id)
            content = saved.payload.propose if isinstance(saved.payload, Govern) else None
            if content is None:
                raise UsageError("governance.no_application")
            number, expires = saved.id, saved.expires_height
        else:
            item = find_proposal(act.shown(), proposal)
            number, content, expires = item.number, item.proposal, item.expires_height
        act.send(Govern(vote=Vote(proposal=number)), words(content), expires_height=expires)


@govern.command("list")
def list_proposals(
    *,
    folder: Annotated[Path, typer.Option("--dir", help="本机节点文件夹 / the own node's folder")],
    everything: Annotated[bool, typer.Option("--all", help="包括已执行和已失效的 / also past ones")] = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """机构、参数与待决提案 / institutions, parameters and open proposals."""
    with Output(language, as_json=as_json) as out:
        act = Act.of(out, folder, "", None, yes=True)
        shown, height = act.shown(), act.door.standing().height
        names = [item.institution for item in shown.members.members]
        out.say("governance.members", count=len(names), names=", ".join(names))
        for name, value in shown.parameters.items():
            out.say("governance.parameter_now", name=name, value=value)
        chosen = shown.proposals if everything else shown.open_at(height)
        if not chosen:
            out.say("governance.none_open")
        for item in chosen:
            voters = [shown.name_of(vote) for vote in item.votes]
            out.say("governance.proposal", id=item.number.hex(), expires=item.expires_height)
            for word in words(item.proposal):
                out.line("  " + out.text(word.code, **word.facts))
            out.line(
                "  "
                + out.text(
                    "governance.votes",
                    names=", ".join(voters),
                    votes=len(voters),
                    needed=2 * len(names) // 3 + 1,
                )
            )
        out.document(_document(shown, [item.number for item in chosen], height, out))


def _document(shown: Governance, chosen: list[bytes], height: int, out: Output) -> dict[str, object]:
    return {
        "height": height,
        "institutions": [
            {
                "institution": item.institution,
                "consensus_key": item.consensus_key.hex(),
                "governance_key": item.governance_key.hex(),
            }
            for item in shown.members.members
        ],
        "parameters": shown.parameters,
        "proposals": [
            {
                "id": item.number.hex(),
                "expires_height": item.expires_height,
                "executed": item.executed or None,
                "votes": [shown.name_of(vote) for vote in item.votes],
                "words": [out.text(word.code, **word.facts) for word in words(item.proposal)],
            }
            for item in shown.proposals
            if item.number in chosen
        ],
    }


def report_equivocation(
    note: Annotated[Path, typer.Argument(help="存证台签名的检查点 / a checkpoint the desk signed")],
    note2: Annotated[
        Path | None, typer.Argument(help="同一大小的另一检查点 / another one of that size")
    ] = None,
    *,
    folder: DoorFolder = None,
    gateway: GatewayOption = "",
    yes: YesOption = False,
    as_json: JsonOption = False,
    language: LanguageOption = Language.ZH,
) -> None:
    """举报存证台的双重日志，任何人均可 / report that a desk signed two histories; anyone may."""
    with Output(language, as_json=as_json) as out:
        act = Act.of(out, folder, gateway, None, yes=yes)
        report = ReportEquivocation(
            first=read_input(note, MAX_NOTE), second=b"" if note2 is None else read_input(note2, MAX_NOTE)
        )
        act.send(report, report_words(report), keyed=False)

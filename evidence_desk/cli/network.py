"""``evidence-desk network join|status``: the court network this desk anchors in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from evidence_desk.bootstrap.networking import choose_network, register_desk
from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.describe import fault_json, moment_or_none, print_faults
from evidence_desk.cli.options import JsonOption, LanguageOption, TrustOption, VaultOption, session
from evidence_desk.cli.restore import tell_copies
from evidence_desk.core.moment import format_moment
from evidence_desk.errors import RemoteError
from evidence_desk.services.court_query import GatewayFault
from evidence_desk.services.keybag_copy import delete_copies, send_again
from evidence_desk.services.network import (
    GatewayState,
    JoinOutcome,
    NetworkStatus,
    status,
)
from evidence_desk.terminal.output import PARTLY, Output
from evidence_desk.texts import Language

app = typer.Typer(help="法院节点网络 / the court network")
GatewayOption = Annotated[
    list[str] | None, typer.Option("--gateway", help="网关地址，可重复 / address of a gateway, repeatable")
]


@app.command()
def join(
    gateway: GatewayOption = None,
    trust: TrustOption = None,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """加入法院节点网络并申请登记 / Join a network and ask for registration."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        faults = choose_network(opened, gateway, trust)
        court = opened.court()
        out.say("network.joined", chain=court.chain_id, count=len(court.gateways))
        if court.trust.demo:
            out.say("demo.chain", chain=court.chain_id)
        with out.job() as job:
            joined = register_desk(opened, job=job)
        outcome = joined.registration
        _tell_join(out, opened, outcome)
        if joined.copies is not None:
            tell_copies(out, joined.copies)
        print_faults(out, [*faults, *outcome.faults])
        out.document(_join_json(out, opened, outcome, faults))


@app.command("status")
def show_status(
    vault: VaultOption = None, lang: LanguageOption = Language.ZH, as_json: JsonOption = False
) -> None:
    """显示网络、登记与待发情况 / Gateways, registration, what waits, what to do."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        found = status(opened.desk, opened.court())
        _tell_status(out, found)
        out.document(_status_json(out, found))


@app.command()
def keybag(
    delete: Annotated[
        bool, typer.Option("--delete", help="删除各网关的副本 / delete the copies at all gateways")
    ] = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """重新送交（或删除）各网关的密钥包副本 / Send the copy of the keybag again, or delete it."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        court = opened.court()
        done = delete_copies if delete else send_again
        outcome = done(opened.desk, court)
        if delete:
            out.say("keybag_copy.deleted", count=len(outcome.sent))
            print_faults(out, outcome.faults)
        else:
            tell_copies(out, outcome)
        out.document(
            {
                "deleted" if delete else "sent": outcome.sent,
                "faults": [fault_json(out, item) for item in outcome.faults],
            }
        )
        if outcome.faults:
            raise typer.Exit(PARTLY if outcome.sent else RemoteError.exit_status)


def _tell_join(out: Output, opened: Session, outcome: JoinOutcome) -> None:
    origin = opened.vault.origin
    if not opened.networks[0].gateways:
        out.say("network.advice.off_line")
        return
    if outcome.status == "pending":
        out.say("network.registration.pending", origin=origin)
        return
    if outcome.status == "approved" and outcome.automatic:
        out.say("network.registration.automatic", origin=origin)
    else:
        out.say("network.registration.registered", origin=origin, height=outcome.height)
    if outcome.succeeds:
        out.say("network.registration.succeeds", origin=outcome.succeeds)


def _join_json(
    out: Output, opened: Session, outcome: JoinOutcome, faults: Sequence[GatewayFault]
) -> dict[str, Any]:
    return {
        "chain_id": outcome.chain_id,
        "demo": outcome.demo,
        "gateways": list(opened.networks[0].gateways),
        "log": opened.vault.origin,
        "registration": {
            "status": outcome.status,
            "automatic": outcome.automatic,
            "height": outcome.entry.registered if outcome.entry is not None else None,
            "succeeds": outcome.succeeds or None,
        },
        "faults": [fault_json(out, item) for item in (*faults, *outcome.faults)],
    }


def _tell_status(out: Output, found: NetworkStatus) -> None:
    out.say("network.status.chain", chain=found.chain_id)
    for item in found.gateways:
        if item.fault is not None:
            print_faults(out, [item.fault])
        else:
            time = "" if item.time is None else format_moment(item.time)
            code = "network.status.gateway" if item.fresh else "network.status.stale"
            out.say(code, gateway=item.gateway, height=item.height, time=time)
    if found.proven:
        entry = found.entry
        if entry is None:
            out.say("network.status.unregistered")
        else:
            out.say(
                "network.status.registered",
                height=entry.registered, status=out.text(f"network.desk.{entry.status.name.lower()}"),
                size=entry.size,
            )  # fmt: skip
    out.say("network.status.ours", ours=found.ours, anchored=found.anchored, waiting=found.outbox.waiting)
    for conflict in found.conflicts:
        out.say(
            "network.status.conflict",
            found=format_moment(conflict.found),
            size=conflict.size,
            root=conflict.root.hex(),
        )
    for what in found.advice:
        out.say("network.advice", what=out.text(what))


def _status_json(out: Output, found: NetworkStatus) -> dict[str, Any]:
    entry = found.entry
    return {
        "chain_id": found.chain_id,
        "gateways": [_gateway_json(out, item) for item in found.gateways],
        "registered": None if not found.proven else entry is not None,
        "desk": None
        if entry is None
        else {
            "origin": entry.origin,
            "status": entry.status.name.lower(),
            "registered": entry.registered,
            "keys_since": entry.keys_since,
            "size": entry.size,
            "root": entry.root.hex(),
            "successor": entry.successor or None,
        },
        "size": found.ours,
        "anchored": found.anchored,
        "agrees": found.agrees,
        "outbox": {
            "waiting": found.outbox.waiting,
            "attempts": found.outbox.attempts,
            "not_before": moment_or_none(found.outbox.not_before),
        },
        "tokens_missing": found.tokens_missing,
        "conflicts": [
            {
                "found": format_moment(item.found),
                "code": item.code,
                "size": item.size,
                "root": item.root.hex(),
            }
            for item in found.conflicts
        ],
        "advice": [{"code": code, "explanation": out.text(code)} for code in found.advice],
    }


def _gateway_json(out: Output, item: GatewayState) -> dict[str, Any]:
    return {
        "gateway": item.gateway,
        "reachable": item.fault is None or item.fault.lied,
        "verified": item.state is not None,
        "chain_id": item.chain_id or None,
        "height": item.height or None,
        "time": moment_or_none(item.time),
        "fresh": item.fresh,
        "fault": None if item.fault is None else fault_json(out, item.fault),
    }

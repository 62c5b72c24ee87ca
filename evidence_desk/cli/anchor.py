"""``evidence-desk anchor``: bring the court network up to our log, on line or by file (air-gapped desks)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from evidence_desk.bootstrap.networking import bring_up
from evidence_desk.bootstrap.reader import open_court
from evidence_desk.bootstrap.restoring import Secret
from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.describe import anchor_json, fault_json, print_faults
from evidence_desk.cli.files import ForceOption, read_input, refuse_existing, written
from evidence_desk.cli.network import GatewayOption
from evidence_desk.cli.options import (
    JsonOption,
    LanguageOption,
    TrustOption,
    VaultOption,
    passphrase,
    session,
)
from evidence_desk.cli.restore import network_json, tell_copies, tell_network, tell_withheld
from evidence_desk.core.leaf import SEALED
from evidence_desk.core.moment import format_moment
from evidence_desk.court.protocol.carried import MAX_FILE, parse_outbox
from evidence_desk.court.protocol.history import DEMO_PREFIX
from evidence_desk.errors import BusyError, UsageError
from evidence_desk.services.anchor import AnchorOutcome
from evidence_desk.services.carry import carry as carry_outbox
from evidence_desk.services.carry import export_outbox, import_answers
from evidence_desk.services.envelopes import envelopes_for
from evidence_desk.terminal.output import Output, error_json
from evidence_desk.texts import Language
from evidence_desk.verify.files import read_trust


def anchor(
    wait: Annotated[bool, typer.Option("--wait", help="等到全部上链 / wait until all is anchored")] = False,
    export: Annotated[
        Path | None,
        typer.Option("--export", help="不联网：写出待发文件 / off line: write what waits to a file"),
    ] = None,
    import_: Annotated[
        Path | None,
        typer.Option("--import", help="不联网：读入带回的答复 / off line: read the answers brought back"),
    ] = None,
    carry: Annotated[
        Path | None,
        typer.Option(
            "--carry", help="联网的机器：代为提交待发文件 / on line: submit a file for another desk"
        ),
    ] = None,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", help="与 --carry 同用：答复文件 / with --carry: file of the answers"),
    ] = None,
    gateway: GatewayOption = None,
    trust: TrustOption = None,
    force: ForceOption = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """上链：把本地日志提交法院节点网络 / Anchor the log in the court network."""
    with Output(lang, as_json=as_json) as out:
        if sum(item is not None for item in (export, import_, carry)) > 1 or (carry is None) is not (
            out_file is None
        ):
            raise UsageError("anchor.options")
        if carry is not None and out_file is not None:
            _carry(out, carry, out_file, gateway or (), trust, force=force)
            return
        with session(out, vault) as opened:
            if export is not None:
                _export(out, opened, export, force=force)
            elif import_ is not None:
                _import(out, opened, import_)
            else:
                _on_line(out, opened, wait=wait)


def _on_line(out: Output, opened: Session, *, wait: bool) -> None:
    with out.job() as job:
        done = bring_up(opened, wait=wait, secret=lambda: Secret(passphrase=passphrase(out)), job=job)
    restored, copies, outcome = done.restored, done.copies, done.anchored
    if restored is not None:
        tell_network(out, restored)
        tell_withheld(out, restored)
    tell_copies(out, copies)
    earlier = None if restored is None else network_json(out, restored)
    tell(out, opened, outcome, {"earlier": earlier, "keybag": {"sent": copies.sent, "whole": copies.whole}})
    if wait and outcome.waiting:
        raise typer.Exit(BusyError.exit_status)


def _export(out: Output, opened: Session, path: Path, *, force: bool) -> None:
    earlier = [item for item in opened.vault.origins if item != opened.vault.origin]
    with written(path, force=force) as stream, out.job() as job:
        outbox = export_outbox(
            opened.desk, opened.court(), opened.registry_keys(), job=job, envelopes=envelopes_for,
            succeeds=earlier[-1] if earlier else "",
        )  # fmt: skip
        stream.write(outbox.encode())
    out.say("anchor.exported", path=str(path), count=len(outbox.transactions))
    if outbox.registration:
        out.say("anchor.exported.registration", origin=outbox.origin)
    out.document(
        {
            "path": str(path),
            "chain_id": outbox.chain_id,
            "log": outbox.origin,
            "registration": bool(outbox.registration),
            "transactions": len(outbox.transactions),
            "wanted": sum(len(item.leaves) for item in outbox.wanted),
        }
    )


def _import(out: Output, opened: Session, path: Path) -> None:
    data = read_input(path, MAX_FILE)
    with out.job() as job:
        outcome = import_answers(opened.desk, opened.court(), data, opened.authorities, job=job)
    tell(out, opened, outcome)


def _carry(
    out: Output, source: Path, target: Path, gateways: Sequence[str], trust: Path | None, *, force: bool
) -> None:
    """Needs no vault: what is carried proves itself."""
    if trust is None or not gateways:
        raise UsageError("anchor.carry_needs")
    refuse_existing(target, force=force)
    data = read_input(source, MAX_FILE)
    roots = read_trust(trust)
    chain_id = parse_outbox(data).chain_id
    if chain_id not in roots.networks:
        raise UsageError("network.no_trust")
    with open_court(roots, chain_id, gateways) as court, out.job() as job:
        outcome = carry_outbox(data, court, job=job)
    if outcome.answers is not None:
        with written(target, force=force) as stream:
            stream.write(outcome.answers.encode())
    out.say("anchor.carried", path=str(target), count=len(outcome.sizes))
    if not outcome.registered:
        out.say("network.registration.pending", origin=outcome.origin)
    elif outcome.missing:
        out.say("anchor.carried.missing", count=outcome.missing)
    print_faults(out, outcome.faults)
    out.document(
        {
            "path": str(target),
            "chain_id": outcome.chain_id,
            "log": outcome.origin,
            "registered": outcome.registered,
            "sizes": outcome.sizes,
            "missing": outcome.missing,
            "faults": [fault_json(out, item) for item in outcome.faults],
        }
    )
    if outcome.missing:
        raise typer.Exit(BusyError.exit_status)


def tell(out: Output, opened: Session, outcome: AnchorOutcome, more: Mapping[str, Any] | None = None) -> None:
    """What a run came to."""
    count = _exhibits(opened, outcome)
    for row in outcome.anchored:
        out.say(
            "anchor.done",
            size=row.size, height=row.height, time=format_moment(row.header_time), chain=row.chain_id,
        )  # fmt: skip
    if outcome.anchored:
        out.say("anchor.count", count=count)
    elif not outcome.waiting:
        out.say("anchor.nothing", size=outcome.size)
    if outcome.waiting:
        out.say("anchor.waiting", count=outcome.waiting)
    if outcome.unlisted:
        out.say("anchor.unlisted", count=outcome.unlisted)
    if outcome.tokens.missing:
        out.say("anchor.tokens_missing", count=outcome.tokens.missing)
    if outcome.tokens.error is not None:
        out.warn(outcome.tokens.error)
    print_faults(out, outcome.faults)
    if outcome.chain_id.startswith(DEMO_PREFIX):
        out.say("demo.chain", chain=outcome.chain_id)
    out.document({**outcome_json(out, outcome, count), **(more or {})})


def outcome_json(out: Output, outcome: AnchorOutcome, count: int) -> dict[str, Any]:
    """A run as JSON."""
    tokens = outcome.tokens
    return {
        "chain_id": outcome.chain_id,
        "before": outcome.before,
        "size": outcome.size,
        "waiting": outcome.waiting,
        "anchored": [anchor_json(row) for row in outcome.anchored],
        "exhibits": count,
        "proofs": outcome.proofs,
        "tokens": {
            "stored": tokens.stored,
            "missing": tokens.missing,
            "error": None if tokens.error is None else error_json(tokens.error, out.language),
        },
        "unlisted": outcome.unlisted,
        "faults": [fault_json(out, item) for item in outcome.faults],
    }


def _exhibits(opened: Session, outcome: AnchorOutcome) -> int:
    """Exhibits among the leaves that this run brought on chain."""
    leaves = opened.vault.log.leaves(outcome.before, outcome.size)
    return sum(row.type in SEALED for row in leaves)

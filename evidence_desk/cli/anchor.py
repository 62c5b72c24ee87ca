"""``evidence-desk anchor``: bring the court network up to our log, on line or by file (air-gapped desks)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from evidence_desk.bootstrap import Session
from evidence_desk.cli.describe import anchor_json, fault_json, print_faults
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session
from evidence_desk.core.leaf import SEALED
from evidence_desk.core.moment import format_moment
from evidence_desk.errors import BusyError
from evidence_desk.services.anchor import AnchorOutcome
from evidence_desk.services.anchor import anchor as anchor_log
from evidence_desk.services.envelopes import envelopes_for
from evidence_desk.terminal.output import Output, error_json
from evidence_desk.texts import Language


def anchor(
    wait: Annotated[bool, typer.Option("--wait", help="等到全部上链 / wait until all is anchored")] = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """上链：把本地日志提交法院节点网络 / Anchor the log in the court network."""
    with Output(lang, as_json=as_json) as out, session(out, vault) as opened:
        court = opened.court()
        with out.job() as job:
            outcome = anchor_log(
                opened.desk, court, opened.authorities, wait=wait, job=job, envelopes=envelopes_for
            )
        tell(out, opened, outcome)
        if wait and outcome.waiting:
            raise typer.Exit(BusyError.exit_status)


def tell(out: Output, opened: Session, outcome: AnchorOutcome) -> None:
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
    if outcome.chain_id.startswith("demo-"):
        out.say("demo.chain", chain=outcome.chain_id)
    out.document(outcome_json(out, outcome, count))


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

"""``evidence-desk lookup``: find a file, digest or number in this desk and, when asked to, in the court network.

A question to the network shows the gateway what is looked for; so it is asked only when `--gateway`, `--trust` or
`--network` says so.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from evidence_desk.bootstrap.examining import foreign_court, joined_court
from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.describe import (
    certificate_json,
    exhibit_json,
    fault_json,
    moment_or_none,
    print_certificates,
    print_exhibit,
    print_faults,
)
from evidence_desk.cli.network import GatewayOption
from evidence_desk.cli.options import JsonOption, LanguageOption, TrustOption, VaultOption, session
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.moment import format_moment
from evidence_desk.core.verdict import ExitStatus
from evidence_desk.court.protocol.search import FoundVerdict
from evidence_desk.errors import NotFoundError
from evidence_desk.services.court_query import GatewayFault
from evidence_desk.services.find import Here, find_here
from evidence_desk.services.lookup import LookupOutcome, look_up
from evidence_desk.services.question import Question, ask
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language
from evidence_desk.verify.files import read_trust


def lookup(
    what: Annotated[str, typer.Argument(help="文件、摘要或编号 / a file, a digest or a number")],
    network: Annotated[
        bool, typer.Option("--network", help="同时向已加入的网络查询 / ask the joined network too")
    ] = False,
    gateway: GatewayOption = None,
    trust: TrustOption = None,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """查找文件、摘要、存证编号或证书编号；可同时向法院节点网络查询 / Look up here and in the network."""
    with Output(lang, as_json=as_json) as out:
        here = Here()
        found: LookupOutcome | None = None
        faults: list[GatewayFault] = []
        if gateway and trust is not None:
            with foreign_court(read_trust(trust), gateway, faults) as court:
                found = look_up(court, _question(out, what), faults)
        else:
            with session(out, vault, read_only=True) as opened:
                question = _question(out, what)
                here = find_here(opened.desk, question)
                _print_own(out, opened, here)
                if network or gateway or trust is not None:
                    roots = None if trust is None else read_trust(trust)
                    with joined_court(opened, gateway or (), roots) as court:
                        found = look_up(court, question, faults)
        if found is None and not here:
            raise NotFoundError("lookup.nothing")
        if found is not None:
            _print_found(out, found)
        out.document(
            {
                "exhibits": [exhibit_json(row) for row in here.exhibits],
                "certificates": [certificate_json(item) for item in here.certificates],
                "network": None if found is None else _network_json(out, found),
            }
        )
        if found is not None and not (here or found.present):
            missing = NotFoundError.exit_status if found.present is False else ExitStatus.UNDETERMINED.value
            raise typer.Exit(missing)


def _question(out: Output, what: str) -> Question:
    with out.job() as job:
        return ask(what, job)


# --- this desk ------------------------------------------------------------------------------------------------


def _print_own(out: Output, opened: Session, here: Here) -> None:
    for row in here.exhibits:
        print_exhibit(out, row, files=True, joined=bool(opened.networks))
    print_certificates(out, here.certificates)
    if here:
        out.say("lookup.scope")


# --- the network ----------------------------------------------------------------------------------------------


def _print_found(out: Output, found: LookupOutcome) -> None:
    time = "" if found.time is None else format_moment(found.time)
    if found.present is None and not found.others:
        code = "court.lookup.stale" if found.stale else "lookup.network.unknown"
        out.say(code, height=found.height, time=time)
    elif found.present is False:
        out.say("court.lookup.absent", height=found.height, time=time)
        if len(found.asked) < 2:
            out.say("lookup.network.one_gateway")
    for item in found.occurrences:
        out.say(f"lookup.kind.{item.kind.name.lower()}", count=item.count, height=found.height, time=time)
    for leaf in found.found:
        _print_leaf(out, leaf)
    if found.others:
        out.say("lookup.network.others", count=found.others)
    if len(found.found) + found.others < found.entries:
        out.say("lookup.network.shown", shown=len(found.found) + found.others, count=found.entries)
    for caveat in found.caveats:
        out.line(out.text(caveat.code, **caveat.parameters))
    print_faults(out, found.faults)


def _print_leaf(out: Output, item: FoundVerdict) -> None:
    leaf, court = item.leaf, item.court
    number = format_number(Prefix.EVIDENCE, item.leaf_hash)
    status = out.text(f"report.status.{item.status.value}")
    what = "" if leaf is None else f"{leaf.type.value}  {leaf.log} #{leaf.seq}  "
    out.line(f"{number}  {what}{status}")
    if not item.counts:
        out.line(f"    {out.text('lookup.network.discounted')}")
    if item.counts and court is not None and court.anchored_at is not None:
        place = out.text(
            "lookup.network.leaf",
            chain=court.chain_id, height=court.height, time=format_moment(court.anchored_at),
        )  # fmt: skip
        out.line(f"    {place}")
    for finding in (*item.findings, *(() if court is None else court.findings)):
        if finding.status.value != "passed":
            out.line(f"    {out.text(finding.code, **finding.parameters)}")


def _network_json(out: Output, found: LookupOutcome) -> dict[str, Any]:
    return {
        "chain_id": found.chain_id,
        "present": found.present,
        "status": found.status.value,
        "height": found.height or None,
        "time": moment_or_none(found.time),
        "asked": found.asked,
        "occurrences": [{"kind": item.kind.name.lower(), "count": item.count} for item in found.occurrences],
        "entries": found.entries,
        "found": [_leaf_json(out, item) for item in found.found],
        "others": found.others,
        "caveats": [
            {"code": item.code, "explanation": out.text(item.code, **item.parameters)}
            for item in found.caveats
        ],
        "faults": [fault_json(out, item) for item in found.faults],
    }


def _leaf_json(out: Output, item: FoundVerdict) -> dict[str, Any]:
    leaf, court = item.leaf, item.court
    return {
        "number": format_number(Prefix.EVIDENCE, item.leaf_hash),
        "leaf_sha256": item.leaf_hash.hex(),
        "log": None if leaf is None else leaf.log,
        "seq": None if leaf is None else leaf.seq,
        "type": None if leaf is None else leaf.type.value,
        "status": item.status.value,
        "counts": item.counts,
        "height": None if court is None else court.height,
        "anchored_at": None if court is None else moment_or_none(court.anchored_at),
        "findings": [
            {
                "check": one.check,
                "status": one.status.value,
                "code": one.code,
                "explanation": out.text(one.code, **one.parameters),
            }
            for one in (*item.findings, *(court.findings if court is not None else ()))
        ],
    }

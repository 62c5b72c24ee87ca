"""``evidence-desk list``, ``show`` and ``custody``: reading only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.describe import (
    anchor_json,
    certificate_json,
    custody_json,
    exhibit_json,
    print_certificates,
    print_exhibit,
)
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session
from evidence_desk.core.moment import format_moment
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.services.anchor_records import court_part
from evidence_desk.services.find import one_exhibit
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

NumberArgument = Annotated[str, typer.Argument(help="存证编号或完整条目哈希 / evidence number or leaf hash")]


def list_exhibits(
    case: Annotated[str | None, typer.Option("--case", help="只列此案 / of one case")] = None,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """列出证据 / List exhibits."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        rows = list(opened.vault.exhibits.exhibits(case_number=case))
        joined = bool(opened.networks)
        for row in rows:
            print_exhibit(out, row, files=False, joined=joined)
        if rows:
            out.say("list.count", count=len(rows))
        else:
            out.say("list.empty")
        out.document({"exhibits": [exhibit_json(row) for row in rows]})


def show(
    number: NumberArgument,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """显示一件证据 / Show one exhibit."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        row = one_exhibit(opened.desk, number)
        certificates = opened.vault.exhibits.certificates(row.leaf_hash)
        print_exhibit(out, row, files=True, joined=bool(opened.networks))
        court = _anchored(out, opened, row)
        missing = [item.position for item in row.objects if not opened.vault.objects.present(item.stored)]
        if missing:
            out.say("show.missing", count=len(missing))
        print_certificates(out, certificates)
        out.document(
            {
                **exhibit_json(row),
                "court": court,
                "missing": missing,
                "certificates": [certificate_json(item) for item in certificates],
            }
        )


def custody(
    number: NumberArgument,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """显示保管记录 / Show the custody record."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        row = one_exhibit(opened.desk, number)
        events: list[dict[str, Any]] = [
            {"at": exhibit_json(row)["states"]["logged"], "action": "sealed", "operator": "", "details": {},
             "seq": row.seq}
        ]  # fmt: skip
        events += [custody_json(event) for event in opened.vault.exhibits.custody(row.leaf_hash)]
        print_exhibit(out, row, files=False, joined=bool(opened.networks))
        for event in events:
            _print_event(out, event)
        out.document({"number": row.number, "events": events})


def _print_event(out: Output, event: Mapping[str, Any]) -> None:
    place = "custody.pending" if event["seq"] is None else "custody.place"
    parts = (
        event["at"],
        out.text(f"custody.{event['action']}"),
        printable(event["operator"]),
        *(
            printable(str(event["details"][name]))
            for name in ("certificate", "why", "note")
            if name in event["details"]
        ),
        out.text(place, seq=event["seq"] or 0),
    )
    out.line("    " + "  ".join(part for part in parts if part))


def _anchored(out: Output, opened: Session, row: ExhibitRow) -> dict[str, Any] | None:
    """Where the network accepted the exhibit's checkpoint, as its stored proof has it."""
    found = opened.vault.court.exhibit_anchor(row.leaf_hash)
    if found is None:
        return None
    part = court_part(opened.desk, found)
    stamped = all(
        item.token for item in (part.anchor.header, *([part.current.header] if part.current else []))
    )
    anchor = found.anchor
    out.say(
        "show.anchor",
        chain=anchor.chain_id, height=anchor.height, time=format_moment(anchor.header_time), size=anchor.size,
    )  # fmt: skip
    if not stamped:
        out.say("show.anchor.no_token")
    return {
        **anchor_json(anchor),
        "header": part.anchor.header.block.header.hash.hex(),
        "timestamped": stamped,
        "events": len(part.events.events),
    }

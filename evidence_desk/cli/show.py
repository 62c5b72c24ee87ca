"""``evidence-desk list``, ``show`` and ``custody``: reading only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import typer

from evidence_desk.bootstrap.session import Session
from evidence_desk.cli.describe import (
    anchor_json,
    certificate_json,
    custody_json,
    exhibit_json,
    link_json,
    note_json,
    print_certificates,
    print_exhibit,
    print_links,
    print_notes,
)
from evidence_desk.cli.options import JsonOption, LanguageOption, VaultOption, session
from evidence_desk.core.moment import format_moment
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.services import browse
from evidence_desk.services.anchor_records import court_part
from evidence_desk.services.derive import links_of
from evidence_desk.services.find import one_exhibit
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import Output
from evidence_desk.texts import Language

NumberArgument = Annotated[str, typer.Argument(help="存证编号或完整条目哈希 / evidence number or leaf hash")]


class State(StrEnum):
    """States that ``list --state`` knows."""

    LOGGED = "logged"
    TIMESTAMPED = "timestamped"
    ANCHORED = "anchored"
    CERTIFIED = "certified"
    NOT_TIMESTAMPED = "not-timestamped"
    NOT_ANCHORED = "not-anchored"
    NOT_CERTIFIED = "not-certified"


def list_exhibits(
    case: Annotated[str | None, typer.Option("--case", help="只列此案 / of one case")] = None,
    search: Annotated[
        str, typer.Option("--search", help="全文检索，各词都须出现 / full text; every word must occur")
    ] = "",
    tag: Annotated[list[str] | None, typer.Option("--tag", help="标签，可重复 / tag, repeatable")] = None,
    kind: Annotated[
        list[ExhibitKind] | None,
        typer.Option("--kind", help="电子数据类别，可重复 / class of data, repeatable"),
    ] = None,
    state: Annotated[
        list[State] | None,
        typer.Option(
            "--state", help="状态，可重复；logged 为仅入本地日志 / state, repeatable; logged: nothing more"
        ),
    ] = None,
    archived: Annotated[
        bool, typer.Option("--archived", help="只列已归档案件的证据 / of archived cases only")
    ] = False,
    vault: VaultOption = None,
    lang: LanguageOption = Language.ZH,
    as_json: JsonOption = False,
) -> None:
    """列出证据 / List exhibits."""
    with Output(lang, as_json=as_json) as out, session(out, vault, read_only=True) as opened:
        query = browse.ExhibitQuery(
            text=search, case_number=case, tags=tuple(tag or ()), kinds=tuple(kind or ()), states=_states(state or ()),
            archived=archived, order=browse.Order.OLDEST,
        )  # fmt: skip
        listed = list(_listed(opened, query))
        joined = bool(opened.networks)
        for row, _ in listed:
            print_exhibit(out, row, files=False, joined=joined)
        out.say("list.count" if listed else "list.empty", count=len(listed))
        if not archived and browse.count(opened.desk, replace(query, archived=True)):
            out.say("list.archived")
        out.document({"exhibits": [{**exhibit_json(row), "tags": list(tags)} for row, tags in listed]})


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
        tags, notes = opened.vault.browse.tags(row.leaf_hash), opened.vault.browse.notes(row.leaf_hash)
        links = links_of(opened.desk, row.leaf_hash)
        print_links(out, links)
        if tags:
            out.say("tag.list", tags=printable("  ".join(tags)))
        print_notes(out, notes)
        out.document(
            {
                **exhibit_json(row),
                "tags": list(tags),
                "notes": [note_json(note) for note in notes],
                "links": [
                    link_json(item) for item in (*([links.source] if links.source else ()), *links.derived)
                ],
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


def _states(wanted: Sequence[State]) -> browse.ExhibitStates:
    states = browse.LOGGED_ONLY if State.LOGGED in wanted else browse.ExhibitStates()
    for item in wanted:
        if item is not State.LOGGED:
            name = item.removeprefix("not-")
            states = replace(states, **{name: name == item.value})
    return states


def _listed(opened: Session, query: browse.ExhibitQuery) -> Iterator[tuple[ExhibitRow, Sequence[str]]]:
    """All that a query finds, with tags."""
    offset = 0
    while lines := browse.page(opened.desk, query, offset, browse.MAX_PAGE):
        for line in lines:
            row = opened.vault.exhibits.exhibit(line.leaf_hash)
            if row is not None:
                yield row, line.tags
        offset += len(lines)


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

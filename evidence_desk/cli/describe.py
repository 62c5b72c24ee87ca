"""Exhibits, certificates and custody as JSON documents and as lines for people: one shape for all commands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from evidence_desk.core.browse_ports import LinkRow, Note
from evidence_desk.core.canonical import decode
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.moment import format_moment
from evidence_desk.core.rows import AnchorRow, CertificateRow, CustodyRow, ExhibitRow
from evidence_desk.services.court_query import GatewayFault
from evidence_desk.services.derive import Links
from evidence_desk.terminal.layout import printable
from evidence_desk.terminal.output import Output

_STATES = ("registered", "logged", "timestamped", "anchored", "certified")


def moment_or_none(moment: datetime | None) -> str | None:
    """UTC text, or None."""
    return None if moment is None else format_moment(moment)


def exhibit_json(row: ExhibitRow) -> dict[str, Any]:
    """An exhibit as the command-line contract has it."""
    return {
        "number": row.number,
        "title": row.title,
        "case": row.case_number,
        "exhibit_no": row.exhibit_no,
        "kind": row.kind,
        "log": row.origin,
        "seq": row.seq,
        "leaf_sha256": row.leaf_hash.hex(),
        "objects": [
            {
                "path": item.path,
                "size": item.stored.size,
                "sha256": item.stored.digests.sha256.hex(),
                "sm3": item.stored.digests.sm3.hex(),
                "stored": item.stored.name,
            }
            for item in row.objects
        ],
        "states": {name: moment_or_none(getattr(row, name)) for name in _STATES},
        "erased": row.erased,
    }


def certificate_json(row: CertificateRow) -> dict[str, Any]:
    """A certificate."""
    return {
        "number": row.number,
        "exhibits": [item.hex() for item in row.exhibits],
        "sha256": row.digests.sha256.hex(),
        "sm3": row.digests.sm3.hex(),
        "issued": format_moment(row.issued),
        "revoked": moment_or_none(row.revoked),
        "reason": row.reason,
    }


def custody_json(row: CustodyRow) -> dict[str, Any]:
    """A custody event; its salt is no business of the reader."""
    details = decode(row.details, what="custody", limit=1 << 20)
    facts = (
        {name: value for name, value in details.items() if "salt" not in name}
        if isinstance(details, dict)
        else {}
    )
    return {
        "at": format_moment(row.at), "action": row.action, "operator": row.operator, "details": facts,
        "seq": row.leaf_seq,
    }  # fmt: skip


def anchor_json(row: AnchorRow) -> dict[str, Any]:
    """Where and when the network accepted a checkpoint; `time` is that of header H+1."""
    return {
        "chain_id": row.chain_id,
        "log": row.origin,
        "size": row.size,
        "height": row.height,
        "time": format_moment(row.header_time),
    }


def note_json(note: Note) -> dict[str, Any]:
    """A note: its present words, and every wording."""
    versions = [
        {"at": format_moment(item.at), "author": item.author, "text": item.text} for item in note.versions
    ]
    return {"note": note.id, **versions[-1], "edited": note.edited, "versions": versions}


def link_json(link: LinkRow) -> dict[str, Any]:
    """A derivation, both ends by number and leaf hash; `position` is of the source's file, from 1."""
    return {
        "relation": link.relation,
        "derived": format_number(Prefix.EVIDENCE, link.derived),
        "derived_leaf_sha256": link.derived.hex(),
        "source": format_number(Prefix.EVIDENCE, link.source),
        "source_leaf_sha256": link.source.hex(),
        "position": link.position,
    }


def fault_json(out: Output, fault: GatewayFault) -> dict[str, Any]:
    """What a gateway did wrong."""
    return {
        "gateway": fault.gateway,
        "lied": fault.lied,
        "code": fault.code,
        "parameters": dict(fault.parameters),
        "explanation": out.text(fault.code, **fault.parameters),
    }


def print_faults(out: Output, faults: Sequence[GatewayFault]) -> None:
    """Each fault of a gateway once: a lie by name, silence as such."""
    for fault in dict.fromkeys((item.gateway, item.lied, item.code) for item in faults):
        gateway, lied, code = fault
        item = next(one for one in faults if (one.gateway, one.lied, one.code) == fault)
        reason = out.text(code, **item.parameters)
        out.say("network.fault.lied" if lied else "network.fault.silent", gateway=gateway, reason=reason)


def print_exhibit(out: Output, row: ExhibitRow, *, files: bool, joined: bool = False) -> None:
    """Number, title and states; with every file when asked. `joined`: whether the desk is in a court network."""
    title = out.text("show.erased") if row.erased else f"{printable(row.exhibit_no)}  {printable(row.title)}"
    out.line(f"{row.number}  {title}")
    states = "  ".join(
        out.text(
            "state.anchored.absent"
            if name == "anchored" and not (joined or row.anchored)
            else f"state.{name}.{'done' if getattr(row, name) else 'waiting'}"
        )
        for name in _STATES
    )
    out.line(f"    {states}")
    if files:
        out.line(f"    {out.text('cli.case')}  {printable(row.case_number)}")
        entry = out.text("cli.entry.value", origin=row.origin, seq=row.seq)
        out.line(f"    {out.text('cli.entry')}  {entry}")
        out.line(f"    {out.text('cli.leaf')}  {row.leaf_hash.hex()}")
        for name in _STATES:
            moment = getattr(row, name)
            if moment is not None:
                out.line(f"    {out.text(f'state.{name}.done')}  {format_moment(moment)}")
        for item in row.objects:
            out.line(f"    {printable(item.path)}  ({item.stored.size:,} B)")
            out.line(f"        SHA-256 {item.stored.digests.sha256.hex()}")
            out.line(f"        SM3     {item.stored.digests.sm3.hex()}")


def print_notes(out: Output, notes: Sequence[Note]) -> None:
    """Each note: when and by whom it was last worded, how often it was reworded, its words."""
    for note in notes:
        last = note.versions[-1]
        code = "note.line.edited" if note.edited else "note.line"
        author, count = printable(last.author), len(note.versions) - 1
        out.say(code, note=note.id, at=format_moment(last.at), author=author, count=count)
        for line in last.text.splitlines():
            out.line(f"    {printable(line)}")


def print_links(out: Output, links: Links) -> None:
    """What an exhibit was made from, and what was made from it."""
    if links.source is not None:
        _print_link(out, "derivation.from", links.source, links.source.source)
    for link in links.derived:
        _print_link(out, "derivation.has", link, link.derived)


def _print_link(out: Output, code: str, link: LinkRow, other: bytes) -> None:
    relation, number = out.text(f"derivation.{link.relation}"), format_number(Prefix.EVIDENCE, other)
    out.line(f"    {out.text(code, relation=relation, number=number, position=link.position)}")


def print_certificates(out: Output, rows: Sequence[CertificateRow]) -> None:
    """One line a certificate: number, when issued, when and why revoked."""
    for row in rows:
        issued = format_moment(row.issued)
        if row.revoked is None:
            out.say("show.certificate", number=row.number, issued=issued)
        else:
            out.say(
                "show.revoked",
                number=row.number, issued=issued, revoked=format_moment(row.revoked), reason=row.reason,
            )  # fmt: skip

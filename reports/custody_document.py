"""保管记录 as blocks: every event with the log entry that commits to it, then the re-checks by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evidence_desk.core.certificate import beijing_text
from evidence_desk.core.documents import CustodyLine, CustodyRecord, ExhibitCustody, Standing
from evidence_desk.texts import has
from reports.blocks import Block, Cell, Document, Fact, Facts, Heading, Paragraph, Table, Tone
from reports.document_parts import assembled, exhibit_heading, identity, total_size
from reports.speak import Speaker, count

_DETAIL: Final = "documents.custody.detail"
_TONES: Final = {"damaged": Tone.FAILED, "missing": Tone.WARNING}
_OUTCOMES: Final = {
    "rechecked": "documents.custody.rechecks.sound",
    "damaged": "documents.custody.rechecks.damaged",
    "missing": "documents.custody.rechecks.missing",
}


def custody_document(record: CustodyRecord, say: Speaker) -> Document:
    """All text of a custody record."""
    body = [block for item in record.exhibits for block in _exhibit(item, say)]
    body.append(Paragraph(text=say("documents.custody.complete"), small=True, tone=Tone.SECONDARY))
    return assembled(
        record.imprint,
        tuple(item.exhibit for item in record.exhibits),
        body,
        say,
        title=say("documents.custody.title"),
        subtitle=say("documents.custody.subtitle"),
        signers=(say("documents.sign.custodian"), say("documents.sign.maker")),
    )


def _exhibit(item: ExhibitCustody, say: Speaker) -> Iterator[Block]:
    exhibit = item.exhibit
    yield exhibit_heading(exhibit, say)
    yield from identity(exhibit, say)
    storage = say(
        "documents.custody.storage.value", count=count(len(exhibit.files)), size=total_size(exhibit)
    )
    yield Facts(
        rows=(
            Fact(label=say("documents.custody.log"), value=exhibit.checkpoint.origin, mono=True),
            Fact(label=say("documents.custody.storage"), value=storage),
        )
    )
    if item.earlier_log:
        yield Paragraph(text=say("documents.custody.earlier"), tone=Tone.WARNING)
    yield Heading(text=say("documents.custody.events"), level=2, note=say("documents.desk.note"))
    yield Table(
        header=tuple(say(f"documents.custody.{name}") for name in ("index", "at", "action", "who", "entry")),
        weights=(0.6, 1.6, 1.7, 3.4, 1.9),
        rows=tuple(
            _row(number, line, exhibit.checkpoint.origin, say) for number, line in enumerate(item.lines, 1)
        ),
        tones=tuple(_TONES.get(line.action, Tone.TEXT) for line in item.lines),
    )
    yield Paragraph(text=say("documents.custody.note"), small=True, tone=Tone.SECONDARY)
    yield from _rechecks(item, say)


def _row(number: int, line: CustodyLine, origin: str, say: Speaker) -> tuple[Cell, ...]:
    who = (*((line.operator,) if line.operator else ()), *_details(line, say))
    return (
        str(number),
        beijing_text(line.at),
        _action(line, say),
        who or say("documents.unrecorded"),
        _entry(line, origin, say),
    )


def _action(line: CustodyLine, say: Speaker) -> str:
    own = f"documents.custody.action.{line.action}"
    return say(own) if has(own, say.language) else say.known("custody", line.action)


def _details(line: CustodyLine, say: Speaker) -> Iterator[str]:
    """Facts that have a sentence; zero differing or missing originals need none."""
    for name, value in line.details:
        if has(f"{_DETAIL}.{name}", say.language) and value not in {0, ""}:
            yield say(f"{_DETAIL}.{name}", value=value)


def _entry(line: CustodyLine, origin: str, say: Speaker) -> Cell:
    match line.standing:
        case Standing.NETWORK:
            heights = (value for name, value in line.details if name == "height")
            return say("documents.custody.block", height=next(heights, "—"))
        case Standing.PENDING | Standing.UNCOMPARED if line.seq is None:
            return say(f"documents.custody.standing.{line.standing.value}")
        case _:
            parts = [_place(line, origin, say)]
            if line.leaf_hash is not None:
                parts.append(f"{line.leaf_hash.hex()[:16]}…")
            if line.standing is not Standing.LOGGED:
                parts.append(say(f"documents.custody.standing.{line.standing.value}"))
            return tuple(parts)


def _unproven(line: CustodyLine, say: Speaker) -> Iterator[str]:
    """Where no entry of the log bears an event out, wherever it is told."""
    if line.standing in {Standing.PENDING, Standing.UNCOMPARED}:
        yield say(f"documents.custody.standing.{line.standing.value}")


def _place(line: CustodyLine, origin: str, say: Speaker) -> str:
    if line.origin in {"", origin}:
        return say("documents.custody.seq", seq=line.seq if line.seq is not None else "—")
    epoch = line.origin.rpartition("/")[2]
    return say("documents.custody.seq.other", seq=line.seq if line.seq is not None else "—", origin=epoch)


def _rechecks(item: ExhibitCustody, say: Speaker) -> Iterator[Block]:
    yield Heading(text=say("documents.custody.rechecks"), level=2, note=say("documents.desk.note"))
    if not item.rechecks:
        yield Paragraph(text=say("documents.custody.rechecks.none"))
        return
    yield Table(
        header=(
            say("documents.custody.at"),
            say("documents.custody.rechecks.outcome"),
            say("documents.custody.rechecks.extent"),
        ),
        weights=(1.6, 3.2, 2.6),
        rows=tuple(
            (
                beijing_text(line.at),
                say(_OUTCOMES[line.action]),
                (*_details(line, say), *_unproven(line, say)) or say("documents.unrecorded"),
            )
            for line in item.rechecks
        ),
        tones=tuple(_TONES.get(line.action, Tone.TEXT) for line in item.rechecks),
    )

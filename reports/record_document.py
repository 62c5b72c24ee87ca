"""取证笔录 as blocks, in the order of the notaries' template; what was not recorded or did not happen is said so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from evidence_desk.core.certificate import Exhibit, Person, beijing_text
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.documents import Obtained, ObtainingRecord
from reports.blocks import Block, Document, Fact, Facts, Heading, Paragraph
from reports.document_parts import (
    assembled,
    exhibit_heading,
    files,
    identity,
    operator,
    original,
    tools,
    total_size,
    witness,
)
from reports.exhibit_blocks import times_blocks
from reports.speak import Speaker, count, digest


def record_document(record: ObtainingRecord, say: Speaker) -> Document:
    """All text of a record of obtaining evidence."""
    exhibits = tuple(item.exhibit for item in record.exhibits)
    body = [block for item in record.exhibits for block in _exhibit(item, say)]
    body += [
        Heading(text=say("documents.record.sign")),
        Facts(rows=(Fact(label=say("documents.record.digital"), value=_digital(exhibits, say)),)),
        Paragraph(text=say("documents.record.sign.note")),
    ]
    return assembled(
        record.imprint,
        exhibits,
        body,
        say,
        title=say("documents.record"),
        subtitle=say("documents.record.subtitle"),
        signers=(
            say("documents.sign.operator"),
            say("documents.sign.operator"),
            say("documents.sign.witness"),
        ),
    )


def _digital(exhibits: Sequence[Exhibit], say: Speaker) -> str:
    people: list[Person] = []
    for exhibit in exhibits:
        people += [exhibit.operator, *((exhibit.witness,) if exhibit.witness else ())]
    names = tuple(dict.fromkeys(person.name for person in people if person.signed))
    if not names:
        return say("documents.record.digital.none")
    return say("documents.record.digital.some", names=say.listed(names))


def _exhibit(item: Obtained, say: Speaker) -> Iterator[Block]:
    exhibit = item.exhibit
    yield exhibit_heading(exhibit, say)
    yield from identity(exhibit, say)
    stated, proven = say("documents.stated.note"), say("documents.proven.note")
    yield from _section("object", stated, _object(exhibit, say), say)
    yield from _section("tool", proven, _tool(item, say), say)
    yield from _section("network", "", (_unrecorded("network", say),), say)
    yield from _section("machine", "", (_machine(item, say),), say)
    yield from _section("time", say("documents.desk.note"), _clock(exhibit, say), say)
    yield from _section("obtained", say("documents.record.obtained.note"), _obtained(item, say), say)
    yield from times_blocks(exhibit, say)
    yield Heading(text=say("documents.record.files"), level=2, note=say("documents.record.files.note"))
    yield from files(exhibit, say)


def _section(name: str, note: str, rows: Sequence[Fact], say: Speaker) -> tuple[Block, ...]:
    return Heading(text=say(f"documents.record.{name}"), level=2, note=note), Facts(rows=tuple(rows))


def _unrecorded(name: str, say: Speaker) -> Fact:
    return Fact(label=say(f"documents.record.{name}.label"), value=say("documents.unrecorded"))


def _object(exhibit: Exhibit, say: Speaker) -> tuple[Fact, ...]:
    empty = say("documents.empty")
    extent = {"files": count(len(exhibit.files)), "size": total_size(exhibit)}
    value = say("documents.record.object.value", title=exhibit.title or exhibit.exhibit_no, **extent)
    return (
        Fact(label=say("documents.record.object.label"), value=value),
        Fact(label=say("certificate.kind"), value=say.known("certificate.kind", exhibit.kind)),
        Fact(label=say("certificate.operator"), value=operator(exhibit, say)),
        Fact(label=say("certificate.witness"), value=witness(exhibit, say)),
        Fact(label=say("certificate.interest"), value=exhibit.interest or empty),
    )


def _tool(item: Obtained, say: Speaker) -> tuple[Fact, ...]:
    programs = tools(item.exhibit, say) or say("documents.unrecorded")
    url = say("documents.record.url.none")
    if item.capture is not None:
        url = say("documents.record.manifest", **_digests(item.capture))
    elif item.by_capture:
        url = say("documents.unrecorded")
    return (
        Fact(label=say("documents.record.tool.label"), value=programs),
        Fact(label=say("documents.record.url"), value=url),
    )


def _machine(item: Obtained, say: Speaker) -> Fact:
    if item.environment is None:
        return _unrecorded("machine", say)
    report = say("documents.record.report", **_digests(item.environment))
    return Fact(label=say("documents.record.machine.label"), value=report)


def _digests(pair: DigestPair) -> dict[str, str]:
    return {"sha256": digest(pair.sha256), "sm3": digest(pair.sm3)}


def _clock(exhibit: Exhibit, say: Speaker) -> tuple[Fact, ...]:
    clock = exhibit.clock
    known = say("documents.record.clock.unknown")
    if clock.offset_ms is not None:
        known = say("documents.record.clock.value", offset=clock.offset_ms)
    sources = clock.sources or say("certificate.none")
    return (
        Fact(label=say("documents.record.clock"), value=known),
        Fact(label=say("documents.record.clock.sources"), value=sources),
        Fact(label=say("documents.record.zone"), value=clock.zone or say("documents.unrecorded")),
    )


def _obtained(item: Obtained, say: Speaker) -> tuple[Fact, ...]:
    """How, in the words of the party; when, only where the program was there."""
    exhibit, empty = item.exhibit, say("documents.empty")
    when = say("documents.record.when.unknown")
    if exhibit.captured is not None:
        when = _to_the_second(exhibit.captured, say)
    return (
        Fact(label=say("documents.record.how"), value=exhibit.source.obtained or empty),
        Fact(label=say("certificate.from_whom"), value=exhibit.source.from_whom or empty),
        Fact(label=say("certificate.original"), value=original(exhibit, say)),
        Fact(label=say("documents.record.when"), value=when),
        Fact(label=say("documents.record.registered"), value=_to_the_second(exhibit.registered, say)),
    )


def _to_the_second(moment: datetime, say: Speaker) -> str:
    date, clock = beijing_text(moment).split(" ")
    hour, minute, second = clock.split(":")
    spoken = say("documents.record.moment", hour=hour, minute=minute, second=second)
    return say("documents.record.at", date=date, moment=spoken)

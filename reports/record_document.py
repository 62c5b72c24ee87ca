"""取证笔录 as blocks, in the order of the notaries' template; what was not recorded or did not happen is said so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from evidence_desk.core.capture.environment import Check
from evidence_desk.core.capture.manifest import CheckResult
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
from reports.exhibit_blocks import MOST_PAGES, capture_browser, not_captured, times_blocks
from reports.speak import Speaker, count, digest

_NETWORK: Final = (
    Check.ADAPTERS, Check.ROUTES, Check.PROXY, Check.DNS, Check.HOSTS, Check.ANSWERS, Check.REACH, Check.TRACE,
)  # fmt: skip
_TIME: Final = (Check.CLOCK, Check.ZONE)
_MACHINE: Final = tuple(check for check in Check if check not in (*_NETWORK, *_TIME))


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
    word = say("documents.desk.note")
    yield from _section("network", word, _checks(item, "network", _NETWORK, say), say)
    machine = (*_report(item, say), *_checks(item, "machine", _MACHINE, say))
    yield from _section("machine", word, machine, say)
    times = () if exhibit.capture is None else _checks(item, "time", _TIME, say)
    yield from _section("time", word, (*_clock(exhibit, say), *times), say)
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
    facts = [Fact(label=say("documents.record.tool.label"), value=programs)]
    capture = item.exhibit.capture
    if capture is None:
        url = say("documents.unrecorded" if item.by_capture else "documents.record.url.none")
        facts.append(Fact(label=say("documents.record.url"), value=url))
    else:
        browser = capture_browser(capture, say) or say("documents.unrecorded")
        facts.append(Fact(label=say("certificate.capture.browser"), value=browser))
        urls = tuple(page.url for page in capture.pages[:MOST_PAGES])
        facts.append(Fact(label=say("documents.record.url"), value=urls or say("documents.unrecorded")))
    if item.capture is not None:
        value = say("documents.record.manifest", **_digests(item.capture))
        facts.append(Fact(label=say("documents.record.manifest.label"), value=value))
    return tuple(facts)


def _checks(item: Obtained, name: str, checks: Sequence[Check], say: Speaker) -> tuple[Fact, ...]:
    """Outcomes of environment checks before and after the capture; what was not recorded is said."""
    capture = item.exhibit.capture
    found = () if capture is None else tuple(result for result in capture.checks if result.check in checks)
    if not found:
        return (_unrecorded(name, say),)
    return tuple(
        Fact(label=say(f"environment.item.{result.check.value}"), value=_outcomes(result, say))
        for result in found
    )


def _outcomes(result: CheckResult, say: Speaker) -> str:
    after = "—" if result.after is None else say(f"environment.outcome.{result.after.value}")
    before = say(f"environment.outcome.{result.before.value}")
    return say("documents.record.outcomes", before=before, after=after)


def _report(item: Obtained, say: Speaker) -> tuple[Fact, ...]:
    if item.environment is None:
        return ()
    report = say("documents.record.report", **_digests(item.environment))
    return (Fact(label=say("documents.record.machine.label"), value=report),)


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
    when, capture = say("documents.record.when.unknown"), exhibit.capture
    how = exhibit.source.obtained or empty
    if capture is not None:
        when = say(
            "documents.record.when.capture", begun=_to_the_second(capture.begun, say),
            ended=_to_the_second(capture.ended, say),
        )  # fmt: skip
        how = exhibit.source.obtained or say("documents.record.how.capture")
    return (
        Fact(label=say("documents.record.how"), value=how),
        Fact(label=say("certificate.from_whom"), value=exhibit.source.from_whom or empty),
        Fact(label=say("certificate.original"), value=original(exhibit, say)),
        Fact(label=say("documents.record.when"), value=when),
        Fact(label=say("documents.record.registered"), value=_to_the_second(exhibit.registered, say)),
        *_outcome(exhibit, say),
    )


def _outcome(exhibit: Exhibit, say: Speaker) -> tuple[Fact, ...]:
    """How a capture came out, and what it does not show."""
    capture = exhibit.capture
    if capture is None:
        return ()
    tokens = sum(mark.token for mark in capture.marks)
    marks = say("documents.record.marks.value", marks=len(capture.marks), tokens=tokens)
    return (
        Fact(label=say("certificate.capture.result"), value=say(f"capture.outcome.{capture.result.value}")),
        Fact(label=say("documents.record.marks"), value=marks),
        Fact(label=say("certificate.not_captured"), value=not_captured(capture, say)),
    )


def _to_the_second(moment: datetime, say: Speaker) -> str:
    date, clock = beijing_text(moment).split(" ")
    hour, minute, second = clock.split(":")
    spoken = say("documents.record.moment", hour=hour, minute=minute, second=second)
    return say("documents.record.at", date=date, moment=spoken)

"""Blocks of one exhibit: first what the attached proofs cover, then what rests on the issuer's word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from evidence_desk.core.capture.environment import Outcome, worst
from evidence_desk.core.capture.manifest import CheckResult, Manifest
from evidence_desk.core.certificate import Exhibit, FileFacts, Person, SourceFacts, beijing_text
from evidence_desk.core.qr_payload import CodePayload
from reports.blocks import (
    Block,
    Code,
    Fact,
    Facts,
    FileLine,
    Files,
    Heading,
    Paragraph,
    Table,
    Tone,
)
from reports.speak import Speaker, count, digest, utc_clock

MOST_FILES: Final = 500
"""Files printed one by one; the rest by root, listed in full in certificate.json."""
MOST_PAGES: Final = 100
"""Pages of a capture printed one by one; all of them stand in its manifest."""
_TONES: Final = {
    Outcome.PASS: Tone.TEXT,
    Outcome.WARN: Tone.WARNING,
    Outcome.FAIL: Tone.FAILED,
    Outcome.UNCHECKED: Tone.SECONDARY,
}


def code_payload(exhibit: Exhibit) -> str:
    """Content of the QR code: full leaf hash and where to look it up; no address of ours (a look-alike must not win)."""
    if exhibit.court is None:
        return CodePayload(leaf_hash=exhibit.leaf_hash, origin=exhibit.checkpoint.origin).encode()
    return CodePayload(leaf_hash=exhibit.leaf_hash, chain_id=exhibit.court.chain_id).encode()


def proven_blocks(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    """Number, digests, files, times, token, log, court network."""
    yield Code(
        payload=code_payload(exhibit),
        caption=say("certificate.code" if exhibit.court is None else "certificate.code.anchored"),
        facts=(
            Fact(label=say("certificate.number"), value=exhibit.number),
            Fact(label=say("certificate.leaf"), value=digest(exhibit.leaf_hash), mono=True),
            Fact(
                label=say("certificate.statement.sha256"), value=digest(exhibit.statement.sha256), mono=True
            ),
            Fact(label=say("certificate.statement.sm3"), value=digest(exhibit.statement.sm3), mono=True),
        ),
    )
    yield from _files(exhibit, say)
    yield from times_blocks(exhibit, say)
    yield from _token(exhibit, say)
    yield from _log(exhibit, say)
    yield from _court(exhibit, say)


def _files(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    size = sum(entry.size for entry in exhibit.files)
    note = say("certificate.files.note", count=count(len(exhibit.files)), size=count(size))
    yield Heading(text=say("certificate.files"), level=2, note=note)
    yield Files(
        header=(
            say("certificate.files.index"),
            say("certificate.files.name"),
            say("certificate.files.aside"),
        ),
        entries=tuple(file_line(entry, say) for entry in exhibit.files[:MOST_FILES]),
    )
    rest = len(exhibit.files) - MOST_FILES
    if rest > 0:
        yield Paragraph(text=say("certificate.files.more", count=count(rest)))
    if exhibit.files_root is not None:
        yield Facts(rows=(Fact(label="RFC 6962", value=digest(exhibit.files_root), mono=True),))
    if exhibit.blinded:
        yield Facts(rows=(Fact(label=say("certificate.blinded"), value=say("certificate.blinded.value")),))
    yield Paragraph(text=say("certificate.files.algorithms"), small=True, tone=Tone.SECONDARY)


def file_line(entry: FileFacts, say: Speaker) -> FileLine:
    """One file of the list, ready to print."""
    return FileLine(
        name=entry.name,
        size=say("certificate.files.size", size=count(entry.size)),
        kind=entry.media_type,
        modified="" if entry.modified is None else utc_clock(entry.modified),
        sha256=digest(entry.digests.sha256),
        sm3=digest(entry.digests.sm3),
    )


def times_blocks(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    """The times apart, each with on whose word; what is lacking is said."""
    desk = say("certificate.times.by_desk")
    rows: list[tuple[str, str, str, str]] = []

    def row(event: str, moment: datetime, basis: str) -> None:
        name = say(f"certificate.times.{event}")
        rows.append((name, beijing_text(moment), utc_clock(moment, fraction=True), basis))

    if exhibit.capture is not None:
        row("captured", exhibit.capture.begun, desk)
        row("captured.end", exhibit.capture.ended, desk)
    row("registered", exhibit.registered, desk)
    row("logged", exhibit.logged, desk)
    if exhibit.token is not None:
        row("timestamped", exhibit.token.gen_time, say("certificate.times.by_authority"))
    else:
        rows.append((say("certificate.times.timestamped"), say("certificate.times.no_token"), "", ""))
    if exhibit.court is not None:
        basis = say("certificate.times.by_court", height=exhibit.court.height + 1)
        row("anchored", exhibit.court.time, basis)
    else:
        rows.append((say("certificate.times.anchored"), say("certificate.times.no_court"), "", ""))
    yield Heading(text=say("certificate.times"), level=2)
    yield Table(
        header=tuple(say(f"certificate.times.{name}") for name in ("event", "beijing", "utc", "basis")),
        weights=(1.1, 1.7, 1.8, 2.4),
        rows=tuple(rows),
    )
    yield Paragraph(text=_time_notes(exhibit, say), small=True, tone=Tone.SECONDARY)


def _time_notes(exhibit: Exhibit, say: Speaker) -> str:
    notes = []
    if exhibit.token is not None:
        gap = (exhibit.token.gen_time - exhibit.registered).total_seconds()
        notes.append(say("certificate.times.gap", seconds=f"{gap:.3f}".rstrip("0").rstrip(".")))
    clock = exhibit.clock
    if clock.offset_ms is None:
        notes.append(say("certificate.times.clock_unknown"))
    else:
        sources = say.listed(clock.sources) or say("certificate.unknown")
        notes.append(say("certificate.times.clock", sources=sources, offset=clock.offset_ms))
    return " ".join(notes)


def _token(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    yield Heading(text=say("certificate.token"), level=2, note=say("certificate.proven.note"))
    token = exhibit.token
    if token is None:
        yield Paragraph(text=say("certificate.token.missing"), tone=Tone.WARNING)
        return
    accuracy = say("certificate.token.accuracy.none")
    if token.accuracy_us is not None:
        accuracy = say("certificate.token.accuracy.value", milliseconds=f"{token.accuracy_us / 1000:g}")
    yield Facts(
        rows=(
            Fact(label=say("certificate.token.tsa"), value=token.tsa),
            Fact(label=say("certificate.token.policy"), value=token.policy, mono=True),
            Fact(label=say("certificate.token.serial"), value=str(token.serial), mono=True),
            Fact(label=say("certificate.token.accuracy"), value=accuracy),
            Fact(label=say("certificate.token.digest"), value=digest(token.token_sha256), mono=True),
            Fact(
                label=say("certificate.token.certificate"), value=digest(token.certificate_sha256), mono=True
            ),
        )
    )


def _log(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    checkpoint = exhibit.checkpoint
    yield Heading(text=say("certificate.log"), level=2, note=say("certificate.proven.note"))
    yield Facts(
        rows=(
            Fact(label=say("certificate.log.origin"), value=checkpoint.origin, mono=True),
            Fact(label=say("certificate.log.seq"), value=str(exhibit.seq)),
            Fact(label=say("certificate.log.size"), value=str(checkpoint.size)),
            Fact(label=say("certificate.log.root"), value=digest(checkpoint.root), mono=True),
        )
    )


def _court(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    court = exhibit.court
    if court is None:
        yield Heading(text=say("certificate.chain"), level=2)
        yield Paragraph(text=say("certificate.chain.missing"), tone=Tone.WARNING)
        return
    yield Heading(text=say("certificate.chain"), level=2, note=say("certificate.proven.note"))
    following = court.height + 1
    validators = [
        say("certificate.chain.signed" if signed else "certificate.chain.unsigned", name=name)
        for name, signed in court.validators
    ]
    yield Facts(
        rows=(
            Fact(label=say("certificate.chain.id"), value=court.chain_id, mono=True),
            Fact(
                label=say("certificate.chain.height"),
                value=say("certificate.chain.height.value", height=court.height, following=following),
            ),
            Fact(label=say("certificate.chain.block"), value=digest(court.block_hash), mono=True),
            Fact(label=say("certificate.chain.validators"), value=tuple(validators)),
        )
    )
    note = say("certificate.chain.note", following=following)
    yield Paragraph(text=note, small=True, tone=Tone.SECONDARY)


def stated_blocks(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    """What the operator and the issuer say about an exhibit; what they left empty is named too."""
    rows: list[Fact] = []
    empty: list[str] = []
    for label, value in _stated(exhibit, say):
        if value:
            rows.append(Fact(label=say(f"certificate.{label}"), value=value))
        else:
            empty.append(say(f"certificate.{label}"))
    if empty:
        rows.append(Fact(label=say("certificate.left_empty"), value=say.listed(tuple(empty))))
    yield Heading(text=say("certificate.about"), level=2, note=say("certificate.stated.note"))
    yield Facts(rows=tuple(rows))
    yield from _environment(exhibit, say)
    yield from _custody(exhibit, say)


def _stated(exhibit: Exhibit, say: Speaker) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    source = exhibit.source
    yield "exhibit_no", exhibit.exhibit_no
    yield "exhibit_title", exhibit.title
    yield "kind", say.known("certificate.kind", exhibit.kind)
    yield "purpose", exhibit.purpose
    yield "operator", _person(exhibit.operator, say)
    yield "witness", say("certificate.none") if exhibit.witness is None else _person(exhibit.witness, say)
    yield "interest", exhibit.interest
    yield "obtained", source.obtained
    yield "from_whom", source.from_whom
    yield "medium", source.medium
    yield "medium_serial", source.medium_serial
    original = {None: "", True: "certificate.original.yes", False: "certificate.original.no"}
    code = original[source.is_original]
    yield "original", say(code) if code else ""
    yield "derived", derived_texts(source, say)
    yield "basis", source.basis
    yield "tools", tuple(_tools(exhibit, say))
    if exhibit.capture is not None:
        yield "capture.result", say(f"capture.outcome.{exhibit.capture.result.value}")
        yield "capture.pages", tuple(_captured_pages(exhibit.capture, say))
        yield "capture.browser", capture_browser(exhibit.capture, say)
        yield "not_captured", not_captured(exhibit.capture, say)
    yield "storage", exhibit.medium
    yield "last_recheck", "" if exhibit.last_recheck is None else say.moment(exhibit.last_recheck)
    yield "next_recheck", "" if exhibit.next_recheck is None else say.moment(exhibit.next_recheck)


def derived_texts(source: SourceFacts, say: Speaker) -> str | tuple[str, ...]:
    """What an exhibit was made from: relation, file and both its digests; else the free words about it."""
    made_from = source.derivation
    if made_from is None:
        return source.derived_from
    relation = say(f"derivation.{made_from.relation.value}")
    return (
        say(
            "derivation.file",
            relation=relation, number=made_from.number, position=made_from.position, name=made_from.name,
            size=count(made_from.size),
        ),
        say("derivation.sha256", digest=digest(made_from.digests.sha256)),
        say("derivation.sm3", digest=digest(made_from.digests.sm3)),
    )  # fmt: skip


def _person(person: Person, say: Speaker) -> str:
    if not person.name:
        return ""
    details = [person.role] if person.role else []
    if person.identification:
        details.append(say("certificate.person.identified", method=person.identification))
    details.append(say("certificate.person.signed" if person.signed else "certificate.person.unsigned"))
    return say("certificate.person", name=person.name, details=say("certificate.join").join(details))


def _tools(exhibit: Exhibit, say: Speaker) -> Iterator[str]:
    for tool in exhibit.tools:
        if tool.sha256 is None:
            yield say("certificate.tool", name=tool.name, version=tool.version)
        else:
            yield say(
                "certificate.tool.digest", name=tool.name, version=tool.version, digest=tool.sha256.hex()
            )


def not_captured(capture: Manifest, say: Speaker) -> tuple[str, ...]:
    """Why a capture is not complete, and what none of its kind shows."""
    reasons = [say(item.code, **item.parameters) for item in capture.reasons]
    return (*reasons, *(say(code) for code in capture.limits))


def capture_browser(capture: Manifest, say: Speaker) -> str:
    """The browser that showed the pages, and its state."""
    browser = capture.browser
    if not browser:
        return ""
    sandbox = "on" if browser.get("sandbox") else "off"
    return say(
        "certificate.capture.browser.value", chromium=browser.get("chromium", ""), qt=browser.get("qt", ""),
        sandbox=say(f"certificate.capture.sandbox.{sandbox}"),
    )  # fmt: skip


def _captured_pages(capture: Manifest, say: Speaker) -> Iterator[str]:
    """Each page: address, title, how far it came, and why not further."""
    for page in capture.pages[:MOST_PAGES]:
        state = say(f"certificate.capture.page.{page.state.value}")
        address = page.url if page.reached in ("", page.url) else f"{page.url} → {page.reached}"
        reasons = "".join(say(item.code, **item.parameters) for item in page.reasons)
        told = say("certificate.capture.page", number=page.number, url=address, state=state) + reasons
        if page.title:  # last: a page may call itself whatever it likes, an address too
            told = f"{told} {say('certificate.capture.page.title', title=page.title)}"
        yield told
    if len(capture.pages) > MOST_PAGES:
        yield say("certificate.capture.page.more", count=len(capture.pages) - MOST_PAGES)


def _environment(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    capture = exhibit.capture
    if capture is None or not capture.checks:
        yield Paragraph(text=say("certificate.environment.missing"), small=True, tone=Tone.SECONDARY)
        return
    before = Counter(item.before for item in capture.checks)
    note = say(
        "certificate.environment.note", passed=before[Outcome.PASS], warned=before[Outcome.WARN],
        failed=before[Outcome.FAIL], unchecked=before[Outcome.UNCHECKED],
    )  # fmt: skip
    yield Heading(text=say("certificate.environment"), level=2, note=note)
    yield Table(
        header=tuple(say(f"certificate.environment.{name}") for name in ("check", "before", "after")),
        weights=(3, 1, 1),
        rows=tuple(
            (
                say(f"environment.item.{item.check.value}"),
                say(f"environment.outcome.{item.before.value}"),
                "—" if item.after is None else say(f"environment.outcome.{item.after.value}"),
            )
            for item in capture.checks
        ),
        tones=tuple(_TONES[worst_of(item)] for item in capture.checks),
    )


def worst_of(item: CheckResult) -> Outcome:
    """The worse of an environment check's outcomes, before and after."""
    return worst([item.before] if item.after is None else [item.before, item.after])


def _custody(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    if not exhibit.custody:
        return
    yield Heading(text=say("certificate.custody"), level=2)
    yield Table(
        header=tuple(say(f"certificate.custody.{name}") for name in ("at", "action", "operator", "note")),
        weights=(1.5, 1.7, 1.2, 2.6),
        rows=tuple(
            (
                beijing_text(event.at),
                say.known("certificate.action", event.action),
                event.operator,
                event.note,
            )
            for event in exhibit.custody
        ),
    )

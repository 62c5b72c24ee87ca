"""The pages a bundle has of its own as blocks: title page of an exhibit, and the note on files that are not printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.certificate import DemoReason, Exhibit, FileFacts, beijing_text
from evidence_desk.core.documents import Imprint
from reports.blocks import (
    Banner,
    Block,
    Document,
    Fact,
    Facts,
    FileLine,
    Files,
    Heading,
    Items,
    Paragraph,
    Title,
    Tone,
)
from reports.bundle.problem import Reason
from reports.bundle.sheets import STRIP
from reports.layout import lay_out
from reports.pages import Page
from reports.speak import Speaker, count, digest

_RULE_OF_FOOT: Final = STRIP + 20
"""Below this height stands only the rule over a document's own foot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlace:
    """Where a file of an exhibit was printed: pages in the bundle, and why it, or the rest of it, was not."""

    pages: tuple[int, int] | None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """The certificate over an exhibit and its pages in the bundle."""

    number: str
    pages: tuple[int, int]


def name_of(exhibit: Exhibit, index: int, say: Speaker) -> str:
    """证据 with its number in the case, or that number as it was written; else with its place in the bundle (from 0)."""
    number = exhibit.exhibit_no or str(index + 1)
    return say("bundle.exhibit", number=number) if number.isdigit() else number


def laid_out(document: Document) -> list[Page]:
    """Pages without the document's own foot: the bundle has one."""
    pages = lay_out(document)
    for page in pages:
        page.rules = [rule for rule in page.rules if rule.y > _RULE_OF_FOOT]
    return pages


def title_pages(
    exhibit: Exhibit,
    index: int,
    imprint: Imprint,
    say: Speaker,
    *,
    pages: tuple[int, int],
    files: Sequence[FilePlace],
    certified: Certified | None,
) -> list[Page]:
    """Title page of an exhibit, with all its files and digests."""
    name = name_of(exhibit, index, say)
    blocks: list[Block] = []
    if imprint.demo:
        reasons = [say(f"certificate.demo.{reason.value}") for reason in DemoReason if reason in imprint.demo]
        blocks.append(Banner(text=say("documents.demo", reasons=say("certificate.join").join(reasons))))
    blocks += [
        Title(text=name, subtitle=exhibit.title),
        Facts(rows=tuple(_facts(exhibit, imprint, say, pages, certified))),
        Heading(
            text=say("certificate.files"), level=2,
            note=say(
                "certificate.files.note", count=count(len(exhibit.files)),
                size=count(sum(entry.size for entry in exhibit.files)),
            ),
        ),
        Files(
            header=_header(say, "bundle.files.aside"),
            entries=tuple(
                _line(entry, place, say) for entry, place in zip(exhibit.files, files, strict=True)
            ),
        ),
        Paragraph(text=say("bundle.algorithms"), small=True, tone=Tone.SECONDARY),
    ]  # fmt: skip
    blocks += _remarks(files, say)
    blocks.append(Paragraph(text=say("bundle.copy"), tone=Tone.WARNING))
    return laid_out(_document(exhibit, name, imprint, say, blocks))


def _document(
    exhibit: Exhibit, name: str, imprint: Imprint, say: Speaker, blocks: Sequence[Block]
) -> Document:
    return Document(
        title=name,
        header=(imprint.case.number, say("bundle.head", name=name, number=exhibit.number)),
        footer="",
        page="",
        blocks=tuple(blocks),
        language=say.language.value,
    )


def _facts(
    exhibit: Exhibit, imprint: Imprint, say: Speaker, pages: tuple[int, int], certified: Certified | None
) -> Iterator[Fact]:
    empty = say("documents.empty")
    case, source = imprint.case, exhibit.source
    yield Fact(label=say("certificate.number"), value=exhibit.number)
    yield Fact(label=say("bundle.pages"), value=page_text(pages, say))
    yield Fact(label=say("certificate.case"), value=case.number or empty)
    yield Fact(label=say("certificate.kind"), value=say.known("certificate.kind", exhibit.kind) or empty)
    yield Fact(label=say("certificate.purpose"), value=exhibit.purpose or empty)
    obtained = tuple(part for part in (source.obtained, source.from_whom) if part)
    yield Fact(label=say("certificate.obtained"), value=obtained or empty)
    yield Fact(
        label=say("certificate.times.registered"),
        value=say("bundle.time", time=beijing_text(exhibit.registered)),
    )
    token, court = exhibit.token, exhibit.court
    yield Fact(
        label=say("certificate.times.timestamped"),
        value=say("certificate.times.no_token")
        if token is None
        else (say("bundle.time", time=beijing_text(token.gen_time)), token.tsa),
        tone=Tone.WARNING if token is None else Tone.TEXT,
    )
    yield Fact(
        label=say("certificate.times.anchored"),
        value=say("certificate.times.no_court")
        if court is None
        else (
            say("bundle.time", time=beijing_text(court.time)),
            say("bundle.anchored", chain=court.chain_id, height=court.height),
        ),
        tone=Tone.WARNING if court is None else Tone.TEXT,
    )
    yield Fact(
        label=say("bundle.certificate"),
        value=say("bundle.certificate.none")
        if certified is None
        else say("bundle.certificate.value", number=certified.number, pages=page_text(certified.pages, say)),
    )
    yield Fact(label=say("certificate.leaf"), value=digest(exhibit.leaf_hash), mono=True)


def page_text(pages: tuple[int, int], say: Speaker) -> str:
    """Pages in words."""
    first, last = pages
    if first == last:
        return say("bundle.page", page=first)
    return say("bundle.page.range", first=first, last=last)


def _line(entry: FileFacts, place: FilePlace, say: Speaker) -> FileLine:
    return FileLine(
        name=entry.name,
        size=say("certificate.files.size", size=count(entry.size)),
        kind=entry.media_type,
        modified=say("bundle.not_printed") if place.pages is None else page_text(place.pages, say),
        sha256=digest(entry.digests.sha256),
        sm3=digest(entry.digests.sm3),
    )


def _header(say: Speaker, aside: str) -> tuple[str, str, str]:
    return say("certificate.files.index"), say("certificate.files.name"), say(aside)


def _noted(number: int, entry: FileFacts, say: Speaker) -> FileLine:
    return FileLine(
        name=say("bundle.note.file", name=entry.name, number=number),
        size=say("certificate.files.size", size=count(entry.size)),
        kind=entry.media_type,
        modified="",
        sha256=digest(entry.digests.sha256),
        sm3=digest(entry.digests.sm3),
    )


def _remarks(files: Sequence[FilePlace], say: Speaker) -> Iterator[Block]:
    """Which files are not printed, or not whole; many of them by number."""
    remarks = []
    for reason in Reason:
        numbers = [str(index) for index, place in enumerate(files, 1) if place.reason is reason]
        if numbers:
            remarks.append(
                say(
                    "bundle.remark",
                    numbers=say.listed(tuple(numbers)),
                    reason=say(f"bundle.reason.{reason.value}"),
                )
            )
    if remarks:
        yield Heading(text=say("bundle.remarks"), level=2)
        yield Items(items=tuple(remarks))


def note_pages(
    exhibit: Exhibit,
    index: int,
    imprint: Imprint,
    say: Speaker,
    *,
    files: Sequence[tuple[int, FileFacts, Reason]],
    partly: int = 0,
) -> list[Page]:
    """Pages in the place of files that cannot be printed, or after the first `partly` pages of one."""
    blocks: list[Block] = [
        Heading(text=say("bundle.note.partly" if partly else "bundle.note")),
        Banner(text=say("bundle.note.rest" if partly else "bundle.note.medium", pages=partly)),
    ]
    for reason in Reason:
        entries = [(number, entry) for number, entry, why in files if why is reason]
        if entries:
            blocks.append(Paragraph(text=say(f"bundle.reason.{reason.value}"), tone=Tone.WARNING))
            blocks.append(
                Files(
                    header=_header(say, "bundle.note.aside"),
                    entries=tuple(_noted(number, entry, say) for number, entry in entries),
                )
            )
    return laid_out(_document(exhibit, name_of(exhibit, index, say), imprint, say, blocks))

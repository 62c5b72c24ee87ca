"""Blocks that the documents of a case share: demo banner, case, identity, files, what was stated, ending."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from evidence_desk.core.certificate import DemoReason, Exhibit, Person, beijing_text
from evidence_desk.core.documents import Imprint
from reports.blocks import (
    Banner,
    Block,
    Document,
    Fact,
    Facts,
    Files,
    Heading,
    Paragraph,
    Signatures,
    Title,
    Tone,
)
from reports.exhibit_blocks import MOST_FILES, file_line
from reports.fonts.faces import Style, printable, width
from reports.layout import ROOM, SMALL
from reports.speak import Speaker, count, digest

_ORIGINAL: Final = {True: "documents.catalog.original.yes", False: "documents.catalog.original.no"}


def assembled(
    imprint: Imprint,
    exhibits: Sequence[Exhibit],
    body: Sequence[Block],
    say: Speaker,
    *,
    title: str,
    subtitle: str,
    signers: tuple[str, ...],
    mark: str = "",
    basics: Sequence[Block] | None = None,
) -> Document:
    """The document around its body: banner and title before, what it is not and where to sign behind.

    `mark` stands in the header of a document that is about no registered exhibit, `basics` in the place of what was
    stated of the case.
    """
    footer = say("documents.footer", time=beijing_text(imprint.made))
    if imprint.program:
        footer = say("certificate.footer.program", footer=footer, program=imprint.program)
    head = _demo(imprint, say)
    head.append(Title(text=title, subtitle=subtitle))
    ending = (
        Paragraph(text=say("documents.judgment")),
        Signatures(
            note=say("documents.unsigned"),
            places=signers,
            date=tuple(say(f"documents.date.{part}") for part in ("year", "month", "day")),
        ),
    )
    return Document(
        title=say("documents.header", title=title, case=imprint.case.number),
        header=_header(title, imprint.case.number, _numbers(exhibits, say) if exhibits else mark, say),
        footer=footer,
        page=say("certificate.page", page="{page}", pages="{pages}"),
        blocks=(
            *head,
            *(_basics(imprint, exhibits, say) if basics is None else basics),
            *body,
            *ending,
        ),
        language=say.language.value,
        watermark=say("certificate.watermark") if imprint.demo else "",
    )


def _demo(imprint: Imprint, say: Speaker) -> list[Block]:
    if not imprint.demo:
        return []
    reasons = [say(f"certificate.demo.{reason.value}") for reason in DemoReason if reason in imprint.demo]
    return [Banner(text=say("documents.demo", reasons=say("certificate.join").join(reasons)))]


def _numbers(exhibits: Sequence[Exhibit], say: Speaker) -> str:
    if len(exhibits) == 1:
        return say("certificate.header.one", number=exhibits[0].number)
    return say("certificate.header.many", number=exhibits[0].number, count=len(exhibits))


def _header(title: str, case: str, numbers: str, say: Speaker) -> tuple[str, str]:
    """Title with case number, and evidence numbers; a case number too long to stand beside them is left out."""
    left = say("documents.header", title=title, case=case)
    used = width(printable(f"{left}  {numbers}"), Style.REGULAR, SMALL)
    return left if used <= ROOM else title, numbers


def _basics(imprint: Imprint, exhibits: Sequence[Exhibit], say: Speaker) -> tuple[Block, ...]:
    case, empty = imprint.case, say("documents.empty")
    files = sum(len(exhibit.files) for exhibit in exhibits)
    extent = say("certificate.extent.value", exhibits=count(len(exhibits)), files=count(files))
    rows = (
        Fact(label=say("certificate.case"), value=case.number or empty),
        Fact(label=say("certificate.court"), value=case.court or empty),
        Fact(label=say("certificate.cause"), value=case.cause or empty),
        Fact(label=say("certificate.parties"), value=case.parties or empty),
        *((Fact(label=say("certificate.extent"), value=extent),) if exhibits else ()),
        Fact(label=say("documents.made"), value=say.moment(imprint.made)),
    )
    return Heading(text=say("documents.basics"), note=say("documents.stated.note")), Facts(rows=rows)


def exhibit_heading(exhibit: Exhibit, say: Speaker) -> Heading:
    """Where the part about one exhibit begins."""
    title = say("documents.exhibit", exhibit_no=exhibit.exhibit_no, title=exhibit.title)
    return Heading(text=title.strip() or exhibit.number)


def identity(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    """Number, entry and statement digests: what ties the paper to the proofs; whether it is anchored."""
    court = exhibit.court
    anchored = Fact(label=say("certificate.chain"), value=say("certificate.chain.missing"), tone=Tone.WARNING)
    if court is not None:
        value = say("documents.anchored", chain=court.chain_id, height=court.height)
        anchored = Fact(label=say("certificate.chain"), value=value)
    yield Heading(text=say("documents.identity"), level=2, note=say("documents.proven.note"))
    yield Facts(
        rows=(
            Fact(label=say("certificate.number"), value=exhibit.number),
            Fact(label=say("certificate.leaf"), value=digest(exhibit.leaf_hash), mono=True),
            Fact(
                label=say("certificate.statement.sha256"), value=digest(exhibit.statement.sha256), mono=True
            ),
            Fact(label=say("certificate.statement.sm3"), value=digest(exhibit.statement.sm3), mono=True),
            anchored,
        )
    )


def files(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    """The list of files with both digests; beyond `MOST_FILES` by what the entry commits to."""
    header = tuple(say(f"certificate.files.{name}") for name in ("index", "name", "aside"))
    yield Files(
        header=(header[0], header[1], header[2]),
        entries=tuple(file_line(entry, say) for entry in exhibit.files[:MOST_FILES]),
    )
    rest = len(exhibit.files) - MOST_FILES
    if rest > 0:
        yield Paragraph(text=say("documents.files.rest", count=count(rest)))
    yield Paragraph(text=say("certificate.files.algorithms"), small=True, tone=Tone.SECONDARY)


def total_size(exhibit: Exhibit) -> str:
    """Bytes of all files, for print."""
    return count(sum(entry.size for entry in exhibit.files))


def original(exhibit: Exhibit, say: Speaker) -> str:
    """Original or copy, as stated."""
    stated = exhibit.source.is_original
    return say("documents.empty") if stated is None else say(_ORIGINAL[stated])


def operator(exhibit: Exhibit, say: Speaker) -> str:
    """Operator, as stated."""
    return _person(exhibit.operator, say) or say("documents.empty")


def witness(exhibit: Exhibit, say: Speaker) -> str:
    """Witness, as stated; 无 when the statement says there was none."""
    if exhibit.witness is None:
        return say("certificate.none")
    return _person(exhibit.witness, say) or say("documents.empty")


def _person(person: Person, say: Speaker) -> str:
    details = [person.role] if person.role else []
    if person.identification:
        details.append(say("certificate.person.identified", method=person.identification))
    if not person.name or not details:
        return person.name
    return say("certificate.person", name=person.name, details=say("certificate.join").join(details))


def tools(exhibit: Exhibit, say: Speaker) -> tuple[str, ...]:
    """Programs that took part, with version and digest."""
    return tuple(
        say("certificate.tool", name=tool.name, version=tool.version)
        if tool.sha256 is None
        else say("certificate.tool.digest", name=tool.name, version=tool.version, digest=digest(tool.sha256))
        for tool in exhibit.tools
    )

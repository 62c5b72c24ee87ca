"""来源和制作经过说明 as blocks: what was stated of the source, then what the records and proofs say of the making."""

from __future__ import annotations

from collections.abc import Iterator

from evidence_desk.core.certificate import Exhibit, beijing_text
from evidence_desk.core.documents import SourceStatement
from reports.blocks import Block, Document, Fact, Facts, Heading, Items, Paragraph
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
from reports.exhibit_blocks import derived_texts, times_blocks
from reports.speak import Speaker, count


def source_document(statement: SourceStatement, say: Speaker) -> Document:
    """All text of a statement of source and making."""
    body = [block for exhibit in statement.exhibits for block in _exhibit(exhibit, say)]
    return assembled(
        statement.imprint,
        statement.exhibits,
        body,
        say,
        title=say("documents.source"),
        subtitle=say("documents.source.subtitle"),
        signers=(say("documents.sign.provider"), say("documents.sign.maker")),
    )


def _exhibit(exhibit: Exhibit, say: Speaker) -> Iterator[Block]:
    yield exhibit_heading(exhibit, say)
    yield from identity(exhibit, say)
    yield Heading(text=say("documents.source.origin"), level=2, note=say("documents.stated.note"))
    yield Facts(rows=tuple(_origin(exhibit, say)))
    yield Heading(text=say("documents.source.making"), level=2, note=say("documents.source.making.note"))
    yield Items(items=tuple(_making(exhibit, say)), numbered=True)
    yield from times_blocks(exhibit, say)
    yield Paragraph(text=say("documents.source.limits"))
    yield Heading(text=say("documents.source.files"), level=2, note=say("documents.proven.note"))
    yield from files(exhibit, say)


def _origin(exhibit: Exhibit, say: Speaker) -> Iterator[Fact]:
    source, empty = exhibit.source, say("documents.empty")
    for label, value in (
        ("kind", say.known("certificate.kind", exhibit.kind)),
        ("purpose", exhibit.purpose),
        ("obtained", source.obtained),
        ("from_whom", source.from_whom),
        ("medium", source.medium),
        ("medium_serial", source.medium_serial),
        ("original", original(exhibit, say)),
        ("derived", derived_texts(source, say)),
        ("basis", source.basis),
        ("operator", operator(exhibit, say)),
        ("witness", witness(exhibit, say)),
        ("interest", exhibit.interest),
    ):
        yield Fact(label=say(f"certificate.{label}"), value=value or empty)


def _making(exhibit: Exhibit, say: Speaker) -> Iterator[str]:
    """The steps in order; one that did not happen is told as such."""
    extent = {"count": count(len(exhibit.files)), "size": total_size(exhibit)}
    yield say("documents.source.read", time=beijing_text(exhibit.registered), **extent)
    checkpoint, token, court = exhibit.checkpoint, exhibit.token, exhibit.court
    yield say(
        "documents.source.logged", time=beijing_text(exhibit.logged), origin=checkpoint.origin,
        seq=exhibit.seq, size=checkpoint.size,
    )  # fmt: skip
    if token is None:
        yield say("documents.source.unstamped")
    else:
        yield say(
            "documents.source.stamped", time=beijing_text(token.gen_time), tsa=token.tsa, serial=token.serial
        )
    if court is None:
        yield say("documents.source.unanchored")
    else:
        yield say(
            "documents.source.anchored", time=beijing_text(court.time), chain=court.chain_id,
            height=court.height, following=court.height + 1,
        )  # fmt: skip
    if exhibit.last_recheck is None:
        yield say("documents.source.unchecked")
    else:
        yield say("documents.source.rechecked", time=beijing_text(exhibit.last_recheck))
    programs = say.listed(tools(exhibit, say)) or say("documents.unrecorded")
    yield say("documents.source.tools", tools=programs)

"""证据目录 as blocks: the dense table that a court files, then the digests in full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from evidence_desk.core.certificate import Exhibit
from evidence_desk.core.documents import Catalog, CatalogEntry
from reports.blocks import Block, Cell, Document, Fact, Facts, Heading, Paragraph, Table, Tone
from reports.document_parts import assembled, original
from reports.speak import Speaker, count, digest

_COLUMNS: Final = ("no", "name", "source", "purpose", "original", "pages", "number")
_WEIGHTS: Final = (0.72, 1.45, 1.68, 2.2, 1.05, 0.75, 1.75)


def catalog_document(catalog: Catalog, say: Speaker) -> Document:
    """All text of a list of exhibits."""
    exhibits = tuple(entry.exhibit for entry in catalog.entries)
    return assembled(
        catalog.imprint,
        exhibits,
        list(_body(catalog, say)),
        say,
        title=say("documents.catalog"),
        subtitle=say("documents.catalog.subtitle", count=count(len(exhibits))),
        signers=(say("documents.sign.submitter"), say("documents.sign.receiver")),
    )


def _body(catalog: Catalog, say: Speaker) -> Iterator[Block]:
    yield Heading(text=say("certificate.extent"))
    yield Table(
        header=tuple(say(f"documents.catalog.{name}") for name in _COLUMNS),
        weights=_WEIGHTS,
        rows=tuple(_row(entry, say) for entry in catalog.entries),
    )
    notes = [say("documents.catalog.stated")]
    if not catalog.paged:
        notes.append(say("documents.catalog.unpaged"))
    elif any(entry.pages is None for entry in catalog.entries):
        notes.append(say("documents.catalog.no_pages"))
    yield Paragraph(text=" ".join(notes), small=True, tone=Tone.SECONDARY)
    yield Heading(text=say("documents.catalog.digests"), note=say("documents.catalog.digests.note"))
    yield Facts(
        rows=tuple(
            Fact(
                label=entry.exhibit.exhibit_no or entry.exhibit.number,
                value=(entry.exhibit.number, digest(entry.exhibit.leaf_hash)),
                mono=True,
            )
            for entry in catalog.entries
        )
    )


def _row(entry: CatalogEntry, say: Speaker) -> tuple[Cell, ...]:
    exhibit, empty = entry.exhibit, say("documents.empty")
    files = say("documents.catalog.files", count=count(len(exhibit.files)))
    source = tuple(part for part in (exhibit.source.obtained, exhibit.source.from_whom) if part)
    return (
        exhibit.exhibit_no,
        (exhibit.title, say.known("documents.catalog.kind", exhibit.kind), files),
        source or empty,
        exhibit.purpose or empty,
        original(exhibit, say),
        page_text(entry.pages),
        _number(exhibit, say),
    )


def _number(exhibit: Exhibit, say: Speaker) -> Cell:
    """Number and the heads of digests; a single file's own, because that is what a reader can compare."""
    half = len(exhibit.number) // 2 + 1  # after a hyphen, so that all numbers break alike
    parts = [exhibit.number[:half], exhibit.number[half:]]
    if len(exhibit.files) == 1:
        head = exhibit.files[0].digests.sha256.hex()[:8]
        parts.append(say("documents.catalog.digest", digest=head))
    parts.append(say("documents.catalog.leaf", digest=exhibit.leaf_hash.hex()[:8]))
    if exhibit.token is None:
        parts.append(say("documents.catalog.unstamped"))
    if exhibit.court is None:
        parts.append(say("documents.catalog.unanchored"))
    return tuple(parts)


def page_text(pages: tuple[int, int] | None) -> str:
    """``3``, ``3–7``, or a dash."""
    if pages is None:
        return "—"
    first, last = pages
    return str(first) if first == last else f"{first}–{last}"

"""Documents of a case 文书: model in, PDF/A bytes out. Unsigned, and they say so; nothing is attached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from evidence_desk.core.documents import (
    CaseDocument,
    Catalog,
    Cleanliness,
    CustodyRecord,
    ObtainingRecord,
    SourceStatement,
)
from evidence_desk.texts import Language
from reports.blocks import Document, texts
from reports.catalog_document import catalog_document
from reports.cleanliness_document import cleanliness_document
from reports.custody_document import custody_document
from reports.drawing import draw
from reports.fonts.faces import unprintable
from reports.layout import lay_out
from reports.pdfa import finish
from reports.record_document import record_document
from reports.source_document import source_document
from reports.speak import Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedDocument:
    """A finished PDF/A; `unprintable` lists characters printed as 〔U+XXXX〕: tell who prints it."""

    pdf: bytes
    pages: int
    unprintable: tuple[str, ...]


def render(document: CaseDocument | Cleanliness, language: Language) -> bytes:
    """PDF/A-3b of a document."""
    return render_document(document, language).pdf


def render_document(document: CaseDocument | Cleanliness, language: Language) -> RenderedDocument:
    """`render`, with the number of pages and what could not be printed as it is."""
    laid_out = as_blocks(document, language)
    pages = lay_out(laid_out)
    pdf = finish(
        draw(laid_out, pages),
        title=laid_out.title,
        language=laid_out.language,
        created=document.imprint.made,
        attachments={},
    )
    odd = tuple(sorted(unprintable("".join(texts(laid_out)))))
    return RenderedDocument(pdf=pdf, pages=len(pages), unprintable=odd)


def as_blocks(document: CaseDocument | Cleanliness, language: Language) -> Document:
    """All text of a document in one language, before it has pages."""
    say = Speaker(language)
    match document:
        case SourceStatement():
            return source_document(document, say)
        case Catalog():
            return catalog_document(document, say)
        case CustodyRecord():
            return custody_document(document, say)
        case ObtainingRecord():
            return record_document(document, say)
        case Cleanliness():
            return cleanliness_document(document, say)
        case _:
            assert_never(document)

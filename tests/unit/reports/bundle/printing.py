"""Exhibits from bytes at hand, printed; and what a reader sees of the result."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import pikepdf
import pypdfium2
from PIL import Image

from evidence_desk.core.bundle import Bundle, BundleCertificate, BundleExhibit, PrintedBundle
from evidence_desk.core.certificate import CaseFacts, DemoReason, FileFacts
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.documents import Catalog, CatalogEntry, Imprint
from evidence_desk.core.job import Job
from evidence_desk.texts import Language
from reports.bundle import PdfBundlePrinter
from tests.unit.reports.samples import NOW, an_exhibit

CASE = "（2026）渝0103民初1号"
D, N, A = pikepdf.Dictionary, pikepdf.Name, pikepdf.Array


@dataclass(frozen=True)
class Original:
    """`core.bundle.BundleOriginal` over bytes."""

    data: bytes

    def head(self, size: int) -> bytes:
        return self.data[:size]

    @contextmanager
    def checked(self) -> Iterator[BinaryIO]:
        yield io.BytesIO(self.data)


def item(
    files: Mapping[str, bytes],
    index: int = 1,
    *,
    certificate: BundleCertificate | None = None,
    **changes: object,
) -> BundleExhibit:
    """An exhibit of these files."""
    facts = tuple(
        FileFacts(name=name, size=len(data), media_type="", digests=DigestPair.of(data), modified=NOW)
        for name, data in files.items()
    )
    given: dict[str, Any] = {
        "exhibit_no": str(index),
        "files": facts,
        "title": f"证据名称{index}",
        **changes,
    }
    return BundleExhibit(
        exhibit=an_exhibit(index, **given),
        originals=tuple(Original(data) for data in files.values()),
        certificate=certificate,
    )


def bundle_of(items: Sequence[BundleExhibit], *, demo: bool = False) -> Bundle:
    imprint = Imprint(
        made=NOW, case=CaseFacts(number=CASE, court="重庆市渝中区人民法院"), program="Evidence Desk 0.1.0",
        demo=(DemoReason.TOKEN,) if demo else (),
    )  # fmt: skip
    entries = tuple(CatalogEntry(exhibit=each.exhibit) for each in items)
    return Bundle(catalog=Catalog(imprint=imprint, entries=entries), exhibits=tuple(items))


@dataclass(frozen=True)
class Result:
    pdf: bytes
    printed: PrintedBundle

    @property
    def texts(self) -> list[str]:
        """Text of each page without white space."""
        return [re.sub(r"\s", "", text) for text in page_texts(self.pdf)]

    @property
    def body(self) -> slice:
        """Pages of the first exhibit behind its title page, when that is one page."""
        first, last = self.printed.ranges[0]
        return slice(first, last)

    @property
    def reasons(self) -> list[str]:
        return [each.reason for each in self.printed.unprinted]

    def picture(self, index: int, scale: float = 1) -> Image.Image:
        with closing(pypdfium2.PdfDocument(self.pdf)) as document:
            picture: Image.Image = document[index].render(scale=scale).to_pil()
            return picture.convert("RGB")


def page_texts(pdf: bytes) -> list[str]:
    with closing(pypdfium2.PdfDocument(pdf)) as document:
        return [page.get_textpage().get_text_range() for page in document]


def print_items(
    *items: BundleExhibit, demo: bool = False, language: Language = Language.ZH, job: Job | None = None
) -> Result:
    out = io.BytesIO()
    printed = PdfBundlePrinter(language).print(bundle_of(items, demo=demo), out, job=job or Job())
    pdf = out.getvalue()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        faults = document.check_pdf_syntax()
        # The bytes of a damaged stream are copied as they are.
        assert [text for text in faults if not re.search("decoding stream data|re-processed", text)] == []
        assert len(document.pages) == printed.pages
    return Result(pdf, printed)


def print_file(name: str, data: bytes) -> Result:
    return print_items(item({name: data}))


def add_page(
    document: pikepdf.Pdf, content: bytes, size: tuple[float, float] = (595.28, 841.89)
) -> pikepdf.Object:
    """A page with Helvetica as /F1."""
    document.add_blank_page(page_size=(100, 100))
    page = document.pages[-1].obj
    page.MediaBox = A([0, 0, *size])
    page.Resources = D(Font=D(F1=D(Type=N.Font, Subtype=N.Type1, BaseFont=N.Helvetica)))
    page.Contents = document.make_stream(content)
    return page


def words(text: str, x: int = 60, y: int = 400) -> bytes:
    return f"BT /F1 24 Tf {x} {y} Td ({text}) Tj ET\n".encode("ascii")


def saved(document: pikepdf.Pdf, **options: Any) -> bytes:
    out = io.BytesIO()
    document.save(out, **options)
    return out.getvalue()

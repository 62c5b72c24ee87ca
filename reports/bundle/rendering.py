"""Pages that cannot be copied as they are, drawn as pictures by PDFium: damaged files, hidden layers, forms to be filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, BinaryIO, Final

import pypdfium2
from PIL import Image

from evidence_desk.verify.pdfium import PDFIUM
from reports.bundle.pictures import image_object, plain
from reports.bundle.problem import Reason, UnprintableError
from reports.bundle.sheets import A3, FormPage
from reports.bundle.writer import PdfWriter, numbers

_DPI: Final = 200
_LEAST: Final = 0.5
_MOST: Final = 1e6
"""Sides of a page in points."""
_PASSWORD: Final = 4
"""FPDF_ERR_PASSWORD."""


class Renderer:
    """One open document; `close` it."""

    def __init__(self, source: BinaryIO) -> None:
        source.seek(0)
        with PDFIUM:
            try:
                self._document: Any = pypdfium2.PdfDocument(source)
                if self._document.get_formtype():
                    self._document.init_forms()
                self._count = len(self._document)
            except pypdfium2.PdfiumError as error:
                locked = getattr(error, "err_code", None) == _PASSWORD
                raise UnprintableError(Reason.ENCRYPTED if locked else Reason.BROKEN) from error

    def __len__(self) -> int:
        return self._count

    def page(self, index: int, writer: PdfWriter) -> FormPage:
        """One page as a picture; UnprintableError."""
        try:
            with PDFIUM, closing(self._document[index]) as page:
                wide, high = page.get_size()
                if not (_LEAST < wide < _MOST and _LEAST < high < _MOST):
                    raise UnprintableError(Reason.BROKEN)
                short, long = sorted((wide, high))
                shrink = min(1.0, A3[0] / short, A3[1] / long)
                with closing(page.render(scale=_DPI / 72 * shrink)) as bitmap:
                    picture = plain(bitmap.to_pil())
        except (pypdfium2.PdfiumError, ValueError, OverflowError, MemoryError) as error:
            raise UnprintableError(Reason.BROKEN) from error
        return picture_page(picture, writer, wide * shrink, high * shrink)

    def close(self) -> None:
        """Free the document."""
        with PDFIUM:
            self._document.close()


def picture_page(picture: Image.Image, writer: PdfWriter, wide: float, high: float) -> FormPage:
    """A page of `wide` × `high` points that is all picture."""
    number = image_object(picture, writer, wide, high, photo=False)
    form = writer.add_stream(
        b"/Type /XObject /Subtype /Form /BBox [0 0 %b] /Resources << /XObject << /I %d 0 R >> >>"
        % (numbers(wide, high), number),
        b"q %b cm /I Do Q" % numbers(wide, 0, 0, high, 0, 0),
    )
    return FormPage(form=form, box=(0, 0, wide, high))


def rendered(
    source: BinaryIO, writer: PdfWriter, *, most: int, step: Callable[[], None]
) -> Iterator[FormPage]:
    """All pages of a document as pictures; UnprintableError."""
    with closing(Renderer(source)) as renderer:
        if not len(renderer):
            raise UnprintableError(Reason.BROKEN)
        for index in range(min(len(renderer), most)):
            step()
            yield renderer.page(index, writer)
        if len(renderer) > most:
            raise UnprintableError(Reason.TOO_MANY_PAGES)

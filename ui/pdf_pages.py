"""Pages of a PDF drawn by PDFium, for the screen and for paper. Runs beside the window; takes the one lock around PDFium."""

from __future__ import annotations

from contextlib import closing
from typing import Any, Final

import pypdfium2
from PySide6.QtGui import QImage

from evidence_desk.errors import MalformedError
from evidence_desk.verify.pdfium import PDFIUM

POINTS: Final = 72
_MOST: Final = 40_000_000
"""Pixels of one page: beyond, it is drawn smaller."""


def page_sizes(pdf: bytes) -> list[tuple[float, float]]:
    """Width and height of every page in points.

    Raises:
        MalformedError: ``malformed.pdf``.
    """
    try:
        with PDFIUM, closing(_opened(pdf)) as document:
            return [document.get_page_size(index) for index in range(len(document))]
    except pypdfium2.PdfiumError as error:
        raise MalformedError("malformed.pdf", reason=type(error).__name__) from error


def draw_page(pdf: bytes, index: int, scale: float) -> QImage:
    """One page as a picture of `scale` pixels a point.

    Raises:
        MalformedError: ``malformed.pdf``.
    """
    try:
        with PDFIUM, closing(_opened(pdf)) as document, closing(document[index]) as page:
            wide, high = page.get_size()
            fitting = min(scale, (_MOST / max(wide * high, 1.0)) ** 0.5)
            with closing(page.render(scale=fitting, prefer_bgrx=True)) as bitmap:
                data = bytes(bitmap.buffer)
                wide, high, stride = bitmap.width, bitmap.height, bitmap.stride
        return QImage(data, wide, high, stride, QImage.Format.Format_RGB32).copy()  # owns its pixels
    except pypdfium2.PdfiumError as error:
        raise MalformedError("malformed.pdf", reason=type(error).__name__) from error


def _opened(pdf: bytes) -> Any:
    """An open document; the seal of a signed certificate is a form field."""
    document = pypdfium2.PdfDocument(pdf)
    if document.get_formtype():
        document.init_forms()
    return document

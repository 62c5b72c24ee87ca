"""The verification report as PDF, and its pages on a printer. Done beside the window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pypdfium2
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtPrintSupport import QPrinter

from evidence_desk.bootstrap.files import written
from evidence_desk.core.job import Job
from evidence_desk.errors import HostError
from evidence_desk.services.examination import Examination
from evidence_desk.texts import Language
from evidence_desk.verify.pdfium import PDFIUM

_DOTS: Final = 300
"""Dots an inch at which pages are drawn for the printer."""
_FORMATS: Final = {
    1: QImage.Format.Format_Grayscale8,
    3: QImage.Format.Format_BGR888,
    4: QImage.Format.Format_RGB32,
}


def save_report(done: Examination, path: Path, language: Language, job: Job) -> None:
    """Write the report where the user chose; the dialog asked before a file is replaced.

    Raises:
        HostError: ``output.unwritable``, ``host.disk_full``.
    """
    pdf = report_bytes(done, language, job)
    with written(path, force=True) as stream:
        stream.write(pdf)


def report_bytes(done: Examination, language: Language, job: Job) -> bytes:
    """The report as PDF/A."""
    from reports.verification import verification_report  # noqa: PLC0415 - PDF libraries load slowly

    job.step("report", 0, 0)
    return verification_report(done, language=language)


def print_pdf(pdf: bytes, printer: QPrinter, job: Job) -> int:
    """Draw every page on a printer; returns how many.

    Raises:
        HostError: ``ui_verify.not_printed``.
    """
    painter = QPainter()
    if not painter.begin(printer):
        raise HostError("ui_verify.not_printed", printer=printer.printerName() or "-")
    try:
        pages = 0
        for page, total in _pages(pdf):
            job.step("report", pages, total)
            if pages and not printer.newPage():
                raise HostError("ui_verify.not_printed", printer=printer.printerName() or "-")
            area = printer.pageLayout().paintRectPixels(printer.resolution())
            ratio = min(area.width() / page.width(), area.height() / page.height())
            painter.drawImage(QRectF(0, 0, page.width() * ratio, page.height() * ratio), page)
            pages += 1
        return pages
    finally:
        painter.end()


def _pages(pdf: bytes) -> Iterator[tuple[QImage, int]]:
    """Pages as pictures; the lock is not held while one is printed."""
    with PDFIUM, closing(pypdfium2.PdfDocument(pdf)) as document:
        total = len(document)
    for index in range(total):
        with (
            PDFIUM,
            closing(pypdfium2.PdfDocument(pdf)) as document,
            closing(document[index]) as page,
            closing(page.render(scale=_DOTS / 72, may_draw_forms=False)) as bitmap,
        ):
            data, kind = bytes(bitmap.buffer), _FORMATS[bitmap.n_channels]
            picture = QImage(data, bitmap.width, bitmap.height, bitmap.stride, kind).copy()
        yield picture, total

"""Certificates on paper: drawn by PDFium page by page onto the printer, beside the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QPageSize, QPainter
from PySide6.QtWidgets import QDialog, QWidget

from evidence_desk.bootstrap.files import read_input
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError, HostError
from ui.certify.pages import POINTS, draw_page, page_sizes
from ui.context import Context
from ui.tasks import Lane

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

_DPI: Final = 300
_LIMIT: Final = 256 << 20


Source = Callable[[], bytes]
"""Gives a PDF when its turn has come."""


def print_files(context: Context, parent: QWidget, paths: Sequence[Path]) -> None:
    """Print PDF files; see `print_pdfs`."""
    print_pdfs(context, parent, [partial(read_input, path, _LIMIT) for path in paths])


def print_pdfs(context: Context, parent: QWidget, sources: Sequence[Source]) -> None:
    """Ask for a printer and print one after the other; that there is none is told."""
    if not sources:
        return
    try:
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter, QPrinterInfo  # noqa: PLC0415 - not on every system
    except ImportError:
        context.messages.error(no_printer())
        return
    if not QPrinterInfo.availablePrinterNames():
        context.messages.error(no_printer())
        return
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    printer.setFullPage(True)
    dialog = QPrintDialog(printer, parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def accepted() -> None:
        context.tasks.run(
            Lane.CPU,
            lambda job: draw_on(printer, sources, job),
            owner=context.desk,
            done=lambda pages: context.messages.inform("ui_certify.printed", pages=pages),
            title="ui_certify.work.print",
        )

    dialog.accepted.connect(accepted)
    QDialog.open(dialog)  # its own takes a slot by name


def draw_on(printer: QPrinter, sources: Sequence[Source], job: Job) -> int:
    """Draw all pages of PDFs on a printer; how many.

    Raises:
        HostError: ``ui_certify.print_failed``. UnreadableError, MalformedError: of a file. CanceledError.
    """
    painter = QPainter()
    if not painter.begin(printer):
        raise HostError("ui_certify.print_failed", name=printer.printerName())
    drawn = 0
    try:
        for source in sources:
            pdf = source()
            for index, (wide, high) in enumerate(page_sizes(pdf)):
                job.step("print", drawn, 0)
                if drawn and not printer.newPage():
                    raise HostError("ui_certify.print_failed", name=printer.printerName())
                page = printer.pageLayout().fullRectPixels(printer.resolution())
                scale = min(page.width() / wide, page.height() / high)
                size = QSizeF(wide * scale, high * scale)
                painter.drawImage(
                    QRectF(
                        (page.width() - size.width()) / 2,
                        (page.height() - size.height()) / 2,
                        size.width(),
                        size.height(),
                    ),
                    draw_page(pdf, index, _DPI / POINTS),
                )
                drawn += 1
    except EvidenceDeskError:
        printer.abort()
        raise
    finally:
        painter.end()
    return drawn


def no_printer() -> EvidenceDeskError:
    """What is told when there is no printer."""
    return HostError("ui_certify.no_printer")

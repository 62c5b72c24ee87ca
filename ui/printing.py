"""Paper: the one way to ask for a printer, and PDFs drawn on it by PDFium page by page, beside the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QPageSize, QPainter
from PySide6.QtWidgets import QDialog, QWidget

from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError, HostError
from ui.context import Context
from ui.pdf_pages import POINTS, draw_page, page_sizes
from ui.tasks import Lane

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

_DPI: Final = 300

Source = Callable[[], bytes]
"""Gives a PDF when its turn has come."""


def choose_printer(
    context: Context, owner: QWidget, chosen: Callable[[QPrinter], None], missing: Callable[[], None]
) -> None:
    """Ask for a printer with A4 paper; `missing` when this machine has none.

    The print service may be slow to answer, so it is asked beside the window.
    """
    try:
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter, QPrinterInfo  # noqa: PLC0415 - not on every system
    except ImportError:
        missing()
        return

    def found(names: list[str]) -> None:
        if not names:
            missing()
            return
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
        dialog = QPrintDialog(printer, owner.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: chosen(printer))
        QDialog.open(dialog)  # its own takes a slot by name

    context.tasks.run(Lane.CPU, lambda _job: QPrinterInfo.availablePrinterNames(), owner=owner, done=found)


def draw_on(printer: QPrinter, sources: Sequence[Source], job: Job, *, refused: str) -> int:
    """Draw all pages of PDFs on a printer, each as large as the sheet allows; how many.

    Raises:
        HostError: of the code `refused`, with the printer's name. UnreadableError, MalformedError: of a file.
        CanceledError.
    """
    painter = QPainter()
    if not painter.begin(printer):
        raise HostError(refused, name=printer.printerName() or "-")
    drawn = 0
    try:
        for source in sources:
            pdf = source()
            for index, (wide, high) in enumerate(page_sizes(pdf)):
                job.step("print", drawn, 0)
                if drawn and not printer.newPage():
                    raise HostError(refused, name=printer.printerName() or "-")
                page = printer.pageLayout().paintRectPixels(printer.resolution())
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

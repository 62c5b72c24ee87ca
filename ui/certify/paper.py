"""Certificates on paper."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtWidgets import QWidget

from evidence_desk.bootstrap.files import read_input
from evidence_desk.errors import HostError
from ui.context import Context
from ui.printing import Source, choose_printer, draw_on
from ui.tasks import Lane

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

FAILED: Final = "ui_certify.print_failed"
_LIMIT: Final = 256 << 20


def print_files(context: Context, owner: QWidget, paths: Sequence[Path]) -> None:
    """Print PDF files; see `print_pdfs`."""
    print_pdfs(context, owner, [partial(read_input, path, _LIMIT) for path in paths])


def print_pdfs(context: Context, owner: QWidget, sources: Sequence[Source]) -> None:
    """Ask for a printer and print one after the other; that there is none is told."""
    if not sources:
        return

    def chosen(printer: QPrinter) -> None:
        printer.setFullPage(True)
        context.tasks.run(
            Lane.CPU,
            lambda job: draw_on(printer, sources, job, refused=FAILED),
            owner=context.desk,
            done=lambda pages: context.messages.inform("ui_certify.printed", pages=pages),
            title="ui_certify.work.print",
        )

    choose_printer(context, owner, chosen, lambda: context.messages.error(HostError("ui_certify.no_printer")))

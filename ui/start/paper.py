"""The sheet with the recovery key: printed, or saved as PDF to be printed elsewhere."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF
from PySide6.QtGui import QFont, QPageLayout, QPageSize, QPdfWriter, QTextDocument
from PySide6.QtWidgets import QWidget

from evidence_desk.errors import HostError
from evidence_desk.vault.durable import write_atomically
from ui.context import Context
from ui.language import Tongue
from ui.look.fonts import MONO, SANS
from ui.printing import choose_printer

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

_COLUMNS: Final = 4
_DPI: Final = 1200


def recovery_sheet(tongue: Tongue, vault: str, key: str) -> str:
    """The sheet as rich text: what it is for, the groups with their numbers, how to keep it."""
    groups = key.split("-")
    cells = [
        f"<td style='padding:6px 14px'><span style='font-size:8pt'>{at}</span>&nbsp;&nbsp;"
        f"<span style='font-family:\"{MONO}\";font-size:15pt;font-weight:bold'>{html.escape(group)}</span></td>"
        for at, group in enumerate(groups, start=1)
    ]
    rows = "".join(
        f"<tr>{''.join(cells[start : start + _COLUMNS])}</tr>" for start in range(0, len(cells), _COLUMNS)
    )
    say = {
        name: html.escape(tongue.say(f"ui_start.sheet.{name}")) for name in ("title", "what", "keep", "made")
    }
    return (
        f"<div style='font-family:\"{SANS}\"'><p style='font-size:20pt;font-weight:bold'>{say['title']}</p>"
        f"<p style='font-size:11pt'>{html.escape(tongue.say('ui_start.sheet.vault', name=vault))}</p>"
        f"<p style='font-size:11pt'>{say['what']}</p>"
        f"<table border='1' cellspacing='0' style='border-collapse:collapse'>{rows}</table>"
        f"<p style='font-size:11pt'>{say['keep']}</p>"
        f"<p style='font-size:11pt'>{say['made']} ______________________</p></div>"
    )


def save_sheet(sheet: str, path: Path) -> None:
    """Write it as PDF, readable by this user alone, whole or not at all: half a key is none.

    Raises:
        HostError: ``host.disk_full``, ``host.read_only``, ``host.io``; a file that was there is untouched.
    """
    made = QBuffer()
    made.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(made)  # it would not say that the disk was full
    writer.setResolution(_DPI)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(), QPageLayout.Unit.Millimeter)  # the document brings its own
    _document(sheet).print_(writer)
    del writer
    write_atomically(path, bytes(made.data().data()))


def _document(sheet: str) -> QTextDocument:
    document = QTextDocument()
    document.setDefaultFont(QFont(SANS, 11))
    document.setHtml(sheet)
    return document


def print_sheet(sheet: str, context: Context, owner: QWidget) -> None:
    """Ask for a printer and print; that there is none is told."""

    def chosen(printer: QPrinter) -> None:
        _document(sheet).print_(printer)
        if printer.printerState() is type(printer).PrinterState.Error:
            context.messages.error(HostError("ui_start.print_failed", name=printer.printerName()))
        else:
            context.messages.inform("ui_start.paper.printed")

    choose_printer(context, owner, chosen, lambda: context.messages.error(HostError("ui_start.no_printer")))

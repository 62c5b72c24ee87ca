"""Pages to PDF bytes with reportlab. Order of drawing is reading order, so that extracted text comes out the same."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import segno
from reportlab.pdfgen.canvas import Canvas

from reports.blocks import Document, Tone
from reports.fonts.embedding import register
from reports.fonts.faces import Face, Style, printable, runs, width
from reports.layout import PAGE
from reports.pages import CodeOp, Page, TextOp

COLORS: Final = {
    Tone.TEXT: "1B1F24",
    Tone.SECONDARY: "57606A",
    Tone.ACCENT: "1F4E8C",
    Tone.PASSED: "1A7F37",
    Tone.WARNING: "8A5A00",
    Tone.FAILED: "B42318",
    Tone.UNDETERMINED: "5B6672",
}
"""Light palette of the product (desktop.md, «Look»)."""
_LINE: Final = "B6BEC7"
_WATERMARK: Final = "E9EBEE"
_FILL: Final = "F7F8FA"
_QUIET_ZONE: Final = 2


def draw(document: Document, pages: Sequence[Page]) -> bytes:
    """PDF of laid-out pages; not yet PDF/A (`pdfa.finish`)."""
    register()
    buffer = io.BytesIO()
    canvas = Canvas(
        buffer,
        pagesize=PAGE,
        initialFontName=Face.REGULAR.value,
        initialFontSize=10,
        pageCompression=1,
        invariant=1,
    )
    canvas.setTitle(document.title)
    for page in pages:
        _draw_page(canvas, page, document.watermark)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _draw_page(canvas: Canvas, page: Page, watermark: str) -> None:
    if watermark:
        _watermark(canvas, printable(watermark))
    for frame in page.frames:
        _fill(canvas, _FILL)
        _stroke(canvas, COLORS[frame.tone])
        canvas.setLineWidth(0.8)
        canvas.rect(frame.x, frame.y, frame.width, frame.height, stroke=1, fill=1)
    for rule in page.rules:
        _stroke(canvas, COLORS[Tone.SECONDARY] if rule.strong else _LINE)
        canvas.setLineWidth(rule.thickness)
        canvas.line(rule.x, rule.y, rule.x + rule.length, rule.y)
    for code in page.codes:
        _draw_code(canvas, code)
    for op in page.reading_order():
        _draw_text(canvas, op)


def _draw_text(canvas: Canvas, op: TextOp) -> None:
    _fill(canvas, COLORS[op.tone])
    x = op.x
    for run in runs(op.text, op.style):
        canvas.setFont(run.face.value, op.size)
        canvas.drawString(x, op.y, run.text)
        x += run.width * op.size / 1000


def _watermark(canvas: Canvas, text: str) -> None:
    size = 64.0
    canvas.saveState()
    _fill(canvas, _WATERMARK)
    canvas.translate(PAGE[0] / 2, PAGE[1] / 2)
    canvas.rotate(40)
    x = -width(text, Style.BOLD, size) / 2
    for run in runs(text, Style.BOLD):
        canvas.setFont(run.face.value, size)
        canvas.drawString(x, -size / 3, run.text)
        x += run.width * size / 1000
    canvas.restoreState()


def _draw_code(canvas: Canvas, op: CodeOp) -> None:
    """Dark modules of a row as one path each; level M survives photocopying."""
    matrix = segno.make(op.payload, error="m", micro=False).matrix
    module = op.size / (len(matrix) + 2 * _QUIET_ZONE)
    _fill(canvas, "FFFFFF")
    canvas.rect(op.x, op.y, op.size, op.size, stroke=0, fill=1)
    _fill(canvas, "000000")
    path = canvas.beginPath()
    for row, line in enumerate(matrix):
        y = op.y + op.size - (row + 1 + _QUIET_ZONE) * module
        start = None
        for column, dark in enumerate((*line, 0)):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                x = op.x + (start + _QUIET_ZONE) * module
                path.rect(x, y, (column - start) * module, module)
                start = None
    canvas.drawPath(path, stroke=0, fill=1)


def _fill(canvas: Canvas, color: str) -> None:
    canvas.setFillColorRGB(*_rgb(color))


def _stroke(canvas: Canvas, color: str) -> None:
    canvas.setStrokeColorRGB(*_rgb(color))


def _rgb(color: str) -> tuple[float, float, float]:
    red, green, blue = bytes.fromhex(color)
    return red / 255, green / 255, blue / 255

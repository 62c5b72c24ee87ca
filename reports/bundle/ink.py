"""Content streams of our own pages and feet, all of a bundle with one subset a font."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from typing import Final

from reports.blocks import Tone
from reports.bundle.writer import PdfWriter, number, numbers
from reports.drawing import COLORS
from reports.fonts.embedding import Subset, descriptor
from reports.fonts.faces import Face, Style, printable, runs, width
from reports.layout import PAGE
from reports.pages import Page

_LINE: Final = "B6BEC7"
_FILL: Final = "F7F8FA"
_WATERMARK: Final = "E9EBEE"
_WATERMARK_SIZE: Final = 64.0


class Ink:
    """Text and lines for one document; `finish` writes the fonts that were used."""

    def __init__(self, writer: PdfWriter) -> None:
        self._writer = writer
        self._subsets = {face: Subset(face) for face in Face}
        self._numbers = {face: writer.reserve() for face in Face}
        listed = b" ".join(b"/%b %d 0 R" % (_name(face), self._numbers[face]) for face in Face)
        self.fonts = b"/Font << %b >>" % listed
        """Entry of a resource dictionary for everything that is drawn here."""

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        style: Style = Style.REGULAR,
        size: float,
        tone: Tone = Tone.TEXT,
    ) -> bytes:
        """One line of printable text with its baseline at (x, y)."""
        return b"BT %b rg %bET\n" % (_rgb(COLORS[tone]), self._shown(x, y, text, style, size))

    def rule(self, x: float, y: float, length: float, *, thickness: float = 0.4, color: str = _LINE) -> bytes:
        """A horizontal line."""
        return b"%b RG %b w %b m %b l S\n" % (
            _rgb(color), number(thickness), numbers(x, y), numbers(x + length, y),
        )  # fmt: skip

    def watermark(self, text: str) -> bytes:
        """Large pale text across an A4 page."""
        half = width(text, Style.BOLD, _WATERMARK_SIZE) / 2
        cosine, sine = math.cos(math.radians(40)), math.sin(math.radians(40))
        shown = self._shown(-half, -_WATERMARK_SIZE / 3, text, Style.BOLD, _WATERMARK_SIZE)
        turned = numbers(cosine, sine, -sine, cosine, PAGE[0] / 2, PAGE[1] / 2)
        return b"q %b cm %b rg BT %bET Q\n" % (turned, _rgb(_WATERMARK), shown)

    def page(self, page: Page, watermark: str = "") -> bytes:
        """Content of a laid-out page (without QR codes, which bundles leave to the certificate)."""
        parts = [self.watermark(printable(watermark))] if watermark else []
        for frame in page.frames:
            box = numbers(frame.x, frame.y, frame.width, frame.height)
            parts.append(b"%b rg %b RG 0.8 w %b re B\n" % (_rgb(_FILL), _rgb(COLORS[frame.tone]), box))
        for rule in page.rules:
            color = COLORS[Tone.SECONDARY] if rule.strong else _LINE
            parts.append(self.rule(rule.x, rule.y, rule.length, thickness=rule.thickness, color=color))
        parts += [
            self.text(op.x, op.y, op.text, style=op.style, size=op.size, tone=op.tone)
            for op in page.reading_order()
            if op.text
        ]
        return b"".join(parts)

    def form(self, content: bytes, *, extra: bytes = b"") -> int:
        """A form XObject of A4 size with `content`; `extra` resources beside the fonts."""
        resources = b"<< %b %b >>" % (self.fonts, extra)
        entries = b"/Type /XObject /Subtype /Form /BBox [0 0 %b] /Resources %b" % (numbers(*PAGE), resources)
        return self._writer.add_stream(entries, content)

    def finish(self) -> None:
        """Write the fonts, those without text too (every page names them); no text can follow."""
        for face in Face:
            self._write_font(face)

    def _shown(self, x: float, y: float, text: str, style: Style, size: float) -> bytes:
        parts: list[bytes] = []
        for run in runs(text, style):
            code = self._subsets[run.face].encode(run.text).hex().encode("ascii")
            at = numbers(x, y)
            parts.append(b"/%b %b Tf 1 0 0 1 %b Tm <%b> Tj " % (_name(run.face), number(size), at, code))
            x += run.width * size / 1000
        return b"".join(parts)

    def _write_font(self, face: Face) -> None:
        writer, program = self._writer, self._subsets[face].build()
        name = program.name.encode("ascii")
        file = writer.reserve()
        writer.write_stream(
            file,
            b"/Length1 %d /Filter /FlateDecode" % len(program.program),
            zlib.compress(program.program, 6),
        )
        facts = b" ".join(_entries(descriptor(program)))
        described = writer.add(b"<< %b /FontFile2 %d 0 R >>" % (facts, file))
        descendant = writer.add(
            b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%b /CIDSystemInfo << /Registry (Adobe) /Ordering"
            b" (Identity) /Supplement 0 >> /CIDToGIDMap /Identity /FontDescriptor %d 0 R /DW 1000 /W [0 [%b]] >>"
            % (name, described, numbers(*program.widths))
        )
        to_unicode = writer.add_stream(b"", program.to_unicode)
        writer.write(
            self._numbers[face],
            b"<< /Type /Font /Subtype /Type0 /BaseFont /%b /Encoding /Identity-H /DescendantFonts [%d 0 R]"
            b" /ToUnicode %d 0 R >>" % (name, descendant, to_unicode),
        )


def _entries(facts: dict[str, object]) -> Iterator[bytes]:
    for key, value in facts.items():
        text = f"[{' '.join(str(item) for item in value)}]" if isinstance(value, list) else str(value)
        yield f"/{key} {text}".encode("ascii")


def _name(face: Face) -> bytes:
    return face.name.title().encode("ascii")


def _rgb(color: str) -> bytes:
    return numbers(*(byte / 255 for byte in bytes.fromhex(color)))

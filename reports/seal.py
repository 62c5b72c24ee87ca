"""Draws the visible seal of a signature: a framed form XObject with its own embedded fonts."""

from __future__ import annotations

from typing import Any, Final

from pyhanko.pdf_utils import generic as _generic
from pyhanko.pdf_utils.content import AppearanceContent, ResourceType
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.writer import BasePdfFileWriter

from reports.fonts.embedding import FontProgram, Subset, descriptor
from reports.fonts.faces import Face, Style, printable, runs, width
from reports.wrap import wrap

generic: Any = _generic
"""pyHanko's object constructors carry no annotations."""
pdf_name = _generic.pdf_name
_SIZE: Final = 9.0
_MARGIN: Final = 10.0
_ACCENT: Final = "0.1216 0.3059 0.549"
_TEXT: Final = "0.1059 0.1216 0.1412"


class SealStamp(AppearanceContent):
    """Appearance of the signature widget; lines shrink until they fit the box."""

    def __init__(self, writer: BasePdfFileWriter, box: BoxConstraints, lines: tuple[str, ...]) -> None:
        super().__init__(writer=writer, box=box)
        self._text = [printable(line) for line in lines]

    def render(self) -> bytes:
        """Content stream; pyHanko's interface."""
        box_width, box_height = float(self.box.width), float(self.box.height)
        size, lines = _fit(self._text, box_width - 2 * _MARGIN, box_height - 12)
        subsets: dict[Face, Subset] = {}
        content = [
            f"q {_ACCENT} RG 0.8 w 0.4 0.4 {box_width - 0.8:.2f} {box_height - 0.8:.2f} re S",
            f"2.2 2.2 {box_width - 4.4:.2f} {box_height - 4.4:.2f} re S Q q {_TEXT} rg",
        ]
        leading = size * 1.5
        y = (box_height + leading * len(lines)) / 2 - size * 1.15
        for line in lines:
            x = _MARGIN
            for run in runs(line, Style.REGULAR):
                code = subsets.setdefault(run.face, Subset(run.face)).encode(run.text).hex()
                content.append(f"BT /{run.face.name.title()} {size:.2f} Tf {x:.3f} {y:.2f} Td <{code}> Tj ET")
                x += run.width * size / 1000
            y -= leading
        content.append("Q")
        for face, subset in subsets.items():
            self.set_resource(
                ResourceType.FONT, pdf_name(f"/{face.name.title()}"), self._font(subset.build())
            )
        return "\n".join(content).encode("ascii")

    def _font(self, program: FontProgram) -> _generic.IndirectObject:
        writer = self._ensure_writer
        file = generic.StreamObject(
            {pdf_name("/Length1"): generic.NumberObject(len(program.program))}, stream_data=program.program
        )
        file.compress()
        to_unicode = generic.StreamObject(stream_data=program.to_unicode)
        to_unicode.compress()
        facts = generic.DictionaryObject(
            {pdf_name(f"/{name}"): _value(value) for name, value in descriptor(program).items()}
        )
        facts[pdf_name("/FontFile2")] = writer.add_object(file)
        widths = generic.ArrayObject(generic.FloatObject(round(value, 3)) for value in program.widths)
        system = generic.DictionaryObject(
            {
                pdf_name("/Registry"): generic.pdf_string("Adobe"),
                pdf_name("/Ordering"): generic.pdf_string("Identity"),
                pdf_name("/Supplement"): generic.NumberObject(0),
            }
        )
        descendant = generic.DictionaryObject(
            {
                pdf_name("/Type"): pdf_name("/Font"),
                pdf_name("/Subtype"): pdf_name("/CIDFontType2"),
                pdf_name("/BaseFont"): pdf_name(f"/{program.name}"),
                pdf_name("/CIDSystemInfo"): system,
                pdf_name("/CIDToGIDMap"): pdf_name("/Identity"),
                pdf_name("/FontDescriptor"): writer.add_object(facts),
                pdf_name("/DW"): generic.NumberObject(1000),
                pdf_name("/W"): generic.ArrayObject([generic.NumberObject(0), widths]),
            }
        )
        return writer.add_object(
            generic.DictionaryObject(
                {
                    pdf_name("/Type"): pdf_name("/Font"),
                    pdf_name("/Subtype"): pdf_name("/Type0"),
                    pdf_name("/BaseFont"): pdf_name(f"/{program.name}"),
                    pdf_name("/Encoding"): pdf_name("/Identity-H"),
                    pdf_name("/DescendantFonts"): generic.ArrayObject([writer.add_object(descendant)]),
                    pdf_name("/ToUnicode"): writer.add_object(to_unicode),
                }
            )
        )


def _value(value: object) -> Any:
    match value:
        case int():
            return generic.NumberObject(value)
        case list():
            return generic.ArrayObject(_value(item) for item in value)
        case _:
            return pdf_name(str(value))


def _fit(texts: list[str], room: float, height: float) -> tuple[float, list[str]]:
    """Largest size from 9 pt down at which the wrapped lines fit; long names wrap before they shrink below 5 pt."""
    size = _SIZE
    while True:
        lines = [line for text in texts for line in wrap(text, Style.REGULAR, size, room)]
        fits = len(lines) * size * 1.5 <= height and all(
            width(line, Style.REGULAR, size) <= room for line in lines
        )
        if fits or size <= 5:
            return size, lines
        size -= 0.5

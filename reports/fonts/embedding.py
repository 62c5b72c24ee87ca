"""Puts subsets into PDF as composite fonts (Type 0, CIDFontType2, Identity-H; ISO 32000-2 §9.7).

Written here because reportlab's own embedding maps characters beyond U+FFFF to wrong text (its ToUnicode), which would
garble rare names for whoever copies or searches them. Code of a character = its glyph's number in the subset.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Final
from weakref import WeakKeyDictionary

from reportlab.pdfbase import pdfdoc, pdfmetrics

from reports.fonts.faces import Face, font

_PER_BLOCK: Final = 100
"""Most entries of a bfchar block (ISO 32000-2 §9.10.3 by way of Adobe TN 5014)."""
_SYMBOLIC: Final = 4
_STEM: Final = {Face.BOLD: 140}


@dataclass(frozen=True, slots=True, kw_only=True)
class FontProgram:
    """One finished subset.

    Attributes:
        name: tagged PostScript name. widths: of codes 0, 1, … in 1/1000 em.
        program: TrueType file. to_unicode: CMap.
    """

    name: str
    face: Face
    widths: tuple[float, ...]
    program: bytes
    to_unicode: bytes


class Subset:
    """The characters of one face that one document uses, numbered as they come."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self._codes: dict[str, int] = {}
        self._glyphs = [0]

    def encode(self, text: str) -> bytes:
        """Two bytes a character; characters must be ones `face` has."""
        result = bytearray()
        for character in text:
            code = self._codes.get(character)
            if code is None:
                code = self._codes[character] = len(self._glyphs)
                self._glyphs.append(font(self.face).glyph(ord(character)))
            result += code.to_bytes(2, "big")
        return bytes(result)

    def build(self) -> FontProgram:
        """Cut the subset."""
        source = font(self.face)
        characters = list(self._codes)
        tag = hashlib.sha256("".join(characters).encode("utf-8")).digest()[:6]
        prefix = "".join(chr(ord("A") + byte % 26) for byte in tag)
        return FontProgram(
            name=f"{prefix}+{source.postscript_name}",
            face=self.face,
            widths=tuple(source.advance(glyph) for glyph in self._glyphs),
            program=source.subset(self._glyphs),
            to_unicode=_to_unicode(characters),
        )


def _to_unicode(characters: list[str]) -> bytes:
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <FFFF> endcodespacerange",
    ]
    for start in range(0, len(characters), _PER_BLOCK):
        block = characters[start : start + _PER_BLOCK]
        lines.append(f"{len(block)} beginbfchar")
        lines += [
            f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>"
            for code, character in enumerate(block, start + 1)
        ]
        lines.append("endbfchar")
    lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(lines).encode("ascii")


def descriptor(program: FontProgram) -> dict[str, object]:
    """Plain values of the FontDescriptor, without its FontFile2."""
    metrics = font(program.face).metrics
    return {
        "Type": "/FontDescriptor",
        "FontName": f"/{program.name}",
        "Flags": _SYMBOLIC,
        "FontBBox": [round(value) for value in metrics.box],
        "ItalicAngle": 0,
        "Ascent": round(metrics.ascent),
        "Descent": round(metrics.descent),
        "CapHeight": round(metrics.cap_height),
        "StemV": _STEM.get(program.face, 80),
    }


class ReportlabFont:
    """What reportlab's canvas needs of a dynamic font; one object a face, one `Subset` a document."""

    _dynamicFont = 1  # noqa: N815 - reportlab's names
    _multiByte = 1  # noqa: N815
    shapable = False

    def __init__(self, face: Face) -> None:
        self.fontName = face.value
        self.encName = "Identity-H"
        self.face = face
        self._subsets: WeakKeyDictionary[object, Subset] = WeakKeyDictionary()

    def _subset(self, doc: object) -> Subset:
        subset = self._subsets.get(doc)
        if subset is None:
            subset = self._subsets[doc] = Subset(self.face)
        return subset

    def stringWidth(self, text: str, size: float, encoding: str = "utf8") -> float:  # noqa: ARG002, N802
        """Width in points; reportlab's interface."""
        source = font(self.face)
        return sum(source.advance(source.glyph(ord(character))) for character in text) * size / 1000

    def splitString(self, text: str, doc: object, encoding: str = "utf-8") -> list[tuple[int, bytes]]:  # noqa: ARG002, N802
        """One subset only, number 0; reportlab's interface."""
        return [(0, self._subset(doc).encode(text))]

    def getSubsetInternalName(self, subset: int, doc: pdfdoc.PDFDocument) -> str:  # noqa: ARG002, N802
        """Resource name; the first use schedules embedding; reportlab's interface."""
        if self.fontName not in doc.fontMapping:
            doc.fontMapping[self.fontName] = f"/F{len(doc.fontMapping) + 1}"
            doc.delayedFonts.append(self)
        return str(doc.fontMapping[self.fontName])

    def addObjects(self, doc: pdfdoc.PDFDocument) -> None:  # noqa: N802
        """Write the font objects; reportlab's interface."""
        program = self._subsets.pop(doc).build()
        internal = doc.fontMapping[self.fontName][1:]
        facts = {
            name: pdfdoc.PDFArray(value) if isinstance(value, list) else value
            for name, value in descriptor(program).items()
        }
        facts["FontFile2"] = doc.Reference(_stream(program.program, {"Length1": len(program.program)}))
        descendant = pdfdoc.PDFDictionary(
            {
                "Type": "/Font",
                "Subtype": "/CIDFontType2",
                "BaseFont": f"/{program.name}",
                "CIDSystemInfo": pdfdoc.PDFDictionary(
                    {
                        "Registry": pdfdoc.PDFString("Adobe"),
                        "Ordering": pdfdoc.PDFString("Identity"),
                        "Supplement": 0,
                    }
                ),
                "CIDToGIDMap": "/Identity",
                "FontDescriptor": doc.Reference(pdfdoc.PDFDictionary(facts)),
                "DW": 1000,
                "W": pdfdoc.PDFArray([0, pdfdoc.PDFArray([round(width, 3) for width in program.widths])]),
            }
        )
        whole = pdfdoc.PDFDictionary(
            {
                "Type": "/Font",
                "Subtype": "/Type0",
                "BaseFont": f"/{program.name}",
                "Encoding": "/Identity-H",
                "DescendantFonts": pdfdoc.PDFArray([doc.Reference(descendant)]),
                "ToUnicode": doc.Reference(_stream(program.to_unicode, {})),
            }
        )
        doc.idToObject["BasicFonts"].dict[internal] = doc.Reference(whole)


def _stream(content: bytes, extra: dict[str, int]) -> pdfdoc.PDFStream:
    stream = pdfdoc.PDFStream(
        pdfdoc.PDFDictionary({**extra, "Filter": "/FlateDecode"}), zlib.compress(content, 6)
    )
    stream.filters = []
    return stream


@cache
def register() -> None:
    """Make the faces known to reportlab, once a process."""
    for face in Face:
        pdfmetrics.registerFont(ReportlabFont(face))

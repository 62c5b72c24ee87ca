"""Reads one TrueType font and cuts subsets out of it for embedding in PDF (ISO 32000-2 §9.9, Apple/Microsoft TrueType).

Only what embedding needs: cmap formats 4 and 12, metrics, glyf. The files are our own assets, not foreign bytes.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from evidence_desk.errors import ConfigurationError

_COMPOSITE_WORDS: Final = 0x0001
_COMPOSITE_SCALE: Final = 0x0008
_COMPOSITE_MORE: Final = 0x0020
_COMPOSITE_XY_SCALE: Final = 0x0040
_COMPOSITE_2X2: Final = 0x0080
_COPIED: Final[tuple[str, ...]] = ("cvt ", "fpgm", "prep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Metrics in 1/1000 em."""

    ascent: float
    descent: float
    cap_height: float
    box: tuple[float, float, float, float]


class TrueType:
    """One parsed font file; immutable, so threads may share it."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        count = struct.unpack_from(">H", self.data, 4)[0]
        self._tables: dict[str, tuple[int, int]] = {}
        for at in range(12, 12 + 16 * count, 16):
            tag, _, offset, length = struct.unpack_from(">4sLLL", self.data, at)
            self._tables[tag.decode("latin-1")] = (offset, length)
        if "glyf" not in self._tables:
            raise ConfigurationError("font.unusable", name=path.name)
        head = self.table("head")
        self.units: int = struct.unpack_from(">H", head, 18)[0]
        self._long_offsets: bool = struct.unpack_from(">h", head, 50)[0] == 1
        self.glyph_count: int = struct.unpack_from(">H", self.table("maxp"), 4)[0]
        self._glyf = self._tables["glyf"][0]
        self._seen: dict[int, int] = {}

    def table(self, tag: str) -> bytes:
        """Bytes of a table, b"" when absent."""
        offset, length = self._tables.get(tag, (0, 0))
        return self.data[offset : offset + length]

    @cached_property
    def postscript_name(self) -> str:
        """Name ID 6 of the name table."""
        names = self.table("name")
        count, strings = struct.unpack_from(">HH", names, 2)
        for at in range(6, 6 + 12 * count, 12):
            platform, _, _, name_id, length, offset = struct.unpack_from(">6H", names, at)
            if platform == 3 and name_id == 6:
                return names[strings + offset : strings + offset + length].decode("utf-16-be")
        return "Unnamed"

    @cached_property
    def metrics(self) -> Metrics:
        """Ascent, descent, cap height and bounding box."""
        scale = 1000 / self.units
        box = struct.unpack_from(">4h", self.table("head"), 36)
        ascent, descent = struct.unpack_from(">hh", self.table("hhea"), 4)
        os2 = self.table("OS/2")
        cap = struct.unpack_from(">h", os2, 88)[0] if struct.unpack_from(">H", os2)[0] >= 2 else ascent
        left, bottom, right, top = (value * scale for value in box)
        return Metrics(
            ascent=ascent * scale,
            descent=descent * scale,
            cap_height=(cap or ascent) * scale,
            box=(left, bottom, right, top),
        )

    @cached_property
    def _offsets(self) -> array[int]:
        offsets = array("I" if self._long_offsets else "H", self.table("loca"))
        offsets.byteswap()
        return offsets

    @cached_property
    def _advances(self) -> array[int]:
        count = struct.unpack_from(">H", self.table("hhea"), 34)[0]
        values = array("H", self.table("hmtx")[: 4 * count])
        values.byteswap()
        return values

    @cached_property
    def _groups(self) -> tuple[array[int], array[int], array[int]]:
        """(first characters, last characters, first glyphs) of the format 12 subtable."""
        cmap = self.table("cmap")
        for at in range(4, 4 + 8 * struct.unpack_from(">H", cmap, 2)[0], 8):
            offset = struct.unpack_from(">L", cmap, at + 4)[0]
            if struct.unpack_from(">H", cmap, offset)[0] == 12:
                count = struct.unpack_from(">L", cmap, offset + 12)[0]
                values = array("I", cmap[offset + 16 : offset + 16 + 12 * count])
                values.byteswap()
                return values[0::3], values[1::3], values[2::3]
        return self._segments(cmap)

    @staticmethod
    def _segments(cmap: bytes) -> tuple[array[int], array[int], array[int]]:
        """The format 4 subtable, one group a character (small fonts only)."""
        first, glyphs = array("I"), array("I")
        for at in range(4, 4 + 8 * struct.unpack_from(">H", cmap, 2)[0], 8):
            start = struct.unpack_from(">L", cmap, at + 4)[0]
            if struct.unpack_from(">H", cmap, start)[0] != 4:
                continue
            count = struct.unpack_from(">H", cmap, start + 6)[0] // 2
            ends, starts = start + 14, start + 16 + 2 * count
            for index in range(count):
                end = struct.unpack_from(">H", cmap, ends + 2 * index)[0]
                begin = struct.unpack_from(">H", cmap, starts + 2 * index)[0]
                delta = struct.unpack_from(">H", cmap, starts + 2 * (count + index))[0]
                where = starts + 2 * (2 * count + index)
                relative = struct.unpack_from(">H", cmap, where)[0]
                for code in range(begin, min(end, 0xFFFE) + 1):
                    glyph = code + delta
                    if relative:
                        glyph = struct.unpack_from(">H", cmap, where + relative + 2 * (code - begin))[0]
                        glyph = glyph + delta if glyph else 0
                    if glyph & 0xFFFF:
                        first.append(code)
                        glyphs.append(glyph & 0xFFFF)
            break
        return first, first, glyphs

    def glyph(self, code: int) -> int:
        """Glyph of a character, 0 when the font lacks it."""
        known = self._seen.get(code)
        if known is not None:
            return known
        first, last, glyphs = self._groups
        index = bisect_right(first, code) - 1
        found = glyphs[index] + code - first[index] if index >= 0 and code <= last[index] else 0
        self._seen[code] = found
        return found

    def advance(self, glyph: int) -> float:
        """Advance width in 1/1000 em."""
        advances = self._advances
        return advances[2 * min(glyph, len(advances) // 2 - 1)] * 1000 / self.units

    def is_blank(self, glyph: int) -> bool:
        """Whether a glyph has no outline."""
        return self._offsets[glyph] == self._offsets[glyph + 1]

    def outline(self, glyph: int) -> bytes:
        """Bytes of the glyf entry."""
        factor = 1 if self._long_offsets else 2
        start, end = self._offsets[glyph] * factor, self._offsets[glyph + 1] * factor
        return self.data[self._glyf + start : self._glyf + end]

    def subset(self, glyphs: Sequence[int]) -> bytes:
        """A TrueType file whose glyph i is `glyphs[i]`; components of composites follow after.

        Args:
            glyphs: glyph 0 (.notdef) first, then in the order of their new numbers.
        """
        order = list(glyphs)
        numbers = {glyph: index for index, glyph in enumerate(order)}
        outlines: list[bytes] = []
        for glyph in order:  # grows while composites are met
            outlines.append(_renumber(self.outline(glyph), order, numbers))  # noqa: PERF401
        offsets, body = array("I", [0]), bytearray()
        for outline in outlines:
            body += outline + bytes(-len(outline) % 4)
            offsets.append(len(body))
        offsets.byteswap()
        tables = {tag: self.table(tag) for tag in _COPIED if tag in self._tables}
        head = bytearray(self.table("head"))
        struct.pack_into(">L", head, 8, 0)
        struct.pack_into(">h", head, 50, 1)
        hhea = bytearray(self.table("hhea"))
        struct.pack_into(">H", hhea, 34, len(order))
        maxp = bytearray(self.table("maxp"))
        struct.pack_into(">H", maxp, 4, len(order))
        tables |= {
            "head": bytes(head),
            "hhea": bytes(hhea),
            "maxp": bytes(maxp),
            "hmtx": b"".join(self._metric(glyph) for glyph in order),
            "loca": offsets.tobytes(),
            "glyf": bytes(body),
        }
        return _assemble(tables)

    def _metric(self, glyph: int) -> bytes:
        table = self.table_view("hmtx")
        long_count = len(self._advances) // 2
        if glyph < long_count:
            return bytes(table[4 * glyph : 4 * glyph + 4])
        bearing = 4 * long_count + 2 * (glyph - long_count)
        return bytes(table[4 * long_count - 4 : 4 * long_count - 2]) + bytes(table[bearing : bearing + 2])

    def table_view(self, tag: str) -> memoryview:
        """A table without copying."""
        offset, length = self._tables[tag]
        return memoryview(self.data)[offset : offset + length]


def _renumber(outline: bytes, order: list[int], numbers: dict[int, int]) -> bytes:
    """Point the components of a composite glyph to their new numbers, adding them to `order`."""
    if len(outline) < 10 or struct.unpack_from(">h", outline)[0] >= 0:
        return outline
    result, at, flags = bytearray(outline), 10, _COMPOSITE_MORE
    while flags & _COMPOSITE_MORE:
        flags, component = struct.unpack_from(">HH", outline, at)
        if component not in numbers:
            numbers[component] = len(order)
            order.append(component)
        struct.pack_into(">H", result, at + 2, numbers[component])
        at += 8 if flags & _COMPOSITE_WORDS else 6
        if flags & _COMPOSITE_SCALE:
            at += 2
        elif flags & _COMPOSITE_XY_SCALE:
            at += 4
        elif flags & _COMPOSITE_2X2:
            at += 8
    return bytes(result)


def _checksum(data: bytes) -> int:
    words = array("I", data + bytes(-len(data) % 4))
    words.byteswap()
    return sum(words) & 0xFFFFFFFF


def _assemble(tables: dict[str, bytes]) -> bytes:
    power = len(tables).bit_length() - 1
    header = struct.pack(
        ">LHHHH", 0x00010000, len(tables), 16 << power, power, 16 * len(tables) - (16 << power)
    )
    directory, body = bytearray(), bytearray()
    start = 12 + 16 * len(tables)
    for tag, data in sorted(tables.items()):
        offset = start + len(body)
        directory += struct.pack(">4sLLL", tag.encode("latin-1"), _checksum(data), offset, len(data))
        body += data + bytes(-len(data) % 4)
    file = bytearray(header + bytes(directory) + bytes(body))
    head = start + sum(len(tables[tag]) + (-len(tables[tag]) % 4) for tag in sorted(tables) if tag < "head")
    struct.pack_into(">L", file, head + 8, (0xB1B0AFBA - _checksum(bytes(file))) & 0xFFFFFFFF)
    return bytes(file)

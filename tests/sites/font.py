"""A small TrueType font cut out of a large one: only the glyphs of a few characters (no hinting, no layout)."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

_MORE = 0x0020
_WORDS, _SCALE, _XY, _TWO = 0x0001, 0x0008, 0x0040, 0x0080
FONTS = Path(__file__).parents[2] / "assets" / "fonts"


@cache
def subset(name: str, text: str) -> bytes:
    """Font with these characters out of the named one of assets/fonts; characters it lacks are left out."""
    source = _Source((FONTS / f"{name}.ttf").read_bytes())
    found = {ord(char): glyph for char in sorted(set(text)) if (glyph := source.glyph_of(ord(char)))}
    order = source.closure([0, *found.values()])
    place = {glyph: at for at, glyph in enumerate(order)}
    return _assemble(source, order, place, {code: place[glyph] for code, glyph in found.items()})


class _Source:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.tables: dict[bytes, bytes] = {}
        for at in range(struct.unpack_from(">H", data, 4)[0]):
            tag, _sum, start, size = struct.unpack_from(">4sIII", data, 12 + 16 * at)
            self.tables[tag] = data[start : start + size]
        wide = struct.unpack_from(">h", self.tables[b"head"], 50)[0]
        loca = self.tables[b"loca"]
        self._loca = (
            struct.unpack(f">{len(loca) // 4}I", loca)
            if wide
            else [2 * at for at in struct.unpack(f">{len(loca) // 2}H", loca)]
        )
        self._long_metrics = struct.unpack_from(">H", self.tables[b"hhea"], 34)[0]

    def glyph_of(self, code: int) -> int:
        """Glyph of a character by the format 12 or 4 subtable; 0 when there is none."""
        cmap = self.tables[b"cmap"]
        for at in range(struct.unpack_from(">H", cmap, 2)[0]):
            offset = struct.unpack_from(">I", cmap, 4 + 8 * at + 4)[0]
            kind = struct.unpack_from(">H", cmap, offset)[0]
            if kind != 12:
                continue
            for group in range(struct.unpack_from(">I", cmap, offset + 12)[0]):
                first, last, glyph = struct.unpack_from(">III", cmap, offset + 16 + 12 * group)
                if first <= code <= last:
                    return int(glyph + code - first)
        return 0

    def outline(self, glyph: int) -> bytes:
        return self.tables[b"glyf"][self._loca[glyph] : self._loca[glyph + 1]]

    def metric(self, glyph: int) -> tuple[int, int]:
        table, count = self.tables[b"hmtx"], self._long_metrics
        if glyph < count:
            advance, bearing = struct.unpack_from(">Hh", table, 4 * glyph)
            return advance, bearing
        advance = struct.unpack_from(">H", table, 4 * (count - 1))[0]
        return advance, struct.unpack_from(">h", table, 4 * count + 2 * (glyph - count))[0]

    def closure(self, glyphs: list[int]) -> list[int]:
        """The glyphs and all that they are composed of, in order, each once."""
        order = list(dict.fromkeys(glyphs))
        for glyph in order:
            order += [part for _at, part in components(self.outline(glyph)) if part not in order]
        return order


def components(outline: bytes) -> list[tuple[int, int]]:
    """Where a composite glyph names its parts, and which."""
    if len(outline) < 10 or struct.unpack_from(">h", outline)[0] >= 0:
        return []
    result, at, more = [], 10, True
    while more:
        flags, glyph = struct.unpack_from(">HH", outline, at)
        result.append((at + 2, glyph))
        at += 4 + (4 if flags & _WORDS else 2)
        at += 2 if flags & _SCALE else 4 if flags & _XY else 8 if flags & _TWO else 0
        more = bool(flags & _MORE)
    return result


def _assemble(source: _Source, order: list[int], place: dict[int, int], codes: dict[int, int]) -> bytes:
    glyf, offsets, metrics = b"", [0], b""
    for glyph in order:
        outline = bytearray(source.outline(glyph))
        for at, part in components(bytes(outline)):
            struct.pack_into(">H", outline, at, place[part])
        glyf += bytes(outline) + bytes(-len(outline) % 4)
        offsets.append(len(glyf))
        metrics += struct.pack(">Hh", *source.metric(glyph))
    tables = {tag: source.tables[tag] for tag in (b"OS/2", b"head", b"hhea", b"maxp", b"name", b"post")}
    for name in (b"cvt ", b"fpgm", b"prep"):
        if name in source.tables:
            tables[name] = source.tables[name]
    tables[b"head"] = tables[b"head"][:50] + struct.pack(">h", 1) + tables[b"head"][52:]
    tables[b"hhea"] = tables[b"hhea"][:34] + struct.pack(">H", len(order))
    tables[b"maxp"] = tables[b"maxp"][:4] + struct.pack(">H", len(order)) + tables[b"maxp"][6:]
    tables[b"hmtx"], tables[b"glyf"] = metrics, glyf
    tables[b"loca"] = struct.pack(f">{len(offsets)}I", *offsets)
    tables[b"cmap"] = _cmap(codes)
    return _pack(tables)


def _cmap(codes: dict[int, int]) -> bytes:
    groups = b"".join(struct.pack(">III", code, code, codes[code]) for code in sorted(codes))
    subtable = struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(codes)) + groups
    return struct.pack(">HHHHI", 0, 1, 3, 10, 12) + subtable


def _pack(tables: dict[bytes, bytes]) -> bytes:
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    directory = struct.pack(
        ">IHHHH", 0x00010000, count, power * 16, power.bit_length() - 1, (count - power) * 16
    )
    body, at = b"", 12 + 16 * count
    for tag in sorted(tables):
        data = tables[tag]
        directory += struct.pack(">4sIII", tag, _sum(data), at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    return directory + body


def _sum(data: bytes) -> int:
    data += bytes(-len(data) % 4)
    return int(sum(struct.unpack(f">{len(data) // 4}I", data)) & 0xFFFFFFFF)

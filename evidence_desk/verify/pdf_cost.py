"""What drawing the pages of a stranger's PDF costs, before PDFium is given them: it cannot be stopped once it draws.

An estimate over parsed objects, forms counted as often as they are drawn; a few kilobytes can ask for hours. What is drawn
is a copy written from the same objects, so that no second reading of the file finds others.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pikepdf

from evidence_desk.errors import MalformedError

BUDGET: Final = 20_000.0
"""Cost of all pages together; one is a line across the page, some 0.2 ms. A page of text costs 100 to 300."""
_MOST_CONTENT: Final = 4 << 20
_MOST_OLD: Final = 64 << 10
"""Encoded bytes in a filter whose output cannot be bounded while it is decoded."""
_ASCII: Final = frozenset({"/ASCII85Decode", "/ASCIIHexDecode"})
_MOST_PIXELS: Final = 100_000_000
_DEEPEST: Final = 12
_PAINT: Final = frozenset({"S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "INLINE IMAGE"})
_SEGMENTS: Final = frozenset({"l", "c", "v", "y", "re"})
_TEXT: Final = frozenset({"Tj", "TJ", "'", '"'})
_SHADING: Final = 500.0
_OFTEN: Final = 200
"""How often what paints by itself (patterns, glyphs that are drawings, soft masks) is taken to be drawn."""
_FAULTS: Final = (
    pikepdf.PdfError, pikepdf.DataDecodingError, pikepdf.DependencyError, ValueError, TypeError, KeyError, IndexError,
    AttributeError, RuntimeError, NotImplementedError, OverflowError, RecursionError, ArithmeticError, MemoryError,
)  # fmt: skip


def affordable(data: bytes, most: int) -> tuple[bytes, int, int]:
    """(copy of the first pages, how many these are, how many there were): as many as `BUDGET` allows, up to `most`.

    Raises:
        MalformedError: ``malformed.picture``: it cannot be read, or not even its first page can be afforded.
    """
    try:
        with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as document, pikepdf.new() as copy:
            total, left = len(document.pages), BUDGET
            for index in range(min(total, most)):
                left -= cost_of(document.pages[index].obj)
                if left < 0:
                    break
                copy.pages.append(document.pages[index])
            read = len(copy.pages)
            out = io.BytesIO()
            copy.save(out)
    except _FAULTS as error:
        raise MalformedError("malformed.picture", reason="PDF") from error
    if not read:
        raise MalformedError("malformed.picture", reason="cost")
    return out.getvalue(), read, total


def cost_of(page: pikepdf.Object) -> float:
    """Cost of drawing one page; infinite beyond `BUDGET`, and where it cannot be told."""
    try:
        return _Cost().of_page(page)
    except _FAULTS:
        return math.inf


@dataclass(slots=True)
class _Cost:
    """Of one page; what is drawn several times is read once."""

    known: dict[tuple[int, int], float] = field(default_factory=dict)

    def of_page(self, page: Any) -> float:
        contents = page.get("/Contents")
        streams = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
        size = sum(_size(item) for item in streams if isinstance(item, pikepdf.Stream))
        if size > _MOST_CONTENT:
            return math.inf
        resources = _inherited(page)
        appearances = sum(
            self.of_form(look, 1)
            for note in page.get("/Annots", [])
            for look in _streams(note.get("/AP", {}) if isinstance(note, pikepdf.Dictionary) else {}, 3)
        )
        return appearances + self._of_content(page, resources, 0)

    def of_form(self, form: Any, depth: int) -> float:
        if depth > _DEEPEST or _size(form) > _MOST_CONTENT:
            return math.inf
        key = form.objgen
        if key not in self.known:
            self.known[key] = math.inf  # of a form that draws itself
            self.known[key] = self._of_content(form, form.get("/Resources", pikepdf.Dictionary()), depth)
        return self.known[key]

    def _of_content(self, holder: Any, resources: Any, depth: int) -> float:
        cost = _OFTEN * sum(self.of_form(item, depth + 1) for item in _own_painters(resources))
        objects = resources.get("/XObject", {})
        for item in pikepdf.parse_content_stream(holder):
            name = str(item.operator)
            cost += 0.01
            if name == "Do":
                cost += self._of_object(objects.get(str(item.operands[0])), depth)
            elif name in _PAINT:
                cost += 1
            elif name in _SEGMENTS:
                cost += 0.2
            elif name in _TEXT:
                cost += 0.05 * sum(_length(operand) for operand in item.operands)
            elif name == "sh":
                cost += _SHADING
            elif name == "d":
                dashes = [float(dash) for dash in item.operands[0]]
                cost += math.inf if dashes and sum(dashes) < 0.5 else 0
            if cost > BUDGET:
                return math.inf
        return cost

    def _of_object(self, item: Any, depth: int) -> float:
        if not isinstance(item, pikepdf.Stream):
            return 0
        if item.get("/Subtype") == pikepdf.Name.Form:
            return 1 + self.of_form(item, depth + 1)
        pixels = int(item.get("/Width", 0)) * int(item.get("/Height", 0))
        return math.inf if pixels > _MOST_PIXELS else 1 + pixels / 100_000


def _own_painters(resources: Any) -> Iterator[Any]:
    """Streams that paint without being named by ``Do``."""
    for pattern in _values(resources.get("/Pattern")):
        if isinstance(pattern, pikepdf.Stream):
            yield pattern
    for font in _values(resources.get("/Font")):
        if isinstance(font, pikepdf.Dictionary):
            yield from _streams(font.get("/CharProcs", {}), 1)
    for state in _values(resources.get("/ExtGState")):
        mask = state.get("/SMask") if isinstance(state, pikepdf.Dictionary) else None
        if isinstance(mask, pikepdf.Dictionary) and isinstance(mask.get("/G"), pikepdf.Stream):
            yield mask["/G"]


def _streams(value: Any, depth: int) -> Iterator[Any]:
    if isinstance(value, pikepdf.Stream):
        yield value
    elif isinstance(value, pikepdf.Dictionary) and depth:
        for item in _values(value):
            yield from _streams(item, depth - 1)


def _values(value: Any) -> list[Any]:
    return [item for _, item in value.items()] if isinstance(value, pikepdf.Dictionary) else []


def _size(stream: Any) -> int:
    """Bytes of a content stream when decoded; more than `_MOST_CONTENT` for what could be without bound."""
    raw, filters = stream.read_raw_bytes(), stream.get("/Filter")
    names = [str(item) for item in (filters if isinstance(filters, pikepdf.Array) else [filters])]
    if filters is None or len(raw) > _MOST_CONTENT:
        return len(raw)
    if names == ["/FlateDecode"]:
        return len(zlib.decompressobj().decompress(raw, _MOST_CONTENT + 1))
    if len(raw) > _MOST_OLD or sum(name not in _ASCII for name in names) > 1:
        return _MOST_CONTENT + 1
    return len(stream.read_bytes())


def _length(operand: Any) -> int:
    if isinstance(operand, pikepdf.String):
        return len(bytes(operand))
    return sum(_length(item) for item in operand) if isinstance(operand, pikepdf.Array) else 0


def _inherited(page: Any) -> Any:
    node: Any = page
    for _ in range(60):
        found = node.get("/Resources")
        if isinstance(found, pikepdf.Dictionary):
            return found
        node = node.get("/Parent")
        if not isinstance(node, pikepdf.Dictionary):
            break
    return pikepdf.Dictionary()

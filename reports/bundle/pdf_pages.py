"""Pages of a foreign PDF as form XObjects: what a page shows, with what it shows it, and nothing that acts.

Scripts, links, forms, embedded files and layers stay behind; what annotations and form fields show on paper is kept.
"""

from __future__ import annotations

import logging
import math
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import BinaryIO, Final

import pikepdf

from evidence_desk.verify.pdf_cost import BUDGET, cost_of
from reports.bundle.copying import Copier, raw_bytes
from reports.bundle.problem import Reason, UnprintableError
from reports.bundle.rendering import Renderer, rendered
from reports.bundle.sheets import FormPage
from reports.bundle.writer import PdfWriter, numbers

logging.getLogger("pikepdf").addHandler(
    logging.NullHandler()
)  # what is wrong with a file is said on its page
MOST_PAGES: Final = 5000
"""Pages of one file that are printed."""
MOST_CONTENT: Final = 64 << 20
"""Decoded bytes of one page's content."""
_MOST_OLD: Final = 64 << 10
"""Encoded bytes of content in a filter whose output cannot be bounded while it is decoded."""
_ANCESTORS: Final = 60
_MOST_FAULTS: Final = 4
"""Pages that cannot be copied, after which all others of the file are drawn."""
_MOST_UNIT: Final = 1e4
_MOST_SIDE: Final = 1e6
_LETTER: Final = (0.0, 0.0, 612.0, 792.0)
_ASCII: Final = frozenset({"/ASCII85Decode", "/ASCIIHexDecode", "/A85", "/AHx"})
_Faults: Final = (
    pikepdf.PdfError, pikepdf.DataDecodingError, pikepdf.DependencyError, ValueError, TypeError, KeyError, IndexError,
    AttributeError, RuntimeError, NotImplementedError, OverflowError, RecursionError, ArithmeticError,
)  # fmt: skip
"""What pikepdf raises on broken files."""


def pdf_pages(source: BinaryIO, writer: PdfWriter, *, step: Callable[[], None]) -> Iterator[FormPage]:
    """Pages of a PDF, in order.

    Raises:
        UnprintableError: encrypted, broken, too large, or from some page on.
    """
    source.seek(0)
    try:
        document = pikepdf.open(source, access_mode=pikepdf.AccessMode.stream, suppress_warnings=True)
    except pikepdf.PasswordError as error:
        raise UnprintableError(Reason.ENCRYPTED) from error
    except _Faults:
        yield from rendered(source, writer, most=MOST_PAGES, step=step)
        return
    with document:
        if not _copyable(document):
            for page in document.pages:
                step()
                _refuse_costly(page.obj)
            yield from rendered(source, writer, most=MOST_PAGES, step=step)
            return
        yield from _copied(document, source, writer, step)


def _copyable(document: pikepdf.Pdf) -> bool:
    """Whether its pages show on their own what a reader sees; annotations are made part of them."""
    try:
        root = document.Root
        form = root.get("/AcroForm")
        if isinstance(form, pikepdf.Dictionary):
            if "/XFA" in form and bool(root.get("/NeedsRendering", False)):
                raise UnprintableError(Reason.DYNAMIC_FORM)
            if bool(form.get("/NeedAppearances", False)):
                return False
        if _hides_layers(root.get("/OCProperties")):
            return False
        if not len(document.pages):
            return False
        if len(document.pages) <= MOST_PAGES and any("/Annots" in page.obj for page in document.pages):
            document.flatten_annotations("print")
    except _Faults:
        return False
    return True


def _hides_layers(properties: object) -> bool:
    if not isinstance(properties, pikepdf.Dictionary):
        return False
    default = properties.get("/D")
    if not isinstance(default, pikepdf.Dictionary):
        return False
    base = default.get("/BaseState", pikepdf.Name.ON)
    off, automatic = default.get("/OFF"), default.get("/AS")
    return (
        base != pikepdf.Name.ON
        or (isinstance(off, pikepdf.Array) and len(off) > 0)
        or (isinstance(automatic, pikepdf.Array) and len(automatic) > 0)
    )


def _copied(
    document: pikepdf.Pdf, source: BinaryIO, writer: PdfWriter, step: Callable[[], None]
) -> Iterator[FormPage]:
    copier: Copier | None = Copier(writer, step)
    renderer: Renderer | None = None
    faults = 0
    try:
        for index, page in enumerate(document.pages):
            if index == MOST_PAGES:
                raise UnprintableError(Reason.TOO_MANY_PAGES)
            step()
            form = None
            if copier is not None:
                try:
                    form = _form(page.obj, copier, writer)
                except _Faults:
                    faults += 1  # what pages share may be half copied: begin again, and not for ever
                    copier = Copier(writer, step) if faults < _MOST_FAULTS else None
            if form is None:
                _refuse_costly(page.obj)
                renderer = renderer or Renderer(source)
                form = renderer.page(index, writer)
            yield form
    finally:
        if renderer is not None:
            renderer.close()


def _refuse_costly(page: pikepdf.Object) -> None:
    """Nothing stops PDFium while it draws, and a few kilobytes can ask for hours."""
    if cost_of(page) > BUDGET:
        raise UnprintableError(Reason.TOO_LARGE)


def _form(page: pikepdf.Object, copier: Copier, writer: PdfWriter) -> FormPage:
    box = _box(page)
    content = _content(page)
    resources = _inherited(page, "/Resources")
    entries = b"/Type /XObject /Subtype /Form /BBox [%b] /Resources %b" % (
        numbers(*box),
        copier.copied(resources) if isinstance(resources, pikepdf.Dictionary) else b"<< >>",
    )
    group = page.get("/Group")
    if isinstance(group, pikepdf.Dictionary):
        entries += b" /Group " + copier.copied(group)
    rotate, unit = _inherited(page, "/Rotate"), page.get("/UserUnit")
    turned = round((_real(rotate) or 0) / 90) * 90 % 360
    scale = _real(unit) or 1.0
    scale = scale if 0 < scale < _MOST_UNIT else 1.0
    return FormPage(form=writer.add_stream(entries, content), box=box, rotate=turned, unit=scale)


def _inherited(page: pikepdf.Object, key: str) -> object:
    node: object = page
    for _ in range(_ANCESTORS):
        if not isinstance(node, pikepdf.Dictionary):
            return None
        value = node.get(key)
        if value is not None:
            return value
        node = node.get("/Parent")
    return None


def _box(page: pikepdf.Object) -> tuple[float, float, float, float]:
    """What is shown: the crop box within the media box (ISO 32000-2 §14.11.2)."""
    media = _rectangle(_inherited(page, "/MediaBox")) or _LETTER
    crop = _rectangle(_inherited(page, "/CropBox")) or media
    box = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    if box[2] - box[0] < 0.5 or box[3] - box[1] < 0.5:
        box = media
    return box


def _rectangle(value: object) -> tuple[float, float, float, float] | None:
    if not isinstance(value, pikepdf.Array) or len(value) != 4:
        return None
    sides = [
        number for item in value.as_list() if (number := _real(item)) is not None and abs(number) < _MOST_SIDE
    ]
    if len(sides) != 4:
        return None
    x, y, other_x, other_y = sides
    box = (min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y))
    return box if box[2] - box[0] >= 0.5 and box[3] - box[1] >= 0.5 else None


def _real(value: object) -> float | None:
    """A finite number of a PDF, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _content(page: pikepdf.Object) -> bytes:
    """All content streams as one; they share one graphics state."""
    contents = page.get("/Contents")
    streams = contents.as_list() if isinstance(contents, pikepdf.Array) else [contents]
    parts: list[bytes] = []
    room = MOST_CONTENT
    for stream in streams:
        if isinstance(stream, pikepdf.Stream):
            data = _decoded(stream, room)
            room -= len(data)
            parts.append(data)
    return b"\n".join(parts)


def _decoded(stream: pikepdf.Object, room: int) -> bytes:
    """Decoded bytes, never more than `room`; UnprintableError beyond."""
    filters = stream.stream_dict.get("/Filter")
    names = [str(item) for item in (filters.as_list() if isinstance(filters, pikepdf.Array) else [filters])]
    raw = raw_bytes(stream)
    if filters is None or not names:
        data = raw
    elif names in (["/FlateDecode"], ["/Fl"]) and "/DecodeParms" not in stream.stream_dict:
        data = _inflated(raw, room)
    elif len(raw) > _MOST_OLD or sum(name not in _ASCII for name in names) > 1:
        raise UnprintableError(Reason.TOO_LARGE)
    else:
        data = stream.read_bytes()
    if len(data) > room:
        raise UnprintableError(Reason.TOO_LARGE)
    return data


def _inflated(raw: bytes, room: int) -> bytes:
    """As far as it can be decoded, which is what readers show of a damaged stream."""
    inflater = zlib.decompressobj()
    parts: list[bytes] = []
    rest, size = raw, 0
    try:
        while rest and not inflater.eof and size <= room:
            parts.append(inflater.decompress(rest, 1 << 20))
            size += len(parts[-1])
            rest = inflater.unconsumed_tail
    except zlib.error:
        pass
    return b"".join(parts)

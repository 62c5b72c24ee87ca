"""Reads QR codes from pictures and from the pages of PDF scans (zxing-cpp, Pillow, PDFium). What they say is judged elsewhere.

Pictures and PDFs are strangers' files: sizes and pages are bounded, and whatever a decoder raises becomes our error.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import closing
from typing import Any, BinaryIO, Final

from evidence_desk.core.examine_ports import Scan
from evidence_desk.core.job import Job
from evidence_desk.errors import MalformedError
from evidence_desk.verify.pdf_cost import affordable
from evidence_desk.verify.pdfium import PDFIUM

MAX_PIXELS: Final = 50_000_000
MAX_FILE: Final = 128 * 1024 * 1024
MAX_PAGES: Final = 30
MAX_CODES: Final = 64
_MAX_PAGE_PIXELS: Final = 16_000_000
_RESOLUTIONS: Final = (200, 320)
"""Dots an inch at which a page is drawn; the finer one only when nothing was found."""
_PICTURES: Final = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
_MAGIC: Final = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF8", b"II*\x00", b"MM\x00*", b"RIFF",
)  # fmt: skip


def read_codes(gray: bytes, width: int, height: int) -> tuple[str, ...]:
    """Content of the QR codes in a picture of one byte a pixel, rows from the top without padding.

    Raises:
        MalformedError: ``malformed.picture`` {reason}: another size than said, or more than 50 million pixels.
    """
    import zxingcpp  # noqa: PLC0415 - a native library, not loaded unless used

    if width < 1 or height < 1 or width * height != len(gray):
        raise MalformedError("malformed.picture", reason="size")
    _check_pixels(len(gray))
    if min(width, height) < 8:
        return ()
    try:
        found = zxingcpp.read_barcodes(
            memoryview(gray).cast("B", (height, width)),
            formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
            text_mode=zxingcpp.TextMode.Plain,
        )
    except Exception as error:  # the library's own exceptions are not a stable list
        raise MalformedError("malformed.picture", reason=type(error).__name__) from error
    return tuple(dict.fromkeys(item.text for item in found if item.valid))[:MAX_CODES]


def _check_pixels(pixels: int) -> None:
    if pixels > MAX_PIXELS:
        raise MalformedError("malformed.picture", reason="pixels")


class QrReader:
    """`core.examine_ports.CodeReader` of pictures (PNG, JPEG, BMP, GIF, TIFF, WebP) and PDFs."""

    def read(self, source: BinaryIO, job: Job) -> Scan | None:
        """Codes in a picture or PDF; None when it is neither, or is too large or broken to be drawn."""
        head = source.read(1024)
        if b"%PDF-" not in head and not head.startswith(_MAGIC):
            return None
        data = head + source.read(MAX_FILE)
        if len(data) > MAX_FILE:
            return None
        try:
            return _of_pdf(data, job) if b"%PDF-" in head else _of_picture(data, job)
        except MalformedError:
            return None


def _of_picture(data: bytes, job: Job) -> Scan:
    texts: dict[str, None] = {}
    pages = 0
    for gray, width, height in _frames(data):
        job.step("codes", pages, 0)
        texts |= dict.fromkeys(read_codes(gray, width, height))
        pages += 1
    return Scan(texts=tuple(texts)[:MAX_CODES], read=pages, pages=pages)


def _frames(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Gray pictures of a file: the pages of a TIFF, else the first."""
    from PIL import Image, ImageSequence  # noqa: PLC0415 - not loaded unless used

    try:
        with Image.open(io.BytesIO(data), formats=_PICTURES) as image:
            for number, frame in enumerate(ImageSequence.Iterator(image)):
                if number == MAX_PAGES or (number and image.format != "TIFF"):
                    return
                width, height = frame.size
                _check_pixels(width * height)
                yield _gray(frame), width, height
    except MalformedError:
        raise
    except Exception as error:  # decoders raise whatever they like at broken pictures
        raise MalformedError("malformed.picture", reason=type(error).__name__) from error


def _gray(frame: Any) -> bytes:
    """Luminance; what is transparent counts as white paper."""
    from PIL import Image  # noqa: PLC0415 - loaded by the caller

    if frame.mode in {"LA", "PA", "RGBA"} or "transparency" in frame.info:
        colored = frame.convert("RGBA")
        paper = Image.new("L", colored.size, "white")
        paper.paste(colored.convert("L"), mask=colored.getchannel("A"))
        frame = paper
    data: bytes = frame.convert("L").tobytes()
    return data


def _of_pdf(data: bytes, job: Job) -> Scan:
    data, read, pages = affordable(data, MAX_PAGES)
    texts: dict[str, None] = {}
    for index in range(read):
        job.step("codes", index, read)
        for resolution in _RESOLUTIONS:
            found = read_codes(*_drawn(data, index, resolution))
            if found:
                texts |= dict.fromkeys(found)
                break
    return Scan(texts=tuple(texts)[:MAX_CODES], read=read, pages=pages)


def _drawn(data: bytes, index: int, resolution: int) -> tuple[bytes, int, int]:
    """One page in gray. The document is opened for each: nobody else may use PDFium while it is open."""
    import pypdfium2  # noqa: PLC0415 - loaded by the caller

    with PDFIUM:
        try:
            with closing(pypdfium2.PdfDocument(data)) as document, closing(document[index]) as page:
                scale = _scale(page.get_width(), page.get_height(), resolution)
                with closing(page.render(scale=scale, grayscale=True, may_draw_forms=False)) as bitmap:
                    rows = bytes(bitmap.buffer)
                    width, height, stride = bitmap.width, bitmap.height, bitmap.stride
        except (pypdfium2.PdfiumError, ValueError, TypeError, OverflowError, MemoryError) as error:
            raise MalformedError("malformed.picture", reason="PDF") from error
    if stride != width:
        rows = b"".join(rows[at * stride : at * stride + width] for at in range(height))
    return rows, width, height


def _scale(width: float, height: float, resolution: int) -> float:
    """Pixels a point, so that the page stays within bounds, whatever size it claims."""
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise MalformedError("malformed.picture", reason="PDF")
    return min(resolution / 72, math.sqrt(_MAX_PAGE_PIXELS / (width * height)), 16_000 / max(width, height))

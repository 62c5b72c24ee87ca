"""Images to pages: fitted on A4, turned as the camera said, long screenshots cut into pieces that can be read."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from typing import BinaryIO, Final, cast

from PIL import Image, ImageOps, UnidentifiedImageError

from reports.blocks import Tone
from reports.bundle.ink import Ink
from reports.bundle.problem import Reason, UnprintableError
from reports.bundle.sheets import A4, LONG, STRIP, FormPage, cuts, own_page
from reports.bundle.writer import PdfWriter, numbers
from reports.fonts.faces import Style, printable
from reports.wrap import wrap

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what is wrong with a file is said on its page
FORMATS: Final = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")
MOST_FRAMES: Final = 1000
"""Pages of one TIFF file."""
_MOST_PIXELS: Final = 80_000_000
"""Pixels of one picture held in memory; JPEG is read smaller."""
_DPI: Final = 300
_LEFT: Final = 40.0
_TOP: Final = 44.0
_ROOM: Final = (A4[0] - 2 * _LEFT, A4[1] - _TOP - 20 - STRIP - 8)
_CHEAP: Final = 1 << 20
_QUALITY: Final = 88

Caption = Callable[[int, int], str]
"""Caption of picture n of m."""
_BROKEN: Final = (
    UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError,
    ArithmeticError, AttributeError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow's readers raise on broken and hostile files."""


def pictures(
    source: BinaryIO, writer: PdfWriter, ink: Ink, *, caption: Caption, step: Callable[[], None]
) -> Iterator[FormPage]:
    """Pages of an image file; an animation gives its first picture.

    Raises:
        UnprintableError: broken, too large, too many pages; what was good before that has been given.
    """
    with closing(_open(source)) as image:
        photo = image.format == "JPEG"
        frames = _frames(image)
        for frame in range(min(frames, MOST_FRAMES)):
            step()
            picture = _frame(image, frame, photo=photo)
            parts = _parts(picture)
            for index, box in enumerate(parts):
                step()
                of = (frame + 1, frames) if len(parts) == 1 else (index + 1, len(parts))
                yield own_page(_page(picture.crop(box), writer, ink, caption(*of), photo=photo))
        if frames > MOST_FRAMES:
            raise UnprintableError(Reason.TOO_MANY_PAGES)


@contextmanager
def _reading() -> Iterator[None]:
    """Turn what goes wrong while foreign bytes are decoded into a reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata; sizes are judged here
            yield
    except (Image.DecompressionBombError, MemoryError) as error:
        raise UnprintableError(Reason.TOO_LARGE) from error
    except _BROKEN as error:
        raise UnprintableError(Reason.BROKEN) from error


def _open(source: BinaryIO) -> Image.Image:
    source.seek(0)
    with _reading():
        return Image.open(source, formats=FORMATS)


def _frames(image: Image.Image) -> int:
    with _reading():
        return max(1, int(getattr(image, "n_frames", 1))) if image.format == "TIFF" else 1


def _frame(image: Image.Image, number: int, *, photo: bool) -> Image.Image:
    """One picture, decoded, upright, gray or RGB."""
    with _reading():
        image.seek(number)
        if photo:
            image.draft(None, (_pixels(_ROOM[0]) * 2, _pixels(_ROOM[1]) * 2))
        if not 0 < image.width * image.height <= _MOST_PIXELS:
            raise UnprintableError(Reason.TOO_LARGE)
        image.load()
        return plain(ImageOps.exif_transpose(image))


def plain(image: Image.Image) -> Image.Image:
    """In gray or RGB without transparency, on white."""
    if image.mode in {"L", "RGB"}:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith(("I", "F")):
        return _stretched(image)
    if "A" in image.getbands() or "transparency" in image.info:
        seen = image.convert("RGBA")
        paper = Image.new("RGB", seen.size, "white")
        paper.paste(seen, mask=seen.getchannel("A"))
        return paper
    return image.convert("RGB")


def _stretched(image: Image.Image) -> Image.Image:
    """Sixteen or more bits a pixel to eight, by the range of a 16-bit picture or of what is in it."""
    wide = image.convert("F")
    low, high = cast("tuple[float, float]", wide.getextrema())
    if image.mode.startswith("I") and low >= 0 and high <= 65535:
        low, high = (0.0, 255.0 if high <= 255 else 65535.0)
    scale = 255 / (high - low) if high > low else 1.0
    return wide.point(lambda value: value * scale - low * scale).convert("L")


def _parts(picture: Image.Image) -> list[tuple[int, int, int, int]]:
    """Boxes of the whole picture, or of pieces of the height of a page with a little overlap."""
    width, height = picture.size
    if height <= width * LONG:
        return [(0, 0, width, height)]
    return [(0, int(top), width, round(bottom)) for top, bottom in cuts(width, height, *_ROOM)]


def _page(picture: Image.Image, writer: PdfWriter, ink: Ink, text: str, *, photo: bool) -> int:
    scale = min(_ROOM[0] / picture.width, _ROOM[1] / picture.height, 1.0)
    wide, high = picture.width * scale, picture.height * scale
    number = image_object(picture, writer, wide, high, photo=photo)
    x = (A4[0] - wide) / 2
    y = A4[1] - _TOP - 20 - high
    drawn = b"q %b cm /I Do Q\n" % numbers(wide, 0, 0, high, x, y)
    line = wrap(printable(text), Style.REGULAR, 8, _ROOM[0])[0]
    words = ink.text(_LEFT, A4[1] - _TOP, line, size=8, tone=Tone.SECONDARY)
    return ink.form(words + drawn, extra=b"/XObject << /I %d 0 R >>" % number)


def image_object(picture: Image.Image, writer: PdfWriter, wide: float, high: float, *, photo: bool) -> int:
    """Image XObject of a gray or RGB picture that is `wide` × `high` points on paper; finer than print is made coarser."""
    target = (max(1, _pixels(wide)), max(1, _pixels(high)))
    if picture.width > target[0] * 1.3:
        picture = picture.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0)
    space = b"/DeviceGray" if picture.mode == "L" else b"/DeviceRGB"
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace %b /BitsPerComponent 8" % (
        picture.width, picture.height, space,
    )  # fmt: skip
    filtered, data = _encoded(picture, photo=photo)
    result = writer.reserve()
    writer.write_stream(result, entries + filtered, data)
    return result


def _encoded(picture: Image.Image, *, photo: bool) -> tuple[bytes, bytes]:
    """Lossless for what was drawn by a machine, JPEG for photographs and where lossless is several times larger."""
    if not photo:
        exact = zlib.compress(picture.tobytes(), 6)
        if len(exact) <= _CHEAP:
            return b" /Filter /FlateDecode", exact
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY, optimize=False)
    lossy = buffer.getvalue()
    if not photo and len(exact) <= 3 * len(lossy):
        return b" /Filter /FlateDecode", exact
    return b" /Filter /DCTDecode", lossy


def _pixels(points: float) -> int:
    return int(points * _DPI / 72)

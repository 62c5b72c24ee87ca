"""Pictures of the test sites, drawn in code: the same bytes each time on one version of Pillow."""

from __future__ import annotations

from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw


@cache
def png(width: int, height: int, color: str, label: str = "") -> bytes:
    """A PNG of one color with a frame and, in the corner, a label in ASCII."""
    return _saved(_drawn(width, height, color, label), "PNG")


@cache
def plain(width: int, height: int, color: str) -> bytes:
    """A PNG of one color alone."""
    return _saved(Image.new("RGB", (width, height), color), "PNG")


@cache
def jpeg(width: int, height: int, color: str) -> bytes:
    """A JPEG of one color."""
    return _saved(_drawn(width, height, color, ""), "JPEG")


@cache
def webp(width: int, height: int, color: str, label: str = "") -> bytes:
    """A lossy WebP: one VP8 key frame."""
    return _saved(_drawn(width, height, color, label), "WEBP")


@cache
def gif(colors: tuple[str, ...]) -> bytes:
    """An animation of plain colors."""
    first, *rest = [Image.new("RGB", (32, 32), color) for color in colors]
    out = BytesIO()
    first.save(out, "GIF", save_all=True, append_images=rest, duration=200, loop=0)
    return out.getvalue()


SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><title>圆</title>'
    '<circle cx="32" cy="32" r="28" fill="#b3261e"/></svg>\n'
).encode()


def _drawn(width: int, height: int, color: str, label: str) -> Image.Image:
    image = Image.new("RGB", (width, height), color)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width - 1, height - 1), outline="black")
    pen.text((4, 4), label, fill="black")
    return image


def _saved(image: Image.Image, kind: str) -> bytes:
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()

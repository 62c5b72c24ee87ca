"""Which sheet a page goes on, where, and the foot that every sheet carries below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reports.blocks import Tone
from reports.bundle.ink import Ink
from reports.bundle.writer import numbers
from reports.fonts.faces import Style, printable, width

A4: Final = (595.28, 841.89)
A3: Final = (841.89, 1190.55)
STRIP: Final = 34.0
"""Height in points of the foot; no content reaches into it. Our own pages keep it free."""
_LEAST_SCALE: Final = 0.75
"""A page that would become smaller on A4 goes on A3."""
_SMALLER: Final = 0.9
"""Below this scale the foot says that the page was reduced."""
_MARGIN: Final = 40.0
_SMALL: Final = 7.0
_NUMBER: Final = 9.0

Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage:
    """A page's content as a form XObject.

    Attributes:
        form: object number. box: of the form, left, bottom, right, top.
        rotate: clockwise, 0, 90, 180 or 270. unit: points a unit (ISO 32000-2 §7.7.3.3, UserUnit).
        own: laid out by us on A4 with its foot left free: placed as it is.
    """

    form: int
    box: tuple[float, float, float, float]
    rotate: int = 0
    unit: float = 1.0
    own: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A page on its sheet; `scale` against its own size."""

    form: int
    width: float
    height: float
    matrix: Matrix
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Foot:
    """Left side of the foot, two lines, and a mark in the middle (演示/非第三方)."""

    first: str
    second: str = ""
    mark: str = ""


def own_page(form: int) -> FormPage:
    """An A4 page that keeps the foot free."""
    return FormPage(form=form, box=(0, 0, *A4), own=True)


def place(page: FormPage) -> Placed:
    """Put a page above the foot of A4, or of A3 when A4 would make it hard to read; never enlarged."""
    left, bottom, right, top = page.box
    if page.own:
        return Placed(page.form, *A4, (1, 0, 0, 1, 0, 0), 1)
    turned = page.rotate in {90, 270}
    across, up = (right - left) * page.unit, (top - bottom) * page.unit
    wide, high = (up, across) if turned else (across, up)
    sheet, scale = A4, _fit(A4, wide, high)
    if scale < _LEAST_SCALE:
        sheet, scale = A3, _fit(A3, wide, high)
    width, height = sheet if high >= wide else sheet[::-1]
    x = (width - wide * scale) / 2
    y = STRIP + (height - STRIP - high * scale) / 2
    return Placed(page.form, width, height, _matrix(page, scale * page.unit, x, y), scale)


def _fit(sheet: tuple[float, float], wide: float, high: float) -> float:
    width, height = sheet if high >= wide else sheet[::-1]
    return min(1.0, width / wide, (height - STRIP) / high)


def _matrix(page: FormPage, scale: float, x: float, y: float) -> Matrix:
    """Turn clockwise, scale, and move the lower left corner of the result to (x, y)."""
    left, bottom, right, top = (value * scale for value in page.box)
    match page.rotate:
        case 90:
            return (0, -scale, scale, 0, x - bottom, y + right)
        case 180:
            return (-scale, 0, 0, -scale, x + right, y + top)
        case 270:
            return (0, scale, -scale, 0, x + top, y - left)
        case _:
            return (scale, 0, 0, scale, x - left, y - bottom)


def sheet_content(placed: Placed, foot: Foot, numbering: str, reduced: str, ink: Ink) -> bytes:
    """Content of a whole sheet; `reduced` is added to the first line when the page was made smaller."""
    first = f"{foot.first}{reduced}" if placed.scale < _SMALLER else foot.first
    right = printable(numbering)
    x = placed.width - _MARGIN - width(right, Style.BOLD, _NUMBER)
    room = x - _MARGIN - 16
    mark = printable(foot.mark)
    if mark:
        taken = width(mark, Style.BOLD, _SMALL)
        room -= taken + 12
    parts = [
        b"q %b cm /P Do Q\nq " % numbers(*placed.matrix),
        ink.rule(_MARGIN, STRIP - 4, placed.width - 2 * _MARGIN),
        ink.text(_MARGIN, 20.5, _cut(first, room), size=_SMALL, tone=Tone.SECONDARY),
        ink.text(_MARGIN, 11, _cut(foot.second, room), size=_SMALL, tone=Tone.SECONDARY),
        ink.text(x, 15, right, style=Style.BOLD, size=_NUMBER),
    ]
    if mark:
        parts.append(ink.text(x - 16 - taken, 15, mark, style=Style.BOLD, size=_SMALL, tone=Tone.WARNING))
    return b"".join((*parts, b"Q\n"))


def _cut(text: str, room: float) -> str:
    """Printable text, its middle left out when it is too long."""
    line = printable(text)
    while width(line, Style.REGULAR, _SMALL) > room:
        middle = len(line) // 2
        line = f"{line[: middle - 2]}…{line[middle + 2 :]}"
    return line

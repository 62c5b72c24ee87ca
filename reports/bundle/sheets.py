"""Which sheet a page goes on, where, and the foot that every sheet carries below it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
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
LONG: Final = 2.2
"""Height against width from which a page or picture is cut."""
_OVERLAP: Final = 0.02
_MOST_PIECES: Final = 200
_MARGIN: Final = 40.0
_SMALL: Final = 7.0
_MOST_LINE: Final = 200
"""Characters of either half of a line in the foot that are looked at; fewer fit."""
_NUMBER: Final = 9.0

Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage:
    """A page's content as a form XObject.

    Attributes:
        form: object number. box: what is shown of the form, left, bottom, right, top.
        rotate: clockwise, 0, 90, 180 or 270. unit: points a unit (ISO 32000-2 §7.7.3.3, UserUnit).
        own: laid out by us on A4 with its foot left free: placed as it is.
        piece: of a longer page; always upright.
    """

    form: int
    box: tuple[float, float, float, float]
    rotate: int = 0
    unit: float = 1.0
    own: bool = False
    piece: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A page on its sheet; `scale` against its own size."""

    form: int
    width: float
    height: float
    matrix: Matrix
    scale: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foot:
    """Left side of the foot, two lines, and a mark in the middle (演示/非第三方)."""

    first: str
    second: str = ""
    mark: str = ""


def own_page(form: int) -> FormPage:
    """An A4 page that keeps the foot free."""
    return FormPage(form=form, box=(0, 0, *A4), own=True)


def pieces(page: FormPage) -> list[FormPage]:
    """The page, or pieces of the height of a sheet with a little overlap when it is a long strip (a web page, a chat)."""
    left, bottom, right, top = page.box
    across, up = right - left, top - bottom
    if (
        page.own
        or page.rotate
        or up <= across * LONG
        or _fit(A4, across * page.unit, up * page.unit) >= _LEAST_SCALE
    ):
        return [page]
    return [
        replace(page, box=(left, top - end, right, top - start), piece=True)
        for start, end in cuts(across, up, A4[0], A4[1] - STRIP)
    ]


def cuts(across: float, up: float, wide: float, high: float) -> list[tuple[float, float]]:
    """(start, end) from the top of pieces of a strip in the proportion of a sheet; one piece when they were too many."""
    piece = across * high / wide
    forward = piece * (1 - _OVERLAP)
    count = math.ceil((up - piece) / forward) + 1
    if not 1 < count <= _MOST_PIECES:
        return [(0, up)]
    return [(index * forward, min(index * forward + piece, up)) for index in range(count)]


def place(page: FormPage) -> Placed:
    """Put a page above the foot of A4, or of A3 when A4 would make it hard to read; never enlarged."""
    left, bottom, right, top = page.box
    if page.own:
        return Placed(page.form, *A4, (1, 0, 0, 1, 0, 0), 1, page.box)
    turned = page.rotate in {90, 270}
    across, up = (right - left) * page.unit, (top - bottom) * page.unit
    wide, high = (up, across) if turned else (across, up)
    sheet, scale = A4, _fit(A4, wide, high)
    if scale < _LEAST_SCALE:
        sheet, scale = A3, _fit(A3, wide, high)
    width, height = sheet if high >= wide or page.piece else sheet[::-1]
    x = (width - wide * scale) / 2
    y = STRIP + (height - STRIP - high * scale) / 2
    return Placed(page.form, width, height, _matrix(page, scale * page.unit, x, y), scale, page.box)


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
    left, bottom, right, top = placed.box
    first = f"{foot.first} {reduced}" if placed.scale < _SMALLER else foot.first
    number = printable(numbering)
    x = placed.width - _MARGIN - width(number, Style.BOLD, _NUMBER)
    room = x - _MARGIN - 16
    mark = printable(foot.mark)
    if mark:
        taken = width(mark, Style.BOLD, _SMALL)
        room -= taken + 12
    parts = [
        b"q %b cm %b re W n /P Do Q\nq "
        % (numbers(*placed.matrix), numbers(left, bottom, right - left, top - bottom)),
        ink.rule(_MARGIN, STRIP - 4, placed.width - 2 * _MARGIN),
        ink.text(_MARGIN, 20.5, _cut(first, room), size=_SMALL, tone=Tone.SECONDARY),
        ink.text(_MARGIN, 11, _cut(foot.second, room), size=_SMALL, tone=Tone.SECONDARY),
        ink.text(x, 15, number, style=Style.BOLD, size=_NUMBER),
    ]
    if mark:
        parts.append(ink.text(x - 16 - taken, 15, mark, style=Style.BOLD, size=_SMALL, tone=Tone.WARNING))
    return b"".join((*parts, b"Q\n"))


def _cut(text: str, room: float) -> str:
    """Printable text, its middle left out when it is too long."""
    line = printable(text)
    if len(line) > 2 * _MOST_LINE:
        line = f"{line[:_MOST_LINE]}…{line[-_MOST_LINE:]}"
    while width(line, Style.REGULAR, _SMALL) > room:
        middle = len(line) // 2
        line = f"{line[: middle - 2]}…{line[middle + 2 :]}"
    return line

"""Which font prints which character: a style's own font, then HanaMin B for rare ideographs, else a visible substitute.

Nothing is ever printed blank or as a box: what no font has, and whatever could deceive the eye (control, bidi and
private-use characters), appears as 〔U+XXXX〕.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from evidence_desk.paths import asset
from reports.fonts.truetype import TrueType


class Face(StrEnum):
    """Font files of `assets/fonts`."""

    REGULAR = "NotoSansSC-Regular.ttf"
    BOLD = "NotoSansSC-Bold.ttf"
    MONO = "NotoSansMono-Regular.ttf"
    RARE = "HanaMinB.ttf"


class Style(StrEnum):
    """Typefaces a block can ask for."""

    REGULAR = "regular"
    BOLD = "bold"
    MONO = "mono"


_CHAINS: Final = {
    Style.REGULAR: (Face.REGULAR, Face.RARE),
    Style.BOLD: (Face.BOLD, Face.RARE),
    Style.MONO: (Face.MONO, Face.REGULAR, Face.RARE),
}
_SUBSTITUTED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me", "Mc"})
"""Categories never printed as they are: invisible, reordering, unassigned, or stacking on their neighbor."""
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one font; `width` in 1/1000 em."""

    face: Face
    text: str
    width: float


@cache
def font(face: Face) -> TrueType:
    """The parsed font, once a process."""
    return TrueType(asset("fonts", face.value))


@cache
def face_of(character: str, style: Style) -> Face | None:
    """First font of the style's chain with a glyph for `character`; None when it must be substituted."""
    if unicodedata.category(character) in _SUBSTITUTED:
        return None
    if unicodedata.bidirectional(character) in _RIGHT_TO_LEFT:
        return None
    blank_allowed = unicodedata.category(character) == "Zs"
    for face in _CHAINS[style]:
        glyph = font(face).glyph(ord(character))
        if glyph and (blank_allowed or not font(face).is_blank(glyph)):
            return face
    return None


def substitute(character: str) -> str:
    """Visible stand-in for a character that cannot or must not be printed."""
    return f"〔U+{ord(character):04X}〕"


def printable(text: str) -> str:
    """`text` with substitutes, spaces of any kind as plain ones; works on style REGULAR, the widest chain."""
    result: list[str] = []
    for character in text:
        if character.isspace() and unicodedata.category(character) == "Zs":
            result.append(" ")
        elif face_of(character, Style.REGULAR) is None:
            result.append(substitute(character))
        else:
            result.append(character)
    return "".join(result)


def unprintable(text: str) -> frozenset[str]:
    """Characters of `text` that appear as substitutes."""
    return frozenset(
        character
        for character in text
        if unicodedata.category(character) != "Zs" and face_of(character, Style.REGULAR) is None
    )


@cache
def advance(character: str, style: Style) -> float:
    """Width of a printable character in 1/1000 em."""
    face = face_of(character, style) or Face.REGULAR
    return font(face).advance(font(face).glyph(ord(character)))


def width(text: str, style: Style, size: float) -> float:
    """Width of printable text in points at `size` points."""
    return sum(advance(character, style) for character in text) * size / 1000


def runs(text: str, style: Style) -> Iterator[Run]:
    """Split printable text by font."""
    start = 0
    for index in range(1, len(text) + 1):
        face = face_of(text[start], style) or Face.REGULAR
        if index == len(text) or (face_of(text[index], style) or Face.REGULAR) is not face:
            piece = text[start:index]
            yield Run(face, piece, sum(advance(character, style) for character in piece))
            start = index

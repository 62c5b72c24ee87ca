"""Breaks text into lines: between ideographs, at spaces, never before closing or after opening punctuation (kinsoku)."""

from __future__ import annotations

from typing import Final

from reports.fonts.faces import Style, advance

_NOT_FIRST: Final = frozenset("，。、；：！？）》」』】〕〉…—％%,.;:!?)]}”’·")
_NOT_LAST: Final = frozenset("（《「『【〔〈([{“‘")
_BREAK_AFTER: Final = frozenset(" /-_\\&=?，。、；：")


def wrap(text: str, style: Style, size: float, width: float) -> list[str]:
    """Lines of printable `text`, each at most `width` points at `size`."""
    room = width * 1000 / size
    lines: list[str] = []
    start = 0
    while True:
        end = _fit(text, start, style, room)
        if end >= len(text):
            lines.append(text[start:].rstrip())
            return lines
        cut = _cut(text, start, end)
        lines.append(text[start:cut].rstrip())
        start = cut
        while start < len(text) and text[start] == " ":
            start += 1


def _fit(text: str, start: int, style: Style, room: float) -> int:
    """End of the longest piece from `start` that fits; at least one character."""
    used = 0.0
    for index in range(start, len(text)):
        used += advance(text[index], style)
        if used > room and index > start:
            return index
    return len(text)


def _cut(text: str, start: int, end: int) -> int:
    """Best place to break at or before `end`; `end` itself when there is none in the last half of the line."""
    for cut in range(end, start + (end - start) // 2, -1):
        if _may_break(text[cut - 1], text[cut]):
            return cut
    return end


def _may_break(left: str, right: str) -> bool:
    if right in _NOT_FIRST or left in _NOT_LAST:
        return False
    return left in _BREAK_AFTER or right == " " or _ideographic(left) or _ideographic(right)


def _ideographic(character: str) -> bool:
    return character >= "\u2e80" and character not in _NOT_LAST

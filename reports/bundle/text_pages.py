"""Text files to pages: lines with their numbers, in an even face, a bounded number of pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from reports.blocks import Tone
from reports.bundle.encodings import decode
from reports.bundle.ink import Ink
from reports.bundle.problem import Reason, UnprintableError
from reports.bundle.sheets import A4, STRIP, FormPage, own_page
from reports.fonts.faces import Style, printable, width
from reports.wrap import wrap

MOST_PAGES: Final = 1000
"""Pages of one text that are printed."""
MOST_BYTES: Final = 16 << 20
"""Bytes of a text that are looked at; more do not fit on `MOST_PAGES`."""
_SIZE: Final = 8.0
_LEADING: Final = 11.5
_LEFT: Final = 76.0
_RIGHT: Final = 40.0
_ROOM: Final = A4[0] - _LEFT - _RIGHT
_TOP: Final = A4[1] - 66.0
_LINES: Final = int((_TOP - STRIP - 10) / _LEADING)
_BREAK: Final = re.compile(r"\r\n|[\n\r\f\v\u0085\u2028\u2029]")
_TAB: Final = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text; `number` 0 for lines that are ours, which carry none."""

    number: int
    text: str
    strong: bool = False


def text_lines(source: BinaryIO) -> tuple[Iterator[Line], str, bool]:
    """(lines, encoding, whether that is the whole text) of a text file; UnprintableError."""
    source.seek(0)
    data = source.read(MOST_BYTES + 1)
    whole = len(data) <= MOST_BYTES
    found = decode(data[:MOST_BYTES], whole=whole)
    return numbered(found.text), found.encoding, whole


def numbered(text: str) -> Iterator[Line]:
    """Lines of a text, numbered from 1; the empty one after a last line break is none."""
    start, number = 0, 0
    while start < len(text):
        number += 1
        match = _BREAK.search(text, start)
        end = match.start() if match else len(text)
        yield Line(number, text[start:end].expandtabs(_TAB))
        start = match.end() if match else len(text)


def text_pages(
    lines: Iterable[Line],
    ink: Ink,
    *,
    head: Callable[[int], str],
    step: Callable[[], None],
    whole: bool = True,
) -> Iterator[FormPage]:
    """Pages of lines; `head` gives the line above page n.

    Raises:
        UnprintableError: more than `MOST_PAGES`, or not `whole`.
    """
    content: list[bytes] = []
    used = pages = 0
    for line, part, first in _wrapped(lines):
        if used == _LINES:
            yield _page(content, ink)
            content, used = [], 0
        if not content:
            step()
            if pages == MOST_PAGES:
                raise UnprintableError(Reason.TOO_MANY_PAGES)
            pages += 1
            content.append(_head(ink, head(pages)))
        content.append(_drawn(ink, line, part, _TOP - used * _LEADING, first=first))
        used += 1
    if content:
        yield _page(content, ink)
    if not pages:
        raise UnprintableError(Reason.EMPTY)
    if not whole:
        raise UnprintableError(Reason.TOO_MANY_PAGES)


def _wrapped(lines: Iterable[Line]) -> Iterator[tuple[Line, str, bool]]:
    for line in lines:
        style = Style.BOLD if line.strong else Style.MONO
        for index, part in enumerate(wrap(printable(line.text), style, _SIZE, _ROOM)):
            yield line, part, index == 0


def _head(ink: Ink, text: str) -> bytes:
    shown = wrap(printable(text), Style.REGULAR, _SIZE, A4[0] - 2 * _RIGHT)[0]
    y = A4[1] - 44
    return ink.text(_RIGHT, y, shown, size=_SIZE, tone=Tone.SECONDARY) + ink.rule(
        _RIGHT, y - 6, A4[0] - 2 * _RIGHT
    )


def _drawn(ink: Ink, line: Line, part: str, y: float, *, first: bool) -> bytes:
    text = (
        ink.text(_LEFT, y, part, style=Style.BOLD if line.strong else Style.MONO, size=_SIZE) if part else b""
    )
    if not (first and line.number):
        return text
    label = str(line.number)
    x = _LEFT - 8 - width(label, Style.MONO, 6)
    return ink.text(x, y, label, style=Style.MONO, size=6, tone=Tone.SECONDARY) + text


def _page(content: list[bytes], ink: Ink) -> FormPage:
    return own_page(ink.form(b"".join(content)))

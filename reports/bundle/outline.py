"""Bookmarks of a bundle (ISO 32000-2 §12.3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.bundle.writer import PdfWriter, text_string


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A title, its page (1-based), and those below it, which are shown folded."""

    title: str
    page: int
    children: tuple[Bookmark, ...] = ()


def write_outline(writer: PdfWriter, marks: Sequence[Bookmark], pages: Sequence[int]) -> int:
    """Write all bookmarks; `pages` are the numbers of the page objects. Returns the number of the outline."""
    root = writer.reserve()
    first, last = _write_level(writer, marks, pages, root)
    body = b"<< /Type /Outlines /First %d 0 R /Last %d 0 R /Count %d >>" % (first, last, len(marks))
    writer.write(root, body)
    return root


def _write_level(
    writer: PdfWriter, marks: Sequence[Bookmark], pages: Sequence[int], parent: int
) -> tuple[int, int]:
    numbers = [writer.reserve() for _ in marks]
    for index, (number, mark) in enumerate(zip(numbers, marks, strict=True)):
        parts = [
            b"/Title %b /Parent %d 0 R /Dest [%d 0 R /Fit]"
            % (text_string(mark.title), parent, pages[mark.page - 1])
        ]
        if index:
            parts.append(b"/Prev %d 0 R" % numbers[index - 1])
        if index + 1 < len(numbers):
            parts.append(b"/Next %d 0 R" % numbers[index + 1])
        if mark.children:
            first, last = _write_level(writer, mark.children, pages, number)
            parts.append(b"/First %d 0 R /Last %d 0 R /Count -%d" % (first, last, len(mark.children)))
        writer.write(number, b"<< %b >>" % b" ".join(parts))
    return numbers[0], numbers[-1]

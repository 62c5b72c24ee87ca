"""A heading is never left alone at the foot of a page: it stands where what it heads begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from reports.blocks import Block, Heading
from reports.pages import Page


class Pen(Protocol):
    """Pages so far and the height on the last one."""

    pages: list[Page]
    y: float

    def new_page(self) -> None:
        """Go on at the top of another page."""
        ...


def groups(blocks: Sequence[Block]) -> Iterator[tuple[Block, ...]]:
    """Headings with the block that they head; any other block alone."""
    group: list[Block] = []
    for block in blocks:
        group.append(block)
        if not isinstance(block, Heading):
            yield tuple(group)
            group = []
    if group:
        yield tuple(group)


def place_together(pen: Pen, group: Sequence[Block], place: Callable[[Block], None]) -> None:
    """Place a group; once more from the top of a page when it turned out to begin on one and to go on with the next."""
    count, y, page = len(pen.pages), pen.y, pen.pages[-1]
    before = page.sizes
    first: Page | None = None
    for block in group[:-1]:
        place(block)
        first = first or pen.pages[-1]
    headed = pen.pages[-1]
    texts = len(headed.texts)
    place(group[-1])
    elsewhere = headed is not pen.pages[-1] and len(headed.texts) == texts
    alone = first is not None and (first is not headed or elsewhere)
    if alone and any(before):
        del pen.pages[count:]
        page.cut(before)
        pen.y = y
        pen.new_page()
        for block in group:
            place(block)

"""Places blocks on A4 pages. Result: drawing operations, and the exact text of each page in reading order."""

from __future__ import annotations

from typing import Final, assert_never

from reports.blocks import (
    Banner,
    Block,
    Cell,
    Code,
    Commands,
    Document,
    Fact,
    Facts,
    Files,
    Heading,
    Items,
    Paragraph,
    Seal,
    Signatures,
    Table,
    Title,
    Tone,
)
from reports.fonts.faces import Style, printable, width
from reports.keeping import groups, place_together
from reports.pages import CodeOp, FrameOp, Page, RuleOp, TextOp
from reports.wrap import wrap

PAGE: Final = (595.28, 841.89)
LEFT: Final = 59.0
RIGHT: Final = PAGE[0] - 59.0
ROOM: Final = RIGHT - LEFT
TOP: Final = PAGE[1] - 74.0
BOTTOM: Final = 66.0
SEAL_BOX: Final = (RIGHT - 236, BOTTOM + 4, RIGHT, BOTTOM + 60)
"""Rectangle of the signature on the last page, points."""
_SEAL_ROOM: Final = 72.0
_SIGN: Final = 36.0
"""Height of a line to sign on, points."""
_DATE: Final = 44.0
"""Room for each part of its date, points."""
_LABEL: Final = 104.0
BODY: Final = 9.5
SMALL: Final = 8.0
MONO: Final = 7.2
_LEADING: Final = 1.55


class _Flow:
    """The pen: current page and height."""

    def __init__(self) -> None:
        self.pages = [Page()]
        self.y = TOP

    @property
    def page(self) -> Page:
        return self.pages[-1]

    def new_page(self) -> None:
        self.pages.append(Page())
        self.y = TOP

    def need(self, height: float) -> bool:
        """Start a page unless `height` points are left; whether it did."""
        if self.y - height >= BOTTOM or self.y == TOP:
            return False
        self.new_page()
        return True

    def skip(self, height: float) -> None:
        if self.y != TOP:
            self.y -= height

    def text(
        self, x: float, text: str, *, style: Style, size: float, tone: Tone = Tone.TEXT, drop: float = 0
    ) -> None:
        """One line, its top at the pen minus `drop`."""
        self.page.texts.append(TextOp(x, self.y - drop - size * 1.05, text, style, size, tone))

    def rule(self, *, strong: bool = False, x: float = LEFT, length: float = ROOM) -> None:
        self.page.rules.append(RuleOp(x, self.y, length, 0.9 if strong else 0.4, strong))


def lay_out(document: Document) -> list[Page]:
    """Pages of a document, with header, footer and page numbers."""
    flow = _Flow()
    for group in groups(document.blocks):
        place_together(flow, group, lambda block: _place(flow, block))
    for number, page in enumerate(flow.pages, 1):
        _furniture(document, page, number, len(flow.pages))
    return flow.pages


def _place(flow: _Flow, block: Block) -> None:  # noqa: C901, PLR0912 - one case a block
    match block:
        case Title():
            _title(flow, block)
        case Banner():
            _banner(flow, block)
        case Heading():
            _heading(flow, block)
        case Paragraph():
            _paragraph(flow, block)
        case Items():
            _items(flow, block)
        case Commands():
            _commands(flow, block)
        case Facts():
            _facts(flow, block)
        case Table():
            _table(flow, block)
        case Files():
            _files(flow, block)
        case Code():
            _code(flow, block)
        case Seal():
            _seal(flow, block)
        case Signatures():
            _signatures(flow, block)
        case _:
            assert_never(block)


def _title(flow: _Flow, block: Title) -> None:
    for line in wrap(printable(block.text), Style.BOLD, 22, ROOM):
        x = LEFT + (ROOM - width(line, Style.BOLD, 22)) / 2
        flow.text(x, line, style=Style.BOLD, size=22)
        flow.y -= 34
    for line in wrap(printable(block.subtitle), Style.REGULAR, BODY, ROOM) if block.subtitle else ():
        x = LEFT + (ROOM - width(line, Style.REGULAR, BODY)) / 2
        flow.text(x, line, style=Style.REGULAR, size=BODY, tone=Tone.SECONDARY)
        flow.y -= BODY * _LEADING
    flow.y -= 10


def _banner(flow: _Flow, block: Banner) -> None:
    lines = wrap(printable(block.text), Style.BOLD, BODY, ROOM - 24)
    height = len(lines) * BODY * _LEADING + 14
    flow.need(height)
    flow.page.frames.append(FrameOp(LEFT, flow.y - height, ROOM, height, block.tone))
    flow.y -= 8
    for line in lines:
        flow.text(LEFT + 12, line, style=Style.BOLD, size=BODY, tone=block.tone)
        flow.y -= BODY * _LEADING
    flow.y -= 14


def _heading(flow: _Flow, block: Heading) -> None:
    size, before, after = (13.0, 18.0, 12.0) if block.level == 1 else (10.5, 12.0, 9.5)
    flow.need(before + size * 1.5 + 70)
    flow.skip(before)
    text = printable(block.text)
    tone = Tone.ACCENT if block.level == 1 else Tone.TEXT
    note_x = LEFT + width(text, Style.BOLD, size) + 10
    fits = note_x + width(printable(block.note), Style.REGULAR, SMALL) <= RIGHT
    lines = wrap(text, Style.BOLD, size, ROOM)
    for index, line in enumerate(lines):
        flow.text(LEFT, line, style=Style.BOLD, size=size, tone=tone)
        if block.note and fits and index == 0:
            y = flow.page.texts[-1].y
            note = printable(block.note)
            flow.page.texts.append(TextOp(note_x, y, note, Style.REGULAR, SMALL, Tone.SECONDARY))
        flow.y -= size * 1.5
    if block.note and not fits:
        _lines(flow, block.note, x=LEFT, room=ROOM, size=SMALL, tone=Tone.SECONDARY)
    if block.level == 1:
        flow.y -= 3
        flow.rule(strong=True)
    flow.y -= after - 6


def _lines(
    flow: _Flow,
    text: str,
    *,
    x: float,
    room: float,
    size: float = BODY,
    style: Style = Style.REGULAR,
    tone: Tone = Tone.TEXT,
) -> None:
    """Wrapped lines, each moving the pen, breaking pages where they must."""
    for line in wrap(printable(text), style, size, room):
        flow.need(size * _LEADING)
        flow.text(x, line, style=style, size=size, tone=tone)
        flow.y -= size * _LEADING


def _paragraph(flow: _Flow, block: Paragraph) -> None:
    _lines(flow, block.text, x=LEFT, room=ROOM, size=SMALL if block.small else BODY, tone=block.tone)
    flow.y -= 5


def _items(flow: _Flow, block: Items) -> None:
    for index, item in enumerate(block.items, 1):
        marker = f"{index}." if block.numbered else "·"
        indent = 18.0 if block.numbered else 12.0
        flow.need(BODY * _LEADING)
        flow.text(LEFT, marker, style=Style.REGULAR, size=BODY)
        _lines(flow, item, x=LEFT + indent, room=ROOM - indent)
        flow.y -= 2.5
    flow.y -= 3


def _commands(flow: _Flow, block: Commands) -> None:
    for line in block.lines:
        _lines(flow, line, x=LEFT + 10, room=ROOM - 20, size=MONO, style=Style.MONO)
    flow.y -= 6


def _facts(flow: _Flow, block: Facts, *, x: float = LEFT, room: float = ROOM, label: float = _LABEL) -> None:
    wrapped = [_fact_lines(fact, label, room - label) for fact in block.rows]
    for number, (fact, (labels, values)) in enumerate(zip(block.rows, wrapped, strict=True)):
        style, size = (Style.MONO, MONO) if fact.mono else (Style.REGULAR, BODY)
        together = wrapped[number:] if number == len(wrapped) - 2 else wrapped[number : number + 1]
        flow.need(sum(min(len(lines), 4) * BODY * _LEADING + 4 for _, lines in together))
        for index in range(max(len(labels), len(values))):
            if flow.need(BODY * _LEADING):
                flow.y -= 2
            if index < len(labels):
                flow.text(x, labels[index], style=Style.REGULAR, size=BODY, tone=Tone.SECONDARY)
            if index < len(values):
                value = TextOp(x + label, flow.y - BODY * 1.05, values[index], style, size, fact.tone)
                flow.page.texts.append(value)
            flow.y -= BODY * _LEADING
        flow.y -= 2.5
        flow.rule(x=x, length=room)
        flow.y -= 2.5
    flow.y -= 4


def _fact_lines(fact: Fact, label: float, room: float) -> tuple[list[str], list[str]]:
    """Lines of label and value."""
    style, size = (Style.MONO, MONO) if fact.mono else (Style.REGULAR, BODY)
    parts = (fact.value,) if isinstance(fact.value, str) else fact.value
    values = [line for part in parts for line in wrap(printable(part), style, size, room)]
    return wrap(printable(fact.label), Style.REGULAR, BODY, label - 8), values


def _table(flow: _Flow, block: Table) -> None:
    total = sum(block.weights)
    widths = [ROOM * weight / total for weight in block.weights]
    starts = [LEFT + sum(widths[:index]) for index in range(len(widths))]
    _table_header(flow, block.header, starts, widths)
    for number, row in enumerate(block.rows):
        cells = [_cell(cell, widths[index] - 8) for index, cell in enumerate(row)]
        height = max(len(cell) for cell in cells) * SMALL * 1.45 + 6
        if flow.need(min(height, TOP - BOTTOM)):
            _table_header(flow, block.header, starts, widths)
        tone = block.tones[number] if block.tones else Tone.TEXT
        _table_row(flow, cells, starts, tone=tone)
    flow.y -= 8


def _cell(cell: Cell, room: float) -> list[str]:
    parts = (cell,) if isinstance(cell, str) else cell
    return [line for part in parts for line in wrap(printable(part), Style.REGULAR, SMALL, room)]


def _table_header(flow: _Flow, header: tuple[str, ...], starts: list[float], widths: list[float]) -> None:
    cells = [wrap(printable(text), Style.BOLD, SMALL, widths[index] - 8) for index, text in enumerate(header)]
    flow.need(60)
    flow.rule(strong=True)
    _table_row(flow, cells, starts, style=Style.BOLD)


def _table_row(
    flow: _Flow,
    cells: list[list[str]],
    starts: list[float],
    *,
    style: Style = Style.REGULAR,
    tone: Tone = Tone.TEXT,
) -> None:
    flow.y -= 3
    for index in range(max(len(cell) for cell in cells)):
        flow.need(SMALL * 1.45)
        for column, cell in enumerate(cells):
            if index < len(cell):
                flow.text(starts[column] + 2, cell[index], style=style, size=SMALL, tone=tone)
        flow.y -= SMALL * 1.45
    flow.y -= 3
    flow.rule(strong=style is Style.BOLD)


def _files(flow: _Flow, block: Files) -> None:
    name_x, side = LEFT + 26, 112.0
    room = ROOM - 26 - side - 8
    _files_header(flow, block)
    for number, entry in enumerate(block.entries, 1):
        names = wrap(printable(entry.name), Style.REGULAR, BODY, room)
        height = len(names) * BODY * 1.45 + 2 * MONO * 1.6 + 8
        if flow.need(min(height, TOP - BOTTOM)):
            _files_header(flow, block)
        flow.y -= 4
        for index, line in enumerate(names):
            flow.need(BODY * 1.45)
            y = flow.y - BODY * 1.05
            if index == 0:
                flow.page.texts.append(TextOp(LEFT + 2, y, str(number), Style.REGULAR, SMALL, Tone.SECONDARY))
            if index == len(names) - 1:
                _right(flow, entry.size, y)
            flow.page.texts.append(TextOp(name_x, y, line, Style.REGULAR, BODY, Tone.TEXT))
            flow.y -= BODY * 1.45
        for label, digest, aside in (
            ("SHA-256", entry.sha256, entry.kind),
            ("SM3", entry.sm3, entry.modified),
        ):
            flow.need(MONO * 1.6)
            y = flow.y - MONO * 1.05
            flow.page.texts.append(TextOp(name_x, y, label, Style.REGULAR, MONO, Tone.SECONDARY))
            flow.page.texts.append(TextOp(name_x + 34, y, digest, Style.MONO, 6.6, Tone.TEXT))
            _right(flow, aside, y, size=MONO)
            flow.y -= MONO * 1.6
        flow.y -= 4
        flow.rule()
    flow.y -= 8


def _files_header(flow: _Flow, block: Files) -> None:
    flow.need(70)
    flow.rule(strong=True)
    flow.y -= 3
    y = flow.y - SMALL * 1.05
    for x, text in ((LEFT + 2, block.header[0]), (LEFT + 26, block.header[1])):
        flow.page.texts.append(TextOp(x, y, printable(text), Style.BOLD, SMALL, Tone.TEXT))
    x = RIGHT - 2 - width(printable(block.header[2]), Style.BOLD, SMALL)
    flow.page.texts.append(TextOp(x, y, printable(block.header[2]), Style.BOLD, SMALL, Tone.TEXT))
    flow.y -= SMALL * 1.45 + 3
    flow.rule(strong=True)


def _right(flow: _Flow, text: str, y: float, *, size: float = SMALL) -> None:
    """Text ending at the right margin; what is too long for its column is made smaller, never cut."""
    line = printable(text)
    if not line:
        return
    size = min(size, size * 112.0 / max(width(line, Style.REGULAR, size), 1.0))
    x = RIGHT - 2 - width(line, Style.REGULAR, size)
    flow.page.texts.append(TextOp(x, y, line, Style.REGULAR, size, Tone.TEXT))


def _code(flow: _Flow, block: Code) -> None:
    side = 92.0
    flow.need(side + 24)
    top, page = flow.y, flow.page
    page.codes.append(CodeOp(RIGHT - side, top - side, side, block.payload))
    _facts(flow, Facts(rows=block.facts), room=ROOM - side - 18)
    if flow.page is page:
        flow.y = min(flow.y, top - side - 4)
    _lines(flow, block.caption, x=LEFT, room=ROOM, size=SMALL, tone=Tone.SECONDARY)
    flow.y -= 4


def _seal(flow: _Flow, block: Seal) -> None:
    flow.need(_SEAL_ROOM + 12)
    y = SEAL_BOX[3] - 14
    room = SEAL_BOX[0] - LEFT - 12
    for text in block.lines:
        for line in wrap(printable(text), Style.REGULAR, SMALL, room):
            flow.page.texts.append(TextOp(LEFT, y, line, Style.REGULAR, SMALL, Tone.SECONDARY))
            y -= SMALL * _LEADING
    flow.y = BOTTOM


def _signatures(flow: _Flow, block: Signatures) -> None:
    lines = wrap(printable(block.note), Style.REGULAR, BODY, ROOM)
    flow.need(_SIGN * len(block.places) + len(lines) * BODY * _LEADING)
    for line in lines:
        flow.text(LEFT, line, style=Style.REGULAR, size=BODY, tone=Tone.WARNING)
        flow.y -= BODY * _LEADING
    for place in block.places:
        flow.y -= _SIGN - BODY * _LEADING
        flow.text(LEFT, printable(place), style=Style.REGULAR, size=BODY)
        for slot, part in enumerate(reversed(block.date)):
            x = RIGHT - slot * _DATE - width(printable(part), Style.REGULAR, BODY)
            flow.text(x, printable(part), style=Style.REGULAR, size=BODY)
        flow.y -= BODY * _LEADING
        flow.rule()
    flow.y -= 8


def _furniture(document: Document, page: Page, number: int, count: int) -> None:
    left, right = (printable(text) for text in document.header)
    y = PAGE[1] - 46
    page.texts.append(TextOp(LEFT, y, left, Style.REGULAR, SMALL, Tone.SECONDARY))
    x = RIGHT - width(right, Style.REGULAR, SMALL)
    page.texts.append(TextOp(x, y, right, Style.REGULAR, SMALL, Tone.SECONDARY))
    page.rules.append(RuleOp(LEFT, y - 6, ROOM, 0.4, strong=False))
    y = 40.0
    footer = printable(document.footer)
    page.texts.append(TextOp(LEFT, y, footer, Style.REGULAR, 7.0, Tone.SECONDARY))
    numbers = document.page.format(page=number, pages=count)
    x = RIGHT - width(numbers, Style.REGULAR, SMALL)
    page.texts.append(TextOp(x, y, numbers, Style.REGULAR, SMALL, Tone.SECONDARY))
    page.rules.append(RuleOp(LEFT, y + 12, ROOM, 0.4, strong=False))

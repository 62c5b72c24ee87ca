"""Text for a terminal: foreign characters made harmless, lines folded by columns (a Chinese character takes two)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from rich.cells import cell_len

_WIDE: Final = r"⺀-鿿가-힯豈-﫿！-｠\U00020000-\U0003ffff"
_UNIT: Final = re.compile(
    rf" +|\[[^\[\]]{{1,24}}\]$|[（《“‘【〔]*(?:[{_WIDE}]|[^ {_WIDE}]+)[）》”’】〕，。、；：！？…]*"
)
"""What must not be torn: a word, or one wide character with the punctuation that may not begin or end a line."""


def printable(text: str) -> str:
    """`text` with control, bidirectional and invalid characters as escapes: it can neither move the cursor nor turn."""
    return "".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text)


def printable_facts(facts: Mapping[str, str | int]) -> dict[str, str | int]:
    """Parameters of a sentence, made printable: they may come out of a stranger's file."""
    return {name: value if isinstance(value, int) else printable(str(value)) for name, value in facts.items()}


def folded(text: str, width: int) -> Iterator[str]:
    """Lines of at most `width` columns; later lines are indented like the text of the first.

    A word longer than a line (a digest, a path) stays whole, so that it can be copied.
    """
    head = re.match(r" *(?:[✔✘?!·] )?", text)
    start = head[0] if head else ""
    indent = " " * cell_len(start)
    line, columns = start, cell_len(start)
    for match in _UNIT.finditer(text, len(start)):
        unit = match[0]
        size = cell_len(unit)
        if columns + size > width and columns > len(indent):
            yield line.rstrip()
            line, columns = indent, len(indent)
            if unit.isspace():
                continue
        line += unit
        columns += size
    yield line.rstrip()

"""Vocabulary of a printed document, independent of pages: what the text is, not where it stands.

Texts are plain; `layout` makes them printable (substitutes for characters that no font has).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum


class Tone(StrEnum):
    """Meaning of a text's color; a word always says the same."""

    TEXT = "text"
    SECONDARY = "secondary"
    ACCENT = "accent"
    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """Name of the document, with a line below."""

    text: str
    subtitle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """A framed sentence that nobody may miss."""

    text: str
    tone: Tone = Tone.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Heading of level 1 or 2; `note` stands beside it in small type."""

    text: str
    level: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Running text."""

    text: str
    tone: Tone = Tone.TEXT
    small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list; marker ``1.`` or ``·``."""

    items: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Lines to type, monospaced."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One label with its value, one text or several lines; `mono` for digests and identifiers."""

    label: str
    value: str | tuple[str, ...]
    mono: bool = False
    tone: Tone = Tone.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Label and value table."""

    rows: tuple[Fact, ...]


Cell = str | tuple[str, ...]
"""Text of a table's cell, or several texts each on a line of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A ruled table; `weights` share the width, header repeats on every page."""

    header: tuple[str, ...]
    weights: tuple[float, ...]
    rows: tuple[tuple[Cell, ...], ...]
    tones: tuple[Tone, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """One file of a `Files` block; texts ready to print."""

    name: str
    size: str
    kind: str
    modified: str
    sha256: str
    sm3: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The list of files, three lines each: name, SHA-256, SM3."""

    header: tuple[str, str, str]
    entries: tuple[FileLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A QR code with facts beside it."""

    payload: str
    caption: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """Place of the visible signature; always at the foot of the last page."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """Lines to sign by hand, kept on one page with a note, so that no signature stands on a page without text.

    Attributes:
        places: who signs. date: parts of the date at the right end of each line, with room before each.
    """

    note: str
    places: tuple[str, ...]
    date: tuple[str, ...]


Block = (
    Title | Banner | Heading | Paragraph | Items | Commands | Facts | Table | Files | Code | Seal | Signatures
)


def texts(part: object) -> Iterator[str]:
    """Every string in a block or document."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from texts(item)
    elif is_dataclass(part):
        for item in fields(part):
            yield from texts(getattr(part, item.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole document before it has pages.

    Attributes:
        title: for the PDF's metadata. header: left and right of every page's head.
        footer: left of every page's foot. page: template with {page} and {pages}.
        watermark: large pale text on every page, "" for none.
        language: BCP 47 tag.
    """

    title: str
    header: tuple[str, str]
    footer: str
    page: str
    blocks: tuple[Block, ...]
    language: str
    watermark: str = ""

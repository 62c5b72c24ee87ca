"""What characters a text file holds: UTF-8, UTF-16, UTF-32 or GB18030; nothing is guessed beyond that."""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import dataclass
from typing import Final

from reports.bundle.problem import Reason, UnprintableError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32LE"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32BE"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16BE"),
    (b"\x84\x31\x95\x33", "gb18030", "GB18030"),
)
_ODD: Final = frozenset({"Cc", "Cn", "Co"})
_EXPECTED: Final = frozenset("\t\n\r\f\v\x1b\b")
_MOST_ODD: Final = 0.02
_SAMPLE: Final = 200_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text and the name of its encoding."""

    text: str
    encoding: str


def decode(data: bytes, *, whole: bool) -> Decoded:
    """Text of a file's first bytes; `whole` when there are no more.

    Raises:
        UnprintableError: in none of the encodings.
    """
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            text = _decoded(data[len(mark) :], codec, whole=whole)
            if text is not None:
                return Decoded(text, name)
    for codec, name in _candidates(data):
        text = _decoded(data, codec, whole=whole)
        if text is not None and _readable(text):
            return Decoded(text, name)
    raise UnprintableError(Reason.ENCODING)


def _candidates(data: bytes) -> tuple[tuple[str, str], ...]:
    if b"\0" not in data:
        return ("utf-8", "UTF-8"), ("gb18030", "GB18030")
    even, odd = data[::2].count(0), data[1::2].count(0)
    little, big = ("utf-16-le", "UTF-16LE"), ("utf-16-be", "UTF-16BE")
    return (little, big) if odd >= even else (big, little)


def _decoded(data: bytes, codec: str, *, whole: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(data, final=whole)
    except (UnicodeDecodeError, ValueError):
        return None


def _readable(text: str) -> bool:
    """Whether hardly anything in it is a control character, unassigned or for private use."""
    sample = text[:_SAMPLE]
    odd = sum(unicodedata.category(char) in _ODD and char not in _EXPECTED for char in sample)
    return odd <= len(sample) * _MOST_ODD

"""Writes a PDF front to back: an object is written when it is known and forgotten; memory holds offsets only.

Libraries keep every object of a document until it is saved; a bundle may hold a hundred thousand pages.
"""

from __future__ import annotations

import zlib
from array import array
from typing import BinaryIO, Final

from evidence_desk.errors import UsageError

_HEADER: Final = b"%PDF-1.7\n%\xe6\x9d\xa1\xe8\xaf\x81\n"
_MAX_OFFSET: Final = 10**10
"""A classic cross-reference entry has ten digits (ISO 32000-2 §7.5.4)."""


class PdfWriter:
    """Objects by number, generation 0; a number that was reserved and never written reads as null."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._at = 0
        self._offsets = array("Q", [0])
        self._put(_HEADER)

    def reserve(self) -> int:
        """A number to refer to before its object is written."""
        self._offsets.append(0)
        return len(self._offsets) - 1

    def write(self, number: int, body: bytes) -> None:
        """Write the object `number`."""
        self._offsets[number] = self._at
        self._put(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def add(self, body: bytes) -> int:
        """Write a new object; returns its number."""
        number = self.reserve()
        self.write(number, body)
        return number

    def write_stream(self, number: int, entries: bytes, data: bytes) -> None:
        """Write a stream; `entries` are those of its dictionary but Length, `data` is already encoded as they say."""
        self._offsets[number] = self._at
        self._put(b"%d 0 obj\n<< %b /Length %d >>\nstream\n" % (number, entries, len(data)))
        self._put(data)
        self._put(b"\nendstream\nendobj\n")

    def add_stream(self, entries: bytes, data: bytes) -> int:
        """Write a new stream of plain `data`, compressed; returns its number."""
        number = self.reserve()
        self.write_stream(number, entries + b" /Filter /FlateDecode", zlib.compress(data, 6))
        return number

    def finish(self, *, root: int, info: int) -> None:
        """Cross-reference table and trailer."""
        for number in range(1, len(self._offsets)):
            if not self._offsets[number]:
                self.write(number, b"null")  # allowed as a free entry, but readers take that for damage
        start = self._at
        self._put(b"xref\n0 %d\n" % len(self._offsets))
        self._put(b"0000000000 65535 f \n")
        for number in range(1, len(self._offsets)):
            self._put(b"%010d 00000 n \n" % self._offsets[number])
        self._put(b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\n" % (len(self._offsets), root, info))
        self._put(b"startxref\n%d\n%%%%EOF\n" % start)

    def _put(self, data: bytes) -> None:
        if self._at + len(data) >= _MAX_OFFSET:
            raise UsageError("bundle.too_large", limit=_MAX_OFFSET)
        self._out.write(data)
        self._at += len(data)


def text_string(text: str) -> bytes:
    """A text string, UTF-16BE with its mark (ISO 32000-2 §7.9.2.2)."""
    return b"<FEFF" + text.encode("utf-16-be", errors="replace").hex().encode("ascii") + b">"


def number(value: float) -> bytes:
    """A real as short as four places allow, never in exponents."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return (text if text not in {"", "-0"} else "0").encode("ascii")


def numbers(*values: float) -> bytes:
    """Reals with spaces between."""
    return b" ".join(number(value) for value in values)

"""``certificate.json``: the exact text of every page and every printed value; attached to the PDF it describes.

Strict: RFC 8785, exact members, limits. Equality with the page text ignores white space only (`squeeze`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.errors import MalformedError

NAME: Final = "certificate.json"
REPORT_NAME: Final = "report.json"
VERSION: Final = "certificate/1"
REPORT_VERSION: Final = "report/1"
MAX_BYTES: Final = 64 << 20
MAX_PAGES: Final = 20_000
BEIJING: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """Text of a finished document.

    Attributes:
        version: `VERSION` or `REPORT_VERSION`.
        pages: lines of each page in drawing order, header and footer included.
        values: machine-readable values (`certificate_values`).
    """

    version: str
    number: str
    language: str
    pages: tuple[tuple[str, ...], ...]
    values: Mapping[str, JSON]

    def to_bytes(self) -> bytes:
        """Canonical bytes."""
        return encode(
            {
                "v": self.version,
                "number": self.number,
                "language": self.language,
                "pages": [{"lines": list[JSON](lines)} for lines in self.pages],
                "values": dict(self.values),
            }
        )


def parse_printed(data: bytes) -> Printed:
    """Read ``certificate.json`` or ``report.json``.

    Raises:
        MalformedError: ``malformed.json``, ``malformed.too_large`` or ``malformed.certificate_json``.
    """
    value = decode(data, what=NAME, limit=MAX_BYTES)
    if not isinstance(value, dict) or len(value) != 5:
        raise MalformedError("malformed.certificate_json", what="members")
    match value:
        case {
            "v": str(version),
            "number": str(number),
            "language": "zh" | "en" as language,
            "pages": list(pages),
            "values": dict(values),
        } if version in {VERSION, REPORT_VERSION} and 0 < len(pages) <= MAX_PAGES:
            return Printed(
                version=version,
                number=number,
                language=str(language),
                pages=tuple(_lines(page) for page in pages),
                values=values,
            )
        case _:
            raise MalformedError("malformed.certificate_json", what="members")


def _lines(page: JSON) -> tuple[str, ...]:
    if isinstance(page, dict) and set(page) == {"lines"}:
        lines = page["lines"]
        if isinstance(lines, list):
            texts = tuple(line for line in lines if isinstance(line, str))
            if len(texts) == len(lines):
                return texts
    raise MalformedError("malformed.certificate_json", what="pages")


def squeeze(text: str) -> str:
    """`text` without white space: how page text and recorded text are compared."""
    return "".join(text.split())


def page_text(lines: Sequence[str]) -> str:
    """Squeezed text of one page."""
    return squeeze("".join(lines))


def beijing_text(moment: datetime) -> str:
    """``2026-01-31 16:00:00``: Beijing time (UTC+8), whole seconds."""
    return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"

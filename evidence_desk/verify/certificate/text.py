"""Extracts what a reader sees as text, by an engine that had no part in making the file (PDFium)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Final

import pypdfium2

from evidence_desk.core.canonical import JSON
from evidence_desk.core.certificate import NAME, REPORT_NAME, Printed, page_text, parse_printed, squeeze
from evidence_desk.core.verdict import Finding, Status
from evidence_desk.errors import MalformedError
from evidence_desk.verify.certificate.outcome import integrity
from evidence_desk.verify.pdfium import PDFIUM

_HYPHEN: Final = "\ufffe"
"""What PDFium makes of a hyphen at the end of a line, to tell it from one within a word."""
_LISTED: Final = 500
"""Files of an exhibit that are printed one by one."""


def pages_of(pdf: bytes) -> list[str]:
    """Squeezed text of every page.

    Raises:
        MalformedError: ``malformed.pdf``.
    """
    with PDFIUM:
        try:
            with closing(pypdfium2.PdfDocument(pdf)) as document:
                return list(_texts(document))
        except (pypdfium2.PdfiumError, UnicodeError, ValueError, TypeError) as error:
            raise MalformedError("malformed.pdf", reason="text") from error


def _texts(document: pypdfium2.PdfDocument) -> Iterator[str]:
    for index in range(len(document)):
        with closing(document[index]) as page, closing(page.get_textpage()) as text:
            yield squeeze(text.get_text_range().replace(_HYPHEN, "-"))


def read_printed(attachments: Mapping[str, bytes]) -> tuple[Printed | None, Finding | None]:
    """The attached record of what was printed, or the finding that says why there is none."""
    data = attachments.get(NAME, attachments.get(REPORT_NAME))
    if data is None:
        return None, integrity("certificate.text", Status.FAILED, "certificate.text.missing")
    try:
        return parse_printed(data), None
    except MalformedError:
        return None, integrity("certificate.text", Status.FAILED, "certificate.text.malformed")


def compare_text(pdf: bytes, printed: Printed) -> Finding:
    """Whether every page says exactly what the record says: a missing, changed or added character fails."""
    try:
        pages = pages_of(pdf)
    except MalformedError:
        return integrity("certificate.text", Status.FAILED, "certificate.file.malformed", reason="text")
    if len(pages) != len(printed.pages):
        return integrity(
            "certificate.text",
            Status.FAILED,
            "certificate.text.pages",
            pages=len(pages),
            recorded=len(printed.pages),
        )
    for number, (seen, lines) in enumerate(zip(pages, printed.pages, strict=True), 1):
        if seen != page_text(lines):
            return integrity("certificate.text", Status.FAILED, "certificate.text.differs", page=number)
    return integrity("certificate.text", Status.PASSED, "certificate.text.agrees")


def compare_values(printed: Printed) -> Finding:
    """Whether the machine-readable values stand in the text, so that a reader and a program learn the same."""
    text = "".join(page_text(lines) for lines in printed.pages)
    for name, value in _expected(printed.values):
        if squeeze(value) not in text:
            return integrity("certificate.values.text", Status.FAILED, "certificate.values.absent", what=name)
    if squeeze(printed.number) not in text:
        return integrity("certificate.values.text", Status.FAILED, "certificate.values.absent", what="number")
    return integrity("certificate.values.text", Status.PASSED, "certificate.values.printed")


def _expected(values: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    exhibits = values.get("exhibits")
    for exhibit in exhibits if isinstance(exhibits, list) else []:
        if isinstance(exhibit, dict):
            yield from _strings("exhibit", exhibit, ("number", "leaf_sha256"))
            yield from _strings("statement", exhibit.get("statement"), ("sha256", "sm3"))
            yield from _strings("checkpoint", exhibit.get("checkpoint"), ("origin", "root"))
            token = ("tsa", "policy", "serial", "token_sha256", "certificate_sha256")
            yield from _strings("token", exhibit.get("token"), token)
            yield from _times(exhibit)
            yield from _court(exhibit.get("court"))
            files = exhibit.get("files")
            for entry in files[:_LISTED] if isinstance(files, list) else []:
                yield from _strings("file", entry, ("sha256", "sm3"))
                if isinstance(entry, dict) and isinstance(entry.get("size"), int):
                    yield "file size", f"{entry['size']:,}"

    declared = values.get("declared")
    yield from _confirmation(declared.get("confirmation") if isinstance(declared, dict) else None)


def _confirmation(facts: JSON) -> Iterator[tuple[str, str]]:
    if not isinstance(facts, dict):
        return
    for part in ("first", "second"):
        yield from _strings(part, facts.get(part), ("name", "role", "identification"))
    yield from _strings("credential", facts.get("credential"), ("subject", "serial", "sha256"))
    at = facts.get("at")
    if isinstance(at, str):
        yield "confirmation at", at[:19].replace("T", "")


def _court(facts: JSON) -> Iterator[tuple[str, str]]:
    yield from _strings("court", facts, ("chain_id", "block_hash"))
    if isinstance(facts, dict) and isinstance(facts.get("height"), int):
        yield "court height", f"{facts['height']}"


def _times(exhibit: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    for part, name in (("token", "gen_time"), ("court", "time")):
        facts = exhibit.get(part)
        value = facts.get(name) if isinstance(facts, dict) else None
        if isinstance(value, str):
            yield f"{part} {name}", value[:19].replace("T", "")


def _strings(part: str, facts: JSON, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(facts, dict):
        for name in names:
            value = facts.get(name)
            if isinstance(value, str):
                yield f"{part} {name}", value

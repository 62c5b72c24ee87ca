"""Sentences and figures of documents in one language; all text comes from ``texts``."""

from __future__ import annotations

from datetime import UTC, datetime

from evidence_desk.core.certificate import beijing_text
from evidence_desk.texts import Language, has, sentence


class Speaker:
    """Shorthand for the sentences of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, code: str, **parameters: str | int) -> str:
        """Sentence of `code`."""
        return sentence(code, parameters, self.language)

    def known(self, prefix: str, value: str) -> str:
        """Sentence ``prefix.value`` if there is one, else `value` itself (free text of the user)."""
        code = f"{prefix}.{value}"
        return sentence(code, {}, self.language) if value and has(code, self.language) else value

    def listed(self, items: tuple[str, ...]) -> str:
        """Items as a list in a sentence."""
        return self("certificate.list.join").join(items)

    def moment(self, moment: datetime) -> str:
        """A moment in Beijing time and UTC, whole seconds."""
        return self("certificate.moment", beijing=beijing_text(moment), utc=utc_clock(moment))


def utc_clock(moment: datetime, *, fraction: bool = False) -> str:
    """``2026-01-31 08:00:00`` in UTC; with `fraction`, milliseconds too when there are any."""
    utc = moment.astimezone(UTC)
    text = f"{utc:%Y-%m-%d %H:%M:%S}"
    return f"{text}.{utc.microsecond // 1000:03d}" if fraction and utc.microsecond else text


def count(number: int) -> str:
    """Number with thousands separators."""
    return f"{number:,}"


def digest(data: bytes) -> str:
    """Hex digits in groups of eight."""
    text = data.hex()
    return " ".join(text[at : at + 8] for at in range(0, len(text), 8))

"""An e-mail draft about issued certificates: numbers and digests. The files are attached by the person, never by us."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol
from urllib.parse import quote

from PySide6.QtCore import QUrl

from evidence_desk.core.digests import DigestPair
from ui.language import Tongue

_LISTED: Final = 5
"""More would not fit into what mail programs take (2,000 characters in some)."""


class Named(Protocol):
    """A certificate as far as a letter names it."""

    @property
    def number(self) -> str:
        """Certificate number."""
        ...

    @property
    def digests(self) -> DigestPair:
        """Of the file."""
        ...


def mail_url(certificates: Sequence[Named], tongue: Tongue) -> QUrl:
    """``mailto:`` with subject and body (RFC 6068)."""
    numbers = [item.number for item in certificates]
    subject = tongue.say(
        "ui_certify.letter.subject" if len(numbers) == 1 else "ui_certify.letter.subjects",
        number=numbers[0] if numbers else "", count=len(numbers),
    )  # fmt: skip
    parts = [tongue.say("ui_certify.letter.begin")]
    parts += [
        tongue.say("ui_certify.letter.line", number=item.number, sha256=item.digests.sha256.hex())
        for item in certificates[:_LISTED]
    ]
    if len(numbers) > _LISTED:
        parts.append(tongue.say("ui_certify.letter.more", count=len(numbers) - _LISTED))
    parts.append(tongue.say("ui_certify.letter.end"))
    body = "\r\n\r\n".join(parts)
    return QUrl(
        f"mailto:?subject={quote(subject, safe='')}&body={quote(body, safe='')}", QUrl.ParsingMode.StrictMode
    )

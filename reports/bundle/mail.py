"""An e-mail file as it reads: headers and text decoded, attachments named with digests, then the header block as it came."""

from __future__ import annotations

import email
import email.errors
import email.policy
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage, Message
from typing import Final

from evidence_desk.core.digests import sha256
from reports.bundle.encodings import decode
from reports.bundle.problem import UnprintableError
from reports.bundle.text_pages import Line, numbered

MOST_BYTES: Final = 64 << 20
"""Greatest size in bytes of an e-mail that is decoded; a larger one is printed as text."""
_HEADERS: Final = ("From", "To", "Cc", "Date", "Subject", "Message-ID")
_MOST_PARTS: Final = 500
_MOST_BORDERS: Final = 20_000
"""Lines that may part the body: the library makes an object of each before it can be stopped."""
_LONG: Final = 2_000
"""Bytes from which a header counts as long: the library's time grows with the square."""
_MOST_HEADER: Final = 32_000
_MOST_LONG: Final = 64_000
"""Bytes of one header, and of all long ones."""
_HEADER: Final = re.compile(rb"^[!-9;-~]+:[^\r\n]*(?:(?:\r\n?|\n)[ \t][^\r\n]*)*", re.MULTILINE)
_LINE_END: Final = re.compile(rb"\r\n?")

Say = Callable[..., str]


def mail_lines(data: bytes, say: Say) -> list[Line] | None:
    """Lines of the e-mail; None when it cannot be understood as one, or its headers are too long to be decoded."""
    if _too_long(data):
        return None
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
        if not isinstance(message, EmailMessage) or "From" not in message:
            return None
        return [*_head(message, say), *_body(message, say), *_source(data, say)]
    except (
        email.errors.MessageError, ValueError, TypeError, LookupError, AttributeError, RecursionError, AssertionError,
        UnprintableError,
    ):  # fmt: skip
        return None  # what the library raises on hostile headers


def _too_long(data: bytes) -> bool:
    """Headers, or borders of parts, beyond all use; a line of text that looks like one counts too."""
    plain = _LINE_END.sub(b"\n", data)
    if plain.count(b"\n--") > _MOST_BORDERS:
        return True
    found = _HEADER.finditer(plain)
    long = [size for item in found if (size := item.end() - item.start()) > _LONG]
    return sum(long) > _MOST_LONG or max(long, default=0) > _MOST_HEADER


def _head(message: EmailMessage, say: Say) -> Iterator[Line]:
    yield Line(0, say("bundle.mail.decoded"), strong=True)
    for name in _HEADERS:
        for value in message.get_all(name, []):
            yield Line(0, f"{name}: {value}")
    yield Line(0, "")


def _body(message: EmailMessage, say: Say) -> Iterator[Line]:
    attached: list[Line] = []
    for number, part in enumerate(message.walk()):
        if number > _MOST_PARTS:
            raise ValueError(number)
        if part.is_multipart():
            continue
        data = _payload(part)
        name = part.get_filename()
        if name is None and part.get_content_maintype() == "text" and not _alternative(message, part):
            yield Line(0, say("bundle.mail.body", kind=part.get_content_type()), strong=True)
            yield from (Line(0, line.text) for line in numbered(_text(part, data)))
            yield Line(0, "")
        elif not (name is None and part.get_content_maintype() == "text"):
            text = say(
                "bundle.mail.attachment",
                name=name or "—", kind=part.get_content_type(), size=len(data), sha256=sha256(data).hex(),
            )  # fmt: skip
            attached.append(Line(0, text))
    if attached:
        yield Line(0, say("bundle.mail.attachments"), strong=True)
        yield from attached
        yield Line(0, "")


def _payload(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _alternative(message: EmailMessage, part: Message) -> bool:
    """Whether it is the HTML form of a text that is there in plain."""
    if part.get_content_type() != "text/html":
        return False
    return any(
        item.get_content_type() == "text/plain" and item.get_filename() is None for item in message.walk()
    )


def _text(part: Message, data: bytes) -> str:
    charset = part.get_content_charset()
    if charset is not None:
        if charset in {"gb2312", "gbk"}:
            charset = "gb18030"
        try:
            return data.decode(charset)
        except (UnicodeDecodeError, LookupError):
            pass
    return decode(data, whole=True).text


def _source(data: bytes, say: Say) -> Iterator[Line]:
    """The header block, numbered as in the file."""
    block = min((at for at in (data.find(b"\r\n\r\n"), data.find(b"\n\n")) if at >= 0), default=len(data))
    yield Line(0, say("bundle.mail.source"), strong=True)
    yield from numbered(decode(data[:block], whole=True).text)
    yield Line(0, "")
    yield Line(0, say("bundle.mail.rest"))

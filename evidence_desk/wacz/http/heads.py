"""Heads of HTTP/1 messages, read the way Chromium does (net/http: HttpUtil, HttpResponseHeaders, HttpStreamParser).

What the browser showed rests on its reading, so that wins over the letter of RFC 9112 where the two differ.
"""

from __future__ import annotations

import re
from typing import Final

Field = tuple[bytes, bytes]
"""(name, value) as sent; surrounding blanks are no part of the value."""

HEAD_END: Final = re.compile(rb"\n\r?\n")
_LINES: Final = re.compile(rb"[\r\n]+")
_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_REQUEST: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) +(\S+) +HTTP/([0-9])\.([0-9])[ \t]*\r?\n")
_STATUS: Final = re.compile(rb"http/([0-9]+)\.([0-9]+)", re.IGNORECASE)
_CODE: Final = re.compile(rb"[^ ]* +([0-9]{1,9})")
_LENGTH: Final = re.compile(rb"0*[0-9]{1,18}\Z")
_NOT_IN_URL: Final = re.compile(r"[^\x21-\x7e]")

Version = tuple[int, int]


def fields(head: bytes) -> list[Field]:
    """Fields after the first line: folded lines joined by a blank, lines without name or colon left out."""
    lines = [line for line in _LINES.split(head) if line]
    result: list[bytes] = []
    folding = False
    for line in lines[1:]:
        if line[:1] in b" \t":
            if folding:
                result[-1] += b" " + line.strip(b" \t")
            continue
        folding = line.find(b":") > 0
        if folding:
            result.append(line)
    pairs = (line.partition(b":") for line in result)
    return [
        (name, value.strip(b" \t"))
        for name, value in ((name.strip(b" \t"), value) for name, _, value in pairs)
        if _TOKEN.match(name)
    ]


def values(found: list[Field], name: bytes) -> list[bytes]:
    """Values of a field, lists taken apart at commas."""
    return [
        item.strip(b" \t")
        for key, value in found
        if key.lower() == name
        for item in value.split(b",")
        if item.strip(b" \t")
    ]


def first(found: list[Field], name: bytes) -> bytes | None:
    """First whole value of a field."""
    return next((value for key, value in found if key.lower() == name), None)


def request_line(head: bytes) -> tuple[str, bytes, Version] | None:
    """(method, target, version), None when it is no request (RFC 9112 §3)."""
    found = _REQUEST.match(head)
    if found is None:
        return None
    return found[1].decode("ascii"), found[2], (int(found[3]), int(found[4]))


def status_line(head: bytes) -> tuple[int, Version]:
    """(status, version): 1.1 or above is 1.1, all else 1.0; a status that is missing is 200."""
    line = _LINES.split(head, maxsplit=1)[0]
    version = _STATUS.match(line)
    newer = version is not None and (int(version[1][:9]), int(version[2][:9])) >= (1, 1)
    code = _CODE.match(line)
    return (200 if code is None else int(code[1])), ((1, 1) if newer else (1, 0))


def content_length(found: list[Field]) -> int | None:
    """First Content-Length, None when there is none that is a number."""
    lengths = values(found, b"content-length")
    return int(lengths[0]) if lengths and _LENGTH.match(lengths[0]) else None


def lengths_conflict(found: list[Field]) -> bool:
    """Whether there are two different values of Content-Length: Chromium refuses the response."""
    return len(set(values(found, b"content-length"))) > 1


def fields_conflict(found: list[Field]) -> bool:
    """Whether Location or Content-Disposition has two different values: Chromium refuses the response."""
    return any(
        len({value for key, value in found if key.lower() == name}) > 1
        for name in (b"location", b"content-disposition")
    )


def is_chunked(found: list[Field], version: Version) -> bool:
    """Whether any coding of Transfer-Encoding is ``chunked``; in HTTP/1.0 it is ignored."""
    return version >= (1, 1) and any(
        value.lower() == b"chunked" for value in values(found, b"transfer-encoding")
    )


def absolute_url(scheme: str, authority: bytes, target: bytes) -> str:
    """URL of a request from its authority and target (RFC 9112 §3.3)."""
    if not target.startswith(b"/") and b"://" in target:
        return printable(target)
    path = b"/" if target == b"*" else target
    return f"{scheme}://{printable(authority)}{printable(path)}"


def printable(data: bytes) -> str:
    """Text with every byte percent-encoded that no URL has."""
    return _NOT_IN_URL.sub(lambda found: f"%{ord(found[0]):02X}", data.decode("latin-1"))

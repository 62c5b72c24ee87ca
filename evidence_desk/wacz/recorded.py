"""What of a recorded exchange is needed to compare it with the browser's view, taken while its bodies can be read.

For text the browser gives characters, not bytes: digests of the content decoded to characters are taken too, for the
encodings that the browser may have used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.digests import sha256
from evidence_desk.wacz.http.content import ContentDigest, content_digest, decoded
from evidence_desk.wacz.http.exchange import Exchange
from evidence_desk.wacz.http.heads import first

MAX_TEXT: Final = 9 << 20
"""Bytes; the browser tells digests up to 8 MiB."""
_TEXT: Final = re.compile(rb"text/|[^;]*(?:javascript|ecmascript|json|xml)", re.IGNORECASE)
_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_META: Final = 1024
"""Where a page must name its encoding (HTML §4.2.5.4)."""
_WESTERN: Final = "windows-1252"
_CODECS: Final = {
    "utf-8": "utf-8", "utf8": "utf-8", "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "x-gbk": "gb18030",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "shift_jis": "cp932", "sjis": "cp932", "euc-jp": "euc_jp",
    "euc-kr": "cp949", "iso-8859-1": _WESTERN, "latin1": _WESTERN, "us-ascii": _WESTERN, "windows-1252": _WESTERN,
    "windows-1251": "cp1251", "koi8-r": "koi8_r", "utf-16": "utf-16-le", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
}  # fmt: skip
"""Labels as browsers understand them (WHATWG Encoding §4.2)."""
_GUESSED: Final = (_WESTERN, "gb18030")
"""What a browser may take text for whose encoding nobody names; the others only where it is no UTF-8."""
_GUESSED_ODD: Final = ("big5hkscs", "cp932", "euc_jp", "cp949", "cp1251")
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One exchange.

    Attributes:
        received: bytes of the body as they came.
        content: of the decoded body; None when there was no answer.
        texts: SHA-256 of the content as characters in UTF-8, by encodings that may be meant.
        readable: whether it is text at all in one of them.
        socket, preflight, icon: what it was for.
    """

    connection: int
    stream: int | None
    method: str
    url: str
    started_at: int
    status: int | None
    complete: bool
    fault: str | None
    pushed: bool
    received: int
    content: ContentDigest | None
    texts: frozenset[bytes]
    readable: bool
    socket: bool
    preflight: bool
    icon: bool


def recorded(exchange: Exchange) -> Recorded:
    """Take what `compare` needs; the body is read, so the spool must still be open."""
    headers = exchange.request_headers
    content = None
    texts, readable = frozenset[bytes](), False
    if exchange.payload is not None:
        with exchange.payload.open() as body:
            content = content_digest(exchange.response_headers, body)
        if content.fault is None and content.size <= MAX_TEXT:
            texts, readable = _texts(exchange)
    return Recorded(
        connection=exchange.connection, stream=exchange.stream, method=exchange.method, url=exchange.url,
        started_at=exchange.started_at, status=exchange.status, complete=exchange.complete, fault=exchange.fault,
        pushed=exchange.pushed, content=content,
        received=0 if exchange.response_body is None else exchange.response_body.size, texts=texts, readable=readable,
        socket=exchange.upgraded == "websocket" or (first(headers, b"upgrade") or b"").lower() == b"websocket",
        preflight=exchange.method == "OPTIONS" and first(headers, b"access-control-request-method") is not None,
        icon=_is_icon(exchange),
    )  # fmt: skip


def _texts(exchange: Exchange) -> tuple[frozenset[bytes], bool]:
    content_type = first(exchange.response_headers, b"content-type") or b""
    if exchange.payload is None or not (_TEXT.match(content_type) or not content_type):
        return frozenset(), False
    with exchange.payload.open() as body:
        data = decoded(exchange.response_headers, body).read()
    texts, readable = set[bytes](), False
    named = {"utf-8", *_named(content_type, data)}
    guessed = () if data.isascii() else (*_GUESSED, *(() if _is_utf8(data) else _GUESSED_ODD))
    for codec in named.union(guessed):
        text = _characters(data, codec)
        texts.add(sha256(text.removeprefix("\ufeff").encode("utf-8", "replace")))
        readable = readable or (codec in named and "\ufffd" not in text)
    return frozenset(texts), readable


def _named(content_type: bytes, data: bytes) -> Iterator[str]:
    """Encodings that the text itself, its head or the page names."""
    yield from (codec for mark, codec in _MARKS if data.startswith(mark))
    for place in (content_type, data[:_META]):
        named = _CHARSET.search(place)
        codec = _CODECS.get(named[1].decode().lower()) if named else None
        if codec is not None:
            yield codec


def _characters(data: bytes, codec: str) -> str:
    """Text as a browser decodes it; Python's windows-1252 has five gaps that theirs has not."""
    if codec != _WESTERN:
        return data.decode(codec, "replace")
    return data.decode("latin-1").translate(_GAPS)


_GAPS: Final = {byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0xA0)}


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_icon(exchange: Exchange) -> bool:
    """The browser fetches the icon of a page for itself."""
    path = exchange.url.partition("://")[2].partition("/")[2].partition("?")[0]
    kind = (first(exchange.response_headers, b"content-type") or b"").lower()
    return exchange.method == "GET" and (
        path == "favicon.ico" or kind.startswith((b"image/x-icon", b"image/vnd.microsoft.icon"))
    )

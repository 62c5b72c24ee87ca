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
_CODECS: Final = {
    "utf-8": "utf-8", "utf8": "utf-8", "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "x-gbk": "gb18030",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "shift_jis": "cp932", "sjis": "cp932", "euc-jp": "euc_jp",
    "euc-kr": "cp949", "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "windows-1252": "cp1252",
    "windows-1251": "cp1251", "koi8-r": "koi8_r", "utf-16": "utf-16-le", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
}  # fmt: skip
"""Labels as browsers understand them (WHATWG Encoding §4.2)."""
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One exchange.

    Attributes:
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
        pushed=exchange.pushed, content=content, texts=texts, readable=readable,
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
    for codec in dict.fromkeys(_codecs(content_type, data)):
        text = data.decode(codec, "replace")
        texts.add(sha256(text.removeprefix("\ufeff").encode("utf-8", "replace")))
        readable = readable or "\ufffd" not in text
    return frozenset(texts), readable


def _codecs(content_type: bytes, data: bytes) -> Iterator[str]:
    """Encodings that the browser may have used."""
    yield from (codec for mark, codec in _MARKS if data.startswith(mark))
    for place in (content_type, data[:_META]):
        named = _CHARSET.search(place)
        codec = _CODECS.get(named[1].decode().lower()) if named else None
        if codec is not None:
            yield codec
    yield "utf-8"
    if not data.isascii():
        yield "cp1252"


def _is_icon(exchange: Exchange) -> bool:
    """The browser fetches the icon of a page for itself."""
    path = exchange.url.partition("://")[2].partition("/")[2].partition("?")[0]
    kind = (first(exchange.response_headers, b"content-type") or b"").lower()
    return exchange.method == "GET" and (
        path == "favicon.ico" or kind.startswith((b"image/x-icon", b"image/vnd.microsoft.icon"))
    )

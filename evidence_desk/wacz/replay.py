"""A stored answer as a program shows it: chunk framing and content coding taken off, as streams.

What is cut short or wrong in itself ends the stream early and leaves a code: it was recorded so. What was damaged since
raises, like every reading of a record.
"""

from __future__ import annotations

import io
import re
from typing import BinaryIO, Final, cast

from evidence_desk.wacz.http.content import DEFAULT_CONTENT, Content, ContentLimits, decoded
from evidence_desk.wacz.http.heads import Field, fields, is_chunked, status_line
from evidence_desk.wacz.read import Found

_LINE: Final = 16 * 1024
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]+) *(?:;[^\n]*)?\r?\n\Z")


def headers(found: Found) -> list[Field]:
    """Fields of the answer, in order; empty for what is no HTTP answer."""
    return fields(found.head)


def payload(found: Found) -> BinaryIO:
    """Body without chunk framing, to be read once.

    Raises:
        MalformedError: ``malformed.warc`` from ``read``.
    """
    over_h1 = any(name.startswith("http/") for name in found.record.header.protocols)
    if found.head and over_h1 and is_chunked(headers(found), status_line(found.head)[1]):
        return cast("BinaryIO", io.BufferedReader(Unchunked(found.body), 1 << 16))
    return found.body


def content(found: Found, limits: ContentLimits = DEFAULT_CONTENT) -> Content:
    """Body as it was meant: without framing and codings, within `limits`; `Content.fault` tells why it ended early.

    Raises:
        MalformedError: ``malformed.warc`` from ``read``.
    """
    return decoded(headers(found), payload(found), limits)


class Unchunked(io.RawIOBase):
    """Data of a chunked body (RFC 9112 §7.1).

    Attributes:
        fault: after the end, ``http1.chunk_malformed`` or ``http.truncated`` when the body was not whole.
    """

    def __init__(self, framed: BinaryIO) -> None:
        super().__init__()
        self._framed = framed
        self._left = 0
        self._inside = False
        self._over = False
        self.fault: str | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Next bytes; 0 at the end. The rest of the body is read at the end, so that its digest is checked."""
        while not self._over and not self._left:
            self._next_chunk()
        if self._over:
            return 0
        data = self._framed.read(min(len(buffer), self._left))
        if not data:
            self._end("http.truncated")
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def _next_chunk(self) -> None:
        if self._inside and (line := self._framed.readline(_LINE)) not in (b"\r\n", b"\n"):
            self._end(
                "http1.chunk_malformed" if line.endswith(b"\n") or len(line) == _LINE else "http.truncated"
            )
            return
        line = self._framed.readline(_LINE)
        size = _SIZE.match(line)
        if size is None or len(size[1].lstrip(b"0")) > 15:
            self._end(
                "http1.chunk_malformed" if line.endswith(b"\n") or len(line) == _LINE else "http.truncated"
            )
            return
        self._inside, self._left = True, int(size[1], 16)
        if not self._left:
            self._end(None)

    def _end(self, fault: str | None) -> None:
        self._over, self.fault = True, fault
        while self._framed.read(1 << 16):
            pass

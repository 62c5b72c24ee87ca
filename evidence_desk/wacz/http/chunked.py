"""Chunked transfer coding (RFC 9112 §7.1), read the way Chromium does (net/http/http_chunked_decoder.cc)."""

from __future__ import annotations

import re
from typing import Final

from evidence_desk.wacz.http.body import BodySink
from evidence_desk.wacz.http.feed import Feed, ProtocolFault, Steps
from evidence_desk.wacz.http.heads import Field, fields

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]+) *\Z")
_MAX_LINE: Final = 16 * 1024
_MAX_SIZE: Final = 2**63
_MAX_TRAILERS: Final = 256 * 1024
_MALFORMED: Final = "http1.chunk_malformed"


def read_chunked(feed: Feed, framed: BodySink, payload: BodySink) -> Steps[list[Field]]:
    """Read to the end of the last chunk's trailers, which are given; `framed` takes every byte, `payload` the data.

    Raises:
        ProtocolFault: ``http1.chunk_malformed``; the bytes up to there are in the sinks.
        Ended: the bytes are over before.
    """
    while size := _size((yield from _line(feed, framed))):
        while size:
            piece = feed.take(size) or (yield from feed.some(size))
            framed.write(piece)
            payload.write(piece)
            size -= len(piece)
        if (yield from _line(feed, framed)):
            raise ProtocolFault(_MALFORMED)
    kept = bytearray()
    while line := (yield from _line(feed, framed)):
        if len(kept) + len(line) < _MAX_TRAILERS:
            kept += b"\n" + line
    return fields(b"trailers" + bytes(kept))


def _line(feed: Feed, framed: BodySink) -> Steps[bytes]:
    """A line without its end, CRLF or LF."""
    line = yield from feed.line(_MAX_LINE, _MALFORMED)
    framed.write(line)
    return line[:-2] if line.endswith(b"\r\n") else line[:-1]


def _size(line: bytes) -> int:
    found = _SIZE.match(line.partition(b";")[0])
    size = _MAX_SIZE if found is None else int(found[1], 16)
    if size >= _MAX_SIZE:
        raise ProtocolFault(_MALFORMED)
    return size

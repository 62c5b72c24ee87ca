"""Compressed certificates (RFC 8879), opened within bounds."""

from __future__ import annotations

import io
import zlib
from typing import Final

import brotli
import zstandard

from evidence_desk.wacz.tls.faults import Fault
from evidence_desk.wacz.tls.wire import Cursor

MAX_CERTIFICATES: Final = 1 << 18
"""Bytes of a Certificate message, opened."""
_WINDOW: Final = 1 << 23


def open_compressed(body: bytes) -> tuple[int, bytes]:
    """Algorithm and Certificate message of a CompressedCertificate.

    Raises:
        Fault: ``tls.certificate.compression`` for an unknown algorithm, a bomb, or bytes that do not open to the length
            they tell.
    """
    cursor = Cursor(body)
    algorithm, size = cursor.number(2), cursor.number(3)
    data = cursor.vector(3)
    cursor.done()
    if size > MAX_CERTIFICATES:
        raise Fault(code="tls.certificate.compression")
    try:
        opened = _open(algorithm, data, size)
    except (zlib.error, brotli.error, zstandard.ZstdError, ValueError, MemoryError):
        raise Fault(code="tls.certificate.compression") from None
    if len(opened) != size:
        raise Fault(code="tls.certificate.compression")
    return algorithm, opened


def _open(algorithm: int, data: bytes, size: int) -> bytes:
    """At most one byte more than `size`."""
    match algorithm:
        case 1:
            opener = zlib.decompressobj()
            opened = opener.decompress(data, size + 1)
            return opened if opener.eof and not opener.unused_data else b""
        case 2:
            return _brotli(data, size)
        case 3:
            reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(io.BytesIO(data))
            return reader.read(size + 1)
        case _:
            raise Fault(code="tls.certificate.compression")


def _brotli(data: bytes, size: int) -> bytes:
    opener = brotli.Decompressor()
    opened = bytearray(opener.process(data, output_buffer_limit=size + 1))
    while not opener.is_finished() and len(opened) <= size:
        more = opener.process(b"", output_buffer_limit=size + 1)
        if not more and opener.can_accept_more_data():
            return b""
        opened += more
    return bytes(opened)

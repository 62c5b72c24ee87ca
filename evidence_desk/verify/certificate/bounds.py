"""First look at the bytes of a foreign PDF, before any library reads them: size, encryption, decompression bombs.

Only a guard for resources: what the file *means* is judged on parsed objects (`structure`).
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from evidence_desk.errors import MalformedError

MAX_FILE: Final = 256 << 20
MAX_OBJECTS: Final = 200_000
MAX_DECODED: Final = 512 << 20
_MAX_LAYERS: Final = 2
_STREAM: Final = re.compile(rb"stream\r?\n")
_OBJECT: Final = re.compile(rb"\bobj\b")
_ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_FORBIDDEN: Final = re.compile(
    rb"/(Encrypt|LZWDecode|RunLengthDecode|DCTDecode|JBIG2Decode|JPXDecode|CCITTFaxDecode|ASCII85Decode"
    rb"|ASCIIHexDecode|LZW|RL|A85|AHx|XFA|ObjStm)\b"
)


def check_bounds(pdf: bytes) -> None:
    """Refuse what could exhaust memory or hide objects.

    Raises:
        MalformedError: ``malformed.pdf`` {reason}.
    """
    if len(pdf) > MAX_FILE:
        raise MalformedError("malformed.pdf", reason="size")
    if not pdf.startswith(b"%PDF-"):
        raise MalformedError("malformed.pdf", reason="header")
    if sum(1 for _ in _OBJECT.finditer(pdf)) > 2 * MAX_OBJECTS:
        raise MalformedError("malformed.pdf", reason="objects")
    total, outside, last = 0, [], 0
    for marker in _STREAM.finditer(pdf):
        if marker.start() < last:
            continue
        start = marker.end()
        end = pdf.find(b"endstream", start)
        end = len(pdf) if end < 0 else end
        outside.append(pdf[last : marker.start()])
        last = min(end + len(b"endstream"), len(pdf))
        total += _decoded_size(pdf[start:end], MAX_DECODED - total)
        if total > MAX_DECODED:
            raise MalformedError("malformed.pdf", reason="bomb")
    outside.append(pdf[last:])
    skeleton = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), b"\n".join(outside))
    found = _FORBIDDEN.search(skeleton)
    if found:
        raise MalformedError("malformed.pdf", reason=found[1].decode("ascii"))


def _decoded_size(data: bytes, room: int) -> int:
    """Bytes that a stream inflates to, stacked compression included; more than `room` ends the count."""
    size, layers = 0, 0
    while layers < _MAX_LAYERS and data[:1] in {
        b"\x78",
        b"\x58",
        b"\x68",
        b"\x48",
        b"\x38",
        b"\x28",
        b"\x18",
        b"\x08",
    }:
        decoder = zlib.decompressobj()
        try:
            data = decoder.decompress(data, max(room - size, 0) + 1)
        except zlib.error:
            break
        size += len(data)
        if size > room:
            break
        layers += 1
    return size

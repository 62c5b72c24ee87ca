"""Envelope: the private rows behind one leaf, encrypted under keys of the desk, as the network keeps them (docs/spec/envelope.md).

Boxes and padding only; the keys stay in the vault. A box tells neither its case nor which boxes belong together: its
key id is made anew for every leaf. Must not know rows.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.errors import BugError, MalformedError

VERSION: Final = 1
MAX_ENVELOPE: Final = 256 * 1024
"""Greatest size of an envelope in bytes, that of the network's transactions."""
MAX_BOXES: Final = 1024
MAX_CONTENT: Final = 16 * 1024 * 1024
"""Greatest size of a box's content after decompression."""
KEY_ID_SIZE: Final = 8
_LENGTH_SIZE: Final = 4
_SEAL_SIZE: Final = 12 + 16
"""Nonce and tag of AES-256-GCM."""
_LEAST: Final = 512
"""Least size of a padded content."""
_ID_DOMAIN: Final = b"evidence-desk/envelope-key-id/1\x00"
_AAD_DOMAIN: Final = b"evidence-desk/envelope/1\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One AEAD box: `sealed` is nonce (12) ‖ ciphertext ‖ tag (16)."""

    key_id: bytes
    sealed: bytes


def box_key_id(key: bytes, leaf_hash: bytes) -> bytes:
    """Name of a key in the envelope of one leaf: nobody without the key can tell boxes of one case from others."""
    return hmac.digest(key, _ID_DOMAIN + leaf_hash, hashlib.sha256)[:KEY_ID_SIZE]


def box_aad(leaf_hash: bytes) -> bytes:
    """Additional data of a box: the leaf hash, which covers log, position and everything else of the leaf."""
    return _AAD_DOMAIN + leaf_hash


def encode_envelope(boxes: Sequence[Box]) -> bytes:
    """Bytes of an envelope.

    Raises:
        BugError: ``bug.envelope`` without boxes or with too many; size is the caller's affair (`MAX_ENVELOPE`).
    """
    if not 1 <= len(boxes) <= MAX_BOXES:
        raise BugError("bug.envelope", what="boxes")
    parts = [bytes([VERSION])]
    for box in boxes:
        parts += [box.key_id, len(box.sealed).to_bytes(_LENGTH_SIZE, "big"), box.sealed]
    return b"".join(parts)


def parse_envelope(data: bytes) -> tuple[Box, ...]:
    """Read an envelope strictly.

    Raises:
        MalformedError: ``malformed.envelope``.
    """
    if len(data) > MAX_ENVELOPE or data[:1] != bytes([VERSION]):
        raise _malformed("size" if len(data) > MAX_ENVELOPE else "version")
    boxes: list[Box] = []
    at = 1
    while at < len(data):
        body = at + KEY_ID_SIZE + _LENGTH_SIZE
        end = body + int.from_bytes(data[at + KEY_ID_SIZE : body], "big")
        if end > len(data) or end - body < _SEAL_SIZE + _LEAST or len(boxes) == MAX_BOXES:
            raise _malformed("box")
        boxes.append(Box(key_id=data[at : at + KEY_ID_SIZE], sealed=data[body:end]))
        at = end
    if not boxes:
        raise _malformed("box")
    return tuple(boxes)


def pack(content: JSON) -> bytes:
    """Plain bytes of a box: length (4), zlib of the canonical JSON, zeros up to a padded size."""
    squeezed = zlib.compress(encode(content), 9)
    size = padded_size(_LENGTH_SIZE + len(squeezed))
    return (len(squeezed).to_bytes(_LENGTH_SIZE, "big") + squeezed).ljust(size, b"\0")


def unpack(plain: bytes) -> JSON:
    """Content of a box.

    Raises:
        MalformedError: ``malformed.envelope`` or the codes of canonical JSON.
    """
    end = _LENGTH_SIZE + int.from_bytes(plain[:_LENGTH_SIZE], "big")
    if len(plain) < _LENGTH_SIZE or len(plain) != padded_size(end) or plain[end:].strip(b"\0"):
        raise _malformed("padding")
    reader = zlib.decompressobj()
    try:
        data = reader.decompress(plain[_LENGTH_SIZE:end], MAX_CONTENT)
    except zlib.error as error:
        raise _malformed("compression") from error
    if not reader.eof or reader.unused_data or reader.unconsumed_tail:
        raise _malformed("compression")
    return decode(data, what="envelope", limit=MAX_CONTENT)


def padded_size(size: int) -> int:
    """Padmé (Nikitin et al., PoPETs 2019/4, §4): at most 12 % more, and of the length little more than its magnitude shows."""
    if size <= _LEAST:
        return _LEAST
    exponent = size.bit_length() - 1
    last = exponent - exponent.bit_length()
    mask = (1 << last) - 1
    return (size + mask) & ~mask


def _malformed(reason: str) -> MalformedError:
    return MalformedError("malformed.envelope", reason=reason)

"""Protocol Buffers wire format, deterministic writer and strict reader, for the few messages of the court network.

Canonical form: fields in ascending order, shortest varints, absent instead of zero. What CometBFT signs and hashes and
what our transactions are made of is written this way, so one value has one sequence of bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from evidence_desk.errors import BugError, MalformedError

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
MAX_UINT: Final = 2**64 - 1
MAX_FIELD: Final = 2**29 - 1
_MAX_VARINT: Final = 10


def varint(value: int) -> bytes:
    """Shortest base-128 form of 0 ≤ `value` < 2^64."""
    if not 0 <= value <= MAX_UINT:
        raise BugError("bug.wire_range", value=str(value))
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def uint_field(number: int, value: int) -> bytes:
    """Varint field; nothing when zero. Non-negative int32/int64 and enums are written alike."""
    return varint(number << 3 | VARINT) + varint(value) if value else b""


def sfixed64_field(number: int, value: int) -> bytes:
    """Little-endian signed 64-bit field; nothing when zero."""
    return varint(number << 3 | FIXED64) + value.to_bytes(8, "little", signed=True) if value else b""


def bytes_field(number: int, value: bytes) -> bytes:
    """Length-delimited field; nothing when empty."""
    return message_field(number, value) if value else b""


def string_field(number: int, value: str) -> bytes:
    """UTF-8 field; nothing when empty."""
    return bytes_field(number, value.encode())


def message_field(number: int, body: bytes) -> bytes:
    """Length-delimited field that is present even when empty (non-nullable messages, repeated items)."""
    return varint(number << 3 | BYTES) + delimited(body)


def delimited(body: bytes) -> bytes:
    """`body` behind its length."""
    return varint(len(body)) + body


@dataclass(frozen=True, slots=True, kw_only=True)
class WireField:
    """One field as read: `value` is an integer for varints, bytes for length-delimited ones."""

    number: int
    value: int | bytes


def read_fields(data: bytes, *, what: str) -> Iterator[WireField]:
    """Fields of a message in the order written, which must ascend (repeats allowed).

    Only varint and length-delimited fields exist in our messages.

    Raises:
        MalformedError: ``malformed.wire`` on a longer varint than needed, a descending field number, another wire type,
            or bytes that end early.
    """
    at, previous = 0, 0
    while at < len(data):
        key, at = _read_varint(data, at, what)
        number, kind = key >> 3, key & 7
        if not max(previous, 1) <= number <= MAX_FIELD:
            raise MalformedError("malformed.wire", what=what, reason="field order")
        previous = number
        if kind not in {VARINT, BYTES}:
            raise MalformedError("malformed.wire", what=what, reason="wire type")
        value, at = _read_varint(data, at, what)
        if kind == VARINT:
            yield WireField(number=number, value=value)
            continue
        if value > len(data) - at:
            raise MalformedError("malformed.wire", what=what, reason="length")
        yield WireField(number=number, value=data[at : at + value])
        at += value


def _read_varint(data: bytes, at: int, what: str) -> tuple[int, int]:
    value = 0
    for index in range(_MAX_VARINT):
        if at + index >= len(data):
            raise MalformedError("malformed.wire", what=what, reason="length")
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if (byte == 0 and index) or value > MAX_UINT:
                raise MalformedError("malformed.wire", what=what, reason="varint")
            return value, at + index + 1
    raise MalformedError("malformed.wire", what=what, reason="varint")

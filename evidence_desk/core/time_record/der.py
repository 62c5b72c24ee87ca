"""Strict DER elements, as deep as the time record needs. Must not interpret what it reads.

Every refusal is `MalformedError` ``malformed.time_record`` with ``where``: the ASN.1 field that is wrong.
"""

from __future__ import annotations

from typing import Final, NamedTuple, NoReturn

from evidence_desk.errors import MalformedError

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONTEXT_0: Final = 0xA0
CONTEXT_1: Final = 0xA1
CONTEXT_2: Final = 0xA2

MAX_ELEMENTS: Final = 65_536
"""Greatest number of members of one SEQUENCE OF or SET OF."""
MAX_DEPTH: Final = 32
"""Greatest nesting of fields that are kept unread."""
MAX_OID_SIZE: Final = 64


class Element(NamedTuple):
    """One DER element inside a buffer: header from `start`, content from `body`, next element at `stop`."""

    tag: int
    start: int
    body: int
    stop: int


def refuse(where: str) -> NoReturn:
    """Raise the one error of every parser here.

    Raises:
        MalformedError: ``malformed.time_record``.
    """
    raise MalformedError("malformed.time_record", where=where)


def element(data: bytes, at: int, end: int, where: str) -> Element:
    """Read one element; definite, minimal length and low tag numbers only (X.690 §10.1)."""
    if end - at < 2:
        refuse(where)
    tag, length, body = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        refuse(where)
    if length >= 0x80:
        size = length & 0x7F
        if not 1 <= size <= 4 or end - body < size:
            refuse(where)
        length = int.from_bytes(data[body : body + size], "big")
        body += size
        if length < 0x80 or length >> (8 * (size - 1)) == 0:
            refuse(where)
    if length > end - body:
        refuse(where)
    return Element(tag, at, body, body + length)


def whole(data: bytes, tag: int, where: str) -> Element:
    """The single element that `data` is, without trailing bytes."""
    item = element(data, 0, len(data), where)
    if item.tag != tag or item.stop != len(data):
        refuse(where)
    return item


def members(data: bytes, parent: Element, where: str) -> list[Element]:
    """Elements inside a constructed element; at most `MAX_ELEMENTS`."""
    result: list[Element] = []
    at = parent.body
    while at < parent.stop:
        if len(result) == MAX_ELEMENTS:
            refuse(where)
        item = element(data, at, parent.stop, where)
        result.append(item)
        at = item.stop
    return result


def check_nested(data: bytes, parent: Element, where: str) -> None:
    """Refuse an unread field that is not well-formed DER down to its leaves."""
    level = [parent]
    for _ in range(MAX_DEPTH):
        level = [inner for item in level if item.tag & 0x20 for inner in members(data, item, where)]
        if not level:
            return
    refuse(where)


def encode(tag: int, *parts: bytes) -> bytes:
    """DER of one element whose content is the concatenation of `parts`."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def decode_oid(content: bytes, where: str) -> str:
    """Dotted form of an OBJECT IDENTIFIER's content (X.690 §8.19)."""
    if not content or len(content) > MAX_OID_SIZE or content[-1] & 0x80:
        refuse(where)
    arcs: list[int] = []
    value = 0
    fresh = True
    for byte in content:
        if fresh and byte == 0x80:
            refuse(where)
        value = value << 7 | byte & 0x7F
        fresh = not byte & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def encode_oid(dotted: str) -> bytes:
    """Content of the OBJECT IDENTIFIER `dotted`."""
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return bytes(content)

"""Strict DER (X.690 §8, §10, §11): a lazy reader that refuses every other encoding, and a few encoders.

asn1crypto reads BER (long lengths, indefinite lengths, padded integers) and so lets two byte strings mean the same;
evidence must not have such room. Certificates and CRLs inside a message are left closed until they are used.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final

from evidence_desk.errors import MalformedError

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
ENUMERATED: Final = 0x0A
UTF8_STRING: Final = 0x0C
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
MAX_DEPTH: Final = 40
MAX_CHILDREN: Final = 4096

_CONSTRUCTED: Final = 0x20
_SEQUENCES: Final = frozenset({0x30, 0x31})
_FORBIDDEN: Final = frozenset({0x00, *range(0x20, 0x40)}) - _SEQUENCES
"""End-of-contents, constructed strings, and the reserved rest of the universal constructed tags."""
_UTC_TIME = re.compile(rb"\d{12}Z\Z")
_GENERALIZED_TIME = re.compile(rb"\d{14}(?:\.\d*[1-9])?Z\Z")


class Element:
    """One tag, length and value inside `data`; the header is checked, the content is not until it is read."""

    __slots__ = ("body", "data", "end", "start", "tag")

    def __init__(self, data: bytes, tag: int, start: int, body: int, end: int) -> None:
        self.data = data
        self.tag = tag
        self.start = start
        self.body = body
        self.end = end

    @property
    def encoded(self) -> bytes:
        """Header and content."""
        return self.data[self.start : self.end]

    @property
    def content(self) -> bytes:
        """Content octets."""
        return self.data[self.body : self.end]

    def children(self) -> list[Element]:
        """Elements of a constructed value, in order; MalformedError."""
        if not self.tag & _CONSTRUCTED:
            raise _malformed("constructed")
        found = []
        offset = self.body
        while offset < self.end:
            child = _read(self.data, offset, self.end)
            found.append(child)
            offset = child.end
        if len(found) > MAX_CHILDREN:
            raise _malformed("count")
        return found


def _malformed(rule: str) -> MalformedError:
    return MalformedError("malformed.der", rule=rule)


def _read(data: bytes, offset: int, limit: int) -> Element:
    """Header at `offset`: definite, shortest length, low tag numbers (X.690 §8.1, §10.1)."""
    if limit - offset < 2:
        raise _malformed("truncated")
    tag = data[offset]
    if tag in _FORBIDDEN or tag & 0x1F == 0x1F:
        raise _malformed("tag")
    length = data[offset + 1]
    body = offset + 2
    if length >= 0x80:
        size = length & 0x7F
        body += size
        if not 1 <= size <= 4 or body > limit:
            raise _malformed("length")
        length = int.from_bytes(data[offset + 2 : body])
        if length < 0x80 or length >> (8 * (size - 1)) == 0:
            raise _malformed("length")
    if length > limit - body:
        raise _malformed("truncated")
    return Element(data, tag, offset, body, body + length)


def parse(data: bytes, *, what: str, limit: int, tag: int = SEQUENCE) -> Element:
    """The one element that `data` consists of; nothing may follow it.

    Raises:
        MalformedError: ``malformed.too_large``, ``malformed.der``.
    """
    if len(data) > limit:
        raise MalformedError("malformed.too_large", what=what, limit=limit)
    element = _read(data, 0, len(data))
    if element.end != len(data):
        raise _malformed("trailing")
    if element.tag != tag:
        raise _malformed("tag")
    return element


def check(element: Element, depth: int = 0) -> None:
    """Walk everything below `element` and refuse what is not DER; MalformedError ``malformed.der``."""
    if depth > MAX_DEPTH:
        raise _malformed("depth")
    tag = element.tag
    if tag & _CONSTRUCTED:
        for child in element.children():
            check(child, depth + 1)
    elif tag in _CHECKS:
        _CHECKS[tag](element)


def _check_boolean(element: Element) -> None:
    boolean(element)


def _check_integer(element: Element) -> None:
    size = element.end - element.body
    if not size:
        raise _malformed("integer")
    if size > 1:
        first, second = element.data[element.body], element.data[element.body + 1]
        if (first == 0 and second < 0x80) or (first == 0xFF and second >= 0x80):
            raise _malformed("integer")


def _check_bits(element: Element) -> None:
    body = element.content
    if (
        not body
        or body[0] > 7
        or (len(body) == 1 and body[0])
        or body[-1] & ((1 << body[0]) - 1 if body[0] else 0)
    ):
        raise _malformed("bit_string")


def _check_null(element: Element) -> None:
    if element.end != element.body:
        raise _malformed("null")


def _check_oid(element: Element) -> None:
    oid_text(element.content)


def _check_time(element: Element) -> None:
    time(element)


_CHECKS: Final = {
    BOOLEAN: _check_boolean,
    INTEGER: _check_integer,
    ENUMERATED: _check_integer,
    BIT_STRING: _check_bits,
    NULL: _check_null,
    OID: _check_oid,
    UTC_TIME: _check_time,
    GENERALIZED_TIME: _check_time,
}


class Fields:
    """Cursor over the components of a SEQUENCE, in their order, optional ones by tag."""

    __slots__ = ("_at", "_items")

    def __init__(self, element: Element) -> None:
        self._items = element.children()
        self._at = 0

    def take(self, *tags: int) -> Element:
        """The next component, which must have one of `tags` (any when none are given)."""
        if self._at >= len(self._items) or (tags and self._items[self._at].tag not in tags):
            raise _malformed("component")
        self._at += 1
        return self._items[self._at - 1]

    def maybe(self, *tags: int) -> Element | None:
        """The next component when it has one of `tags`."""
        if self._at < len(self._items) and self._items[self._at].tag in tags:
            self._at += 1
            return self._items[self._at - 1]
        return None

    def done(self) -> None:
        """Refuse components that nobody took."""
        if self._at != len(self._items):
            raise _malformed("component")


def expect(element: Element, tag: int) -> Element:
    """`element` when it has `tag`; MalformedError."""
    if element.tag != tag:
        raise _malformed("tag")
    return element


def only(element: Element, tag: int) -> Element:
    """The only child of an explicit tag."""
    items = element.children()
    if len(items) != 1:
        raise _malformed("component")
    return expect(items[0], tag)


def integer(element: Element, *, octets: int = 64) -> int:
    """Value of an INTEGER (also implicitly tagged) of at most `octets` content octets."""
    _check_integer(element)
    if element.end - element.body > octets:
        raise _malformed("integer")
    return int.from_bytes(element.content, signed=True)


def boolean(element: Element) -> bool:
    """Value of a BOOLEAN: 00 or FF (X.690 §11.1)."""
    body = element.content
    if body not in (b"\x00", b"\xff"):
        raise _malformed("boolean")
    return body == b"\xff"


def true(element: Element | None) -> bool:
    """Value of a BOOLEAN DEFAULT FALSE: an encoded FALSE is not DER (X.690 §11.5)."""
    if element is None:
        return False
    if not boolean(element):
        raise _malformed("default")
    return True


def bits(element: Element) -> bytes:
    """Octets of a BIT STRING without unused bits."""
    _check_bits(element)
    if element.data[element.body]:
        raise _malformed("bit_string")
    return element.data[element.body + 1 : element.end]


def set_bits(element: Element) -> frozenset[int]:
    """Numbers of the set bits of a named bit list (X.680 §22.7)."""
    _check_bits(element)
    return frozenset(
        8 * index + bit
        for index, octet in enumerate(element.content[1:])
        for bit in range(8)
        if octet & (0x80 >> bit)
    )


@lru_cache(maxsize=1024)
def oid_text(content: bytes) -> str:
    """Dotted form of the content octets of an OBJECT IDENTIFIER."""
    if not 1 <= len(content) <= 64 or content[-1] & 0x80:
        raise _malformed("oid")
    arcs: list[int] = []
    value = 0
    fresh = True
    for octet in content:
        if fresh and octet == 0x80:
            raise _malformed("oid")
        value = value << 7 | octet & 0x7F
        fresh = octet < 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def oid(element: Element) -> str:
    """Dotted form of an OBJECT IDENTIFIER."""
    return oid_text(expect(element, OID).content)


def time(element: Element) -> datetime:
    """UTCTime or GeneralizedTime in their DER forms, to the microsecond (X.690 §11.7, §11.8; RFC 5280 §4.1.2.5)."""
    body = element.content
    fraction = b""
    if element.tag == UTC_TIME and _UTC_TIME.match(body):
        body = (b"19" if body[:1] >= b"5" else b"20") + body
    elif element.tag == GENERALIZED_TIME and _GENERALIZED_TIME.match(body):
        fraction = body[15:-1][:6]
    else:
        raise _malformed("time")
    try:
        return datetime(
            int(body[:4]),
            int(body[4:6]),
            int(body[6:8]),
            int(body[8:10]),
            int(body[10:12]),
            int(body[12:14]),
            int(fraction.ljust(6, b"0")),
            tzinfo=UTC,
        )
    except ValueError as error:
        raise _malformed("time") from error


def sorted_set(items: list[Element]) -> list[Element]:
    """The members of a SET OF, which DER wants in ascending order and we want without doubles (X.690 §11.6)."""
    encoded = [item.encoded for item in items]
    if any(left >= right for left, right in pairwise(encoded)):
        raise _malformed("set_order")
    return items


def encode(tag: int, *parts: bytes) -> bytes:
    """One element with the shortest length."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(octets))) + octets + body

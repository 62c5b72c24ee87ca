"""Self-checking numbers: Crockford base32 with a GF(32) check digit. An address, never a proof.

``ED-XXXX-XXXX-XXXX-XXXX-C`` holds the first 80 bits of a leaf hash. The check digit is p + Σ αⁱ·dᵢ over GF(2⁵) with
primitive polynomial x⁵+x²+1, i = 1…16, p = 0 for ED and α¹⁷ for EC: any single wrong character and any swap of two
different characters changes it, because the weights α⁰…α¹⁷ are non-zero and pairwise different.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from evidence_desk.errors import BugError, MalformedError

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS: Final = 16
_PREFIX_BYTES: Final = 10
_POLYNOMIAL: Final = 0b100101
_SEPARATORS: Final = "- \u2010\u2011\u2013"
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_MAX_TEXT: Final = 64
_READ: Final = {char: value for value, char in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}


class Prefix(StrEnum):
    """What a number addresses."""

    EVIDENCE = "ED"
    CERTIFICATE = "EC"


def format_number(prefix: Prefix, digest: bytes) -> str:
    """Number for the first 80 bits of `digest` (≥ 10 bytes)."""
    if len(digest) < _PREFIX_BYTES:
        raise BugError("bug.number", size=len(digest))
    value = int.from_bytes(digest[:_PREFIX_BYTES], "big")
    digits = [value >> shift & 31 for shift in range(5 * (_DIGITS - 1), -1, -5)]
    text = "".join(_ALPHABET[digit] for digit in digits)
    groups = "-".join(text[at : at + 4] for at in range(0, _DIGITS, 4))
    return f"{prefix}-{groups}-{_ALPHABET[_check(digits, prefix)]}"


def parse_number(text: str, prefix: Prefix) -> bytes:
    """First 80 bits (10 bytes) that a number addresses.

    Case, hyphens, spaces and full-width forms (Chinese input) are free; O is read as 0, I and L as 1.

    Raises:
        MalformedError: ``malformed.number`` for a wrong form, ``malformed.number_check`` for a mistyped one.
    """
    compact = "".join(char for char in text[:_MAX_TEXT].translate(_FULL_WIDTH) if char not in _SEPARATORS)
    # isascii before upper: ſ and ı would turn into S and I.
    body = compact.upper().removeprefix(prefix) if compact.isascii() else ""
    if len(text) > _MAX_TEXT or len(compact) != len(prefix) + len(body) or len(body) != _DIGITS + 1:
        raise MalformedError("malformed.number")
    if any(char not in _READ for char in body):
        raise MalformedError("malformed.number")
    digits = [_READ[char] for char in body]
    if _check(digits[:-1], prefix) != digits[-1]:
        raise MalformedError("malformed.number_check")
    value = 0
    for digit in digits[:-1]:
        value = value << 5 | digit
    return value.to_bytes(_PREFIX_BYTES, "big")


def _check(digits: list[int], prefix: Prefix) -> int:
    total, weight = 0, 1
    for digit in digits:
        weight = _times(weight, 2)
        total ^= _times(weight, digit)
    if prefix is Prefix.CERTIFICATE:
        total ^= _times(weight, 2)  # α¹⁷, a weight that no digit has
    return total


def _times(left: int, right: int) -> int:
    product = 0
    while right:
        if right & 1:
            product ^= left
        left <<= 1
        if left & 32:
            left ^= _POLYNOMIAL
        right >>= 1
    return product

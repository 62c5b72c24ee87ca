"""RFC 8785 canonical JSON without floats, and its strict parser (parse, re-encode, compare).

For our restricted JSON the standard encoder writes exactly RFC 8785, except that it sorts names by code point and RFC
8785 §3.2.3 by UTF-16 code unit. These orders differ only beyond ASCII: such names go to the rfc8785 package, which
stays the reference in the tests.
"""

from __future__ import annotations

import json
from typing import Final, cast

import rfc8785

from evidence_desk.errors import BugError, MalformedError

MAX_DEPTH: Final = 32
MAX_INTEGER: Final = 2**53 - 1

JSON = None | bool | int | str | list["JSON"] | dict[str, "JSON"]
"""JSON values that our formats use: no floats."""


def encode(value: JSON) -> bytes:
    """Canonical bytes of `value` (RFC 8785).

    Raises:
        BugError: ``bug.canonical`` when the value holds a float, a lone surrogate, an integer beyond 2^53−1 or is
            nested deeper than 32.
    """
    try:
        return _dump(value, ascii_names=_check(value, 0))
    except (ValueError, rfc8785.CanonicalizationError) as error:
        raise BugError("bug.canonical", reason=str(error)[:200]) from error


def decode(data: bytes, *, what: str, limit: int) -> JSON:
    """Read canonical JSON; anything that would not re-encode to the same bytes is refused.

    Args:
        data: UTF-8 bytes.
        what: name of the document for the error.
        limit: greatest size in bytes.

    Raises:
        MalformedError: ``malformed.too_large``, ``malformed.json`` or ``malformed.json_not_canonical``.
    """
    if len(data) > limit:
        raise MalformedError("malformed.too_large", what=what, limit=limit)
    if _too_deep(data):
        raise MalformedError("malformed.json", what=what)
    try:
        # The hooks refuse what our JSON has not; a lone surrogate cannot be encoded again, and a duplicate name is lost
        # in reading, so that the bytes differ. Bytes that are all ASCII have no other names in canonical form.
        text = data.decode("utf-8")
        names = _Names()
        value = cast("JSON", (_read if text.isascii() else names.reader()).decode(text))
        canonical = _dump(value, ascii_names=names.ascii)
    except (ValueError, RecursionError, rfc8785.CanonicalizationError) as error:
        raise MalformedError("malformed.json", what=what) from error
    if canonical != data:
        raise MalformedError("malformed.json_not_canonical", what=what)
    return value


_write: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
)


def _dump(value: JSON, *, ascii_names: bool) -> bytes:
    if ascii_names:
        return _write.encode(value).encode("utf-8")
    return rfc8785.dumps(cast("object", value))  # type: ignore[arg-type]


class _Names:
    """Notes while reading whether all names are ASCII."""

    def __init__(self) -> None:
        self.ascii = True

    def reader(self) -> json.JSONDecoder:
        return json.JSONDecoder(
            object_pairs_hook=self._seen, parse_float=_no_float, parse_constant=_no_float, parse_int=_bounded
        )

    def _seen(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        self.ascii = self.ascii and "".join(result).isascii()
        return result


def _too_deep(data: bytes) -> bool:
    """Whether brackets outside strings nest deeper than allowed or do not pair up, before a recursive parser sees them.

    Works on whole buffers: drops escapes, then strings, then the innermost pairs once for each level.
    """
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    if b"\\" in data:
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(data.translate(None, _NOT_STRUCTURE).split(b'"')[::2]).translate(_SQUARE)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


_NOT_STRUCTURE: Final = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_SQUARE: Final = bytes.maketrans(b"{}", b"[]")


def _no_float(text: str) -> object:
    raise ValueError(text[:40])


def _bounded(text: str) -> int:
    if len(text) > len(str(MAX_INTEGER)) + 1:
        raise ValueError("integer too long")
    value = int(text)
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise ValueError("integer too great")
    return value


_read: Final = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float, parse_int=_bounded)


def _check(value: object, depth: int) -> bool:
    """Refuse what our JSON has not; tell whether all names are ASCII."""
    if value is None or isinstance(value, str | bool):
        return True
    if isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise ValueError("integer too great")
        return True
    if not isinstance(value, list | dict):
        raise ValueError(type(value).__name__)  # noqa: TRY004 - one exception for every refusal
    if depth == MAX_DEPTH:
        raise ValueError("too deep")
    ascii_names = True
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise ValueError("name is not a string")
        ascii_names = "".join(value).isascii()
    for item in value.values() if isinstance(value, dict) else value:
        ascii_names &= _check(item, depth + 1)
    return ascii_names

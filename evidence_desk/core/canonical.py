"""RFC 8785 canonical JSON without floats, and its strict parser (parse, re-encode, compare)."""

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
        BugError: ``bug.canonical`` when the value holds a float, a lone surrogate or an integer beyond 2^53−1.
    """
    try:
        _check(value, 0)
        return rfc8785.dumps(cast("object", value))  # type: ignore[arg-type]
    except (MalformedError, rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise BugError("bug.canonical", reason=str(error)[:200]) from error


def decode(data: bytes, *, what: str, limit: int) -> JSON:
    """Read canonical JSON; anything that would not re-encode to the same bytes is refused.

    Args:
        data: UTF-8 bytes.
        what: name of the document for the error.
        limit: greatest size in bytes.

    Raises:
        MalformedError: ``malformed.too_large`` or ``malformed.json``.
    """
    if len(data) > limit:
        raise MalformedError("malformed.too_large", what=what, limit=limit)
    _check_nesting(data, what)
    try:
        value = cast(
            "JSON",
            json.loads(
                data.decode("utf-8"),
                object_pairs_hook=_unique,
                parse_float=_no_float,
                parse_constant=_no_float,
                parse_int=_bounded,
            ),
        )
        _check(value, 0)
        canonical = rfc8785.dumps(cast("object", value))  # type: ignore[arg-type]
    except (ValueError, RecursionError, MalformedError, rfc8785.CanonicalizationError) as error:
        raise MalformedError("malformed.json", what=what) from error
    if canonical != data:
        raise MalformedError("malformed.json_not_canonical", what=what)
    return value


def _check_nesting(data: bytes, what: str) -> None:
    """Refuse deep nesting before the recursive parser sees it (brackets inside strings are skipped)."""
    depth = 0
    in_string = escaped = False
    for byte in data if data.count(b"[") + data.count(b"{") > MAX_DEPTH else b"":
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise MalformedError("malformed.json", what=what)
        elif byte in b"]}":
            depth -= 1


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate name")
    return result


def _no_float(text: str) -> object:
    raise ValueError(text[:40])


def _bounded(text: str) -> int:
    if len(text) > len(str(MAX_INTEGER)) + 1:
        raise ValueError("integer too long")
    return int(text)


def _check(value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MalformedError("malformed.json", what="depth")
    match value:
        case None | bool():
            return
        case int():
            if abs(value) > MAX_INTEGER:
                raise MalformedError("malformed.json", what="integer")
        case str():
            value.encode("utf-8")
        case list():
            for item in value:
                _check(item, depth + 1)
        case dict():
            for name, item in value.items():
                if not isinstance(name, str):
                    raise MalformedError("malformed.json", what="name")
                name.encode("utf-8")
                _check(item, depth + 1)
        case _:
            raise MalformedError("malformed.json", what=type(value).__name__)

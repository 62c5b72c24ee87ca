"""A statement without the digests that its disclosures give anyway, and back: a third less in an envelope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.statement import MAX_STATEMENT, Disclosure, parse_disclosures
from evidence_desk.errors import MalformedError

_WHAT: Final = "statement"


def slim_statement(statement: bytes, disclosures: bytes) -> bytes:
    """The statement with null in place of each salted member that `disclosures` discloses."""
    value = decode(statement, what=_WHAT, limit=MAX_STATEMENT)
    for item in parse_disclosures(disclosures):
        if _member(value, item.path) == _salted(item):
            _replace(value, item.path, None)
    return encode(value)


def full_statement(slim: bytes, disclosures: Sequence[Disclosure]) -> tuple[bytes, bool]:
    """The statement that `slim_statement` was given; the leaf tells whether it is right.

    Returns:
        The statement, and whether every disclosure was filled in: then they all match it, and need no comparison.

    Raises:
        MalformedError: ``malformed.json``, ``malformed.disclosures``.
    """
    value = decode(slim, what=_WHAT, limit=MAX_STATEMENT)
    filled = 0
    for item in disclosures:
        if _member(value, item.path) is None:
            _replace(value, item.path, _salted(item))
            filled += 1
    return encode(value), filled == len(disclosures)


def _salted(item: Disclosure) -> JSON:
    return {"salted": {**item.digests().to_json()}}


def _member(value: JSON, path: str) -> JSON:
    """Member a JSON pointer leads to; False, which no statement holds there, when it leads nowhere."""
    for part in path.split("/")[1:]:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and part.isascii() and int(part[:9]) < len(value):
            value = value[int(part[:9])]
        else:
            return False
    return value


def _replace(value: JSON, path: str, member: JSON) -> None:
    parent, _, name = path.rpartition("/")
    place = _member(value, parent)
    if isinstance(place, dict):
        place[name] = member
    elif isinstance(place, list):
        place[int(name)] = member
    else:
        raise MalformedError("malformed.disclosures")

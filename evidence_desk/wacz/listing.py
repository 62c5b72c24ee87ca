"""``records.jsonl``: id, place and SHA-256 of every record (gzip member) of a capture's archive, in order.

A disclosure copy is read with it: whatever record it keeps must be one of these, unchanged and in this order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import parse_hex
from evidence_desk.errors import MalformedError
from evidence_desk.wacz.warc import Written

NAME: Final = "records.jsonl"
MAX_LISTING: Final = 1 << 30
MAX_RECORDS: Final = 2_000_000
_ID: Final = re.compile(r"<urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}>\Z")
_MAX_LINE: Final = 1024


@dataclass(frozen=True, slots=True)
class Listed:
    """One record: `offset` and `length` of its gzip member in the whole archive, SHA-256 of the member."""

    id: str
    offset: int
    length: int
    sha256: bytes

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.offset + self.length


def listed(item: Written) -> Listed:
    """The line of a record that was written or read."""
    return Listed(item.id, item.offset, item.length, item.sha256)


def listed_json(item: Listed) -> JSON:
    """Members of a line."""
    return {"id": item.id, "offset": item.offset, "length": item.length, "sha256": item.sha256.hex()}


def encode_listing(items: Sequence[Listed]) -> bytes:
    """The file."""
    return b"".join(encode(listed_json(item)) + b"\n" for item in items)


def parse_listing(data: bytes) -> tuple[Listed, ...]:
    """Read strictly: records touch each other from the first byte on, every id once.

    Raises:
        MalformedError: ``malformed.records``, or of its JSON.
    """
    items: list[Listed] = []
    known: set[str] = set()
    place = 0
    for line in data.splitlines(keepends=True):
        value = decode(line.removesuffix(b"\n"), what=NAME, limit=_MAX_LINE)
        item = _read(value)
        if item.offset != place or item.id in known or len(items) == MAX_RECORDS:
            raise _refuse("order")
        if encode(listed_json(item)) + b"\n" != line:
            raise _refuse("members")
        known.add(item.id)
        items.append(item)
        place = item.end
    if not items:
        raise _refuse("empty")
    return tuple(items)


def _read(value: JSON) -> Listed:
    if not isinstance(value, dict) or set(value) != {"id", "offset", "length", "sha256"}:
        raise _refuse("members")
    name, offset, length = value["id"], value["offset"], value["length"]
    if not isinstance(name, str) or not _ID.match(name):
        raise _refuse("id")
    if type(offset) is not int or type(length) is not int or offset < 0 or length <= 0:
        raise _refuse("place")
    return Listed(name, offset, length, parse_hex(value["sha256"], what=NAME))


def _refuse(reason: str) -> MalformedError:
    return MalformedError("malformed.records", reason=reason)

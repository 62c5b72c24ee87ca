"""``index.json``: digests of every entry that nothing else names, and the text of the desk's note over it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.canonical import decode, encode
from evidence_desk.core.digests import DigestPair, parse_hex
from evidence_desk.core.package.zip_format import MAX_SIZE
from evidence_desk.errors import BugError, MalformedError

INDEX: Final = "index.json"
NOTE: Final = "index.note"
INDEX_VERSION: Final = "index/1"
MAX_INDEX: Final = 32 << 20
_BODY: Final = re.compile(
    r"(?P<origin>[!-*,-~]{1,255})\nindex\.json\nsha256 (?P<sha256>[0-9a-f]{64})\nsm3 (?P<sm3>[0-9a-f]{64})\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One line of the index; `size` in bytes."""

    name: str
    size: int
    digests: DigestPair


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexNote:
    """What the desk's note over the index says. Its second line keeps it from ever being read as a checkpoint."""

    origin: str
    digests: DigestPair


def encode_index(entries: Iterable[IndexEntry]) -> bytes:
    """Canonical JSON of the index, entries in the order of the container."""
    return encode(
        {
            "v": INDEX_VERSION,
            "entries": [{"name": item.name, "size": item.size, **item.digests.to_json()} for item in entries],
        }
    )


def parse_index(data: bytes) -> tuple[IndexEntry, ...]:
    """Read an index.

    Raises:
        MalformedError: ``malformed.json``, ``malformed.digest`` or ``malformed.index``.
    """
    value = decode(data, what=INDEX, limit=MAX_INDEX)
    if not isinstance(value, dict) or set(value) != {"v", "entries"} or value["v"] != INDEX_VERSION:
        raise MalformedError("malformed.index", reason="members")
    entries = value["entries"]
    if not isinstance(entries, list):
        raise MalformedError("malformed.index", reason="entries")
    return tuple(_entry(item) for item in entries)


def _entry(item: object) -> IndexEntry:
    if not isinstance(item, dict) or set(item) != {"name", "size", "sha256", "sm3"}:
        raise MalformedError("malformed.index", reason="entry")
    name, size = item["name"], item["size"]
    if not isinstance(name, str) or type(size) is not int or not 0 <= size <= MAX_SIZE:
        raise MalformedError("malformed.index", reason="entry")
    return IndexEntry(
        name=name,
        size=size,
        digests=DigestPair(
            sha256=parse_hex(item["sha256"], what=INDEX), sm3=parse_hex(item["sm3"], what=INDEX)
        ),
    )


def index_note_body(origin: str, digests: DigestPair) -> bytes:
    """Text that the desk signs as a C2SP note: origin, ``index.json``, and both digests of the index in hex."""
    body = f"{origin}\n{INDEX}\nsha256 {digests.sha256.hex()}\nsm3 {digests.sm3.hex()}\n"
    if not _BODY.fullmatch(body):
        raise BugError("bug.package", reason="origin of the log")
    return body.encode()


def parse_index_note(text: str) -> IndexNote:
    """Read the text of a note over an index (`Note.text` of `core.note`).

    Raises:
        MalformedError: ``malformed.index`` with reason ``note``.
    """
    match = _BODY.fullmatch(text)
    if match is None:
        raise MalformedError("malformed.index", reason="note")
    return IndexNote(
        origin=match["origin"],
        digests=DigestPair(sha256=bytes.fromhex(match["sha256"]), sm3=bytes.fromhex(match["sm3"])),
    )

"""What a disclosure copy of a capture leaves out and what it opens: ``redaction.json`` (docs/spec/capture-disclosure.md).

It is the word of whoever made the copy. What binds the copy is the capture's manifest, which it keeps unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.capture.manifest import MANIFEST, SECRETS, Manifest
from evidence_desk.core.capture.marks import STARTED, STARTED_LEAF, mark_name, token_name
from evidence_desk.core.capture.workspace import is_name
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.errors import MalformedError

REDACTION: Final = "redaction.json"
VERSION: Final = "redaction/1"
RECORDS: Final = "records.jsonl"
ARCHIVE: Final = "data.warc.gz"
INDEX: Final = "connections.jsonl"
KEYLOG: Final = "keylog.txt"
CREDENTIALS: Final = (KEYLOG, "cookies.json", "storage.json")
"""Private files that open accounts or streams."""
MAX_REDACTION: Final = 256 << 20
MAX_RECORDS: Final = 2_000_000
MAX_FILES: Final = 100_000
MAX_REASON: Final = 2_000
_ID_SIZE: Final = 47


class Why(StrEnum):
    """Why something is left out."""

    CREDENTIALS = "credentials"
    """It holds, or may hold, what opens an account: cookies, tokens, what a person sent."""
    ADDRESS = "address"
    """Its address was to be left out."""
    CHOSEN = "chosen"
    """It was named."""
    REPEATS = "repeats"
    """It repeats in the clear what is left out elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A file by its name, or a record by its id (with angle brackets)."""

    name: str
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What a copy leaves out and opens.

    Attributes:
        manifest: digests of the capture's manifest.
        at: when the copy was made, by the desk's clock.
        reason: why, in a person's words.
        files: sorted by name; `records`: in the order of the archive.
        opened: names of private files that lie open in the copy, sorted.
    """

    manifest: DigestPair
    at: datetime
    reason: str
    files: tuple[Withheld, ...]
    records: tuple[Withheld, ...]
    opened: tuple[str, ...]


def needed(manifest: Manifest) -> frozenset[str]:
    """Files that no copy can do without: the rest is held against them."""
    marks = [mark_name(index) for index in range(len(manifest.marks))]
    tokens = [token_name(index) for index, mark in enumerate(manifest.marks) if mark.token]
    return frozenset((MANIFEST, RECORDS, ARCHIVE, STARTED, STARTED_LEAF, INDEX, *marks, *tokens))


def encode_redaction(redaction: Redaction) -> bytes:
    """Canonical bytes, ``redaction.json``."""
    return encode({
        "v": VERSION, "manifest": {**redaction.manifest.to_json()}, "at": format_moment(redaction.at),
        "reason": redaction.reason,
        "counts": {
            "files": len(redaction.files), "records": len(redaction.records), "opened": len(redaction.opened),
        },
        "files": [{"name": item.name, "why": item.why.value} for item in redaction.files],
        "records": [{"id": item.name, "why": item.why.value} for item in redaction.records],
        "opened": list[JSON](redaction.opened),
    })  # fmt: skip


def parse_redaction(data: bytes) -> Redaction:
    """Read strictly: what is read encodes to the same bytes.

    Raises:
        MalformedError: ``malformed.redaction``, or of its JSON.
    """
    value = decode(data, what=REDACTION, limit=MAX_REDACTION)
    if not isinstance(value, dict) or value.get("v") != VERSION:
        raise _malformed("version")
    reason = value.get("reason")
    if not isinstance(reason, str) or len(reason) > MAX_REASON:
        raise _malformed("reason")
    files = _withheld(value.get("files"), "name", MAX_FILES)
    records = _withheld(value.get("records"), "id", MAX_RECORDS)
    opened = _names(value.get("opened"))
    if not all(is_name(item.name) for item in files) or not _sorted([item.name for item in files]):
        raise _malformed("files")
    if len({item.name for item in records}) != len(records) or any(
        len(item.name) != _ID_SIZE for item in records
    ):
        raise _malformed("records")
    if not all(map(is_name, opened)) or not _sorted(opened) or REDACTION in opened:
        raise _malformed("opened")
    redaction = Redaction(
        manifest=DigestPair.from_json(value.get("manifest"), what=REDACTION),
        at=parse_moment(value.get("at"), what=REDACTION), reason=reason,
        files=files, records=records, opened=tuple(opened),
    )  # fmt: skip
    if encode_redaction(redaction) != data:
        raise _malformed("members")
    return redaction


def contradiction(redaction: Redaction, manifest: Manifest, digests: DigestPair) -> str | None:
    """Why a redaction cannot be one of this capture; None when it can.

    Args:
        redaction: as read.
        manifest: of the capture.
        digests: of the manifest's bytes.
    """
    listed = {item.name for item in manifest.files}
    private = {item.name for item in manifest.private}
    left_out = {item.name for item in redaction.files}
    if not redaction.manifest.matches(digests):
        return "manifest"
    if REDACTION in listed | private:
        return "listed"
    if not left_out <= listed or left_out & needed(manifest):
        return "files"
    if not set(redaction.opened) <= private - listed:
        return "opened"
    if SECRETS not in listed and redaction.opened:
        return "opened"
    return None


def _withheld(value: JSON, key: str, limit: int) -> tuple[Withheld, ...]:
    if not isinstance(value, list) or len(value) > limit:
        raise _malformed("list")
    items: list[Withheld] = []
    for item in value:
        if not isinstance(item, dict) or set(item) != {key, "why"}:
            raise _malformed("members")
        name, why = item[key], item["why"]
        if not isinstance(name, str) or not isinstance(why, str) or why not in set(Why):
            raise _malformed("members")
        items.append(Withheld(name=name, why=Why(why)))
    return tuple(items)


def _names(value: JSON) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_FILES:
        raise _malformed("opened")
    names = [item for item in value if isinstance(item, str)]
    if len(names) != len(value):
        raise _malformed("opened")
    return names


def _sorted(names: list[str]) -> bool:
    return names == sorted(set(names))


def _malformed(reason: str) -> MalformedError:
    return MalformedError("malformed.redaction", reason=reason)

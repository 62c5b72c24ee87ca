"""Leaf: the public entry of the log. Digests only, canonical JSON, at most 4 KiB, nothing personal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.checkpoint import check_origin
from evidence_desk.core.digests import DigestPair, parse_hex, sha256
from evidence_desk.core.merkle import leaf_hash, root_of
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.crypto.guomi import check_point
from evidence_desk.errors import BugError, MalformedError

VERSION: Final = "leaf/1"
MAX_LEAF: Final = 4096
MAX_OBJECTS: Final = 16
_BLIND: Final = b"ed/object/1"


class LeafType(StrEnum):
    """Kinds of leaves."""

    LOG_OPENED = "log.opened"
    LOG_SUCCEEDS = "log.succeeds"
    EXHIBIT_SEALED = "exhibit.sealed"
    CAPTURE_STARTED = "capture.started"
    CAPTURE_SEALED = "capture.sealed"
    CAPTURE_ABANDONED = "capture.abandoned"
    TIME_ATTESTED = "time.attested"
    CUSTODY_EVENT = "custody.event"
    CERTIFICATE_ISSUED = "certificate.issued"
    CERTIFICATE_REVOKED = "certificate.revoked"
    CORRECTION_NOTED = "correction.noted"
    KEY_ROTATED = "key.rotated"
    HEARTBEAT = "heartbeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainObject:
    """A file by its digests and size: 可检索."""

    digests: DigestPair
    size: int

    def to_json(self) -> dict[str, JSON]:
        """Leaf entry."""
        return {**self.digests.to_json(), "size": self.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindedObject:
    """A file by SHA-256("ed/object/1" ‖ salt ‖ sha256 ‖ sm3), size omitted: 盲化."""

    blinded: bytes

    def to_json(self) -> dict[str, JSON]:
        """Leaf entry."""
        return {"blinded": self.blinded.hex()}


LeafObject = PlainObject | BlindedObject


def blind(digests: DigestPair, salt: bytes) -> BlindedObject:
    """Blinded entry of a file under the statement's salt (32 bytes)."""
    return BlindedObject(blinded=sha256(_BLIND + salt + digests.sha256 + digests.sm3))


def objects_root(objects: tuple[LeafObject, ...]) -> bytes:
    """RFC 6962 root over the RFC 8785 entries in statement order."""
    return root_of(leaf_hash(encode(item.to_json())) for item in objects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One entry of the log.

    Attributes:
        statement: digest pair of statement.json (sealed leaves).
        objects: entries in statement order (at most 16), or
        root: objects_root over them, with their number in `count`.
        ref: leaf hash that an event is about.
        facts: type-specific members, see docs/spec/leaf.md.
    """

    log: str
    seq: int
    type: LeafType
    at: datetime
    statement: DigestPair | None = None
    objects: tuple[LeafObject, ...] = ()
    root: bytes | None = None
    count: int = 0
    ref: bytes | None = None
    facts: Mapping[str, JSON] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Canonical bytes.

        Raises:
            BugError: ``bug.leaf_too_large``.
        """
        value: dict[str, JSON] = {
            "v": VERSION,
            "log": self.log,
            "seq": self.seq,
            "type": self.type.value,
            "at": format_moment(self.at),
            **self.facts,
        }
        if self.statement is not None:
            value["statement"] = {**self.statement.to_json()}
        if self.root is not None:
            value["objects_root"] = {"count": self.count, "root": self.root.hex()}
        elif self.objects:
            value["objects"] = [item.to_json() for item in self.objects]
        if self.ref is not None:
            value["ref"] = self.ref.hex()
        data = encode(value)
        if len(data) > MAX_LEAF:
            raise BugError("bug.leaf_too_large", size=len(data))
        return data


SEALED: Final = frozenset({LeafType.EXHIBIT_SEALED, LeafType.CAPTURE_SEALED})
_FACTS: Final[Mapping[LeafType, frozenset[str]]] = {
    LeafType.LOG_OPENED: frozenset({"keys", "next"}),
    LeafType.LOG_SUCCEEDS: frozenset({"predecessor"}),
    LeafType.EXHIBIT_SEALED: frozenset(),
    LeafType.CAPTURE_STARTED: frozenset({"commitment"}),
    LeafType.CAPTURE_SEALED: frozenset(),
    LeafType.CAPTURE_ABANDONED: frozenset(),
    LeafType.TIME_ATTESTED: frozenset({"token_sha256", "gen_time", "tsa", "ranges"}),
    LeafType.CUSTODY_EVENT: frozenset({"events"}),
    LeafType.CERTIFICATE_ISSUED: frozenset({"certificate"}),
    LeafType.CERTIFICATE_REVOKED: frozenset({"certificate"}),
    LeafType.CORRECTION_NOTED: frozenset({"commitment"}),
    LeafType.KEY_ROTATED: frozenset({"keys", "next"}),
    LeafType.HEARTBEAT: frozenset(),
}
_WITH_REF: Final = frozenset(
    {
        LeafType.CERTIFICATE_REVOKED,
        LeafType.CORRECTION_NOTED,
        LeafType.CAPTURE_ABANDONED,
        LeafType.CAPTURE_SEALED,
    }
)
_COMMON: Final = frozenset({"v", "log", "seq", "type", "at"})


def parse_leaf(data: bytes) -> Leaf:
    """Read a leaf strictly: canonical bytes, exactly the members of its type.

    Raises:
        MalformedError: ``malformed.leaf`` and the codes of the members.
    """
    value = decode(data, what="leaf", limit=MAX_LEAF)
    if not isinstance(value, dict) or value.get("v") != VERSION:
        raise MalformedError("malformed.leaf", reason="version")
    try:
        kind = LeafType(str(value.get("type")))
    except ValueError as error:
        raise MalformedError("malformed.leaf", reason="type") from error
    expected = _COMMON | _FACTS[kind] | ({"ref"} if kind in _WITH_REF else set())
    if kind in SEALED:
        expected |= {"statement", "objects_root" if "objects_root" in value else "objects"}
    if set(value) != expected:
        raise MalformedError("malformed.leaf", reason="members")
    seq, log = value["seq"], value["log"]
    if type(seq) is not int or seq < 0 or not isinstance(log, str):
        raise MalformedError("malformed.leaf", reason="seq")
    root, count = _root(value["objects_root"]) if "objects_root" in value else (None, 0)
    facts = {name: value[name] for name in _FACTS[kind]}
    _check_facts(kind, facts)
    # Every member is read in one spelling only, so that the canonical bytes have one reading and need no comparison.
    return Leaf(
        log=check_origin(log),
        seq=seq,
        type=kind,
        at=parse_moment(value["at"], what="leaf.at"),
        statement=DigestPair.from_json(value["statement"]) if "statement" in value else None,
        objects=_objects(value.get("objects")) if "objects" in value else (),
        root=root,
        count=count,
        ref=parse_hex(value["ref"], what="ref") if "ref" in value else None,
        facts=facts,
    )


def _root(value: JSON) -> tuple[bytes, int]:
    if not isinstance(value, dict) or set(value) != {"root", "count"}:
        raise MalformedError("malformed.leaf", reason="objects_root")
    count = value["count"]
    if type(count) is not int or count < 1:
        raise MalformedError("malformed.leaf", reason="objects_root")
    return parse_hex(value["root"], what="objects_root"), count


def _objects(value: JSON) -> tuple[LeafObject, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_OBJECTS:
        raise MalformedError("malformed.leaf", reason="objects")
    return tuple(_object(item) for item in value)


def _object(value: JSON) -> LeafObject:
    if not isinstance(value, dict):
        raise MalformedError("malformed.leaf", reason="object")
    if set(value) == {"blinded"}:
        return BlindedObject(blinded=parse_hex(value["blinded"], what="blinded"))
    if set(value) != {"sha256", "sm3", "size"}:
        raise MalformedError("malformed.leaf", reason="object")
    size = value["size"]
    if type(size) is not int or size < 0:
        raise MalformedError("malformed.leaf", reason="size")
    return PlainObject(
        digests=DigestPair.from_json({"sha256": value["sha256"], "sm3": value["sm3"]}), size=size
    )


def _check_facts(kind: LeafType, facts: Mapping[str, JSON]) -> None:
    match kind:
        case LeafType.TIME_ATTESTED:
            parse_hex(facts["token_sha256"], what="token_sha256")
            parse_hex(facts["tsa"], what="tsa")
            parse_moment(facts["gen_time"], what="gen_time")
            attested_ranges(facts)
        case LeafType.CERTIFICATE_ISSUED | LeafType.CERTIFICATE_REVOKED:
            DigestPair.from_json(facts["certificate"], what="certificate")
        case LeafType.CUSTODY_EVENT:
            _root(facts["events"])
        case LeafType.CORRECTION_NOTED | LeafType.CAPTURE_STARTED:
            DigestPair.from_json(facts["commitment"], what="commitment")
        case LeafType.LOG_OPENED | LeafType.KEY_ROTATED:
            _check_keys(facts)
        case LeafType.LOG_SUCCEEDS:
            _check_predecessor(facts["predecessor"])
        case _:
            return


def attested_ranges(facts: Mapping[str, JSON]) -> tuple[tuple[int, int], ...]:
    """Ranges of seq of a ``time.attested`` leaf, first and last inclusive, ascending and apart."""
    ranges = facts["ranges"]
    if not isinstance(ranges, list) or not ranges:
        raise MalformedError("malformed.leaf", reason="ranges")
    result: list[tuple[int, int]] = []
    previous = -2
    for item in ranges:
        if not isinstance(item, list) or len(item) != 2:
            raise MalformedError("malformed.leaf", reason="ranges")
        first, last = item
        if type(first) is not int or type(last) is not int or not previous + 1 < first <= last:
            raise MalformedError("malformed.leaf", reason="ranges")
        result.append((first, last))
        previous = last
    return tuple(result)


def as_ranges(numbers: list[int]) -> list[JSON]:
    """Ascending, merged [first, last] pairs of sequence numbers."""
    merged: list[list[int]] = []
    for number in sorted(set(numbers)):
        if merged and merged[-1][1] == number - 1:
            merged[-1][1] = number
        else:
            merged.append([number, number])
    return [list[JSON](pair) for pair in merged]


def _check_keys(facts: Mapping[str, JSON]) -> None:
    keys, following = facts["keys"], facts["next"]
    if not isinstance(keys, dict) or set(keys) != {"ed25519", "sm2"}:
        raise MalformedError("malformed.leaf", reason="keys")
    if not isinstance(following, dict) or set(following) != {"ed25519", "sm2"}:
        raise MalformedError("malformed.leaf", reason="next")
    for name, length in (("ed25519", 64), ("sm2", 130)):
        text = keys[name]
        if not isinstance(text, str) or len(text) != length or text.strip("0123456789abcdef"):
            raise MalformedError("malformed.leaf", reason="keys")
        DigestPair.from_json(following[name], what="next")
    check_point(bytes.fromhex(str(keys["sm2"])))


def _check_predecessor(value: JSON) -> None:
    if not isinstance(value, dict) or set(value) != {"origin", "size", "root"}:
        raise MalformedError("malformed.leaf", reason="predecessor")
    if not isinstance(value["origin"], str) or type(value["size"]) is not int or value["size"] < 0:
        raise MalformedError("malformed.leaf", reason="predecessor")
    check_origin(value["origin"])
    parse_hex(value["root"], what="root")

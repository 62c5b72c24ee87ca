"""Entries of a large exhibit's objects, as they stand behind an `objects_root`."""

from __future__ import annotations

from evidence_desk.core.canonical import decode
from evidence_desk.core.digests import DigestPair, parse_hex
from evidence_desk.core.leaf import BlindedObject, LeafObject, PlainObject
from evidence_desk.court.protocol.actions import MAX_OBJECT
from evidence_desk.errors import MalformedError


def listed_objects(entries: tuple[bytes, ...]) -> tuple[LeafObject, ...]:
    """Read entries, each RFC 8785 JSON as in a leaf.

    Raises:
        MalformedError: ``malformed.leaf`` and the codes of the members.
    """
    return tuple(_object(entry) for entry in entries)


def _object(entry: bytes) -> LeafObject:
    value = decode(entry, what="object", limit=MAX_OBJECT)
    if not isinstance(value, dict):
        raise MalformedError("malformed.leaf", reason="object")
    if set(value) == {"blinded"}:
        return BlindedObject(blinded=parse_hex(value["blinded"], what="blinded"))
    if set(value) != {"sha256", "sm3", "size"}:
        raise MalformedError("malformed.leaf", reason="object")
    size = value["size"]
    if type(size) is not int or size < 0:
        raise MalformedError("malformed.leaf", reason="size")
    digests = DigestPair.from_json({"sha256": value["sha256"], "sm3": value["sm3"]})
    return PlainObject(digests=digests, size=size)

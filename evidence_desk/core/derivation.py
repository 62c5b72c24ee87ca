"""Derivation 衍生: what a redacted copy, a translation or a transcript was made from, as its statement's `source` says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON
from evidence_desk.core.digests import DigestPair, parse_hex
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.errors import MalformedError

MEMBER: Final = "derived_from"
"""Member of a statement's `source`."""
MAX_NAME: Final = 4096


class Relation(StrEnum):
    """What a derived file is to the file it was made from."""

    REDACTED = "redacted"
    TRANSLATION = "translation"
    TRANSCRIPT = "transcript"


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """One file of a sealed exhibit, and what was made from it.

    Attributes:
        leaf_hash: of the exhibit the file belongs to; its evidence number follows from it.
        position: of the file in that exhibit, from 1.
        name, size, digests: of the file, as sealed.
    """

    relation: Relation
    leaf_hash: bytes
    position: int
    name: str
    size: int
    digests: DigestPair

    @property
    def number(self) -> str:
        """Evidence number of the exhibit the file belongs to."""
        return format_number(Prefix.EVIDENCE, self.leaf_hash)

    def to_json(self) -> dict[str, JSON]:
        """Value of ``source.derived_from``."""
        return {
            "relation": self.relation.value,
            "number": self.number,
            "leaf_sha256": self.leaf_hash.hex(),
            "position": self.position,
            "name": self.name,
            "size": self.size,
            "digests": {**self.digests.to_json()},
        }

    @classmethod
    def from_json(cls, value: JSON) -> Derivation:
        """Read the value of ``source.derived_from``; the number must be that of the leaf.

        Raises:
            MalformedError: ``malformed.derivation``, ``malformed.digest``.
        """
        if not isinstance(value, dict) or set(value) != _MEMBERS:
            raise MalformedError("malformed.derivation")
        relation, position, name, size = value["relation"], value["position"], value["name"], value["size"]
        if not isinstance(relation, str) or relation not in set(Relation):
            raise MalformedError("malformed.derivation")
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
            raise MalformedError("malformed.derivation")
        if type(position) is not int or position < 1 or type(size) is not int or size < 0:
            raise MalformedError("malformed.derivation")
        found = cls(
            relation=Relation(str(relation)),
            leaf_hash=parse_hex(value["leaf_sha256"], what="derived_from"),
            position=position, name=name, size=size,
            digests=DigestPair.from_json(value["digests"], what="derived_from"),
        )  # fmt: skip
        if value["number"] != found.number:
            raise MalformedError("malformed.derivation")
        return found


_MEMBERS: Final = frozenset({"relation", "number", "leaf_sha256", "position", "name", "size", "digests"})


def derivation_of(source: JSON | None) -> Derivation | None:
    """What a statement's `source` says of its derivation; None when it says nothing, or nothing we can read."""
    value = source.get(MEMBER) if isinstance(source, Mapping) else None
    if not isinstance(value, dict):
        return None
    try:
        return Derivation.from_json(value)
    except MalformedError:
        return None

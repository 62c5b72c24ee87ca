"""Derive: what a redacted copy 遮盖副本, a translation 中文译本 or a transcript 文字抄清 says about the file it was made from."""

from __future__ import annotations

from dataclasses import dataclass

from evidence_desk.core.browse_ports import LinkRow
from evidence_desk.core.canonical import JSON
from evidence_desk.core.derivation import MEMBER, Derivation, Relation
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.errors import UsageError
from evidence_desk.services.desk import Desk

__all__ = ["Derivation", "Links", "Relation", "derivation", "derived_source", "links_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What an exhibit was made from, and what was made from it, in the order of registration."""

    source: LinkRow | None
    derived: tuple[LinkRow, ...]


def derivation(desk: Desk, original: ExhibitRow, position: int, relation: Relation) -> Derivation:
    """A file of a sealed exhibit, as something derived from it names it; `position` from 1.

    Raises:
        UsageError: ``derive.erased``, ``derive.position``.
    """
    if original.erased or original.case_number in desk.store.erased_cases():
        raise UsageError("derive.erased", number=original.number)
    if not 1 <= position <= len(original.objects):
        raise UsageError("derive.position", number=original.number, files=len(original.objects))
    item = original.objects[position - 1]
    return Derivation(
        relation=relation,
        leaf_hash=original.leaf_hash,
        position=position,
        name=item.path,
        size=item.stored.size,
        digests=item.stored.digests,
    )


def derived_source(desk: Desk, original: ExhibitRow, position: int, relation: Relation) -> dict[str, JSON]:
    """The part of `SealRequest.source` that says what a file derives from; the link is stored when it is sealed.

    Raises:
        UsageError: ``derive.erased``, ``derive.position``.
    """
    return {MEMBER: derivation(desk, original, position, relation).to_json()}


def links_of(desk: Desk, leaf_hash: bytes) -> Links:
    """Links of an exhibit in both directions."""
    rows = desk.store.browse.links(leaf_hash)
    return Links(
        source=next((row for row in rows if row.derived == leaf_hash), None),
        derived=tuple(row for row in rows if row.source == leaf_hash and row.derived != leaf_hash),
    )

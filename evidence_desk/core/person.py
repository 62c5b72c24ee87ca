"""Persons of the office 人员: who they are and with which credential they confirm. Stored in the vault, never deleted."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.confirmation import MAX_TEXT, Officer
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.errors import MalformedError

VERSION: Final = "persons/1"
_LIMIT: Final = 16 << 20


class CredentialKind(StrEnum):
    """Where the private key of a credential is."""

    KEPT = "kept"
    """In the vault's key file, wrapped once more by a passphrase of the person's own."""
    GIVEN = "given"
    """In a file or token that the person brings along each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficePerson:
    """One enrolled person.

    Attributes:
        id: 16 hex digits; names the wrapped key.
        certificate: DER of the credential. chain: certificates above it, the nearest first.
        retired: since when he confirms no more; None while he does.
    """

    id: str
    name: str
    role: str
    identification: str
    kind: CredentialKind
    certificate: bytes
    chain: tuple[bytes, ...]
    enrolled: datetime
    retired: datetime | None = None

    @property
    def officer(self) -> Officer:
        """The person as certificates print him."""
        return Officer(name=self.name, role=self.role, identification=self.identification)


def encode_persons(persons: Sequence[OfficePerson]) -> bytes:
    """Canonical JSON for the vault."""
    return encode({"v": VERSION, "persons": [_json(item) for item in persons]})


def parse_persons(data: bytes) -> tuple[OfficePerson, ...]:
    """Read what `encode_persons` wrote.

    Raises:
        MalformedError: ``malformed.persons`` and codes of the JSON reader.
    """
    value = decode(data, what=VERSION, limit=_LIMIT)
    items = value.get("persons") if isinstance(value, dict) and value.get("v") == VERSION else None
    if not isinstance(items, list):
        raise MalformedError("malformed.persons")
    persons = tuple(_person(item) for item in items)
    if encode_persons(persons) != data:
        raise MalformedError("malformed.persons")
    return persons


def sound_text(text: str) -> bool:
    """Whether a name, role or identification can be taken into a confirmation."""
    return len(text) <= MAX_TEXT and text == text.strip() and text.isprintable()


def _json(person: OfficePerson) -> JSON:
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role,
        "identification": person.identification,
        "kind": person.kind.value,
        "certificate": _text(person.certificate),
        "chain": [_text(item) for item in person.chain],
        "enrolled": format_moment(person.enrolled),
        "retired": None if person.retired is None else format_moment(person.retired),
    }


def _person(value: JSON) -> OfficePerson:
    try:
        item = value if isinstance(value, dict) else {}
        chain = item["chain"]
        return OfficePerson(
            id=str(item["id"]),
            name=str(item["name"]),
            role=str(item["role"]),
            identification=str(item["identification"]),
            kind=CredentialKind(str(item["kind"])),
            certificate=_bytes(item["certificate"]),
            chain=tuple(_bytes(one) for one in chain) if isinstance(chain, list) else (),
            enrolled=parse_moment(item["enrolled"], what="enrolled"),
            retired=None if item["retired"] is None else parse_moment(item["retired"], what="retired"),
        )
    except (KeyError, ValueError) as error:
        raise MalformedError("malformed.persons") from error


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(value: JSON) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error as error:
        raise MalformedError("malformed.persons") from error

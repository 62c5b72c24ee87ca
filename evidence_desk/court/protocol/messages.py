"""Messages by description: a dataclass, its fields by number, and one canonical Protocol Buffers form.

Reading checks kinds, sizes, counts and presence, then writes again and compares: one value, one sequence of bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, Final, Generic, TypeVar, cast

from evidence_desk.court.protocol.wire import MAX_UINT, message_field, read_fields, string_field, uint_field
from evidence_desk.errors import MalformedError

T = TypeVar("T")
MAX_NUMBER: Final = 2**53 - 1
"""Greatest integer in our messages: heights and sizes also go into JSON."""


class Kind(Enum):
    """Simple kinds of fields."""

    UINT = "uint"
    BYTES = "bytes"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field.

    Attributes:
        kind: simple kind, or the message inside.
        least: smallest value, or fewest bytes (of each item where repeated); with 0 the field may be absent and is then
            0, b"" or "".
        most: greatest value, or most bytes.
        enum: what a number stands for.
        optional: absent is None.
        repeated: how many items at most; 0 for a single field.
    """

    number: int
    name: str
    kind: Kind | Message[Any]
    least: int = 0
    most: int = MAX_NUMBER
    enum: type[IntEnum] | None = None
    optional: bool = False
    repeated: int = 0

    def encode(self, value: object) -> bytes:
        """Bytes of the field."""
        if self.repeated:
            return b"".join(
                message_field(self.number, self._body(item)) for item in cast("Sequence[object]", value)
            )
        if value is None:
            return b""
        if isinstance(value, int):
            return uint_field(self.number, value)
        if isinstance(value, str):
            return string_field(self.number, value)
        body = self._body(value)
        # An empty message says that it is there; empty bytes say nothing.
        return message_field(self.number, body) if body or not isinstance(value, bytes) else b""

    def decode(self, values: Sequence[int | bytes], what: str) -> object:
        """Value of the field from all its occurrences, whose number was checked."""
        if self.repeated:
            return tuple(self._one(item, what) for item in values)
        if values:
            return self._one(values[0], what)
        if self.optional:
            return None
        if self.least or not isinstance(self.kind, Kind):
            raise _malformed(what, self.name)
        return self._absent()

    def _absent(self) -> object:
        match self.kind:
            case Kind.UINT:
                return 0
            case Kind.TEXT:
                return ""
            case _:
                return b""

    def _one(self, value: int | bytes, what: str) -> object:
        if self.kind is Kind.UINT:
            if not isinstance(value, int) or not self.least <= value <= min(self.most, MAX_UINT):
                raise _malformed(what, self.name)
            return value if self.enum is None else _named(self.enum, value, what, self.name)
        if not isinstance(value, bytes) or not self.least <= len(value) <= self.most:
            raise _malformed(what, self.name)
        if isinstance(self.kind, Message):
            return self.kind.decode(value)
        return value if self.kind is Kind.BYTES else _text(value, what, self.name)

    def _body(self, value: object) -> bytes:
        if isinstance(self.kind, Message):
            return self.kind.encode(value)
        return value.encode() if isinstance(value, str) else cast("bytes", value)


class Message(Generic[T]):
    """A message: what makes it, and its fields."""

    def __init__(self, make: Callable[..., T], *fields: Field) -> None:
        self._make = make
        self._fields = {item.number: item for item in sorted(fields, key=lambda item: item.number)}
        self.name = getattr(make, "__name__", "message")

    def encode(self, value: T) -> bytes:
        """Canonical bytes."""
        return b"".join(item.encode(getattr(value, item.name)) for item in self._fields.values())

    def decode(self, data: bytes) -> T:
        """Read canonical bytes.

        Raises:
            MalformedError: ``malformed.wire``, or what the message itself finds wrong.
        """
        found: dict[int, list[int | bytes]] = {number: [] for number in self._fields}
        for item in read_fields(data, what=self.name):
            described = self._fields.get(item.number)
            if described is None:
                raise _malformed(self.name, "unknown field")
            # At once, before the rest is read: a megabyte of empty items must cost no more than the items allowed.
            if len(found[item.number]) >= max(described.repeated, 1):
                raise _malformed(self.name, described.name)
            found[item.number].append(item.value)
        value = self._make(
            **{item.name: item.decode(found[number], self.name) for number, item in self._fields.items()}
        )
        if self.encode(value) != data:
            raise _malformed(self.name, "not canonical")
        return value


def _named(enum: type[IntEnum], value: int, what: str, name: str) -> IntEnum:
    try:
        return enum(value)
    except ValueError as error:
        raise _malformed(what, name) from error


def _text(value: bytes, what: str, name: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed(what, name) from error


def _malformed(what: str, reason: str) -> MalformedError:
    return MalformedError("malformed.wire", what=what, reason=reason)

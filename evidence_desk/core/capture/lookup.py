"""Name lookups of a capture, one line each: what the system's resolver and independent DNS servers answered, and when."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.moment import parse_moment
from evidence_desk.errors import MalformedError

LOOKUPS_NAME: Final = "lookups.jsonl"
MAX_LINE: Final = 256 * 1024
"""A DNS message has at most 65,535 bytes."""


class Outcome(StrEnum):
    """How a lookup ended."""

    ANSWERED = "answered"
    EMPTY = "empty"
    """The name exists, without an address of this kind."""
    UNKNOWN_NAME = "unknown-name"
    FAILED = "failed"
    """The resolver or server said so; `Lookup.reason` tells its code."""
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    MALFORMED = "malformed"
    """What came back is no answer to the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One question and what came of it.

    Attributes:
        host: name that was asked for.
        kind: ``A`` or ``AAAA`` for a server; ``system`` for the system's resolver, which asks as it likes.
        server: address and port of the DNS server, None for the system's resolver.
        transport: ``system``, ``udp`` or ``tcp``.
        asked_at: moment by the desk's clock.
        microseconds: until the answer, or until it was given up.
        answers: addresses in the order given.
        aliases: names that CNAME records lead to, in order.
        ttl: least time to live of the answers, seconds.
        message: the DNS message as received.
    """

    host: str
    kind: str
    server: str | None
    transport: str
    asked_at: str
    microseconds: int
    outcome: Outcome
    reason: str | None = None
    answers: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    ttl: int | None = None
    message: bytes | None = None

    def to_json(self) -> dict[str, JSON]:
        """Line of ``lookups.jsonl``."""
        return {
            "host": self.host, "kind": self.kind, "server": self.server, "transport": self.transport,
            "asked_at": self.asked_at, "microseconds": self.microseconds, "outcome": self.outcome.value,
            "reason": self.reason, "answers": list[JSON](self.answers), "aliases": list[JSON](self.aliases),
            "ttl": self.ttl,
            "message": None if self.message is None else base64.b64encode(self.message).decode(),
        }  # fmt: skip


def encode_lookup(lookup: Lookup) -> bytes:
    """One line, with its line feed."""
    return encode(lookup.to_json()) + b"\n"


def parse_lookups(data: bytes) -> tuple[Lookup, ...]:
    """Read ``lookups.jsonl`` strictly.

    Raises:
        MalformedError: ``malformed.lookups`` or one of canonical JSON.
    """
    lines = data.split(b"\n")
    if lines.pop():
        raise MalformedError("malformed.lookups", reason="torn")
    return tuple(_lookup(decode(line, what="lookups", limit=MAX_LINE)) for line in lines)


def _lookup(value: JSON) -> Lookup:
    if not isinstance(value, dict) or set(value) != set(Lookup.__dataclass_fields__):
        raise MalformedError("malformed.lookups", reason="members")
    parse_moment(value["asked_at"], what="lookups")
    ttl = value["ttl"]
    try:
        return Lookup(
            host=_text(value["host"]), kind=_text(value["kind"]), server=_optional(value["server"]),
            transport=_text(value["transport"]), asked_at=_text(value["asked_at"]),
            microseconds=_count(value["microseconds"]), outcome=Outcome(_text(value["outcome"])),
            reason=_optional(value["reason"]), answers=_texts(value["answers"]), aliases=_texts(value["aliases"]),
            ttl=None if ttl is None else _count(ttl), message=_message(value["message"]),
        )  # fmt: skip
    except ValueError as error:
        raise MalformedError("malformed.lookups", reason="outcome") from error


def _message(value: JSON) -> bytes | None:
    if value is None:
        return None
    try:
        data = base64.b64decode(_text(value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("malformed.lookups", reason="message") from error
    if base64.b64encode(data).decode() != value:
        raise MalformedError("malformed.lookups", reason="message")
    return data


def _texts(value: JSON) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise MalformedError("malformed.lookups", reason="list")
    return tuple(_text(item) for item in value)


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("malformed.lookups", reason="text")
    return value


def _optional(value: JSON) -> str | None:
    return None if value is None else _text(value)


def _count(value: JSON) -> int:
    if type(value) is not int or value < 0:
        raise MalformedError("malformed.lookups", reason="number")
    return value

"""Connection index of a capture: one line a connection the browser asked for, refused and failed ones too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.digests import parse_hex
from evidence_desk.core.moment import parse_moment
from evidence_desk.errors import MalformedError

MAX_LINE: Final = 64 * 1024


class Fate(StrEnum):
    """What became of a connection the browser asked for."""

    OPENED = "opened"
    REFUSED = "refused"
    """By the guard: loopback, private or otherwise forbidden address."""
    STRANGER = "stranger"
    """Not the capture browser, but another process, asked for it."""
    UNRESOLVED = "unresolved"
    UNREACHABLE = "unreachable"


class Ending(StrEnum):
    """How an opened connection ended."""

    CLOSED = "closed"
    """Both sides said so, or one did and then took no more: `Connection.reason` is ``browser-left`` or ``server-left``."""
    RESET = "reset"
    STOPPED = "stopped"
    """The capture ended, or a limit was reached, while it was open."""
    UNKNOWN = "unknown"
    """The recorder was killed; the stream holds what was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One connection.

    Attributes:
        number: from 1, in the order they were asked for; names the stream (`stream_name`).
        host, port: as the browser asked, name or address.
        answers: addresses that the resolver gave for the name, in its order.
        address: the one that was used.
        local: own address and port of the outgoing side, ``address:port``.
        reason: short code where `fate` or `ending` needs one (``private``, ``timeout``, errno name…).
        opened_at, closed_at: moments by the desk's clock (`format_moment`); closed_at is None when it never opened.
        sent, received: bytes of the stream in each direction, with the SHA-256 of each.
    """

    number: int
    host: str
    port: int
    answers: tuple[str, ...]
    address: str | None
    local: str | None
    fate: Fate
    reason: str | None
    opened_at: str
    closed_at: str | None
    ending: Ending | None
    sent: int
    received: int
    sent_sha256: bytes
    received_sha256: bytes

    def to_json(self) -> dict[str, JSON]:
        """Line of the index."""
        return {
            "number": self.number, "host": self.host, "port": self.port, "answers": list[JSON](self.answers),
            "address": self.address, "local": self.local, "fate": self.fate.value, "reason": self.reason,
            "opened_at": self.opened_at, "closed_at": self.closed_at,
            "ending": None if self.ending is None else self.ending.value,
            "sent": self.sent, "received": self.received,
            "sent_sha256": self.sent_sha256.hex(), "received_sha256": self.received_sha256.hex(),
        }  # fmt: skip


def stream_name(number: int) -> str:
    """Name of the stream of a connection, inside a capture."""
    return f"stream-{number:06}.bin"


def encode_connection(connection: Connection) -> bytes:
    """One line, with its line feed."""
    return encode(connection.to_json()) + b"\n"


def parse_index(data: bytes) -> tuple[Connection, ...]:
    """Read an index strictly: canonical lines, each number once. They lie in the order of ending; the result is by number.

    Raises:
        MalformedError: ``malformed.connections``.
    """
    found: dict[int, Connection] = {}
    for line in data.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            raise MalformedError("malformed.connections", reason="torn")
        value = decode(line[:-1], what="connections", limit=MAX_LINE)
        connection = _connection(value)
        if connection.number in found:
            raise MalformedError("malformed.connections", reason="twice")
        found[connection.number] = connection
    return tuple(found[number] for number in sorted(found))


def _connection(value: JSON) -> Connection:
    names = set(Connection.__dataclass_fields__)
    if not isinstance(value, dict) or set(value) != names:
        raise MalformedError("malformed.connections", reason="members")
    answers = value["answers"]
    if not isinstance(answers, list):
        raise MalformedError("malformed.connections", reason="answers")
    ending, closed = value["ending"], value["closed_at"]
    try:
        return Connection(
            number=_count(value["number"], least=1), host=_text(value["host"]), port=_count(value["port"]),
            answers=tuple(_text(item) for item in answers),
            address=_optional(value["address"]), local=_optional(value["local"]),
            fate=Fate(_text(value["fate"])), reason=_optional(value["reason"]),
            opened_at=_moment(value["opened_at"]), closed_at=None if closed is None else _moment(closed),
            ending=None if ending is None else Ending(_text(ending)),
            sent=_count(value["sent"]), received=_count(value["received"]),
            sent_sha256=parse_hex(value["sent_sha256"], what="connections"),
            received_sha256=parse_hex(value["received_sha256"], what="connections"),
        )  # fmt: skip
    except ValueError as error:
        raise MalformedError("malformed.connections", reason="value") from error


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("malformed.connections", reason="text")
    return value


def _optional(value: JSON) -> str | None:
    return None if value is None else _text(value)


def _count(value: JSON, least: int = 0) -> int:
    if type(value) is not int or value < least:
        raise MalformedError("malformed.connections", reason="number")
    return value


def _moment(value: JSON) -> str:
    parse_moment(value, what="connections")
    return _text(value)

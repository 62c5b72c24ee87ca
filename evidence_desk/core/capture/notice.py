"""What a recorder noticed besides the connections themselves, one line each: strangers, limits, jumps of the clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.moment import parse_moment
from evidence_desk.errors import MalformedError

NOTICES_NAME: Final = "notices.jsonl"
MAX_LINE: Final = 8 * 1024
MAX_NOTICES: Final = 10_000
"""A recorder writes no more: what makes more of them is a flood."""


class NoticeKind(StrEnum):
    """What happened."""

    REFUSED = "refused"
    """By the guard or by a limit."""
    STRANGER = "stranger"
    PEER_UNKNOWN = "peer-unknown"
    """This system does not show who asked; the connection was served."""
    MALFORMED = "malformed"
    """What a client sent is no SOCKS5."""
    UNRESOLVED = "unresolved"
    UNREACHABLE = "unreachable"
    ANSWER_REFUSED = "answer-refused"
    """One of several addresses of a name; `Notice.reason` has why, and the address."""
    LIMIT = "limit"
    CLOCK_JUMP = "clock-jump"
    """The desk's clock and the machine's steady one went apart; `Notice.reason` has the milliseconds."""
    FAILED = "failed"
    """The recording stopped; `Notice.reason` has the code of the error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that happened; `number` is the connection's, 0 when it has none. `at` by the desk's clock."""

    at: str
    kind: NoticeKind
    reason: str
    number: int = 0
    host: str = ""
    port: int = 0

    def to_json(self) -> dict[str, JSON]:
        """Line of ``notices.jsonl``."""
        return {
            "at": self.at, "kind": self.kind.value, "reason": self.reason,
            "number": self.number, "host": self.host, "port": self.port,
        }  # fmt: skip


def encode_notice(notice: Notice) -> bytes:
    """One line, with its line feed."""
    return encode(notice.to_json()) + b"\n"


def parse_notices(data: bytes) -> tuple[Notice, ...]:
    """Read ``notices.jsonl`` strictly.

    Raises:
        MalformedError: ``malformed.notices`` or one of canonical JSON.
    """
    lines = data.split(b"\n")
    if lines.pop():
        raise MalformedError("malformed.notices", reason="torn")
    return tuple(_notice(decode(line, what="notices", limit=MAX_LINE)) for line in lines)


def _notice(value: JSON) -> Notice:
    if not isinstance(value, dict) or set(value) != set(Notice.__dataclass_fields__):
        raise MalformedError("malformed.notices", reason="members")
    parse_moment(value["at"], what="notices")
    try:
        kind = NoticeKind(_text(value["kind"]))
    except ValueError as error:
        raise MalformedError("malformed.notices", reason="kind") from error
    return Notice(
        at=_text(value["at"]), kind=kind, reason=_text(value["reason"]), number=_count(value["number"]),
        host=_text(value["host"]), port=_count(value["port"]),
    )  # fmt: skip


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("malformed.notices", reason="text")
    return value


def _count(value: JSON) -> int:
    if type(value) is not int or value < 0:
        raise MalformedError("malformed.notices", reason="number")
    return value

"""What a recorder tells while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


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
    """One of several addresses of a name; another was used."""
    LIMIT = "limit"
    CLOCK_JUMP = "clock-jump"
    """The desk's clock and the machine's steady one went apart; `Notice.reason` has the milliseconds."""
    FAILED = "failed"
    """The recording stopped; `BlindProxy.failure` has the error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that happened; `number` is the connection's, 0 when it has none."""

    kind: NoticeKind
    number: int = 0
    host: str = ""
    port: int = 0
    reason: str = ""


Watch = Callable[[Notice], None]
"""Called in the recorder's thread: must return quickly and not raise."""

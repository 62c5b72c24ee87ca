"""What is known of the desk's clock: its difference to the last token, kept for the statements that follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.core.canonical import decode, encode
from evidence_desk.core.moment import format_moment, parse_moment
from evidence_desk.core.rows import TimestampReply
from evidence_desk.core.statement import ClockState
from evidence_desk.errors import MalformedError
from evidence_desk.services.desk import Desk

_SETTING: Final = "clock"
_LIMIT: Final = 4096
VALID: Final = timedelta(hours=1)
"""A comparison older than this says nothing about the clock now."""


def note_offset(desk: Desk, reply: TimestampReply) -> None:
    """Keep the difference between the desk's clock, half-way through the exchange, and the token's genTime.

    Call within a transaction. The token's own accuracy and half the round trip are the error of this comparison.
    """
    try:
        sent = datetime.fromisoformat(str(reply.transport["sent"]))
        received = datetime.fromisoformat(str(reply.transport["received"]))
    except (KeyError, ValueError):
        return
    offset = sent + (received - sent) / 2 - reply.gen_time
    desk.store.exhibits.set_setting(
        _SETTING,
        encode(
            {
                "at": format_moment(received),
                "offset_ms": offset // timedelta(milliseconds=1),
                "source": reply.authority,
            }
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The last comparison with an authority: desk minus authority, milliseconds."""

    at: datetime
    offset_ms: int
    source: str


def last_comparison(desk: Desk) -> Comparison | None:
    """What `note_offset` kept last.

    Raises:
        MalformedError: ``malformed.setting``.
    """
    data = desk.store.exhibits.get_setting(_SETTING)
    if data is None:
        return None
    value = decode(data, what=_SETTING, limit=_LIMIT)
    offset = value.get("offset_ms") if isinstance(value, dict) else None
    if not isinstance(value, dict) or type(offset) is not int:
        raise MalformedError("malformed.setting", name=_SETTING)
    return Comparison(
        at=parse_moment(value.get("at"), what=_SETTING), offset_ms=offset, source=str(value.get("source"))
    )


def clock_state(moment: datetime, *, zone: str, comparison: Comparison | None) -> ClockState:
    """Clock of a statement made at `moment`, with the offset when it was compared within the last hour."""
    if comparison is None or not timedelta(0) <= moment - comparison.at <= VALID:
        return ClockState(utc=moment, zone=zone, offset_ms=None, sources=())
    source = f"{comparison.source} ({format_moment(comparison.at)})"
    return ClockState(utc=moment, zone=zone, offset_ms=comparison.offset_ms, sources=(source,))

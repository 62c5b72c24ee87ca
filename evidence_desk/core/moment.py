"""UTC moments as our formats write them: ``2026-11-21T08:30:00.123Z``, always milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from evidence_desk.errors import BugError, MalformedError

_FORM: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\Z")
"""Newer Pythons would read 24:00 as the next day."""


def format_moment(moment: datetime) -> str:
    """Text of a UTC-aware moment, cut to milliseconds."""
    if moment.tzinfo is None:
        raise BugError("bug.naive_time")
    utc = moment.astimezone(UTC)
    return f"{utc.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def parse_moment(value: object, *, what: str) -> datetime:
    """Moment from its text.

    Raises:
        MalformedError: ``malformed.time``.
    """
    if not isinstance(value, str) or not _FORM.match(value):
        raise MalformedError("malformed.time", what=what)
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise MalformedError("malformed.time", what=what) from error

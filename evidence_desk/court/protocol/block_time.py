"""Times of blocks and votes: UTC with nanoseconds, as CometBFT signs them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from evidence_desk.court.protocol.wire import uint_field
from evidence_desk.errors import MalformedError

NANOS: Final = 10**9
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FORM: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?Z\Z"
)


@dataclass(frozen=True, slots=True, order=True)
class BlockTime:
    """Seconds since 1970-01-01 UTC and nanoseconds within the second."""

    seconds: int
    nanos: int

    def __post_init__(self) -> None:
        if not 0 <= self.seconds < 253_402_300_800 or not 0 <= self.nanos < NANOS:
            raise MalformedError("malformed.time", what="court block")

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """Time of an aware datetime."""
        since = moment - _EPOCH
        return cls(since.days * 86_400 + since.seconds, since.microseconds * 1_000)

    @classmethod
    def parse(cls, value: object, *, exact: bool) -> Self:
        """Read ``2026-03-02T01:30:00.123456789Z``; `exact` asks for all nine digits (one spelling for one time).

        Without it the digits may be cut as Go does (RFC 3339 with trailing zeros left out).

        Raises:
            MalformedError: ``malformed.time``.
        """
        match = _FORM.match(value) if isinstance(value, str) else None
        if match is None or (exact and len(match[2] or "") != 9):
            raise MalformedError("malformed.time", what="court block")
        try:
            whole = datetime.fromisoformat(match[1] + "+00:00") - _EPOCH
        except ValueError as error:
            raise MalformedError("malformed.time", what="court block") from error
        return cls(whole.days * 86_400 + whole.seconds, int((match[2] or "0").ljust(9, "0")))

    def text(self) -> str:
        """Form that `parse` reads, nine digits."""
        whole = (_EPOCH + timedelta(seconds=self.seconds)).replace(tzinfo=None)
        return f"{whole.isoformat()}.{self.nanos:09d}Z"

    def moment(self) -> datetime:
        """Aware datetime, cut to microseconds."""
        return _EPOCH + timedelta(seconds=self.seconds, microseconds=self.nanos // 1_000)

    def encode(self) -> bytes:
        """Body of google.protobuf.Timestamp."""
        return uint_field(1, self.seconds) + uint_field(2, self.nanos)

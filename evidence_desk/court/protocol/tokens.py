"""Were headers timestamped while their validators' keys were still guarded? (formats.md «Court part of a proof»)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from evidence_desk.core.verdict import Finding, Status
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.part import TimedBlock
from evidence_desk.court.protocol.verdict import TokenCheck, TokenTime, finding

TOKEN_DELAY: Final = timedelta(days=30)
"""How long after its header a token may have been made: shorter than retired keys need to become anybody's."""
_CLOCKS: Final = timedelta(minutes=10)
"""How far a header's time may lie after an honest authority's."""


def judge_tokens(trust: NetworkTrust, blocks: Sequence[TimedBlock], token: TokenCheck) -> Finding:
    """One finding over all blocks: the first that failed, else the first that is undetermined."""
    doubt: Finding | None = None
    for timed in blocks:
        outcome = _judge(trust, timed, token)
        if outcome.status is Status.FAILED:
            return outcome
        if outcome.status is Status.UNDETERMINED and doubt is None:
            doubt = outcome
    return doubt or finding("court.token", Status.PASSED, "timely", count=len(blocks))


def _judge(trust: NetworkTrust, timed: TimedBlock, token: TokenCheck) -> Finding:
    header = timed.block.header
    height = header.height
    if not timed.token:
        if trust.trusted_hash(height) == header.hash:
            return finding("court.token", Status.PASSED, "timely", count=1)
        return finding("court.token", Status.UNDETERMINED, "missing", height=height)
    judged: TokenTime = token(timed.token, header.hash)
    if judged.status is Status.FAILED:
        return finding("court.token", Status.FAILED, "wrong", height=height)
    if judged.status is Status.UNDETERMINED or judged.gen_time is None:
        return finding("court.token", Status.UNDETERMINED, "undetermined", height=height)
    delay = judged.gen_time - header.time.moment()
    if delay < -_CLOCKS:
        return finding("court.token", Status.UNDETERMINED, "early", height=height)
    if delay > TOKEN_DELAY:
        return finding("court.token", Status.UNDETERMINED, "late", height=height, days=TOKEN_DELAY.days)
    return finding("court.token", Status.PASSED, "timely", count=1)

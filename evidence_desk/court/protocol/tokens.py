"""Were headers signed while their validators' keys were still guarded? (formats.md «Court part of a proof», ADR 0009).

Either an RFC 3161 token shows that the header existed soon after its time, or the header is so fresh that the verifier
who has it in hand knows that himself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from evidence_desk.core.verdict import Finding, Status
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.part import TimedBlock
from evidence_desk.court.protocol.verdict import TokenCheck, TokenTime, finding

TOKEN_DELAY: Final = timedelta(days=30)
"""How long after its header a token may have been made: shorter than retired keys need to become anybody's."""
_CLOCKS: Final = timedelta(minutes=10)
"""How far a header's time may lie after an honest authority's."""


def judge_tokens(
    trust: NetworkTrust, blocks: Sequence[TimedBlock], token: TokenCheck, now: datetime
) -> Finding:
    """One finding over all blocks: the first that failed, else the first that is undetermined.

    Args:
        trust: its headers need no token.
        blocks: everything whose signatures are relied on.
        token: judge of tokens.
        now: moment of judgment, UTC.
    """
    doubt: Finding | None = None
    relied = 0
    for timed in blocks:
        outcome = _judge(trust, timed, token)
        if outcome.status is Status.FAILED:
            return outcome
        if outcome.status is Status.UNDETERMINED:
            # Only its own age counts: leaked keys of old validators could sign a fresh header beside an old one.
            if now - timed.block.header.time.moment() <= TOKEN_DELAY:
                relied += 1
            else:
                doubt = doubt or outcome
    if doubt is not None:
        return doubt
    if relied:
        return finding("court.token", Status.PASSED, "fresh", count=relied, days=TOKEN_DELAY.days)
    return finding("court.token", Status.PASSED, "timely", count=len(blocks))


def _judge(trust: NetworkTrust, timed: TimedBlock, token: TokenCheck) -> Finding:
    """A header of the trust root needs no token; one that comes with it must not be false all the same."""
    outcome = _judge_token(timed, token)
    header = timed.block.header
    if outcome.status is Status.UNDETERMINED and trust.trusted_hash(header.height) == header.hash:
        return finding("court.token", Status.PASSED, "timely", count=1)
    return outcome


def _judge_token(timed: TimedBlock, token: TokenCheck) -> Finding:
    header = timed.block.header
    height = header.height
    if not timed.token:
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

"""Light verification: is a header one that the validators of a trusted state, or their successors, agreed on?

Rules of CometBFT v0.38 (spec/light-client/verification): strictly more than 2/3 of the power signs the block; absent
votes and votes for nil never count; every signature is checked. Refusals are `IntegrityError`s within, outcomes outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

from evidence_desk.court.protocol.block import (
    Commit,
    CommitSignature,
    LightBlock,
    Validator,
    ValidatorSet,
    VoteFlag,
)
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.ed25519 import Judgment, judge
from evidence_desk.errors import IntegrityError

TRUST_LEVEL: Final = Fraction(1, 3)
MAX_CLOCK_DRIFT: Final = timedelta(seconds=10)


class LightVerdict(StrEnum):
    """Answers of the light client."""

    SUCCESS = "SUCCESS"
    NOT_ENOUGH_TRUST = "NOT_ENOUGH_TRUST"
    INVALID = "INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """Who signed a block.

    Attributes:
        signed: validators whose vote for the block counts.
        disputed: addresses whose signature ZIP-215 accepts and OpenSSL does not; not counted.
        total: power of the whole set.
    """

    signed: tuple[Validator, ...]
    disputed: tuple[bytes, ...]
    total: int

    @property
    def power(self) -> int:
        """Power that counts."""
        return sum(item.power for item in self.signed)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedState:
    """A header that is trusted, and the validators of the next height."""

    chain_id: str
    height: int
    time: BlockTime
    next_validators: ValidatorSet


@dataclass(frozen=True, slots=True, kw_only=True)
class LightOutcome:
    """Verdict with the code of the refusal ("" on success) and the signers where they could be told."""

    verdict: LightVerdict
    code: str = ""
    signers: Signers | None = None


def check_signers(block: LightBlock, chain_id: str) -> Signers:
    """Hashes and signatures of a light block; how much power signed is for the caller to judge.

    Raises:
        IntegrityError: ``court.chain_id``, ``court.header_hash``, ``court.commit_height``, ``court.validators_hash``,
            ``court.commit_size``, ``court.commit_signer`` or ``court.commit_signature``.
    """
    header, commit = block.header, block.commit
    if header.chain_id != chain_id:
        raise IntegrityError("court.chain_id", found=header.chain_id, expected=chain_id)
    if commit.block_id.hash != header.hash:
        raise IntegrityError("court.header_hash", height=header.height)
    if commit.height != header.height:
        raise IntegrityError("court.commit_height", height=header.height)
    if block.validators.hash != header.validators_hash:
        raise IntegrityError("court.validators_hash", height=header.height)
    validators = block.validators.validators
    if len(commit.signatures) != len(validators):
        raise IntegrityError("court.commit_size", height=header.height)
    signed: list[Validator] = []
    disputed: list[bytes] = []
    for validator, vote in zip(validators, commit.signatures, strict=True):
        if vote.flag is VoteFlag.ABSENT:
            continue
        judgment = _judge(validator, vote, commit, chain_id)
        if judgment is Judgment.DISPUTED:
            disputed.append(validator.address)
        elif vote.flag is VoteFlag.COMMIT:
            signed.append(validator)
    return Signers(signed=tuple(signed), disputed=tuple(disputed), total=block.validators.total)


def _judge(validator: Validator, vote: CommitSignature, commit: Commit, chain_id: str) -> Judgment:
    # One place a validator: another address here is a stranger or somebody who already signed.
    if vote.address != validator.address:
        raise IntegrityError("court.commit_signer", height=commit.height, address=vote.address.hex())
    judgment = judge(validator.public_key, commit.sign_bytes(vote, chain_id), vote.signature)
    if judgment is Judgment.WRONG:
        raise IntegrityError("court.commit_signature", height=commit.height, address=vote.address.hex())
    return judgment


def require_majority(signers: Signers, height: int) -> None:
    """Strictly more than two thirds.

    Raises:
        IntegrityError: ``court.commit_power``.
    """
    if signers.power * 3 <= signers.total * 2:
        raise IntegrityError("court.commit_power", height=height, power=signers.power, total=signers.total)


def verify_next(
    trusted: TrustedState,
    block: LightBlock,
    *,
    now: datetime,
    trusting_period: timedelta,
    trust_level: Fraction = TRUST_LEVEL,
    clock_drift: timedelta = MAX_CLOCK_DRIFT,
) -> LightOutcome:
    """Verify a later block from a trusted state: the next height by its hash, any later one by overlap.

    Args:
        trusted: where to start.
        block: what is to be trusted.
        now: moment of judgment.
        trusting_period: how old `trusted` may be at `now`; unbonding must take longer.
        trust_level: more than this part of the trusted power must have signed a block that is not the next one.
        clock_drift: how far the block's time may lie ahead of `now`.
    """
    try:
        signers = _checked(trusted, block, now, trusting_period, clock_drift)
        if block.header.height > trusted.height + 1:
            overlap = _overlap(trusted.next_validators, signers)
            if overlap <= trusted.next_validators.total * trust_level:
                return LightOutcome(
                    verdict=LightVerdict.NOT_ENOUGH_TRUST, code="court.trust_overlap", signers=signers
                )
        require_majority(signers, block.header.height)
    except IntegrityError as error:
        return LightOutcome(verdict=LightVerdict.INVALID, code=error.code)
    return LightOutcome(verdict=LightVerdict.SUCCESS, signers=signers)


def _checked(
    trusted: TrustedState, block: LightBlock, now: datetime, period: timedelta, drift: timedelta
) -> Signers:
    header = block.header
    if trusted.time.moment() + period <= now:
        raise IntegrityError("court.trust_expired", height=trusted.height)
    if header.height <= trusted.height:
        raise IntegrityError("court.height_order", height=header.height)
    if header.time <= trusted.time:
        raise IntegrityError("court.time_order", height=header.height)
    if header.time > BlockTime.of(now + drift):
        raise IntegrityError("court.time_future", height=header.height)
    if header.height == trusted.height + 1 and header.validators_hash != trusted.next_validators.hash:
        raise IntegrityError("court.validators_unknown", height=header.height)
    return check_signers(block, trusted.chain_id)


def _overlap(trusted: ValidatorSet, signers: Signers) -> int:
    """Trusted power behind the votes that count."""
    keys = {item.public_key for item in signers.signed}
    return sum(item.power for item in trusted.validators if item.public_key in keys)

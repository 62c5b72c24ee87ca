"""Trust in a network, and the chain of validator sets from it to the headers of a proof.

Unlike a light client on-line, which may skip over changes, an archived proof shows every change of the set: each block
must be signed by exactly the set that the block before announced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from evidence_desk.court.protocol.block import Header, LightBlock, ValidatorSet
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.light import Signers, check_signers, require_majority
from evidence_desk.errors import IntegrityError, MalformedError

DEMO_PREFIX: Final = "demo-"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTrust:
    """What a verifier starts from: a network's genesis and headers known to be on its chain.

    Attributes:
        genesis: validators of the first block; `genesis_time` its earliest time, `initial_height` its height.
        headers: periodic headers of the trust bundle, in any order.
        institutions: names by validator address, for display.
    """

    chain_id: str
    genesis: ValidatorSet
    genesis_time: BlockTime
    initial_height: int = 1
    headers: tuple[Header, ...] = ()
    institutions: Mapping[bytes, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ordered = sorted(self.headers, key=lambda header: header.height)
        for header in ordered:
            if header.chain_id != self.chain_id or header.height < self.initial_height:
                raise MalformedError("malformed.court_trust", reason="header of another chain")
        for first, second in pairwise(ordered):
            if first.height == second.height or first.time >= second.time:
                raise MalformedError("malformed.court_trust", reason="order of headers")

    @property
    def demo(self) -> bool:
        """Whether this is a demonstration network."""
        return self.chain_id.startswith(DEMO_PREFIX)

    def trusted_hash(self, height: int) -> bytes | None:
        """Hash of the trusted header of a height, None when there is none."""
        return next((header.hash for header in self.headers if header.height == height), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A verified chain of blocks.

    Attributes:
        start: height of the trusted header (or the height before genesis) it begins at.
        signers: who signed, by height.
    """

    start: int
    signers: Mapping[int, Signers]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    height: int
    time: BlockTime
    next_validators_hash: bytes


def walk(trust: NetworkTrust, history: Sequence[LightBlock], targets: Sequence[LightBlock]) -> Walk:
    """Verify blocks from the nearest trusted header below them.

    Args:
        trust: where to start.
        history: blocks after which the set changes, ascending.
        targets: headers whose state is to be shown, ascending.

    Raises:
        IntegrityError: ``court.history_order``, ``court.history_idle``, ``court.trust_unreached``,
            ``court.validators_unknown``, ``court.trust_contradiction``, ``court.time_order`` and the codes of `check_signers`.
    """
    blocks = sorted([*history, *targets], key=_height)
    rising = all(_height(first) < _height(second) for first, second in pairwise(blocks))
    given = [list(history), list(targets)]
    if not targets or not rising or given != [sorted(part, key=_height) for part in given]:
        raise IntegrityError("court.history_order")
    for step in history:
        idle = step.header.next_validators_hash == step.header.validators_hash
        if idle or _height(step) > _height(targets[-1]):
            raise IntegrityError("court.history_idle", height=_height(step))
    point = start = _start(trust, _height(blocks[0]))
    signers: dict[int, Signers] = {}
    for block in blocks:
        _check_between(trust, point, block)
        signers[_height(block)] = _step(trust, point, block, first=block is blocks[0])
        point = _after(block.header)
    _check_later(trust, point)
    return Walk(start=start.height, signers=signers)


def _height(block: LightBlock) -> int:
    return block.header.height


def _start(trust: NetworkTrust, lowest: int) -> _Point:
    """Nearest trusted header below the first block, else genesis."""
    below = [header for header in trust.headers if header.height < lowest]
    if below:
        return _after(max(below, key=lambda header: header.height))
    return _Point(
        height=trust.initial_height - 1,
        time=trust.genesis_time,
        next_validators_hash=trust.genesis.hash,
    )


def _after(header: Header) -> _Point:
    return _Point(height=header.height, time=header.time, next_validators_hash=header.next_validators_hash)


def _step(trust: NetworkTrust, point: _Point, block: LightBlock, *, first: bool) -> Signers:
    header = block.header
    opening = (
        header.height == trust.initial_height
    )  # its time is that of genesis (spec/consensus/bft-time.md)
    if header.height <= point.height:
        raise IntegrityError("court.height_order", height=header.height)
    if header.time < point.time or (header.time == point.time and not opening):
        raise IntegrityError("court.time_order", height=header.height)
    known = trust.trusted_hash(header.height)
    if known is not None and known != header.hash:
        raise IntegrityError("court.trust_contradiction", height=header.height)
    linked = header.validators_hash == point.next_validators_hash
    if not linked and not first:
        raise IntegrityError("court.validators_unknown", height=header.height)
    # Strangers' signatures are looked at in one block only: they could be made slow to check.
    signers = check_signers(block, trust.chain_id)
    require_majority(signers, header.height)
    if not linked:
        raise IntegrityError("court.trust_unreached", height=header.height)
    return signers


def _check_between(trust: NetworkTrust, point: _Point, block: LightBlock) -> None:
    """Trusted headers that the chain passes over must fit between its blocks."""
    for header in trust.headers:
        if point.height < header.height < block.header.height:
            same_set = {header.validators_hash, header.next_validators_hash} == {point.next_validators_hash}
            if not same_set or not point.time < header.time < block.header.time:
                raise IntegrityError("court.trust_contradiction", height=header.height)


def _check_later(trust: NetworkTrust, point: _Point) -> None:
    """No trusted header above may be older: retired keys cannot write a new past below it."""
    for header in trust.headers:
        if header.height > point.height and header.time <= point.time:
            raise IntegrityError("court.trust_contradiction", height=header.height)

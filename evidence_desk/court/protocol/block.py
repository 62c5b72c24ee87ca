"""Headers, commits and validator sets of CometBFT v0.38 and how they hash (spec/core/data_structures.md).

Each value checks its own form when made, so whatever reads it from outside needs no second look.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import pairwise
from typing import Final

from evidence_desk.core.digests import DIGEST_SIZE, sha256
from evidence_desk.core.merkle import leaf_hash, root_of
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.wire import (
    bytes_field,
    delimited,
    message_field,
    sfixed64_field,
    string_field,
    uint_field,
)
from evidence_desk.errors import MalformedError

BLOCK_PROTOCOL: Final = 11
"""Block version of CometBFT v0.34 to v0.38."""
ADDRESS_SIZE: Final = 20
KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64
MAX_CHAIN_ID: Final = 50
MAX_HEIGHT: Final = 2**53 - 1
MAX_ROUND: Final = 2**31 - 1
MAX_PARTS: Final = 2**32 - 1
MAX_POWER: Final = 2**60 - 1
"""Greatest total power (CometBFT: MaxInt64 / 8)."""
MAX_VALIDATORS: Final = 300
_PRECOMMIT: Final = 2


def _require(good: bool, reason: str) -> None:  # noqa: FBT001
    if not good:
        raise MalformedError("malformed.court_block", reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockId:
    """Hash of a header and of the parts its block was gossiped in."""

    hash: bytes
    parts: int
    parts_hash: bytes

    def __post_init__(self) -> None:
        _require(len(self.hash) in {0, DIGEST_SIZE}, "block ID")
        _require(len(self.parts_hash) in {0, DIGEST_SIZE} and 0 <= self.parts <= MAX_PARTS, "part set")

    @property
    def complete(self) -> bool:
        """Whether it names a block; the first header of a chain has an empty one."""
        return bool(self.hash and self.parts and self.parts_hash)

    def encode(self) -> bytes:
        """BlockID and CanonicalBlockID; the part-set header is written even when empty."""
        parts = uint_field(1, self.parts) + bytes_field(2, self.parts_hash)
        return bytes_field(1, self.hash) + message_field(2, parts)


NO_BLOCK: Final = BlockId(hash=b"", parts=0, parts_hash=b"")


@dataclass(frozen=True, kw_only=True)
class Header:
    """The 14 fields of a block header (version counts as one)."""

    block_version: int
    app_version: int
    chain_id: str
    height: int
    time: BlockTime
    last_block_id: BlockId
    last_commit_hash: bytes
    data_hash: bytes
    validators_hash: bytes
    next_validators_hash: bytes
    consensus_hash: bytes
    app_hash: bytes
    last_results_hash: bytes
    evidence_hash: bytes
    proposer_address: bytes

    def __post_init__(self) -> None:
        _require(self.block_version == BLOCK_PROTOCOL, "block version")
        _require(0 <= self.app_version <= MAX_HEIGHT, "app version")
        check_chain_id(self.chain_id)
        _require(1 <= self.height <= MAX_HEIGHT, "height")
        for digest in (self.validators_hash, self.next_validators_hash, self.consensus_hash):
            _require(len(digest) == DIGEST_SIZE, "hash")
        for digest in (
            self.last_commit_hash, self.data_hash, self.app_hash, self.last_results_hash, self.evidence_hash,
        ):  # fmt: skip
            _require(len(digest) in {0, DIGEST_SIZE}, "hash")
        _require(len(self.proposer_address) == ADDRESS_SIZE, "proposer")

    @cached_property
    def hash(self) -> bytes:
        """Merkle root over the encoded fields; an empty field is an empty leaf."""
        fields = (
            uint_field(1, self.block_version) + uint_field(2, self.app_version),
            string_field(1, self.chain_id),
            uint_field(1, self.height),
            self.time.encode(),
            self.last_block_id.encode(),
            bytes_field(1, self.last_commit_hash),
            bytes_field(1, self.data_hash),
            bytes_field(1, self.validators_hash),
            bytes_field(1, self.next_validators_hash),
            bytes_field(1, self.consensus_hash),
            bytes_field(1, self.app_hash),
            bytes_field(1, self.last_results_hash),
            bytes_field(1, self.evidence_hash),
            bytes_field(1, self.proposer_address),
        )
        return root_of(leaf_hash(item) for item in fields)


def check_chain_id(chain_id: str) -> str:
    """Return a chain ID of 1 to 50 printable ASCII characters; ``malformed.court_block``."""
    _require(1 <= len(chain_id) <= MAX_CHAIN_ID and all("!" <= char <= "~" for char in chain_id), "chain ID")
    return chain_id


class VoteFlag(IntEnum):
    """BlockIDFlag: what a validator voted for."""

    ABSENT = 1
    COMMIT = 2
    NIL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSignature:
    """One validator's place in a commit; an absent one carries nothing."""

    flag: VoteFlag
    address: bytes = b""
    time: BlockTime | None = None
    signature: bytes = b""

    def __post_init__(self) -> None:
        if self.flag is VoteFlag.ABSENT:
            _require(not self.address and self.time is None and not self.signature, "absent vote")
        else:
            _require(len(self.address) == ADDRESS_SIZE and self.time is not None, "vote")
            _require(len(self.signature) == SIGNATURE_SIZE, "signature size")


ABSENT: Final = CommitSignature(flag=VoteFlag.ABSENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Precommits for one block, in the order of the validator set."""

    height: int
    round: int
    block_id: BlockId
    signatures: tuple[CommitSignature, ...]

    def __post_init__(self) -> None:
        _require(1 <= self.height <= MAX_HEIGHT and 0 <= self.round <= MAX_ROUND, "commit height")
        _require(self.block_id.complete, "commit block ID")
        _require(1 <= len(self.signatures) <= MAX_VALIDATORS, "number of votes")

    def sign_bytes(self, vote: CommitSignature, chain_id: str) -> bytes:
        """What a validator signed: the length-delimited CanonicalVote.

        A zero round is left out; a vote for nil has no block ID; the time is the vote's own.
        """
        named = message_field(4, self.block_id.encode()) if vote.flag is VoteFlag.COMMIT else b""
        time = vote.time.encode() if vote.time is not None else b""
        return delimited(
            uint_field(1, _PRECOMMIT)
            + sfixed64_field(2, self.height)
            + sfixed64_field(3, self.round)
            + named
            + message_field(5, time)
            + string_field(6, chain_id)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator:
    """An Ed25519 consensus key (32 bytes) and its voting power."""

    public_key: bytes
    power: int

    def __post_init__(self) -> None:
        _require(len(self.public_key) == KEY_SIZE and 1 <= self.power <= MAX_POWER, "validator")

    @property
    def address(self) -> bytes:
        """First 20 bytes of the key's SHA-256."""
        return sha256(self.public_key)[:ADDRESS_SIZE]

    def encode(self) -> bytes:
        """SimpleValidator: public key and power."""
        return message_field(1, bytes_field(1, self.public_key)) + uint_field(2, self.power)


@dataclass(frozen=True, kw_only=True)
class ValidatorSet:
    """Validators by power, greatest first, then by address."""

    validators: tuple[Validator, ...]

    def __post_init__(self) -> None:
        _require(1 <= len(self.validators) <= MAX_VALIDATORS, "number of validators")
        _require(self.total <= MAX_POWER, "total power")
        order = [_rank(item) for item in self.validators]
        _require(all(first < second for first, second in pairwise(order)), "order of validators")
        _require(len({address for _, address in order}) == len(order), "validator twice")

    @classmethod
    def of(cls, validators: list[Validator]) -> ValidatorSet:
        """Set of validators given in any order."""
        return cls(validators=tuple(sorted(validators, key=_rank)))

    @cached_property
    def hash(self) -> bytes:
        """Merkle root over the encoded validators."""
        return root_of(leaf_hash(item.encode()) for item in self.validators)

    @property
    def total(self) -> int:
        """Sum of power."""
        return sum(item.power for item in self.validators)


def _rank(validator: Validator) -> tuple[int, bytes]:
    return -validator.power, validator.address


@dataclass(frozen=True, slots=True, kw_only=True)
class LightBlock:
    """A header, the commit for it, and the validators that made it."""

    header: Header
    commit: Commit
    validators: ValidatorSet

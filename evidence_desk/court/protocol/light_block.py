"""Light blocks in our proofs: canonical JSON that holds each fact once.

Height and block hash of the commit are those of the header, addresses those of the validators in their order, so what
could contradict is not written at all.
"""

from __future__ import annotations

import base64
from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.court.protocol.block import (
    ABSENT,
    MAX_VALIDATORS,
    BlockId,
    Commit,
    CommitSignature,
    Header,
    LightBlock,
    Validator,
    ValidatorSet,
    VoteFlag,
)
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.errors import MalformedError

MAX_BLOCK: Final = 128 * 1024
MAX_HEADER: Final = 4096
_HASHES: Final = (
    "last_commit_hash", "data_hash", "validators_hash", "next_validators_hash", "consensus_hash", "app_hash",
    "last_results_hash", "evidence_hash",
)  # fmt: skip
_FLAGS: Final = {"commit": VoteFlag.COMMIT, "nil": VoteFlag.NIL}


def encode_light_block(block: LightBlock) -> bytes:
    """Canonical bytes."""
    return encode(light_block_json(block))


def parse_light_block(data: bytes) -> LightBlock:
    """Read a light block strictly; nothing about its truth is judged.

    Raises:
        MalformedError: ``malformed.court_block`` or ``malformed.json``.
    """
    return read_light_block(decode(data, what="court block", limit=MAX_BLOCK))


def light_block_json(block: LightBlock) -> dict[str, JSON]:
    """JSON of a light block whose commit names its header and whose votes stand in the validators' order."""
    commit = block.commit
    return {
        "header": header_json(block.header),
        "commit": {
            "round": commit.round,
            "parts": commit.block_id.parts,
            "parts_hash": to_base64(commit.block_id.parts_hash),
            "votes": [_vote_json(vote) for vote in commit.signatures],
        },
        "validators": validators_json(block.validators),
    }


def read_light_block(value: JSON) -> LightBlock:
    """Light block from its JSON; MalformedError."""
    item = members(value, {"header", "commit", "validators"})
    header = read_header_json(item["header"])
    validators = read_validators_json(item["validators"])
    commit = members(item["commit"], {"round", "parts", "parts_hash", "votes"})
    votes = items(commit["votes"], MAX_VALIDATORS)
    if len(votes) != len(validators.validators):
        raise MalformedError("malformed.court_block", reason="number of votes")
    block_id = BlockId(
        hash=header.hash, parts=number(commit["parts"]), parts_hash=from_base64(commit["parts_hash"])
    )
    return LightBlock(
        header=header,
        commit=Commit(
            height=header.height,
            round=number(commit["round"]),
            block_id=block_id,
            signatures=tuple(
                _read_vote(vote, validator.address)
                for vote, validator in zip(votes, validators.validators, strict=True)
            ),
        ),
        validators=validators,
    )


def encode_header(header: Header) -> bytes:
    """Canonical bytes of a header alone: a data object of time records, and a lower bound in time."""
    return encode(header_json(header))


def parse_header(data: bytes) -> Header:
    """Read what `encode_header` writes; MalformedError."""
    return read_header_json(decode(data, what="court header", limit=MAX_HEADER))


def header_json(header: Header) -> dict[str, JSON]:
    """JSON of a header."""
    last = header.last_block_id
    return {
        "block_version": header.block_version,
        "app_version": header.app_version,
        "chain_id": header.chain_id,
        "height": header.height,
        "time": header.time.text(),
        "last_block_id": {
            "hash": to_base64(last.hash),
            "parts": last.parts,
            "parts_hash": to_base64(last.parts_hash),
        },
        **{name: to_base64(getattr(header, name)) for name in _HASHES},
        "proposer_address": to_base64(header.proposer_address),
    }


def read_header_json(value: JSON) -> Header:
    """Header from its JSON; MalformedError."""
    names = {
        "block_version",
        "app_version",
        "chain_id",
        "height",
        "time",
        "last_block_id",
        "proposer_address",
    }
    item = members(value, names | set(_HASHES))
    last = members(item["last_block_id"], {"hash", "parts", "parts_hash"})
    chain_id = item["chain_id"]
    if not isinstance(chain_id, str):
        raise MalformedError("malformed.court_block", reason="chain ID")
    return Header(
        block_version=number(item["block_version"]),
        app_version=number(item["app_version"]),
        chain_id=chain_id,
        height=number(item["height"]),
        time=BlockTime.parse(item["time"], exact=True),
        last_block_id=BlockId(
            hash=from_base64(last["hash"]),
            parts=number(last["parts"]),
            parts_hash=from_base64(last["parts_hash"]),
        ),
        proposer_address=from_base64(item["proposer_address"]),
        **{name: from_base64(item[name]) for name in _HASHES},
    )


def validators_json(validators: ValidatorSet) -> list[JSON]:
    """Pairs of key and power, in the order of the set."""
    return [[to_base64(item.public_key), item.power] for item in validators.validators]


def read_validators_json(value: JSON) -> ValidatorSet:
    """Validator set from its JSON; MalformedError when the order is another."""
    pairs = [items(pair, 2) for pair in items(value, MAX_VALIDATORS)]
    if any(len(pair) != 2 for pair in pairs):
        raise MalformedError("malformed.court_block", reason="validator")
    return ValidatorSet(
        validators=tuple(Validator(public_key=from_base64(key), power=number(power)) for key, power in pairs)
    )


def _vote_json(vote: CommitSignature) -> JSON:
    if vote.time is None:
        return None
    return [vote.flag.name.lower(), vote.time.text(), to_base64(vote.signature)]


def _read_vote(value: JSON, address: bytes) -> CommitSignature:
    if value is None:
        return ABSENT
    parts = items(value, 3)
    flag = _FLAGS.get(parts[0]) if parts and isinstance(parts[0], str) else None
    if flag is None or len(parts) != 3:
        raise MalformedError("malformed.court_block", reason="vote")
    return CommitSignature(
        flag=flag,
        address=address,
        time=BlockTime.parse(parts[1], exact=True),
        signature=from_base64(parts[2]),
    )


# --- JSON of the court part, shared with `part` ----------------------------------------------------------------


def members(value: JSON, names: set[str]) -> dict[str, JSON]:
    """An object with exactly these members; ``malformed.court_block``."""
    if not isinstance(value, dict) or set(value) != names:
        raise MalformedError("malformed.court_block", reason="members")
    return value


def items(value: JSON, limit: int) -> list[JSON]:
    """A list of at most `limit` items; ``malformed.court_block``."""
    if not isinstance(value, list) or len(value) > limit:
        raise MalformedError("malformed.court_block", reason="list")
    return value


def number(value: JSON) -> int:
    """An integer, not negative; ``malformed.court_block``."""
    if type(value) is not int or value < 0:
        raise MalformedError("malformed.court_block", reason="number")
    return value


def to_base64(data: bytes) -> str:
    """Base64 with padding."""
    return base64.b64encode(data).decode()


def from_base64(value: JSON) -> bytes:
    """Base64 with exactly one spelling; ``malformed.court_block``."""
    if not isinstance(value, str):
        raise MalformedError("malformed.court_block", reason="base64")
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError as error:
        raise MalformedError("malformed.court_block", reason="base64") from error
    if to_base64(data) != value:
        raise MalformedError("malformed.court_block", reason="base64")
    return data

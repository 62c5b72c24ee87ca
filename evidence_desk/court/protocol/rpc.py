"""Reads what CometBFT's RPC answers (`/commit`, `/validators`): strict about all that is used.

The JSON of Go: 64-bit numbers as strings, hashes in upper-case hex, keys and signatures in base64. Members that are
known but not used (proposer priority and the like) are ignored; unknown ones are refused.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Final, cast

from evidence_desk.court.protocol.block import (
    ABSENT,
    NO_BLOCK,
    BlockId,
    Commit,
    CommitSignature,
    Header,
    Validator,
    ValidatorSet,
    VoteFlag,
)
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.errors import MalformedError

MAX_ANSWER: Final = 4 * 1024 * 1024
RPC = None | bool | int | str | list["RPC"] | dict[str, "RPC"]
"""JSON as the RPC writes it; floats are refused."""
_NUMBER: Final = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})*\Z")
_KEY_TYPE: Final = "tendermint/PubKeyEd25519"
_NO_TIME: Final = (None, "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z")
"""What an absent vote has for a time, as written by Go and by Rust."""


def read_answer(data: bytes) -> RPC:
    """JSON of an answer.

    Raises:
        MalformedError: ``malformed.too_large`` or ``malformed.court_rpc``.
    """
    if len(data) > MAX_ANSWER:
        raise MalformedError("malformed.too_large", what="RPC", limit=MAX_ANSWER)
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as error:
        raise MalformedError("malformed.court_rpc", reason="JSON") from error
    return cast("RPC", value)


def read_signed_header(value: RPC) -> tuple[Header, Commit]:
    """Header and commit of a `signed_header`; MalformedError."""
    item = _members(value, {"header", "commit"})
    return read_header(item["header"]), read_commit(item["commit"])


def read_header(value: RPC) -> Header:
    """A header; MalformedError."""
    item = _members(
        value,
        {
            "version", "chain_id", "height", "time", "last_block_id", "last_commit_hash", "data_hash", "validators_hash",
            "next_validators_hash", "consensus_hash", "app_hash", "last_results_hash", "evidence_hash",
            "proposer_address",
        },
    )  # fmt: skip
    version = _members(item["version"], {"block"}, {"app"})
    return Header(
        block_version=_number(version["block"]),
        app_version=_number(version.get("app", "0")),
        chain_id=_text(item["chain_id"]),
        height=_number(item["height"]),
        time=BlockTime.parse(item["time"], exact=False),
        last_block_id=NO_BLOCK if item["last_block_id"] is None else _block_id(item["last_block_id"]),
        last_commit_hash=_hex(item["last_commit_hash"]),
        data_hash=_hex(item["data_hash"]),
        validators_hash=_hex(item["validators_hash"]),
        next_validators_hash=_hex(item["next_validators_hash"]),
        consensus_hash=_hex(item["consensus_hash"]),
        app_hash=_hex(item["app_hash"]),
        last_results_hash=_hex(item["last_results_hash"]),
        evidence_hash=_hex(item["evidence_hash"]),
        proposer_address=_hex(item["proposer_address"]),
    )


def read_commit(value: RPC) -> Commit:
    """A commit; MalformedError."""
    item = _members(value, {"height", "round", "block_id", "signatures"}, {"hash", "bit_array"})
    return Commit(
        height=_number(item["height"]),
        round=_small(item["round"]),
        block_id=_block_id(item["block_id"]),
        signatures=tuple(_vote(vote) for vote in _list(item["signatures"])),
    )


def read_validators(value: RPC) -> ValidatorSet:
    """A validator set in any order (its hash decides): pages joined by the caller; MalformedError."""
    validators = [_validator(item) for item in _list(value)]
    return ValidatorSet.of(validators)


def _validator(value: RPC) -> Validator:
    item = _members(value, {"address", "pub_key", "voting_power"}, {"proposer_priority", "name"})
    key = _members(item["pub_key"], {"type", "value"})
    if key["type"] != _KEY_TYPE:
        raise MalformedError("malformed.court_rpc", reason="key type")
    validator = Validator(public_key=_base64(key["value"]), power=_number(item["voting_power"]))
    if validator.address != _hex(item["address"]):
        raise MalformedError("malformed.court_rpc", reason="address")
    return validator


def _vote(value: RPC) -> CommitSignature:
    item = _members(value, {"block_id_flag", "validator_address", "timestamp", "signature"})
    try:
        flag = VoteFlag(_small(item["block_id_flag"]))
    except ValueError as error:
        raise MalformedError("malformed.court_rpc", reason="vote") from error
    if flag is VoteFlag.ABSENT:
        empty = item["timestamp"] in _NO_TIME and not item["validator_address"]
        if not empty or item["signature"]:
            raise MalformedError("malformed.court_rpc", reason="vote")
        return ABSENT
    return CommitSignature(
        flag=flag,
        address=_hex(item["validator_address"]),
        time=BlockTime.parse(item["timestamp"], exact=False),
        signature=_base64(item["signature"]),
    )


def _block_id(value: RPC) -> BlockId:
    item = _members(value, {"hash"}, {"part_set_header", "parts"})
    parts = _members(item.get("part_set_header", item.get("parts")), {"total", "hash"})
    return BlockId(hash=_hex(item["hash"]), parts=_small(parts["total"]), parts_hash=_hex(parts["hash"]))


def _members(value: RPC, needed: set[str], known: set[str] | None = None) -> dict[str, RPC]:
    if not isinstance(value, dict) or not needed <= set(value) <= needed | (known or set()):
        raise MalformedError("malformed.court_rpc", reason="members")
    return value


def _list(value: RPC) -> list[RPC]:
    if not isinstance(value, list):
        raise MalformedError("malformed.court_rpc", reason="list")
    return value


def _text(value: RPC) -> str:
    if not isinstance(value, str):
        raise MalformedError("malformed.court_rpc", reason="text")
    return value


def _number(value: RPC) -> int:
    """A 64-bit number, written as a string."""
    text = _text(value)
    if not _NUMBER.match(text):
        raise MalformedError("malformed.court_rpc", reason="number")
    return int(text)


def _small(value: RPC) -> int:
    """A 32-bit number, written as a number."""
    if type(value) is not int or value < 0:
        raise MalformedError("malformed.court_rpc", reason="number")
    return value


def _hex(value: RPC) -> bytes:
    text = _text(value)
    if not _HEX.match(text):
        raise MalformedError("malformed.court_rpc", reason="hex")
    return bytes.fromhex(text)


def _base64(value: RPC) -> bytes:
    text = _text(value)
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise MalformedError("malformed.court_rpc", reason="base64") from error
    if base64.b64encode(data).decode() != text:
        raise MalformedError("malformed.court_rpc", reason="base64")
    return data


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("name twice")
    return result


def _refuse(text: str) -> object:
    raise ValueError(text[:40])

"""Trust in a network as a file of a trust folder: genesis validators and periodic headers, canonical JSON."""

from __future__ import annotations

from typing import Final

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.court.protocol.block import MAX_VALIDATORS, Validator, ValidatorSet, check_chain_id
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.history import NetworkTrust
from evidence_desk.court.protocol.light_block import (
    from_base64,
    header_json,
    items,
    members,
    number,
    read_header_json,
    to_base64,
)
from evidence_desk.errors import MalformedError

VERSION: Final = "network/1"
MAX_FILE: Final = 4 * 1024 * 1024
MAX_HEADERS: Final = 4_000
MAX_NAME: Final = 200


def encode_network(trust: NetworkTrust) -> bytes:
    """Canonical bytes; headers ascending."""
    return encode(
        {
            "v": VERSION,
            "chain_id": trust.chain_id,
            "initial_height": trust.initial_height,
            "genesis_time": trust.genesis_time.text(),
            "validators": [
                {"key": to_base64(item.public_key), "power": item.power} for item in trust.genesis.validators
            ],
            "institutions": {address.hex(): name for address, name in trust.institutions.items()},
            "headers": [
                header_json(header) for header in sorted(trust.headers, key=lambda header: header.height)
            ],
        }
    )


def parse_network(data: bytes) -> NetworkTrust:
    """Read a network's trust.

    Raises:
        MalformedError: ``malformed.court_trust``, ``malformed.court_block`` or ``malformed.json``.
    """
    value = decode(data, what="network", limit=MAX_FILE)
    names = {"v", "chain_id", "initial_height", "genesis_time", "validators", "institutions", "headers"}
    item = members(value, names)
    chain_id, height = item["chain_id"], number(item["initial_height"])
    if item["v"] != VERSION or not isinstance(chain_id, str) or not height:
        raise MalformedError("malformed.court_trust", reason="version")
    trust = NetworkTrust(
        chain_id=check_chain_id(chain_id),
        genesis=_validators(item["validators"]),
        genesis_time=BlockTime.parse(item["genesis_time"], exact=True),
        initial_height=height,
        headers=tuple(read_header_json(header) for header in items(item["headers"], MAX_HEADERS)),
        institutions=_institutions(item["institutions"]),
    )
    if encode_network(trust) != data:
        raise MalformedError("malformed.court_trust", reason="order of headers")
    return trust


def _validators(value: JSON) -> ValidatorSet:
    pairs = [members(entry, {"key", "power"}) for entry in items(value, MAX_VALIDATORS)]
    return ValidatorSet(
        validators=tuple(
            Validator(public_key=from_base64(pair["key"]), power=number(pair["power"])) for pair in pairs
        )
    )


def _institutions(value: JSON) -> dict[bytes, str]:
    if not isinstance(value, dict):
        raise MalformedError("malformed.court_trust", reason="institutions")
    names: dict[bytes, str] = {}
    for address, name in value.items():
        good = isinstance(name, str) and 0 < len(name) <= MAX_NAME and name.isprintable()
        if not good or len(address) != 40 or address.strip("0123456789abcdef"):
            raise MalformedError("malformed.court_trust", reason="institutions")
        names[bytes.fromhex(address)] = str(name)
    return names

"""The application's part of a genesis document: institutions with their keys, and parameters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from evidence_desk.core.digests import parse_hex
from evidence_desk.court.node.abci.application import Genesis
from evidence_desk.court.node.app.records import PARAMETER_RANGES, Institution, Institutions, Parameters
from evidence_desk.court.protocol.actions import Parameter
from evidence_desk.court.protocol.ed25519 import is_sound_key
from evidence_desk.errors import MalformedError

VERSION: Final = "court-genesis/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppState:
    """What the network starts from."""

    institutions: Institutions
    parameters: Parameters


def app_state(members: Sequence[Institution], parameters: Parameters | None = None) -> dict[str, Any]:
    """The `app_state` member of a genesis document."""
    chosen = parameters or Parameters()
    return {
        "v": VERSION,
        "institutions": [
            {
                "institution": item.institution,
                "consensus_key": item.consensus_key.hex(),
                "governance_key": item.governance_key.hex(),
            }
            for item in sorted(members, key=lambda item: item.institution)
        ],
        "parameters": {
            "lookup_quota": chosen.lookup_quota,
            "max_submit_bytes": chosen.max_submit_bytes,
        },
    }


def parse_app_state(genesis: Genesis) -> AppState:
    """Read it, and compare it with the validators of the document: one institution each, power 1.

    Raises:
        MalformedError: ``malformed.genesis_state``.
    """
    try:
        value = json.loads(genesis.app_state)
        members = tuple(_institution(item) for item in value["institutions"])
        numbers = Parameters(
            lookup_quota=_in_range(value["parameters"]["lookup_quota"], Parameter.LOOKUP_QUOTA),
            max_submit_bytes=_in_range(value["parameters"]["max_submit_bytes"], Parameter.MAX_SUBMIT_BYTES),
        )
        again = app_state(members, numbers)
    except (ValueError, KeyError, TypeError, RecursionError, MalformedError) as error:
        raise MalformedError("malformed.genesis_state", reason="form") from error
    if genesis.initial_height != 1:  # heights of the state begin with 1
        raise MalformedError("malformed.genesis_state", reason="initial_height")
    codes = [item.institution for item in members]
    keys = [key for item in members for key in (item.consensus_key, item.governance_key)]
    sound = all(is_sound_key(key) for key in keys) and len(set(keys)) == len(keys)
    if again != value or not members or codes != sorted(set(codes)) or not sound:
        raise MalformedError("malformed.genesis_state", reason="institutions")
    validators = sorted((item.public_key, item.power) for item in genesis.validators)
    if validators != sorted((item.consensus_key, 1) for item in members):
        raise MalformedError("malformed.genesis_state", reason="validators")
    return AppState(institutions=Institutions(members=members), parameters=numbers)


def _institution(value: Any) -> Institution:
    return Institution(
        institution=value["institution"],
        consensus_key=parse_hex(value["consensus_key"], what="consensus_key"),
        governance_key=parse_hex(value["governance_key"], what="governance_key"),
    )


def _in_range(value: object, parameter: Parameter) -> int:
    if type(value) is not int or value not in PARAMETER_RANGES[parameter]:
        raise ValueError(parameter.name)
    return value

"""Model-based light-client cases of tendermint-rs: trusted block, untrusted block, trusting period, now → verdict."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.court.protocol.block import Header, LightBlock, ValidatorSet
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.light import LightVerdict, TrustedState, verify_next
from evidence_desk.court.protocol.rpc import read_signed_header, read_validators
from evidence_desk.errors import MalformedError

VERDICTS = {"SUCCESS": 28, "NOT_ENOUGH_TRUST": 27, "INVALID": 7}
"""How often the cases ask for each verdict: an empty run cannot pass for a good one."""


def cases(vectors: Path) -> list[Path]:
    files = sorted((vectors / "light").glob("*.json"))
    if not files:
        pytest.skip("no light-client vectors")
    return files


def state(header: Header, next_validators: ValidatorSet) -> TrustedState:
    return TrustedState(
        chain_id=header.chain_id, height=header.height, time=header.time, next_validators=next_validators
    )


def judged(
    trusted: TrustedState, step: dict[str, Any], period: timedelta
) -> tuple[LightVerdict, TrustedState]:
    """Verdict, and the state that is trusted afterwards."""
    try:
        block = step["block"]
        header, commit = read_signed_header(block["signed_header"])
        validators = read_validators(block["validator_set"]["validators"])
    except MalformedError:
        return LightVerdict.INVALID, trusted
    outcome = verify_next(
        trusted,
        LightBlock(header=header, commit=commit, validators=validators),
        now=BlockTime.parse(step["now"], exact=False).moment(),
        trusting_period=period,
        clock_drift=timedelta(0),
    )
    if outcome.verdict is not LightVerdict.SUCCESS:
        return outcome.verdict, trusted
    following = read_validators(block["next_validator_set"]["validators"])
    if following.hash != header.next_validators_hash:
        return LightVerdict.INVALID, trusted
    return outcome.verdict, state(header, following)


def test_every_step_of_every_case_gets_its_verdict(vectors: Path) -> None:
    wrong: list[str] = []
    seen = dict.fromkeys(VERDICTS, 0)
    for path in cases(vectors):
        case = json.loads(path.read_bytes())
        initial = case["initial"]
        header, _ = read_signed_header(initial["signed_header"])
        trusted = state(header, read_validators(initial["next_validator_set"]["validators"]))
        period = timedelta(microseconds=int(initial["trusting_period"]) // 1000)
        for number, step in enumerate(case["input"]):
            verdict, trusted = judged(trusted, step, period)
            seen[step["verdict"]] += 1
            if verdict != step["verdict"]:
                wrong.append(f"{path.name} step {number}: {verdict}, not {step['verdict']}")
    assert wrong == []
    assert seen == VERDICTS


def test_the_given_blocks_are_what_their_commits_say(vectors: Path) -> None:
    """Header hash, validator order and canonical vote agree with another implementation."""
    for path in cases(vectors):
        header, commit = read_signed_header(json.loads(path.read_bytes())["initial"]["signed_header"])
        assert header.hash == commit.block_id.hash
        assert header.time.moment() < datetime(1970, 1, 2, tzinfo=UTC)

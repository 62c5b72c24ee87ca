"""Blocks of a real CometBFT v0.38.26 (a localnet of four; one node stopped for a while), as its RPC gave them.

Heights 1, 2, 14 (round 1, one absent) and 26 (round 1, all there).
"""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from evidence_desk.court.protocol.block import LightBlock
from evidence_desk.court.protocol.history import NetworkTrust, walk
from evidence_desk.court.protocol.light import (
    LightVerdict,
    TrustedState,
    check_signers,
    require_majority,
    verify_next,
)
from evidence_desk.court.protocol.light_block import encode_light_block, parse_light_block
from evidence_desk.court.protocol.rpc import read_answer, read_signed_header, read_validators

ANSWERS = json.loads((Path(__file__).parent / "engine_blocks.json").read_text("utf-8"))


def read(answer: dict[str, dict[str, object]]) -> LightBlock:
    commit = read_answer(json.dumps(answer["commit"]["signed_header"]).encode())
    header, signatures = read_signed_header(commit)
    members = read_answer(json.dumps(answer["validators"]["validators"]).encode())
    return LightBlock(header=header, commit=signatures, validators=read_validators(members))


BLOCKS = [read(answer) for answer in ANSWERS]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: str(block.header.height))
def test_hashes_and_signatures_of_the_engine(block):
    signers = check_signers(block, block.header.chain_id)
    require_majority(signers, block.header.height)
    assert signers.disputed == ()
    assert parse_light_block(encode_light_block(block)) == block


def test_what_the_blocks_show():
    assert [block.header.height for block in BLOCKS] == [1, 2, 14, 26]
    assert [block.commit.round for block in BLOCKS] == [0, 0, 1, 1]
    assert [check_signers(block, block.header.chain_id).power for block in BLOCKS] == [4, 4, 3, 4]
    assert BLOCKS[1].header.last_block_id.hash == BLOCKS[0].header.hash
    assert not BLOCKS[0].header.last_block_id.complete


def test_from_genesis_and_from_block_to_block():
    first, *later = BLOCKS
    genesis = NetworkTrust(
        chain_id=first.header.chain_id, genesis=first.validators, genesis_time=first.header.time
    )
    assert set(walk(genesis, [], BLOCKS).signers) == {1, 2, 14, 26}
    trusted = TrustedState(
        chain_id=first.header.chain_id, height=1, time=first.header.time, next_validators=first.validators
    )
    now = BLOCKS[-1].header.time.moment() + timedelta(minutes=1)
    for block in later:
        outcome = verify_next(trusted, block, now=now, trusting_period=timedelta(days=14))
        assert outcome.verdict is LightVerdict.SUCCESS

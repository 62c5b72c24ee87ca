"""Header hash, canonical votes, commits, and both ways of the light client."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.court.protocol.block import (
    NO_BLOCK,
    BlockId,
    Commit,
    CommitSignature,
    LightBlock,
    Validator,
    ValidatorSet,
    VoteFlag,
)
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.ed25519 import Judgment, is_sound_key, judge
from evidence_desk.court.protocol.light import (
    LightOutcome,
    LightVerdict,
    TrustedState,
    check_signers,
    require_majority,
    verify_next,
)
from evidence_desk.court.protocol.light_block import (
    encode_header,
    encode_light_block,
    parse_header,
    parse_light_block,
)
from evidence_desk.court.protocol.rpc import (
    read_answer,
    read_commit,
    read_header,
    read_signed_header,
    read_validators,
)
from evidence_desk.errors import IntegrityError, MalformedError
from tests.unit.court.network import CHAIN, GENESIS, digest, make_header, node_key, nodes, signed, validator

FOUR = nodes(0, 1, 2, 3)


def vote_bytes(*, flag: VoteFlag = VoteFlag.COMMIT, round_: int = 0, time: BlockTime | None = None) -> str:
    commit = Commit(
        height=1,
        round=round_,
        block_id=BlockId(hash=b"\xaa" * 32, parts=1, parts_hash=b"\xbb" * 32),
        signatures=(CommitSignature(flag=VoteFlag.ABSENT),),
    )
    vote = CommitSignature(flag=flag, address=bytes(20), time=time or BlockTime(1, 2), signature=bytes(64))
    return commit.sign_bytes(vote, "test").hex()


def test_canonical_vote_by_hand():
    block_id = "2248" + "0a20" + "aa" * 32 + "1224" + "0801" + "1220" + "bb" * 32
    start, end = "0802" + "110100000000000000", "2a0408011002" + "320474657374"
    body = start + block_id + end
    assert vote_bytes() == "61" + body
    with_round = start + "190300000000000000" + block_id + end
    assert vote_bytes(round_=3) == f"{len(with_round) // 2:02x}" + with_round
    nil = start + end
    assert vote_bytes(flag=VoteFlag.NIL) == f"{len(nil) // 2:02x}" + nil
    at_zero = start + block_id + "2a00" + "320474657374"
    assert vote_bytes(time=BlockTime(0, 0)) == f"{len(at_zero) // 2:02x}" + at_zero


def test_part_set_header_is_written_even_when_empty():
    assert NO_BLOCK.encode() == b"\x12\x00"


def test_each_field_of_the_header_is_hashed():
    header = make_header(7, FOUR)
    other = BlockId(hash=digest("x"), parts=2, parts_hash=digest("y"))
    changes = {
        "app_version": 9, "chain_id": "other", "height": 8, "time": BlockTime(5, 5), "last_block_id": other,
        "last_commit_hash": b"", "data_hash": b"", "validators_hash": digest(1), "next_validators_hash": digest(2),
        "consensus_hash": digest(3), "app_hash": b"", "last_results_hash": b"", "evidence_hash": b"",
        "proposer_address": bytes(20),
    }  # fmt: skip
    hashes = {replace(header, **{name: value}).hash for name, value in changes.items()}  # type: ignore[arg-type]
    assert len(hashes | {header.hash}) == len(changes) + 1


def test_order_of_validators():
    mixed = ValidatorSet.of([validator(0, 1), validator(1, 5), validator(2, 1), validator(3, 3)])
    assert [item.power for item in mixed.validators] == [5, 3, 1, 1]
    assert mixed.validators[2].address < mixed.validators[3].address
    with pytest.raises(MalformedError):
        ValidatorSet(validators=mixed.validators[::-1])
    with pytest.raises(MalformedError):
        ValidatorSet.of([validator(0, 1), validator(0, 1)])
    with pytest.raises(MalformedError):
        ValidatorSet.of([validator(0, 1), validator(0, 2)])


def test_power_counts_not_heads():
    weighted = ValidatorSet.of([validator(0, 7), validator(1, 1), validator(2, 1), validator(3, 1)])
    block = signed(make_header(5, weighted), weighted, absent=(1, 2, 3))
    require_majority(check_signers(block, CHAIN), 5)
    block = signed(make_header(5, weighted), weighted, absent=(0,))
    with pytest.raises(IntegrityError, match="commit_power"):
        require_majority(check_signers(block, CHAIN), 5)


def test_every_signature_is_checked_even_when_enough_are_right():
    good = signed(make_header(5, FOUR), FOUR, nil=(3,))
    check_signers(good, CHAIN)
    for place in range(4):
        votes = list(good.commit.signatures)
        wrong = bytes([votes[place].signature[0] ^ 1]) + votes[place].signature[1:]
        votes[place] = replace(votes[place], signature=wrong)
        with pytest.raises(IntegrityError, match="commit_signature"):
            check_signers(replace(good, commit=replace(good.commit, signatures=tuple(votes))), CHAIN)


def refused(block: LightBlock, code: str, chain: str = CHAIN) -> None:
    with pytest.raises(IntegrityError) as caught:
        check_signers(block, chain)
    assert caught.value.code == code


def test_refusals():
    good = signed(make_header(5, FOUR), FOUR)
    votes = good.commit.signatures
    refused(good, "court.chain_id", "other")
    refused(replace(good, header=make_header(6, FOUR)), "court.header_hash")
    refused(replace(good, commit=replace(good.commit, height=6)), "court.commit_height")
    refused(replace(good, validators=nodes(0, 1, 2, 4)), "court.validators_hash")
    refused(replace(good, commit=replace(good.commit, signatures=votes[:3])), "court.commit_size")
    twice = (votes[0], votes[0], *votes[2:])
    refused(replace(good, commit=replace(good.commit, signatures=twice)), "court.commit_signer")
    swapped = (votes[1], votes[0], *votes[2:])
    refused(replace(good, commit=replace(good.commit, signatures=swapped)), "court.commit_signer")
    relabeled = (replace(votes[0], flag=VoteFlag.NIL), *votes[1:])
    refused(replace(good, commit=replace(good.commit, signatures=relabeled)), "court.commit_signature")


# --- Ed25519 as consensus has it -------------------------------------------------------------------------------

IDENTITY = b"\x01" + bytes(31)
IDENTITY_PLUS_P = b"\xee" + b"\xff" * 30 + b"\x7f"
"""y = p + 1: the identity in an encoding that is not canonical."""


def test_signatures_on_which_implementations_differ_are_disputed():
    assert judge(IDENTITY, b"any", IDENTITY_PLUS_P + bytes(32)) is Judgment.DISPUTED
    key = node_key(0)
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"message")
    assert judge(public, b"message", signature) is Judgment.RIGHT
    assert judge(public, b"massage", signature) is Judgment.WRONG
    assert judge(public, b"message", signature[:32] + bytes(32)) is Judgment.WRONG
    order = 2**252 + 27742317777372353535851937790883648493
    more = (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    assert judge(public, b"message", signature[:32] + more) is Judgment.WRONG
    assert judge(b"\xff" * 32, b"message", signature) is Judgment.WRONG


def test_disputed_votes_do_not_count():
    strange = Validator(public_key=IDENTITY, power=1)
    mixed = ValidatorSet.of([*nodes(0, 1, 2).validators, strange])
    place = mixed.validators.index(strange)
    header = make_header(5, mixed)
    block = signed(header, mixed, absent=(place,))
    vote = CommitSignature(
        flag=VoteFlag.COMMIT, address=strange.address, time=header.time, signature=IDENTITY_PLUS_P + bytes(32)
    )
    votes = (*block.commit.signatures[:place], vote, *block.commit.signatures[place + 1 :])
    signers = check_signers(replace(block, commit=replace(block.commit, signatures=votes)), CHAIN)
    assert signers.disputed == (strange.address,)
    assert (signers.power, signers.total) == (3, 4)


def test_keys_fit_for_the_ceremony():
    assert is_sound_key(node_key(0).public_key().public_bytes_raw())
    torsion = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
    for bad in (IDENTITY, IDENTITY_PLUS_P, torsion, bytes(32), b"\xff" * 32, b"short"):
        assert not is_sound_key(bad)


# --- light client ----------------------------------------------------------------------------------------------

NOW = GENESIS.moment() + timedelta(days=1)


def outcome(trusted: ValidatorSet, block: LightBlock, **changes: Any) -> LightOutcome:
    state = TrustedState(chain_id=CHAIN, height=10, time=make_header(10, FOUR).time, next_validators=trusted)
    given_: dict[str, Any] = {"now": NOW, "trusting_period": timedelta(days=14), **changes}
    return verify_next(state, block, **given_)


def test_next_height_needs_the_announced_set():
    assert outcome(FOUR, signed(make_header(11, FOUR), FOUR)).verdict is LightVerdict.SUCCESS
    other = nodes(0, 1, 2, 4)
    assert outcome(FOUR, signed(make_header(11, other), other)).code == "court.validators_unknown"


def test_skipping_needs_more_than_a_third_of_trusted_power():
    for signers, verdict in (
        ((0, 4, 5), LightVerdict.NOT_ENOUGH_TRUST),
        ((0, 1, 4, 5), LightVerdict.SUCCESS),
        ((4, 5, 6), LightVerdict.NOT_ENOUGH_TRUST),
    ):
        later = nodes(*signers)
        assert outcome(FOUR, signed(make_header(50, later), later)).verdict is verdict
    three, later = nodes(0, 1, 2), nodes(0, 7, 8)
    assert outcome(three, signed(make_header(50, later), later)).verdict is LightVerdict.NOT_ENOUGH_TRUST


def test_enough_trust_but_too_few_of_its_own():
    block = signed(make_header(50, FOUR), FOUR, absent=(0, 1))
    assert outcome(FOUR, block).code == "court.commit_power"


def test_time_and_height():
    block = signed(make_header(50, FOUR), FOUR)
    assert outcome(FOUR, signed(make_header(10, FOUR), FOUR)).code == "court.height_order"
    assert outcome(FOUR, block, now=NOW + timedelta(days=14)).code == "court.trust_expired"
    early = signed(make_header(50, FOUR, time=make_header(9, FOUR).time), FOUR)
    assert outcome(FOUR, early).code == "court.time_order"
    moment = block.header.time.moment()
    assert outcome(FOUR, block, now=moment - timedelta(seconds=9)).verdict is LightVerdict.SUCCESS
    assert outcome(FOUR, block, now=moment - timedelta(seconds=11)).code == "court.time_future"


def test_boundaries():
    three = nodes(0, 1, 2)
    with pytest.raises(IntegrityError, match="commit_power"):
        require_majority(check_signers(signed(make_header(5, three), three, absent=(2,)), CHAIN), 5)
    start = make_header(10, FOUR).time
    block = signed(make_header(50, FOUR), FOUR)
    ends = start.moment() + timedelta(days=14)
    assert outcome(FOUR, block, now=ends).code == "court.trust_expired"
    assert outcome(FOUR, block, now=ends - timedelta(microseconds=1)).verdict is LightVerdict.SUCCESS
    same = signed(make_header(50, FOUR, time=start), FOUR)
    assert outcome(FOUR, same).code == "court.time_order"
    later = start.moment() + timedelta(hours=1)
    ahead = signed(make_header(50, FOUR, time=BlockTime.of(later)), FOUR)
    assert outcome(FOUR, ahead, now=later - timedelta(seconds=10)).verdict is LightVerdict.SUCCESS
    few = signed(make_header(11, FOUR), FOUR, absent=(0, 1, 2))
    assert outcome(FOUR, few).code == "court.commit_power"


# --- forms -----------------------------------------------------------------------------------------------------


def test_light_block_round_trip():
    block = signed(make_header(5, FOUR), FOUR, absent=(1,), nil=(2,), round_=2)
    data = encode_light_block(block)
    assert parse_light_block(data) == block
    check_signers(parse_light_block(data), CHAIN)


def test_header_alone():
    header = make_header(5, FOUR)
    assert parse_header(encode_header(header)) == header
    with pytest.raises(MalformedError):
        parse_header(encode_header(header) + b" ")


@given(st.binary(max_size=300))
def test_light_block_reader_never_crashes(data):
    with pytest.raises(MalformedError):
        parse_light_block(data)


PLAIN = encode_light_block(signed(make_header(5, FOUR), FOUR, absent=(1,)))
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_light_block_reader_survives_any_member(data):
    value = json.loads(PLAIN)
    where = value
    while True:
        key = data.draw(st.sampled_from(list(where) if isinstance(where, dict) else range(len(where))))
        if not isinstance(where[key], dict | list) or not where[key] or data.draw(st.booleans()):
            break
        where = where[key]
    where[key] = data.draw(JUNK)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    try:
        block = parse_light_block(text)
    except MalformedError:
        return
    assert encode_light_block(block) == text


RPC_HEADER = {
    "version": {"block": "11", "app": "1"},
    "chain_id": CHAIN,
    "height": "5",
    "time": "2026-03-01T00:04:00.0000005Z",
    "last_block_id": {"hash": "AA" * 32, "parts": {"total": 1, "hash": "BB" * 32}},
    "last_commit_hash": "", "data_hash": "", "validators_hash": "CC" * 32, "next_validators_hash": "CC" * 32,
    "consensus_hash": "DD" * 32, "app_hash": "EE" * 32, "last_results_hash": "", "evidence_hash": "",
    "proposer_address": "FF" * 20,
}  # fmt: skip


def test_rpc_header():
    header = read_header(read_answer(json.dumps(RPC_HEADER).encode()))
    assert (header.height, header.app_version, header.time.nanos) == (5, 1, 500)


@pytest.mark.parametrize(
    "change",
    [
        {"height": 5}, {"height": "05"}, {"height": "-1"}, {"height": "9" * 30}, {"chain_id": ""}, {"chain_id": "é"},
        {"chain_id": "c" * 51}, {"time": "2026-03-01T00:04:00+00:00"}, {"time": "2026-02-30T00:04:00Z"},
        {"time": "2026-03-01T24:00:00Z"}, {"validators_hash": ""}, {"app_hash": "EE"}, {"app_hash": "E" * 63},
        {"app_hash": "zz" * 32}, {"version": {"block": "10"}}, {"extra": 1}, {"proposer_address": ""},
    ],
)  # fmt: skip
def test_rpc_header_is_read_strictly(change):
    with pytest.raises(MalformedError):
        read_header(read_answer(json.dumps({**RPC_HEADER, **change}).encode()))


VOTE = {
    "block_id_flag": 2,
    "validator_address": "AA" * 20,
    "timestamp": "2026-03-01T00:00:00Z",
    "signature": "A" * 86 + "==",
}
GONE = {"block_id_flag": 1, "validator_address": "", "timestamp": "0001-01-01T00:00:00Z", "signature": None}
RPC_COMMIT = {
    "height": "5", "round": 0, "block_id": {"hash": "AA" * 32, "parts": {"total": 1, "hash": "BB" * 32}},
    "signatures": [VOTE, GONE, {**VOTE, "block_id_flag": 3}],
}  # fmt: skip


def commit_of(value: object) -> Commit:
    return read_commit(read_answer(json.dumps(value).encode()))


def test_rpc_commit():
    flags = [vote.flag for vote in commit_of(RPC_COMMIT).signatures]
    assert flags == [VoteFlag.COMMIT, VoteFlag.ABSENT, VoteFlag.NIL]


@pytest.mark.parametrize(
    "vote",
    [
        {**VOTE, "block_id_flag": 0}, {**VOTE, "block_id_flag": 4}, {**VOTE, "block_id_flag": "2"}, {**VOTE, "block_id_flag": True},
        {**VOTE, "signature": ""}, {**VOTE, "signature": "AA=="}, {**VOTE, "signature": "A" * 85 + "B=="},
        {**VOTE, "signature": "*"}, {**VOTE, "validator_address": ""}, {**VOTE, "timestamp": "0001-01-01T00:00:00Z"},
        {**GONE, "signature": "AA=="}, {**GONE, "validator_address": "AA" * 20},
        {**GONE, "timestamp": "2026-03-01T00:00:00Z"}, {**VOTE, "extra": 1}, None, [],
    ],
)  # fmt: skip
def test_rpc_votes_are_read_strictly(vote):
    with pytest.raises(MalformedError):
        commit_of({**RPC_COMMIT, "signatures": [vote]})


@pytest.mark.parametrize(
    "change",
    [
        {"signatures": []}, {"signatures": {}}, {"signatures": [VOTE] * 301}, {"round": "0"}, {"round": -1}, {"round": 2**31},
        {"height": "0"}, {"block_id": {"hash": "", "parts": {"total": 0, "hash": ""}}}, {"block_id": None},
        {"block_id": {"hash": "AA" * 32, "parts": {"total": 2**32, "hash": "BB" * 32}}},
    ],
)  # fmt: skip
def test_rpc_commit_is_read_strictly(change):
    with pytest.raises(MalformedError):
        commit_of({**RPC_COMMIT, **change})


def test_rpc_validators_are_read_strictly():
    key = {"type": "tendermint/PubKeyEd25519", "value": base64.b64encode(validator(0).public_key).decode()}
    good = {
        "address": validator(0).address.hex().upper(),
        "pub_key": key,
        "voting_power": "1",
        "proposer_priority": "-3",
    }
    assert read_validators(read_answer(json.dumps([good]).encode())) == nodes(0)
    for change in (
        {"address": "AA" * 20}, {"voting_power": "0"}, {"voting_power": str(2**60)}, {"voting_power": 1},
        {"pub_key": {**key, "type": "tendermint/PubKeySecp256k1"}}, {"pub_key": {**key, "value": "AA=="}},
    ):  # fmt: skip
        with pytest.raises(MalformedError):
            read_validators(read_answer(json.dumps([{**good, **change}]).encode()))
    for many in ([], [good, good]):
        with pytest.raises(MalformedError):
            read_validators(read_answer(json.dumps(many).encode()))


def test_rpc_json_is_read_strictly():
    for data in (b'{"a":1,"a":2}', b"1.5", b"[NaN]", b"\xff", b"[" * 100_000, b"{", b'"\\ud800"x'):
        with pytest.raises(MalformedError):
            read_answer(data)


@given(JUNK)
def test_rpc_reader_never_crashes(value):
    for read in (read_signed_header, read_validators, read_header):
        with pytest.raises(MalformedError):
            read(value)

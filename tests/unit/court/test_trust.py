"""Trust in a network: its file, what contradicts itself, and real RFC 3161 tokens over headers."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.history import NetworkTrust, walk
from evidence_desk.court.protocol.network_file import encode_network, parse_network
from evidence_desk.court.protocol.part import parse_court_part
from evidence_desk.court.protocol.verdict import TokenTime
from evidence_desk.crypto import oids, pki
from evidence_desk.errors import IntegrityError, MalformedError
from tests.unit.court.network import (
    CHAIN,
    GENESIS,
    NOW,
    World,
    codes,
    judge,
    make_header,
    nodes,
    signed,
    trust,
)
from tsa.authority.embedded import EmbeddedAuthority
from tsa.authority.keys import make_demo_authority
from tsa.policy import TokenTrust
from tsa.verify import verify_token

SEVEN = nodes(*range(7))
FULL = trust(
    headers=(make_header(10, SEVEN), make_header(30, SEVEN)),
    institutions={SEVEN.validators[0].address: "甲市中级人民法院"},
)


def test_network_file_round_trip():
    data = encode_network(FULL)
    assert parse_network(data) == FULL
    assert judge(World().part(), trust=parse_network(data)).status is Status.PASSED


@pytest.mark.parametrize(
    "change",
    [
        {"v": "network/2"}, {"chain_id": ""}, {"chain_id": 7}, {"initial_height": 0}, {"genesis_time": "2026-03-01T00:00:00Z"},
        {"validators": []}, {"validators": [{"key": "AA==", "power": 1}]}, {"institutions": {"zz" * 20: "x"}},
        {"institutions": {"aa" * 20: ""}}, {"institutions": []}, {"headers": [1]}, {"more": 1},
        {"headers": json.loads(encode_network(FULL))["headers"][::-1]}, {"initial_height": 20},
        {"headers": json.loads(encode_network(FULL))["headers"] * 2},
    ],
)  # fmt: skip
def test_network_file_is_read_strictly(change):
    value = {**json.loads(encode_network(FULL)), **change}
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    with pytest.raises(MalformedError):
        parse_network(text)


def test_trust_that_contradicts_itself_is_refused():
    ten = make_header(10, SEVEN)
    for headers in (
        (ten, make_header(20, SEVEN, time=ten.time)),
        (ten, make_header(10, SEVEN, time=GENESIS)),
        (make_header(10, SEVEN, chain_id="other"),),
    ):
        with pytest.raises(MalformedError):
            trust(headers=headers)
    with pytest.raises(MalformedError):
        trust(headers=(ten,), initial_height=11)


def test_the_first_block_may_have_the_time_of_genesis_later_ones_not():
    first = signed(make_header(1, SEVEN, time=GENESIS), SEVEN)
    assert walk(trust(), [], [first]).start == 0
    second = signed(make_header(2, SEVEN, time=GENESIS), SEVEN)
    for blocks in ([second], [first, second]):
        with pytest.raises(IntegrityError) as caught:
            walk(trust(), [], blocks)
        assert caught.value.code == "court.time_order"
    before = signed(make_header(4, SEVEN), SEVEN)
    with pytest.raises(IntegrityError):
        walk(trust(initial_height=5), [], [before])


def test_walk_starts_at_the_nearest_header_below():
    for height, start in ((5, 0), (10, 0), (11, 10), (31, 30)):
        assert walk(FULL, [], [signed(make_header(height, SEVEN), SEVEN)]).start == start
    with pytest.raises(IntegrityError):
        walk(FULL, [], [])


def test_trusted_headers_of_the_same_moment_do_not_fit():
    block = signed(make_header(20, SEVEN), SEVEN)
    first = make_header(1, SEVEN, time=GENESIS)
    assert walk(trust(headers=(first,)), [], [block]).start == 1
    between = make_header(5, SEVEN, time=GENESIS)
    above = make_header(25, SEVEN, time=block.header.time)
    for headers, start in (((between,), 1), ((above,), 20)):
        below = signed(make_header(1, SEVEN, time=GENESIS), SEVEN)
        blocks = [below, block] if start == 1 else [block]
        with pytest.raises(IntegrityError) as caught:
            walk(trust(headers=headers), [], blocks)
        assert caught.value.code == "court.trust_contradiction"


def test_a_trusted_header_needs_no_token():
    world = World()
    bare = replace(world.part().anchor.header, token=b"")
    part = replace(world.part(), anchor=replace(world.part().anchor, header=bare))
    known = trust(headers=(bare.block.header,))
    assert judge(part, trust=known).status is Status.PASSED
    assert judge(part).status is Status.UNDETERMINED


def test_nothing_is_trusted_by_its_name_alone():
    stranger = NetworkTrust(chain_id=CHAIN, genesis=nodes(50, 51, 52, 53), genesis_time=GENESIS)
    assert judge(World().part(), trust=stranger).status is Status.UNDETERMINED


class Hand:
    def __init__(self, wall: datetime) -> None:
        self.wall = wall

    def now(self) -> datetime:
        return self.wall


def test_with_real_tokens(tmp_path: Path):
    """The embedded authority stamps header H+1; the strict verifier judges it."""
    world = World()
    block = world.block()
    wall = block.header.time.moment() + timedelta(hours=2)
    keys = make_demo_authority(pki.KeyKind.P256, now=wall - timedelta(days=1))
    authority = EmbeddedAuthority(keys.tsa, tmp_path, Hand(wall), name="演示")
    reply = authority.timestamp(block.header.hash)
    given_ = TokenTrust(
        roots=(keys.ca.certificate,), crls=reply.crls, policies=frozenset({oids.DEMO_TSA_POLICY})
    )

    def check(token: bytes, imprint: bytes) -> TokenTime:
        verdict = verify_token(token, hash_oid=oids.SHA256, imprint=imprint, trust=given_, now=wall)
        return TokenTime(status=verdict.status, gen_time=verdict.facts.gen_time if verdict.facts else None)

    part = world.part()
    part = replace(part, anchor=replace(part.anchor, header=replace(part.anchor.header, token=reply.token)))
    verdict = judge(parse_court_part(part.encode()), token=check, now=wall)
    assert verdict.status is Status.PASSED
    assert "court.token.timely" in codes(verdict)
    other = World(height=41).part()
    moved = replace(
        other, anchor=replace(other.anchor, header=replace(other.anchor.header, token=reply.token))
    )
    assert "court.token.wrong" in codes(judge(moved, token=check, now=wall))
    authority.close()


PART = World(lookups=5, size=3, index=1).part()
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2**53 - 1) | st.text(max_size=8) | st.just("AAAA"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_neither_reader_nor_judge_crashes_on_any_member(data):
    value = json.loads(PART.encode())
    where = value
    while True:
        key = data.draw(st.sampled_from(list(where) if isinstance(where, dict) else range(len(where))))
        if not isinstance(where[key], dict | list) or not where[key] or data.draw(st.booleans()):
            break
        where = where[key]
    original, where[key] = where[key], data.draw(JUNK)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    try:
        part = parse_court_part(text)
    except MalformedError:
        return
    same = where[key] == original and type(where[key]) is type(original)
    assert (judge(part).status is Status.PASSED) is same


def test_now_is_what_the_caller_says():
    assert datetime(2026, 3, 1, tzinfo=UTC) < NOW
    assert judge(World().part(), now=datetime(2026, 3, 1, tzinfo=UTC)).status is Status.UNDETERMINED

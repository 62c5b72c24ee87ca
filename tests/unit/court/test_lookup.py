"""Look-up answers: presence, absence, staleness, and what is refused."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.header import Standing
from evidence_desk.court.protocol.lookup import (
    LookupAnswer,
    LookupVerdict,
    parse_lookup_answer,
    verify_lookup,
)
from evidence_desk.court.protocol.part import TimedBlock
from evidence_desk.court.protocol.state import LookupEntry, LookupKind, lookup_key
from evidence_desk.errors import MalformedError
from tests.unit.court.network import World, digest, judge_token, make_header, nodes, signed, timed, trust

WORLD = World(lookups=40, size=5, index=2)
BLOCK = WORLD.block()
STANDING = Standing(chain_id=WORLD.chain_id, roots=WORLD.roots, block=BLOCK)
NOW = BLOCK.header.time.moment() + timedelta(minutes=5)
PRESENT = lookup_key(LookupKind.OBJECT_SHA256, digest(7))
ABSENT = lookup_key(LookupKind.OBJECT_SHA256, digest("nobody's"))
ENTRY = LookupEntry(leaf_hash=digest(("leaf", 7)), height=8)


def answer(key: bytes, *entries: LookupEntry) -> LookupAnswer:
    return LookupAnswer(
        key=key,
        entries=entries,
        proof=WORLD.lookup.prove(key)[1],
        standing=STANDING,
    )


def under(**changes: Any) -> LookupAnswer:
    return replace(answer(ABSENT), standing=replace(STANDING, **changes))


def judged(given_: LookupAnswer, **changes: Any) -> LookupVerdict:
    asked: dict[str, Any] = {"key": given_.key, "trust": trust(), "token": judge_token, "now": NOW, **changes}
    return verify_lookup(given_, **asked)


def test_presence_and_absence():
    found = judged(parse_lookup_answer(answer(PRESENT, ENTRY).encode()))
    assert found.status is Status.PASSED
    assert found.entries == (ENTRY,)
    assert (found.height, found.time) == (40, BLOCK.header.time.moment())
    nothing = judged(parse_lookup_answer(answer(ABSENT).encode()))
    assert nothing.findings[-1].code == "court.lookup.absent"
    assert nothing.entries == ()
    assert [item.code for item in nothing.caveats] == ["demo.chain"]


def test_absence_under_an_old_header_is_undetermined_presence_is_not():
    later = BLOCK.header.time.moment() + timedelta(minutes=20, seconds=1)
    stale = judged(answer(ABSENT), now=later)
    assert stale.findings[-1].code == "court.lookup.stale"
    assert stale.status is Status.UNDETERMINED
    assert stale.entries is None
    assert judged(answer(PRESENT, ENTRY), now=later).status is Status.PASSED


@pytest.mark.parametrize(
    ("given_", "changes", "code", "status"),
    [
        (answer(PRESENT), {}, "court.lookup.wrong", Status.FAILED),
        (answer(ABSENT, ENTRY), {}, "court.lookup.wrong", Status.FAILED),
        (answer(PRESENT, replace(ENTRY, height=9)), {}, "court.lookup.wrong", Status.FAILED),
        (answer(PRESENT, ENTRY, ENTRY), {}, "court.lookup.wrong", Status.FAILED),
        (answer(PRESENT, ENTRY), {"key": ABSENT}, "court.lookup.other", Status.FAILED),
        (under(roots=World().roots), {}, "court.state.wrong", Status.FAILED),
        (answer(ABSENT), {"trust": None}, "court.chain.no_trust", Status.UNDETERMINED),
        (answer(ABSENT), {"trust": trust(chain_id="demo-x")}, "court.chain.other", Status.FAILED),
        (answer(ABSENT), {"trust": trust(nodes(8, 9))}, "court.trust_unreached", Status.UNDETERMINED),
        (answer(ABSENT), {"now": NOW - timedelta(minutes=6)}, "court.header.future", Status.UNDETERMINED),
        (under(block=WORLD.block(absent=(0, 1, 2))), {}, "court.commit_power", Status.FAILED),
        (under(block=World(app_version=2).block()), {}, "court.rules.unknown", Status.UNDETERMINED),
    ],
)  # fmt: skip
def test_refusals(given_, changes, code, status):
    verdict = judged(given_, **changes)
    assert code in [item.code for item in verdict.findings]
    assert verdict.status is status
    assert verdict.entries is None


def test_changes_of_the_set_need_their_tokens():
    """Unless they are so fresh that the validators who left still guard their keys."""
    old = nodes(0, 1, 2)
    change = timed(signed(make_header(9, old, following=WORLD.validators), old))
    later = replace(WORLD, time=BlockTime.of(NOW + timedelta(days=40))).block()
    bare = TimedBlock(block=change.block)
    fresh = judged(under(history=(bare,)), trust=trust(old))
    assert (fresh.status, fresh.findings[1].code) == (Status.PASSED, "court.token.fresh")
    now = later.header.time.moment() + timedelta(minutes=1)
    assert judged(under(block=later, history=(change,)), trust=trust(old), now=now).status is Status.PASSED
    doubted = judged(under(block=later, history=(bare,)), trust=trust(old), now=now)
    assert doubted.status is Status.UNDETERMINED


def test_an_old_header_says_nothing_of_itself():
    """Presence as well: keys of validators who left since could have signed it."""
    assert judged(answer(PRESENT, ENTRY), now=NOW + timedelta(days=29)).status is Status.PASSED
    old = judged(answer(PRESENT, ENTRY), now=NOW + timedelta(days=30))
    assert (old.status, old.entries) == (Status.UNDETERMINED, None)
    assert "court.token.missing" in [item.code for item in old.findings]
    kept = trust(headers=(BLOCK.header,))
    assert judged(answer(PRESENT, ENTRY), trust=kept, now=NOW + timedelta(days=30)).status is Status.PASSED


def test_no_flip_passes():
    for good in (answer(PRESENT, ENTRY), answer(ABSENT)):
        data = good.encode()
        for at in range(0, len(data), 3):
            flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            try:
                read = parse_lookup_answer(flipped)
            except MalformedError:
                continue
            assert judged(read, key=good.key).status is not Status.PASSED, data[max(0, at - 30) : at + 5]


@pytest.mark.parametrize(
    "change",
    [{"v": "lookup/2"}, {"key": ""}, {"entries": [[1]]}, {"entries": [["", 1, 2]]}, {"entries": [["", 1]]}, {"chain_id": 1}, {"x": 1}],
)  # fmt: skip
def test_answers_are_read_strictly(change):
    value = {**json.loads(answer(PRESENT, ENTRY).encode()), **change}
    with pytest.raises(MalformedError):
        parse_lookup_answer(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


@given(st.binary(max_size=200))
def test_reader_never_crashes(data):
    with pytest.raises(MalformedError):
        parse_lookup_answer(data)

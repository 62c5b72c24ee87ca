"""Answers of gateways about checkpoints, desks and digests: what passes, and one forged answer a rule."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.anchor import AnchorAnswer, parse_anchor_answer
from evidence_desk.court.protocol.desk_answer import DeskAnswer, parse_desk_answer, verify_desk_answer
from evidence_desk.court.protocol.header import Standing
from evidence_desk.court.protocol.lookup import LookupAnswer
from evidence_desk.court.protocol.part import TimedBlock
from evidence_desk.court.protocol.registry import DeskEntry
from evidence_desk.court.protocol.search import (
    KINDS,
    FoundLeaf,
    SearchAnswer,
    SearchVerdict,
    encode_leaf_answer,
    encode_numbers,
    has_number,
    parse_leaf_answer,
    parse_numbers,
    parse_search_answer,
    verify_found,
    verify_search,
)
from evidence_desk.court.protocol.state import LookupEntry, desk_key, lookup_key, lookup_value
from evidence_desk.errors import MalformedError
from tests.fixed import ORIGIN
from tests.unit.court.network import (
    CHECKPOINT,
    LEAF,
    LEAF_HASH,
    LEAVES,
    NOTE,
    NOW,
    World,
    digest,
    event_leaf,
    judge,
    judge_token,
    make_token,
    path_in,
    trust,
)

PRESENT = digest("present")
ABSENT = digest("absent")
ENTRY = LookupEntry(leaf_hash=LEAF_HASH, height=40)


def world(**changes: Any) -> World:
    """A network that knows our leaf under one digest."""
    made = World(**changes)
    made.lookup.update({lookup_key(KINDS[0], PRESENT): lookup_value([ENTRY])})
    made.roots = replace(made.roots, lookup=made.lookup.root())
    return made


WORLD = world()
STANDING = Standing(chain_id=WORLD.chain_id, roots=WORLD.roots, block=WORLD.block())
SOON = STANDING.time + timedelta(minutes=1)


def anchor_answer(**changes: Any) -> AnchorAnswer:
    other = digest("another leaf")
    part = WORLD.part()
    base = AnchorAnswer(
        chain_id=part.chain_id, record=part.record, index=part.index, path=part.path, anchor=part.anchor,
        leaves={LEAF_HASH: WORLD.leaf_events(), other: WORLD.leaf_events()},
    )  # fmt: skip
    return replace(base, **changes)


def found(**changes: Any) -> FoundLeaf:
    digests = [leaf_hash(leaf) for leaf in LEAVES]
    base = FoundLeaf(leaf=LEAF, seq=5, path=path_in(digests, 5), note=NOTE, court=WORLD.part())
    return replace(base, **changes)


def search(what: bytes = PRESENT, **changes: Any) -> SearchAnswer:
    lookups = []
    for kind in KINDS:
        key = lookup_key(kind, what)
        entries = (ENTRY,) if (kind, what) == (KINDS[0], PRESENT) else ()
        lookups.append(
            LookupAnswer(key=key, entries=entries, proof=WORLD.lookup.prove(key)[1], standing=STANDING)
        )
    leaves = (found(),) if what == PRESENT else ()
    base = SearchAnswer(digest=what, lookups=tuple(lookups), found=leaves, standing=STANDING)
    return replace(base, **changes)


def searched(answer: SearchAnswer, what: bytes = PRESENT, **changes: Any) -> SearchVerdict:
    asked: dict[str, Any] = {"trust": trust(), "token": judge_token, "now": SOON, **changes}
    return verify_search(answer, digest=what, **asked)


# --- anchor/1 -------------------------------------------------------------------------------------------------


def test_an_answer_gives_the_part_of_each_of_its_leaves():
    answer = parse_anchor_answer(anchor_answer().encode())
    assert answer == anchor_answer()
    assert answer.part(LEAF_HASH) == WORLD.part()
    assert judge(answer.part(LEAF_HASH)).status is Status.PASSED
    with pytest.raises(MalformedError):
        answer.part(digest("unknown"))


def test_events_of_one_leaf_do_not_serve_another():
    answer = anchor_answer()
    other = digest("another leaf")
    verdict = judge(answer.part(other), leaf_hash=LEAF_HASH)
    assert verdict.status is Status.PASSED  # both are proofs of the same absence here
    event = event_leaf(LeafType.CORRECTION_NOTED)
    assert event not in answer.encode()


def test_tokens_are_filled_in_where_there_are_none():
    header = WORLD.block().header
    bare = replace(WORLD.part().anchor, header=TimedBlock(block=WORLD.block()))
    answer = anchor_answer(anchor=bare)
    token = make_token(header.hash, header.time.moment())
    assert [item.token for item in answer.with_tokens({header.hash: token}).headers] == [token]
    stamped = anchor_answer().with_tokens({header.hash: b"other"})
    assert stamped == anchor_answer()
    later = World(height=45).view()
    both = anchor_answer(current=later)
    assert len(both.headers) == 2
    assert both.with_tokens({}) == both


# --- desk/1 ---------------------------------------------------------------------------------------------------


def desk_answer(origin: str = ORIGIN, entry: DeskEntry | None = WORLD.entry, **changes: Any) -> DeskAnswer:
    proof = WORLD.desks.prove(desk_key(origin))[1]
    return replace(DeskAnswer(origin=origin, entry=entry, proof=proof, standing=STANDING), **changes)


def judged_desk(answer: DeskAnswer, origin: str = ORIGIN, **changes: Any) -> Any:
    asked: dict[str, Any] = {"trust": trust(), "token": judge_token, "now": SOON, **changes}
    return verify_desk_answer(answer, origin=origin, **asked)


def test_a_desk_is_registered_or_proven_not_to_be():
    verdict = judged_desk(parse_desk_answer(desk_answer().encode()))
    assert (verdict.status, verdict.entry, verdict.height) == (Status.PASSED, WORLD.entry, 40)
    stranger = ORIGIN.replace("example", "stranger")
    verdict = judged_desk(parse_desk_answer(desk_answer(stranger, None).encode()), stranger)
    assert (verdict.status, verdict.entry) == (Status.PASSED, None)
    assert verdict.findings[-1].code == "court.desk.absent"


@pytest.mark.parametrize(
    ("answer", "changes", "code"),
    [
        (desk_answer(entry=None), {}, "court.desk.wrong"),
        (desk_answer(entry=replace(WORLD.entry, size=99)), {}, "court.desk.wrong"),
        (desk_answer(entry=replace(WORLD.entry, origin=ORIGIN[:-1] + "2")), {}, "court.desk.wrong"),
        (desk_answer(ORIGIN[:-1] + "100"), {}, "court.desk.wrong"),
        (desk_answer(standing=replace(STANDING, roots=World().roots)), {}, "court.state.wrong"),
        (desk_answer(), {"trust": trust(chain_id="demo-x")}, "court.chain.other"),
    ],
)
def test_a_false_answer_about_a_desk_fails(answer, changes, code):
    verdict = judged_desk(answer, **changes)
    assert (verdict.status, verdict.findings[-1].code) == (Status.FAILED, code)
    assert verdict.entry is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"trust": None}, "court.chain.no_trust"),
        ({"now": SOON - timedelta(minutes=2)}, "court.header.future"),
        ({"now": SOON + timedelta(days=31)}, "court.token.missing"),
    ],
)
def test_an_answer_without_footing_is_undetermined(changes, code):
    verdict = judged_desk(desk_answer(), **changes)
    assert verdict.status is Status.UNDETERMINED
    assert code in [item.code for item in verdict.findings]
    assert verdict.entry is None


# --- search/1 -------------------------------------------------------------------------------------------------


def test_presence_with_the_leaf_and_absence():
    verdict = searched(parse_search_answer(search().encode()))
    assert (verdict.status, verdict.present) == (Status.PASSED, True)
    (leaf,) = verdict.found
    assert (leaf.status, leaf.leaf_hash) == (Status.PASSED, LEAF_HASH)
    assert leaf.court is not None
    assert leaf.court.height == 40
    nothing = searched(parse_search_answer(search(ABSENT).encode()), ABSENT)
    assert (nothing.status, nothing.present, nothing.found) == (Status.PASSED, False, ())


Change = Callable[[SearchAnswer], SearchAnswer]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda answer: replace(answer, lookups=answer.lookups[1:]), PRESENT),
        (lambda answer: replace(answer, lookups=answer.lookups[:4]), PRESENT),
        (lambda answer: replace(answer, lookups=(answer.lookups[1], *answer.lookups[1:])), PRESENT),
        (lambda answer: replace(answer, lookups=(replace(answer.lookups[0], entries=()), *answer.lookups[1:])), PRESENT),
        (lambda answer: answer, ABSENT),
    ],
)  # fmt: skip
def test_what_is_left_out_or_exchanged_fails(change, what):
    verdict = searched(change(search()), what)
    assert verdict.status is Status.FAILED
    assert not verdict.present or what == PRESENT


def test_leaves_that_nobody_looked_up_are_not_shown():
    stray = replace(found(), leaf=LEAVES[4], seq=4)
    assert searched(search(found=(stray,))).found == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"seq": 4}, "court.leaf.wrong"),
        ({"path": ()}, "court.leaf.malformed"),
        ({"leaf": LEAVES[4]}, "court.leaf.wrong"),
        ({"leaf": b"{}"}, "court.leaf.malformed"),
        ({"note": NOTE.replace(b"example", b"another")}, "court.leaf.wrong"),
        ({"note": b"x"}, "court.leaf.malformed"),
        ({"court": World(index=4).part()}, None),
    ],
)
def test_a_false_leaf_fails(change, code):
    verdict = verify_found(found(**change), trust=trust(), token=judge_token, now=SOON)
    if code is None:
        assert verdict.status is Status.PASSED
    else:
        assert (verdict.status, verdict.findings[0].code) == (Status.FAILED, code)


def test_a_note_of_somebody_else_fails():
    lines = NOTE.splitlines(keepends=True)
    for line in (-2, -1):
        at = lines[line].rindex(b"=") - 20 if b"=" in lines[line] else len(lines[line]) - 20
        flipped = bytearray(lines[line])
        flipped[at] = ord("A") if flipped[at] != ord("A") else ord("B")
        changed = [*lines]
        changed[line] = bytes(flipped)
        verdict = verify_found(found(note=b"".join(changed)), trust=trust(), token=judge_token, now=SOON)
        assert verdict.status is Status.FAILED
        del changed[line]
        verdict = verify_found(found(note=b"".join(changed)), trust=trust(), token=judge_token, now=SOON)
        assert verdict.status is Status.FAILED


def test_numbers_and_leaves():
    number = format_number(Prefix.EVIDENCE, LEAF_HASH)
    assert parse_numbers(encode_numbers(number, (found(),))) == (number, (found(),))
    assert parse_leaf_answer(encode_leaf_answer(found())) == found()
    assert has_number(found(), number)
    assert not has_number(replace(found(), leaf=LEAVES[4]), number)
    assert CHECKPOINT.size == len(LEAVES)
    assert NOW > SOON


READERS = (parse_anchor_answer, parse_desk_answer, parse_search_answer, parse_numbers, parse_leaf_answer)


@pytest.mark.parametrize("reader", READERS)
@given(data=st.binary(max_size=100))
def test_readers_never_crash(reader, data):
    with pytest.raises(MalformedError):
        reader(data)


@pytest.mark.parametrize("reader", READERS)
def test_readers_refuse_other_versions(reader):
    values: tuple[JSON, ...] = ({"v": "x/1"}, {}, {"v": 1, "found": []}, [])
    for value in values:
        with pytest.raises(MalformedError):
            reader(encode(value))


def test_no_flip_of_a_search_passes():
    data = search().encode()
    for at in range(0, len(data), 7):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            verdict = searched(parse_search_answer(flipped))
        except MalformedError:
            continue
        sound = verdict.status is Status.PASSED and all(
            item.status is Status.PASSED for item in verdict.found
        )
        assert not (sound and len(verdict.found) == 1), data[max(0, at - 40) : at + 5]

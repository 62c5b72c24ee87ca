"""The court part judged whole: what passes, what is refused, what stays undetermined."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evidence_desk.core.checkpoint import Checkpoint
from evidence_desk.core.leaf import LeafType
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.court.protocol.block_time import BlockTime
from evidence_desk.court.protocol.part import CourtEvent, CourtPart, TimedBlock, parse_court_part
from evidence_desk.court.protocol.registry import DeskStatus
from evidence_desk.court.protocol.state import ListRoot
from evidence_desk.court.protocol.verdict import TokenTime
from evidence_desk.texts import Language, has
from tests.fixed import ORIGIN
from tests.unit.court.network import (
    CHAIN,
    CHECKPOINT,
    GENESIS,
    KEYS,
    LEAF_HASH,
    NOW,
    World,
    codes,
    digest,
    event_leaf,
    judge,
    judge_token,
    make_header,
    make_token,
    nodes,
    path_in,
    signed,
    timed,
    trust,
)

GOOD = [
    "court.chain.right",
    "court.header.right",
    "court.token.timely",
    "court.state.right",
    "court.checkpoint.right",
    "court.desk.active",
    "court.events.none",
]


@pytest.fixture(scope="module")
def world():
    return World()


def test_a_good_part_passes_and_says_what_it_proves(world):
    part = parse_court_part(world.part().encode())
    header = part.anchor.header.block.header
    verdict = judge(part, trust=trust(institutions={nodes(*range(7)).validators[0].address: "first court"}))
    assert codes(verdict) == GOOD
    assert verdict.status is Status.PASSED
    assert verdict.anchored_at == header.time.moment()
    assert (verdict.height, verdict.as_of) == (40, 40)
    assert verdict.block_hash == header.last_block_id.hash
    assert verdict.desk_keys == KEYS.note_keys(ORIGIN)
    assert verdict.signers[0].institution == "first court"
    assert all(item.signed for item in verdict.signers)
    assert [item.code for item in verdict.caveats] == ["demo.chain"]
    assert {item.dimension for item in verdict.findings} == {Dimension.COURT}
    for code in [*codes(verdict), "demo.chain"]:
        assert has(code, Language.ZH), code


def test_a_real_network_is_not_called_a_demo():
    chain = "court-9c2e"
    world = World(chain_id=chain)
    verdict = judge(world.part(), trust=trust(chain_id=chain))
    assert codes(verdict) == GOOD
    assert verdict.caveats == ()


def test_size_for_seven_validators_without_tokens(world):
    part = world.part()
    bare = replace(part, anchor=replace(part.anchor, header=TimedBlock(block=part.anchor.header.block)))
    assert len(bare.encode()) < 12 * 1024


# --- never for another index, height, chain --------------------------------------------------------------------


def test_not_for_another_index(world):
    part = world.part()
    for index in (0, 32, 34, 49, 50, 2**52):
        assert "court.checkpoint.wrong" in codes(judge(replace(part, index=index)))
    for index in range(world.size):
        moved = replace(part, index=index, path=path_in(world.digests, index))
        assert judge(moved).status is (Status.PASSED if index == world.index else Status.FAILED)


def test_size_of_the_list_is_bound(world):
    """Without it, (index 1 of 2) and (index 2 of 3) have paths of the same form."""
    part = world.part()
    for size in (49, 51, 100):
        roots = replace(
            part.anchor.roots, checkpoints=ListRoot(size=size, root=part.anchor.roots.checkpoints.root)
        )
        moved = replace(part, anchor=replace(part.anchor, roots=roots))
        assert "court.state.wrong" in codes(judge(moved))


def test_not_for_another_height(world):
    part = world.part()
    for height in (39, 41, 1):
        moved = replace(part, record=replace(part.record, height=height))
        assert "court.checkpoint.height" in codes(judge(moved))
    later = replace(World(height=41).part(), record=part.record)
    assert judge(later).status is Status.FAILED
    swapped = replace(part, anchor=replace(part.anchor, header=World(height=41).part().anchor.header))
    assert "court.state.wrong" in codes(judge(swapped))


def test_not_for_another_chain(world):
    other = World(chain_id="demo-court-0000")
    assert judge(other.part()).status is Status.FAILED
    renamed = replace(other.part(), chain_id=CHAIN)
    assert judge(renamed).status is Status.FAILED
    crossed = replace(world.part(), anchor=other.part().anchor)
    assert judge(crossed).status is Status.FAILED
    assert judge(world.part(), trust=trust(chain_id="demo-court-0000")).status is Status.FAILED
    assert codes(judge(world.part(), trust=None)) == ["court.chain.no_trust"]
    assert judge(world.part(), trust=None).status is Status.UNDETERMINED


def test_the_name_of_the_chain_is_the_headers(world):
    verdict = judge(replace(world.part(), chain_id="demo-court-0000"))
    assert "court.chain.other" in codes(verdict)
    assert verdict.status is Status.FAILED


def test_not_for_another_checkpoint_or_leaf(world):
    part = world.part()
    for other in (
        Checkpoint(origin=ORIGIN, size=13, root=CHECKPOINT.root),
        Checkpoint(origin=ORIGIN, size=12, root=digest("other")),
        Checkpoint(origin=f"{ORIGIN[:-1]}2", size=12, root=CHECKPOINT.root),
    ):
        assert "court.checkpoint.other" in codes(judge(part, checkpoint=other))
    assert "court.events.wrong" in codes(judge(part, leaf_hash=digest("other leaf")))


# --- validators ------------------------------------------------------------------------------------------------


def test_strictly_more_than_two_thirds():
    world = World(validators=nodes(*range(6)))
    part = world.part()
    for absent, status in (((0,), Status.PASSED), ((0, 1), Status.FAILED), ((0, 1, 2), Status.FAILED)):
        for kind in ("absent", "nil"):
            view = replace(part.anchor, header=timed(world.block(**{kind: absent})))
            verdict = judge(replace(part, anchor=view), trust=trust(nodes(*range(6))))
            assert verdict.status is status, (absent, kind)


def test_signed_by_strangers_is_not_from_this_trust_root():
    verdict = judge(World(validators=nodes(*range(20, 27))).part())
    assert verdict.status is Status.UNDETERMINED
    assert "court.trust_unreached" in codes(verdict)
    assert verdict.anchored_at is None


OLD, NEW, NEWEST = nodes(*range(4)), nodes(1, 2, 3, 4), nodes(3, 4, 5, 6)


def changing() -> tuple[list[TimedBlock], World]:
    """Two changes of the set, and a part under the newest."""
    steps = [
        signed(make_header(10, OLD, following=NEW), OLD),
        signed(make_header(20, NEW, following=NEWEST), NEW),
    ]
    return [timed(step) for step in steps], World(validators=NEWEST)


def test_history_of_changes_is_followed():
    steps, world = changing()
    part = world.part(history=steps)
    verdict = judge(part, trust=trust(OLD))
    assert codes(verdict) == GOOD
    assert verdict.findings[1].parameters["changes"] == 2
    bundle = trust(OLD, headers=(make_header(25, NEWEST),))
    assert judge(world.part(), trust=bundle).status is Status.PASSED
    assert judge(part, trust=bundle).status is Status.PASSED


def test_a_gap_in_the_history_is_never_passed():
    steps, world = changing()
    for given, status in (
        ([], Status.UNDETERMINED),
        (steps[:1], Status.FAILED),
        (steps[1:], Status.UNDETERMINED),
    ):
        assert judge(world.part(history=given), trust=trust(OLD)).status is status
    assert "court.history_order" in codes(judge(world.part(history=steps[::-1]), trust=trust(OLD)))


def test_steps_that_change_nothing_or_come_later_are_refused():
    steps, world = changing()
    idle = timed(signed(make_header(15, NEW), NEW))
    assert "court.history_idle" in codes(
        judge(world.part(history=[steps[0], idle, steps[1]]), trust=trust(OLD))
    )
    late = timed(signed(make_header(60, NEWEST, following=OLD), NEWEST))
    assert "court.history_idle" in codes(judge(world.part(history=[*steps, late]), trust=trust(OLD)))


def test_headers_of_the_trust_root_must_fit():
    steps, world = changing()
    part = world.part(history=steps)
    for wrong in (
        make_header(20, NEW, following=NEWEST, time=BlockTime(GENESIS.seconds + 60 * 19, 999)),  # same height
        make_header(15, OLD),  # between, another set
        make_header(50, NEWEST, time=BlockTime(GENESIS.seconds + 60 * 30, 0)),  # above, but older
    ):
        verdict = judge(part, trust=trust(OLD, headers=(wrong,)))
        assert verdict.status is Status.FAILED
        assert "court.trust_contradiction" in codes(verdict)


def test_retired_validators_cannot_write_another_past():
    """They still have their keys and sign a history below a later trusted header, or without timely token."""
    forged = World(validators=OLD)
    late = timedelta(days=200)
    part = forged.part()
    stamped = replace(part, anchor=replace(part.anchor, header=timed(forged.block(), late)))
    verdict = judge(stamped, trust=trust(OLD))
    assert "court.token.late" in codes(verdict)
    assert verdict.status is Status.UNDETERMINED
    assert verdict.anchored_at is None
    modern = World(validators=OLD, time=BlockTime.of(NOW - timedelta(days=1)))
    bundle = trust(OLD, headers=(make_header(5000, NEWEST),))
    assert "court.trust_contradiction" in codes(judge(modern.part(), trust=bundle))


def test_a_fresh_header_does_not_vouch_for_an_old_one():
    """With leaked keys both could be forged together, the later one dated today."""
    world = World(validators=OLD)
    part = world.part()
    bare = replace(part, anchor=replace(part.anchor, header=TimedBlock(block=world.block())))
    today = World(height=9000, validators=OLD, time=BlockTime.of(NOW - timedelta(hours=1)))
    fresh = replace(today.view(), header=TimedBlock(block=today.block()))
    verdict = judge(replace(bare, current=fresh, events=today.leaf_events()), trust=trust(OLD))
    assert "court.token.missing" in codes(verdict)
    assert (verdict.status, verdict.anchored_at) == (Status.UNDETERMINED, None)
    alone = World(validators=OLD, time=BlockTime.of(NOW - timedelta(hours=1)))
    young = alone.part()
    young = replace(young, anchor=replace(young.anchor, header=TimedBlock(block=alone.block())))
    assert "court.token.fresh" in codes(judge(young, trust=trust(OLD)))


# --- tokens ----------------------------------------------------------------------------------------------------


def with_token(world: World, token: bytes) -> CourtPart:
    part = world.part()
    return replace(part, anchor=replace(part.anchor, header=replace(part.anchor.header, token=token)))


def test_tokens(world):
    block = world.block()
    moment = block.header.time.moment()
    for token, code, status in (
        (b"", "missing", Status.UNDETERMINED),
        (make_token(block.header.hash, moment + timedelta(days=30)), "timely", Status.PASSED),
        (make_token(block.header.hash, moment + timedelta(days=30, seconds=1)), "late", Status.UNDETERMINED),
        (make_token(block.header.hash, moment - timedelta(minutes=11)), "early", Status.UNDETERMINED),
        (make_token(block.header.hash, moment - timedelta(minutes=10)), "timely", Status.PASSED),
        (make_token(digest("other"), moment), "wrong", Status.FAILED),
        (b"no token", "wrong", Status.FAILED),
    ):
        verdict = judge(with_token(world, token))
        assert f"court.token.{code}" in codes(verdict)
        assert verdict.status is status
        assert (verdict.anchored_at is None) is (status is not Status.PASSED)
        assert (verdict.desk_keys is None) is (status is not Status.PASSED)


def test_a_header_of_the_trust_root_outlives_its_token(world):
    """The token's authority has ended; a false token is refused all the same."""
    known = trust(headers=(world.block().header,))
    ended = TokenTime(status=Status.UNDETERMINED)
    assert judge(world.part(), trust=known, token=lambda _token, _imprint: ended).status is Status.PASSED
    assert "court.token.wrong" in codes(judge(with_token(world, b"no token"), trust=known))


def test_an_undetermined_token_leaves_court_undetermined(world):
    for answer in (TokenTime(status=Status.UNDETERMINED), TokenTime(status=Status.PASSED)):
        verdict = judge(world.part(), token=lambda _token, _imprint, answer=answer: answer)
        assert "court.token.undetermined" in codes(verdict)
        assert verdict.status is Status.UNDETERMINED


def test_every_change_of_the_set_needs_its_token():
    steps, world = changing()
    for missing in (0, 1):
        bare = [TimedBlock(block=step.block) if at == missing else step for at, step in enumerate(steps)]
        verdict = judge(world.part(history=bare), trust=trust(OLD))
        assert "court.token.missing" in codes(verdict)
        assert verdict.status is Status.UNDETERMINED
        known = trust(OLD, headers=(bare[missing].block.header,))
        assert judge(world.part(history=bare), trust=known).status is Status.PASSED


def test_the_first_doubt_is_the_one_told():
    steps, world = changing()
    bare = [TimedBlock(block=step.block) for step in steps]
    [told] = [
        item
        for item in judge(world.part(history=bare), trust=trust(OLD)).findings
        if item.check == "court.token"
    ]
    assert told.parameters == {"height": 10}
    [told] = [
        item
        for item in judge(world.part(history=steps), trust=trust(OLD)).findings
        if item.check == "court.token"
    ]
    assert told.parameters == {"count": 3}


# --- rules, desk, events ---------------------------------------------------------------------------------------


def test_unknown_rules_are_undetermined():
    verdict = judge(World(app_version=2).part())
    assert codes(verdict)[-1] == "court.rules.unknown"
    assert verdict.status is Status.UNDETERMINED


def test_time_ahead_of_our_clock_is_undetermined(world):
    edge = world.block().header.time.moment() - timedelta(seconds=10)
    assert judge(world.part(), now=edge).status is Status.PASSED
    before = edge - timedelta(microseconds=1)
    verdict = judge(world.part(), now=before)
    assert "court.header.future" in codes(verdict)
    assert verdict.status is Status.UNDETERMINED


def revoked(suspect_from: int) -> World:
    entry = replace(
        World().entry,
        status=DeskStatus.REVOKED,
        status_since=90,
        suspect_from=suspect_from,
        size=30,
        root=digest(30),
    )
    return World(height=100, entry=entry, index=0, size=1)


def test_revoked_desk_by_suspect_from(world):
    stands = judge(world.part(current=revoked(41)))
    assert "court.desk.revoked_later" in codes(stands)
    assert stands.status is Status.PASSED
    assert stands.as_of == 100
    for suspect in (40, 12):
        doubtful = judge(world.part(current=revoked(suspect)))
        assert "court.desk.suspect" in codes(doubtful)
        assert doubtful.status is Status.UNDETERMINED
        assert doubtful.anchored_at is not None


def test_a_revoked_log_with_a_successor(world):
    for suspect, code in ((41, "revoked_later"), (40, "suspect"), (99, "revoked_later")):
        entry = replace(
            world.entry, status=DeskStatus.REVOKED, status_since=60, suspect_from=suspect,
            successor=f"{ORIGIN[:-1]}2",
        )  # fmt: skip
        verdict = judge(world.part(current=World(height=100, entry=entry, index=0, size=1)))
        assert f"court.desk.{code}" in codes(verdict)
        assert verdict.anchored_at is not None


def test_closed_log_stands(world):
    closed = replace(world.entry, status=DeskStatus.CLOSED, status_since=90, successor=f"{ORIGIN[:-1]}2")
    verdict = judge(world.part(current=World(height=100, entry=closed, index=0, size=1)))
    assert "court.desk.closed" in codes(verdict)
    assert verdict.status is Status.PASSED


def test_registered_or_closed_in_the_same_block_is_no_contradiction(world):
    same = replace(world.entry, registered=40, keys_since=40, status_since=40)
    for entry in (same, replace(world.entry, status=DeskStatus.CLOSED, status_since=40)):
        assert judge(World(entry=entry).part()).status is Status.PASSED


def test_an_entry_that_contradicts_the_record_fails(world):
    for wrong in (
        replace(world.entry, status=DeskStatus.CLOSED, status_since=39),
        replace(world.entry, status=DeskStatus.REVOKED, status_since=39, suspect_from=99),
        replace(world.entry, registered=41, keys_since=41, status_since=41),
        replace(world.entry, size=11),
        replace(world.entry, root=digest("other")),
    ):
        assert "court.desk.contradiction" in codes(judge(World(entry=wrong).part()))
    other = replace(world.entry, origin=f"{ORIGIN[:-1]}9")
    view = replace(world.part().anchor, desk=other)
    assert "court.desk.wrong" in codes(judge(replace(world.part(), anchor=view)))


def test_a_later_state_must_be_later(world):
    part = World(height=100, index=0, size=1).part()
    backwards = replace(part, current=world.view())
    assert "court.history_order" in codes(judge(backwards))


def test_events_are_told():
    corrected = CourtEvent(leaf=event_leaf(LeafType.CORRECTION_NOTED), height=20)
    verdict = judge(World(events=(corrected,)).part())
    assert "court.events.some" in codes(verdict)
    assert verdict.status is Status.PASSED
    assert [item.code for item in verdict.caveats] == ["demo.chain", "court.corrected"]
    taken_back = CourtEvent(leaf=event_leaf(LeafType.CERTIFICATE_REVOKED), height=30)
    verdict = judge(World(events=(corrected, taken_back)).part())
    assert "court.events.revoked" in codes(verdict)
    assert verdict.status is Status.UNDETERMINED
    assert verdict.events == (corrected, taken_back)


def test_events_cannot_be_left_out_or_made_up():
    event = CourtEvent(leaf=event_leaf(LeafType.CERTIFICATE_REVOKED), height=30)
    full, none = World(events=(event, replace(event, height=31))), World()
    for part in (
        replace(full.part(), events=replace(full.leaf_events(), events=(event,))),
        replace(full.part(), events=replace(full.leaf_events(), events=())),
        replace(none.part(), events=replace(none.leaf_events(), events=(event,))),
        replace(full.part(), events=replace(full.leaf_events(), proof=none.leaf_events().proof)),
    ):
        assert "court.events.wrong" in codes(judge(part))


def test_events_of_another_leaf_or_desk_are_refused():
    """Even if the application had a hole and listed them."""
    for leaf in (
        event_leaf(LeafType.CERTIFICATE_REVOKED, ref=digest("other")),
        event_leaf(LeafType.CERTIFICATE_REVOKED, log=ORIGIN.replace("example", "other")),
    ):
        world = World(events=(CourtEvent(leaf=leaf, height=30),))
        assert "court.events.other" in codes(judge(world.part()))
    garbage = World(events=(CourtEvent(leaf=b"{}", height=30),))
    assert "court.events.wrong" in codes(judge(garbage.part()))


def test_events_of_the_successor_log_count():
    leaf = event_leaf(LeafType.CORRECTION_NOTED, log=f"{ORIGIN[:-1]}2")
    verdict = judge(World(events=(CourtEvent(leaf=leaf, height=30),)).part())
    assert verdict.status is Status.PASSED


def test_nothing_is_raised_on_a_judge_of_tokens_that_never_ran():
    """Order of steps: a false header is not worth a token check."""

    def never(_token, _imprint):
        raise AssertionError

    other = World(chain_id="demo-court-0000")
    assert judge(other.part(), token=never).status is Status.FAILED
    assert judge_token(make_token(LEAF_HASH, NOW), LEAF_HASH).status is Status.PASSED

"""One forged proof for each rule about the court part inside a proof, with the finding that refuses it.

The network itself is honest and known to the verifier unless a row says otherwise: the forger moves true parts to where
they do not belong, owns another network, or is the desk's owner, who lets the network accept what he likes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evidence_desk.core.digests import sha256
from evidence_desk.core.log import note_keys
from evidence_desk.court.protocol.part import CourtPart, read_court_part
from tests.unit.verify.court_evidence import HEIGHT, INDEX, RECORDS, Bench, anchored, make_bench
from tests.unit.verify.evidence import STRANGER, Item, Scene, Table

TABLE: Table[Bench] = Table()
rule = TABLE.rule


@pytest.fixture(scope="module")
def bench(scene: Scene) -> Bench:
    return make_bench(scene)


def part_of(item: Item) -> CourtPart:
    return read_court_part(item.proof.court)


# --- index, height, chain ---------------------------------------------------------------------------------------


@rule("court.checkpoint.wrong")
def another_index(bench: Bench) -> Item:
    item = bench.item()
    return anchored(item, replace(part_of(item), index=INDEX - 1))


@rule("court.checkpoint.wrong")
def an_index_beyond_the_list(bench: Bench) -> Item:
    item = bench.item()
    return anchored(item, replace(part_of(item), index=RECORDS))


@rule("court.checkpoint.height")
def a_record_of_a_later_height(bench: Bench) -> Item:
    item = bench.item()
    part = part_of(item)
    return anchored(item, replace(part, record=replace(part.record, height=HEIGHT + 1)))


@rule("court.state.wrong")
def the_state_under_the_next_header(bench: Bench) -> Item:
    item = bench.item()
    part = part_of(item)
    later = bench.court.anchor(item, height=HEIGHT + 1)
    return anchored(item, replace(part, anchor=replace(part.anchor, header=later.anchor.header)))


@rule("court.checkpoint.height")
def the_record_before_with_its_later_state(bench: Bench) -> Item:
    """Everything of height H+1 but the record, so that the anchoring would seem earlier by one block."""
    item = bench.item()
    later = bench.court.anchor(item, height=HEIGHT + 1)
    return anchored(item, replace(later, record=replace(later.record, height=HEIGHT)))


@rule("court.chain.other", "court.chain_id")
def a_part_of_another_chain_renamed(bench: Bench) -> Item:
    """The same institutions run both chains: even their true signatures do not carry over."""
    item = bench.scene.item("single")
    other = replace(bench.court, chain_id="demo-court-8888")
    return anchored(item, replace(other.anchor(item), chain_id=bench.court.chain_id))


# --- desk, checkpoint, leaf -------------------------------------------------------------------------------------


@rule("court.desk.wrong")
def the_entry_of_another_desk(bench: Bench) -> Item:
    item = bench.scene.item("single")
    return anchored(item, bench.court.anchor(item, entry_of="other"))


@rule("court.desk.wrong")
def an_entry_with_other_keys(bench: Bench) -> Item:
    item = bench.item()
    part = part_of(item)
    stranger = note_keys(bench.scene.origin, STRANGER)
    changed = bench.court.anchor(item, keys=stranger).anchor.desk
    return anchored(item, replace(part, anchor=replace(part.anchor, desk=changed)))


@rule("court.events.wrong")
def the_part_of_another_exhibit(bench: Bench) -> Item:
    """Under the same checkpoint all but the events on the leaf is the same."""
    item = bench.scene.item("single")
    return anchored(item, bench.court.anchor(item, about=bench.scene.item("other")))


@rule("court.checkpoint.other")
def the_part_of_an_earlier_checkpoint(bench: Bench) -> Item:
    item, old = bench.scene.item("single"), bench.scene.craft({"a": b"a"})
    return anchored(item, bench.court.anchor(old, about=item))


@rule("court.checkpoint.other")
def a_proof_in_a_log_that_the_network_did_not_accept(bench: Bench) -> Item:
    """The owner shows the network one log, and the judge another of the same size."""
    true = bench.scene.item("waiting")
    forged = bench.scene.owner_untimed(true, replace(true.leaf, at=true.leaf.at - timedelta(days=400)))
    return anchored(forged, bench.court.anchor(true, about=forged))


@rule("court.checkpoint.wrong", "court.desk.wrong")
def a_record_rewritten_to_the_proofs_checkpoint(bench: Bench) -> Item:
    """The network accepted another log; record and entry are changed to say that it was this one."""
    item, accepted = bench.scene.item("single"), bench.scene.craft({"a": b"a"})
    ours, part = part_of(bench.item()), bench.court.anchor(accepted, about=item)
    entry = replace(part.anchor.desk, size=ours.record.size, root=ours.record.root)
    return anchored(item, replace(part, record=ours.record, anchor=replace(part.anchor, desk=entry)))


@rule("log.inclusion.wrong")
def a_leaf_that_is_not_in_the_accepted_checkpoint(bench: Bench) -> Item:
    item = bench.item()
    path = bench.scene.item("large").proof.leaf.path
    return replace(item, proof=replace(item.proof, leaf=replace(item.proof.leaf, path=path)))


# --- time -------------------------------------------------------------------------------------------------------


@rule("time.anchored.later")
def anchored_before_the_token_that_it_names(bench: Bench) -> Item:
    """The network's time and the authority's cannot both be true."""
    item = bench.scene.item("single")
    return anchored(item, bench.court.anchor(item, at=datetime.now(UTC) - timedelta(hours=3)))


@rule("time.attested.token")
def an_anchored_leaf_that_names_another_token(bench: Bench) -> Item:
    """It dates that other token, not this one."""
    item = bench.scene.craft({"a": b"a"}, attested={"token_sha256": "00" * 32})
    return anchored(item, bench.court.anchor(item))


@rule("time.attested.type")
def an_anchored_leaf_that_attests_nothing(bench: Bench) -> Item:
    item = bench.scene.item("single")
    moved = item.timed(attested=item.proof.leaf)
    return anchored(moved, bench.court.anchor(moved))


@rule("time.attested.malformed", "log.inclusion.wrong")
def an_anchored_log_with_something_else_for_the_attesting_leaf(bench: Bench) -> Item:
    item = bench.scene.item("single")
    attested = item.proof.times[0].attested
    assert attested is not None
    leaves = bench.scene.leaves
    leaves[attested.seq] = b"not a leaf"
    log = bench.scene.log(leaves)
    moved = item.timed(attested=log.proven(attested.seq), checkpoint=None)
    moved = replace(moved, proof=replace(moved.proof, checkpoint=log.note))
    return anchored(moved, bench.court.anchor(moved))


@rule("time.token.differs")
def an_anchored_leaf_that_names_what_is_no_token(bench: Bench) -> Item:
    item = bench.scene.craft({"a": b"a"}, attested={"token_sha256": sha256(b"junk").hex()})
    moved = item.timed(token=b"junk", checkpoint=None)
    return anchored(moved, bench.court.anchor(moved))


# --- validators and form ----------------------------------------------------------------------------------------


@rule("court.commit_signature")
def a_header_with_another_time(bench: Bench) -> Item:
    item = bench.item()
    part = part_of(item)
    block = part.anchor.header.block
    moved = replace(block.header, time=replace(block.header.time, seconds=block.header.time.seconds - 86400))
    commit = replace(block.commit, block_id=replace(block.commit.block_id, hash=moved.hash))
    timed = replace(part.anchor.header, block=replace(block, header=moved, commit=commit))
    return anchored(item, replace(part, anchor=replace(part.anchor, header=timed)))


@rule("court.token.wrong")
def the_token_of_another_header(bench: Bench) -> Item:
    item = bench.item()
    part, other = part_of(item), bench.court.anchor(item, height=HEIGHT + 7)
    timed = replace(part.anchor.header, token=other.anchor.header.token)
    return anchored(item, replace(part, anchor=replace(part.anchor, header=timed)))


@rule("court.part.form")
def a_part_that_is_none(bench: Bench) -> Item:
    item = bench.scene.item("single")
    return replace(item, proof=replace(item.proof, court={"v": "court/1"}))


@rule("court.part.form")
def a_part_with_a_member_more(bench: Bench) -> Item:
    item = bench.item()
    assert isinstance(item.proof.court, dict)
    return replace(item, proof=replace(item.proof, court={**item.proof.court, "extra": None}))


@rule("log.checkpoint.malformed", "court.part.checkpoint")
def a_part_over_a_checkpoint_that_is_none(bench: Bench) -> Item:
    item = bench.item()
    return replace(item, proof=replace(item.proof, checkpoint=b"x", times=()))


@pytest.mark.parametrize("name", list(TABLE.rows))
def test_forgery_is_refused(bench: Bench, name):
    TABLE.check(name, bench)

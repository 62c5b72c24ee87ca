"""The same for «Bindings» of time: record, token, the log's word on the token, the checkpoint of the batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evidence_desk.core.proof import ProvenLeaf, ProvenNote
from evidence_desk.core.time_record import build_batch, encode_record, issue_record, parse_record
from tests.unit.verify.evidence import (
    STRANGER,
    Item,
    Scene,
    Table,
    first_attested,
    former,
    stamped,
)

TABLE: Table[Scene] = Table()
rule = TABLE.rule


# --- record and token -------------------------------------------------------------------------------------------


@rule("record.group.missing", "time.attested.ranges")
def token_of_another_exhibit(scene: Scene) -> Item:
    item = scene.item("single")
    later = scene.item("later").proof.times[0]
    return item.timed(records=later.records, token=later.token, attested=later.attested, checkpoint=None)


@rule("record.group.missing")
def record_of_another_exhibit_of_the_same_token(scene: Scene) -> Item:
    return scene.item("single").timed(records=scene.item("other").proof.times[0].records)


@rule("record.group.missing")
def records_of_one_exhibit_in_another_order(scene: Scene) -> Item:
    item = scene.item("large")
    return item.timed(records=item.proof.times[0].records[::-1])


@rule("time.groups.wrong")
def a_record_more_than_groups(scene: Scene) -> Item:
    item = scene.item("single")
    return item.timed(records=(*item.proof.times[0].records, *scene.item("other").proof.times[0].records))


@rule("record.group.missing")
def group_shrunk_to_its_statement(scene: Scene) -> Item:
    """{statement, file} rewritten as {statement} with the file's hash as a sibling: the same root, another group."""
    item = scene.item("single")
    record = item.proof.times[0].records[0]
    parsed = parse_record(record)
    tree = parsed.first.tree
    assert tree is not None
    statement = item.leaf.statement
    assert statement is not None
    others = tuple(value for value in tree[0] if value != statement.sha256)
    shrunk = replace(parsed.first, tree=((statement.sha256,), others, *tree[1:]))
    return item.timed(records=(encode_record(replace(parsed, chains=((shrunk,),))),))


@rule("record.group.extra")
def token_over_a_file_more(scene: Scene) -> Item:
    return scene.craft({"a": b"a"}, covered={"a": b"a", "b": b"b"})


@rule("record.group.missing")
def token_over_another_file(scene: Scene) -> Item:
    return scene.craft({"a": b"a"}, covered={"a": b"x"})


@rule("record.group.missing")
def token_over_a_duplicate_less(scene: Scene) -> Item:
    return scene.craft({"a": b"a", "b": b"a"}, covered={"a": b"a"})


@rule("record.tree.wrong", "token.imprint.differs")
def tree_rewritten_for_a_file_swapped(scene: Scene) -> Item:
    """The record's group holds the swapped file; then the tree no longer leads to the token."""
    true = scene.craft({"a": b"a"})
    item = scene.craft({"a": b"swapped"})
    record = parse_record(item.proof.times[0].records[0])
    first = true.proof.times[0]
    stamp = replace(record.first, token=parse_record(first.records[0]).first.token)
    time = replace(
        first, records=(encode_record(replace(record, chains=((stamp,),))),), attested=None, checkpoint=None
    )
    return replace(item, proof=replace(item.proof, times=(time,)))


@rule("record.form.wrong", "time.token.differs")
def record_that_is_none(scene: Scene) -> Item:
    return scene.item("single").timed(records=(b"\x30\x00",))


@rule("time.token.differs", "time.attested.token", "time.checkpoint.record")
def token_as_received_is_another(scene: Scene) -> Item:
    return scene.item("single").timed(token=scene.item("later").proof.times[0].token)


@rule("token.chain.untrusted")
def token_of_the_strangers_authority(scene: Scene) -> Item:
    """Everything fits and is signed by the desk itself: only the authority is nobody the verifier trusts."""
    return scene.craft({"a": b"a"}, authority=scene.stranger_authority())


@rule("token.chain.untrusted")
def backdated_token_of_the_owners_authority(scene: Scene) -> Item:
    past = timedelta(days=-2000)
    return scene.craft(
        {"a": b"a"}, at=datetime.now(UTC) + past, authority=scene.stranger_authority(clock=past)
    )


@rule("token.chain.untrusted")
def forged_token_beside_a_good_one(scene: Scene) -> Item:
    """A good token does not cover up for a false one in the same proof."""
    item = scene.item("single")
    past = scene.stranger_authority(clock=timedelta(days=-1000))
    tree = parse_record(item.proof.times[0].records[0]).first.tree
    assert tree is not None
    batch = build_batch([tree[0]])
    reply = past.timestamp(batch.root)
    forged = replace(
        item.proof.times[0], token=reply.token, attested=None, checkpoint=None,
        records=(issue_record(batch.trees[0], reply.token, crls=reply.crls),),
    )  # fmt: skip
    return replace(item, proof=replace(item.proof, times=(*item.proof.times, forged)))


# --- the log's word on the token --------------------------------------------------------------------------------


@rule("time.attested.token")
def attested_another_token(scene: Scene) -> Item:
    return scene.craft({"a": b"a"}, attested={"token_sha256": "00" * 32})


@rule("time.attested.gen_time")
def attested_an_earlier_time(scene: Scene) -> Item:
    return scene.craft({"a": b"a"}, attested={"gen_time": "2020-01-01T00:00:00.000Z"})


@rule("time.attested.tsa")
def attested_another_authority(scene: Scene) -> Item:
    return scene.craft({"a": b"a"}, attested={"tsa": "00" * 32})


@rule("time.attested.ranges")
def attested_for_others(scene: Scene) -> Item:
    return scene.craft({"a": b"a"}, attested={"ranges": [[0, 0]]})


@rule("time.attested.place")
def attested_for_leaves_not_yet_written(scene: Scene) -> Item:
    return scene.craft({"a": b"a"}, attested={"ranges": [[0, 10**6]]})


@rule("time.attested.place", "time.checkpoint.order")
def exhibit_sealed_after_its_token(scene: Scene) -> Item:
    """Token and attesting leaf first, then the exhibit's own leaf."""
    return scene.craft({"a": b"a"}, attest_first=True)


@rule("time.attested.place", "time.checkpoint.inconsistent")
def attested_in_another_epoch(scene: Scene) -> Item:
    item = scene.item("single")
    return scene.owner(item, attested=replace(first_attested(item), log=former(scene.origin)))


@rule("time.attested.type")
def attested_by_another_kind_of_leaf(scene: Scene) -> Item:
    item = scene.item("single")
    return item.timed(attested=item.proof.leaf)


@rule("time.attested.malformed")
def attested_by_nothing(scene: Scene) -> Item:
    return scene.item("single").timed(attested=ProvenLeaf(leaf=b"{}", seq=1, path=()))


@rule("time.attested.path")
def attested_by_a_leaf_outside_the_log(scene: Scene) -> Item:
    item = scene.item("single")
    attested = item.proof.times[0].attested
    assert attested is not None
    return item.timed(attested=replace(attested, path=item.proof.leaf.path))


@rule("time.attested.token", "time.attested.gen_time", "time.attested.ranges")
def attested_by_the_leaf_of_another_token(scene: Scene) -> Item:
    return scene.item("single").timed(attested=scene.item("later").proof.times[0].attested)


# --- the checkpoint of the batch --------------------------------------------------------------------------------


@rule("time.checkpoint.record")
def stamped_checkpoint_of_another_batch(scene: Scene) -> Item:
    item = scene.item("single")
    log = scene.log(scene.leaves[: first_attested(item).seq])
    path = scene.log(scene.leaves).grown(log.checkpoint.size)
    return item.timed(checkpoint=ProvenNote(data=log.note, record=stamped(item).record, path=path))


@rule("time.checkpoint.inconsistent")
def stamped_checkpoint_that_the_present_log_does_not_continue(scene: Scene) -> Item:
    item = scene.item("single")
    path = stamped(item).path
    return item.timed(checkpoint=replace(stamped(item), path=(*path[:-1], bytes(32))))


@rule("time.checkpoint.inconsistent")
def consistency_path_left_out(scene: Scene) -> Item:
    item = scene.item("single")
    return item.timed(checkpoint=replace(stamped(item), path=()))


@rule("time.checkpoint.malformed")
def stamped_checkpoint_that_is_none(scene: Scene) -> Item:
    item = scene.item("single")
    return item.timed(checkpoint=replace(stamped(item), data=b"\n\n"))


@rule("time.checkpoint.origin")
def stamped_checkpoint_of_another_log(scene: Scene) -> Item:
    item = scene.item("single")
    log = scene.log(scene.leaves[:3], origin=former(scene.origin))
    return item.timed(checkpoint=replace(stamped(item), data=log.note))


@rule("time.checkpoint.origin")
def stamped_checkpoint_larger_than_the_proofs(scene: Scene) -> Item:
    item = scene.item("single")
    log = scene.log([*scene.leaves, b"more"])
    return item.timed(checkpoint=replace(stamped(item), data=log.note), attested=None)


@rule("time.checkpoint.fork")
def two_checkpoints_of_one_size(scene: Scene) -> Item:
    item = scene.item("single")
    leaves = scene.leaves
    leaves[0] = b"another history"
    return item.timed(checkpoint=replace(stamped(item), data=scene.log(leaves).note), attested=None)


@rule("time.checkpoint.order")
def stamped_checkpoint_before_the_exhibit(scene: Scene) -> Item:
    item = scene.item("single")
    log = scene.log(scene.leaves[: item.leaf.seq])
    return item.timed(checkpoint=replace(stamped(item), data=log.note))


@rule("time.checkpoint.order")
def stamped_checkpoint_after_the_attesting_leaf(scene: Scene) -> Item:
    item = scene.item("single")
    log = scene.log(scene.leaves[: first_attested(item).seq + 1])
    return item.timed(checkpoint=replace(stamped(item), data=log.note))


@rule("time.checkpoint.signature")
def stamped_checkpoint_signed_by_a_stranger(scene: Scene) -> Item:
    """A true token over a checkpoint that the desk never signed."""
    item = scene.craft({"a": b"a"}, signer=STRANGER)
    attested = item.proof.times[0].attested
    assert attested is not None
    log = scene.log([scene.leaves[0], item.proof.leaf.leaf, attested.leaf])
    proof = replace(item.proof, leaf=log.proven(item.proof.leaf.seq), checkpoint=log.note)
    return replace(item, proof=proof).timed(attested=log.proven(attested.seq))


# --- the whole world of a stranger ----------------------------------------------------------------------------------


@rule("log.signature.wrong", "time.checkpoint.signature", "token.chain.untrusted")
def whole_world_of_a_stranger(scene: Scene) -> Item:
    """Keys, log and authority of his own, under the desk's name."""
    return scene.craft({"a": b"a"}, signer=STRANGER, authority=scene.stranger_authority())


@pytest.mark.parametrize("name", list(TABLE.rows))
def test_forgery_is_refused(scene: Scene, name):
    TABLE.check(name, scene)

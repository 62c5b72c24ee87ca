"""One forged proof for each rule of «Bindings» (docs/spec/verdict.md), with the finding that refuses it.

Each row says who forges: anyone who holds the papers, a stranger with keys, log and authority of his own, or the owner
of the desk, who signs with the desk's true keys and gets true tokens from the honest authority.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.digests import DigestPair
from evidence_desk.core.evidence_number import Prefix, format_number
from evidence_desk.core.leaf import PlainObject, blind
from evidence_desk.core.merkle import leaf_hash
from evidence_desk.core.note import Note, NoteSignature, parse_note
from evidence_desk.core.statement import parse_disclosures
from tests.unit.verify.evidence import (
    OTHER_DESK,
    STRANGER,
    Item,
    Scene,
    Table,
    edit,
    file_entry,
    first_attested,
    former,
    given,
    stamped,
)

TABLE: Table[Scene] = Table()
rule = TABLE.rule


# --- leaf, number, log ------------------------------------------------------------------------------------------


@rule("proof.number.wrong")
def number_of_another_exhibit(scene: Scene) -> Item:
    item = scene.item("single")
    return replace(item, proof=replace(item.proof, number=scene.item("other").proof.number))


@rule("proof.number.wrong")
def number_of_a_certificate(scene: Scene) -> Item:
    item = scene.item("single")
    number = format_number(Prefix.CERTIFICATE, leaf_hash(item.proof.leaf.leaf))
    return replace(item, proof=replace(item.proof, number=number))


@rule("proof.leaf_type.wrong", "proof.number.wrong", "statement.digest.wrong", "object.digest.wrong")
def event_leaf_in_place_of_the_exhibit(scene: Scene) -> Item:
    """The attesting leaf shown as the exhibit, without its time proof."""
    item = scene.item("single")
    attested = item.proof.times[0].attested
    assert attested is not None
    return replace(item, proof=replace(item.proof, leaf=attested, times=()))


@rule("log.origin.wrong", "log.signature.lines", "time.attested.place", "time.checkpoint.origin")
def checkpoint_of_another_desk(scene: Scene) -> Item:
    """The exhibit's leaf in the log of a stranger, whose note carries the signature lines of the desk."""
    item = scene.item("single")
    lines = parse_note(item.proof.checkpoint).signatures
    attested = replace(first_attested(item), log=OTHER_DESK)
    leaves = scene.leaves
    leaves[attested.seq] = attested.encode()
    log = scene.log(leaves, origin=OTHER_DESK, signer=STRANGER)
    moved = item.timed(attested=log.proven(attested.seq), checkpoint=replace(stamped(item), data=log.note))
    checkpoint = Note(text=log.checkpoint.text(), signatures=lines).encode()
    proof = replace(moved.proof, leaf=log.proven(item.leaf.seq), checkpoint=checkpoint)
    return replace(moved, proof=proof)


@rule("log.origin.wrong")
def leaf_of_another_log_in_the_owners_log(scene: Scene) -> Item:
    """A leaf that names a former epoch, written into the present log."""
    item = scene.item("waiting")
    return scene.owner_untimed(item, replace(item.leaf, log=former(scene.origin)))


@rule("log.seq.wrong")
def leaf_that_names_another_place(scene: Scene) -> Item:
    item = scene.item("waiting")
    return scene.owner_untimed(item, replace(item.leaf, seq=item.leaf.seq - 1))


@rule("log.seq.wrong", "log.inclusion.wrong")
def index_other_than_the_leafs(scene: Scene) -> Item:
    item = scene.item("single")
    return replace(item, proof=replace(item.proof, leaf=replace(item.proof.leaf, seq=item.leaf.seq + 1)))


@rule("log.seq.wrong", "log.inclusion.wrong")
def index_beyond_the_size(scene: Scene) -> Item:
    item = scene.item("single")
    return replace(item, proof=replace(item.proof, leaf=replace(item.proof.leaf, seq=2**53 - 1)))


@rule("log.inclusion.wrong")
def path_of_another_leaf(scene: Scene) -> Item:
    item = scene.item("single")
    path = scene.item("large").proof.leaf.path
    return replace(item, proof=replace(item.proof, leaf=replace(item.proof.leaf, path=path)))


@rule("log.inclusion.wrong")
def path_with_a_node_more(scene: Scene) -> Item:
    item = scene.item("single")
    path = (*item.proof.leaf.path, bytes(32))
    return replace(item, proof=replace(item.proof, leaf=replace(item.proof.leaf, path=path)))


@rule("log.inclusion.wrong", "proof.number.wrong")
def leaf_that_is_not_in_the_log(scene: Scene) -> Item:
    item = scene.item("single")
    leaf = replace(item.leaf, at=datetime(2020, 1, 1, tzinfo=UTC)).encode()
    return replace(item, proof=replace(item.proof, leaf=replace(item.proof.leaf, leaf=leaf)))


@rule("log.signature.wrong")
def strangers_log_under_the_desks_name(scene: Scene) -> Item:
    item = scene.item("single")
    log = scene.log(scene.leaves, signer=STRANGER)
    return replace(item, proof=replace(item.proof, checkpoint=log.note))


def resigned(item: Item, change: Callable[[tuple[NoteSignature, ...]], tuple[NoteSignature, ...]]) -> Item:
    note = parse_note(item.proof.checkpoint)
    changed = Note(text=note.text, signatures=change(note.signatures))
    return replace(item, proof=replace(item.proof, checkpoint=changed.encode()))


@rule("log.signature.lines")
def sm2_line_stripped(scene: Scene) -> Item:
    return resigned(scene.item("single"), lambda lines: lines[:1])


@rule("log.signature.lines")
def ed25519_line_stripped(scene: Scene) -> Item:
    return resigned(scene.item("single"), lambda lines: lines[1:])


@rule("log.signature.wrong")
def sm2_line_replaced_by_the_other_twice(scene: Scene) -> Item:
    return resigned(scene.item("single"), lambda lines: (lines[0], lines[0]))


@rule("log.signature.lines")
def line_of_a_stranger_added(scene: Scene) -> Item:
    line = NoteSignature(name="witness.example", key_id=bytes(4), signature=bytes(64))
    return resigned(scene.item("single"), lambda lines: (*lines, line))


@rule("log.signature.wrong")
def sm2_line_of_a_stranger(scene: Scene) -> Item:
    theirs = parse_note(scene.log(scene.leaves, signer=STRANGER).note).signatures[1]
    return resigned(scene.item("single"), lambda lines: (lines[0], theirs))


@rule("log.signature.wrong", "log.inclusion.wrong", "time.attested.path", "time.checkpoint.inconsistent")
def signatures_of_another_checkpoint(scene: Scene) -> Item:
    item = scene.item("single")
    text = scene.log(scene.leaves[:-1]).checkpoint.text()
    note = Note(text=text, signatures=parse_note(item.proof.checkpoint).signatures)
    return replace(item, proof=replace(item.proof, checkpoint=note.encode()))


@rule("log.checkpoint.malformed", "time.attested.path")
def checkpoint_that_is_none(scene: Scene) -> Item:
    item = scene.item("single")
    return replace(item, proof=replace(item.proof, checkpoint=b"\xff"))


# --- statement, disclosures, files ------------------------------------------------------------------------------


@rule("statement.digest.wrong")
def statement_of_another_exhibit(scene: Scene) -> Item:
    return replace(scene.item("single"), statement=scene.item("other").statement)


@rule("statement.digest.wrong")
def statement_with_another_salt(scene: Scene) -> Item:
    item = scene.item("blinded")
    assert item.statement is not None
    return replace(item, statement=edit(item.statement, {"salt": "00" * 32}))


@rule("statement.digest.wrong")
def statement_with_one_digest_right(scene: Scene) -> Item:
    item = scene.item("waiting")
    assert item.leaf.statement is not None
    leaf = replace(item.leaf, statement=DigestPair(sha256=item.leaf.statement.sha256, sm3=bytes(32)))
    return scene.owner_untimed(item, leaf)


@rule("statement.form.wrong", "record.group.missing", "time.checkpoint.inconsistent")
def statement_that_is_none(scene: Scene) -> Item:
    item = scene.item("single")
    leaf = replace(item.leaf, statement=DigestPair.of(b"{}"))
    return replace(scene.owner(item, leaf=leaf), statement=b"{}")


@rule("disclosure.member.wrong")
def disclosures_of_another_exhibit(scene: Scene) -> Item:
    return replace(scene.item("single"), disclosures=scene.item("other").disclosures)


@rule("disclosure.member.wrong")
def source_told_otherwise(scene: Scene) -> Item:
    return redisclosed(scene.item("single"), "/source", {"is_original": True})


@rule("disclosure.member.wrong", "object.digest.wrong")
def file_entry_told_otherwise(scene: Scene) -> Item:
    item = scene.item("pair")
    assert item.disclosures is not None
    entry = next(one for one in parse_disclosures(item.disclosures) if one.path == "/files/0").value
    assert isinstance(entry, dict)
    swapped = {**entry, "digests": DigestPair.of(b"swapped").to_json(), "size": 7}
    return replace(redisclosed(item, "/files/0", swapped), files=(given("a", b"swapped"), item.files[1]))


@rule("disclosure.form.wrong")
def disclosures_that_are_none(scene: Scene) -> Item:
    return replace(scene.item("single"), disclosures=b"{}")


def redisclosed(item: Item, path: str, value: object) -> Item:
    assert item.disclosures is not None
    members = [
        {**one.to_json(), **({"value": value} if one.path == path else {})}
        for one in parse_disclosures(item.disclosures)
    ]
    return replace(item, disclosures=encode({"v": "disclosures/1", "members": [*members]}))  # type: ignore[list-item]


@rule("object.digest.wrong")
def file_swapped(scene: Scene) -> Item:
    item = scene.item("pair")
    return replace(item, files=(item.files[0], given("b", b"another")))


@rule("object.digest.wrong")
def file_of_another_exhibit(scene: Scene) -> Item:
    return replace(scene.item("single"), files=scene.item("other").files)


@rule("object.digest.wrong")
def blinded_file_swapped(scene: Scene) -> Item:
    item = scene.item("blinded")
    return replace(item, files=(given("x", b"guessed"), item.files[1]))


@rule("object.digest.wrong")
def file_added(scene: Scene) -> Item:
    item = scene.item("single")
    return replace(item, files=(*item.files, given("b", b"added")))


@rule("object.digest.unlisted")
def file_added_to_the_container(scene: Scene) -> Item:
    item = placed(scene.item("pair"))
    return replace(item, files=(*item.files, given("c", b"first", 2)))


@rule("object.digest.place")
def files_moved_between_names(scene: Scene) -> Item:
    item = placed(scene.item("pair"))
    first, second = item.files
    return replace(item, files=(replace(first, index=1), replace(second, index=0)))


@rule("object.digest.place")
def file_doubled_in_place_of_another(scene: Scene) -> Item:
    item = placed(scene.item("pair"))
    return replace(item, files=(item.files[0], replace(item.files[0], index=1)))


@rule("object.digest.place")
def files_moved_while_an_entry_is_withheld(scene: Scene) -> Item:
    """Three files, one withheld: the leaf's public list must not excuse a swap of the other two."""
    item = placed(scene.craft({"a": b"a", "b": b"b", "c": b"c"}))
    assert item.disclosures is not None
    kept = [one.to_json() for one in parse_disclosures(item.disclosures) if one.path != "/files/2"]
    a, b, c = item.files
    return replace(
        item,
        disclosures=encode({"v": "disclosures/1", "members": [*kept]}),
        files=(replace(a, index=1), replace(b, index=0), c),
    )


def placed(item: Item) -> Item:
    return replace(item, files=tuple(replace(file, index=index) for index, file in enumerate(item.files)))


@rule("objects.count.wrong")
def statement_that_lists_a_file_more_than_the_leaf(scene: Scene) -> Item:
    """The owner registers one file, and lists two; the token covers both."""
    return scene.craft(
        {"a": b"a"}, listed={"a": b"a", "b": b"b"}, objects={"a": b"a"}, covered={"a": b"a", "b": b"b"}
    )


@rule("objects.count.wrong")
def the_same_without_disclosures(scene: Scene) -> Item:
    """Nothing disclosed, and the token over the registered file alone: still not the statement's list."""
    item = scene.craft({"a": b"a"}, listed={"a": b"a", "b": b"b"}, objects={"a": b"a"}, covered={"a": b"a"})
    return replace(item, disclosures=None)


@rule("objects.statement.wrong", "object.digest.wrong")
def leaf_that_registers_another_file(scene: Scene) -> Item:
    """The owner shows the file of the leaf, while statement and token are of another."""
    return scene.craft({"a": b"shown"}, listed={"a": b"a"}, objects={"a": b"shown"})


@rule("objects.statement.wrong")
def leaf_that_registers_in_another_order(scene: Scene) -> Item:
    return scene.craft({"a": b"a", "b": b"b"}, objects={"b": b"b", "a": b"a"})


@rule("objects.statement.wrong", "record.group.missing")
def leaf_that_registers_another_file_than_the_one_disclosed(scene: Scene) -> Item:
    """One entry withheld, the other told otherwise than registered: what is disclosed must fit."""
    item = scene.craft({"a": b"a", "b": b"b"}, objects={"a": b"x", "b": b"b"})
    assert item.disclosures is not None
    kept = [one.to_json() for one in parse_disclosures(item.disclosures) if one.path != "/files/1"]
    return replace(item, disclosures=encode({"v": "disclosures/1", "members": [*kept]}))


@rule("objects.statement.wrong", "time.checkpoint.inconsistent")
def leaf_half_blinded(scene: Scene) -> Item:
    item = scene.item("blinded")
    first = PlainObject(digests=DigestPair.of(b"secret"), size=6)
    return scene.owner(item, leaf=replace(item.leaf, objects=(first, item.leaf.objects[1])))


@rule("objects.statement.wrong", "time.checkpoint.inconsistent")
def leaf_blinded_by_another_salt(scene: Scene) -> Item:
    item = scene.item("blinded")
    objects = tuple(blind(DigestPair.of(data), bytes(32)) for data in (b"secret", b"form"))
    return scene.owner(item, leaf=replace(item.leaf, objects=objects))


@rule("objects.statement.wrong", "time.checkpoint.inconsistent")
def root_of_other_objects(scene: Scene) -> Item:
    item = scene.item("many")
    return scene.owner(item, leaf=replace(item.leaf, root=bytes(32)))


@rule("objects.statement.wrong", "object.digest.wrong", "time.checkpoint.inconsistent")
def size_registered_otherwise(scene: Scene) -> Item:
    item = scene.item("single")
    digests = DigestPair.of(scene.contents["single"][0])
    forged = scene.owner(item, leaf=replace(item.leaf, objects=(PlainObject(digests=digests, size=7),)))
    return replace(forged, files=(replace(item.files[0], size=7),))


@rule("objects.statement.wrong")
def two_entries_with_one_sha256_and_another_sm3(scene: Scene) -> Item:
    """An entry that contradicts itself must not be filled by the file of the one before it."""
    at = datetime.now(UTC)
    other = DigestPair(sha256=DigestPair.of(b"a").sha256, sm3=bytes(32))
    return scene.craft(
        {"a": b"a"},
        listed={"a": b"a", "b": b"a"},
        entries={"b": file_entry("b", b"a", at, digests=other)},
    )


@pytest.mark.parametrize("name", list(TABLE.rows))
def test_forgery_is_refused(scene: Scene, name):
    TABLE.check(name, scene)

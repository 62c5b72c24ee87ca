"""Sparse Merkle map against its definition, against ICS-23, and its proofs against each other."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from evidence_desk.court.protocol.ics23 import (
    SMT_SPEC,
    ExistenceProof,
    HashOp,
    InnerOp,
    NonExistenceProof,
    verify_absence,
    verify_existence,
)
from evidence_desk.court.protocol.ics23_codec import decode_proof, encode_proof
from evidence_desk.court.protocol.map_proof import (
    EMPTY,
    MapProof,
    Terminal,
    decode_map_proof,
    map_leaf,
    map_node,
    path_of,
)
from evidence_desk.court.protocol.sparse_map import SparseMap
from evidence_desk.errors import BugError, IntegrityError, MalformedError

KEYS = st.integers(0, 60).map(lambda number: b"key %d" % number)
VALUES = st.binary(min_size=1, max_size=4)
ITEMS = st.dictionaries(KEYS, VALUES, max_size=20)


def defined_root(items: dict[bytes, bytes], depth: int = 0) -> bytes:
    """Root by the definition, without any cleverness."""
    if not items:
        return EMPTY
    if len(items) == 1:
        [(key, value)] = items.items()
        return map_leaf(path_of(key), sha256(value).digest())
    sides: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
    for key, value in items.items():
        sides[path_of(key)[depth // 8] >> (7 - depth % 8) & 1][key] = value
    return map_node(defined_root(sides[0], depth + 1), defined_root(sides[1], depth + 1))


class MapMachine(RuleBasedStateMachine):
    """Batches, rollbacks and proofs of old versions, against plain dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.map = SparseMap(versions=3)
        self.states: list[dict[bytes, bytes]] = [{}]

    @rule(items=ITEMS)
    def update(self, items: dict[bytes, bytes]) -> None:
        self.states.append(self.states[-1] | items)
        assert self.map.update(items) == defined_root(self.states[-1])

    @precondition(lambda self: self.map.versions)
    @rule()
    def rollback(self) -> None:
        self.map.rollback()
        self.states.pop()

    @rule(key=KEYS)
    def prove(self, key: bytes) -> None:
        for back in range(self.map.versions + 1):
            state = self.states[-1 - back]
            root = self.map.root(back)
            assert root == defined_root(state)
            value, proof = self.map.prove(key, back)
            assert value == self.map.get(key, back) == state.get(key)
            if not state:
                continue
            assert decode_map_proof(proof.encode()) == proof
            proof.check(root, key, value)
            for wrong in (None if value else b"made up", b"other"):
                with pytest.raises(IntegrityError):
                    proof.check(root, key, wrong)

    @invariant()
    def counts(self) -> None:
        assert len(self.map) == len(self.states[-1])
        assert set(self.map.paths()) == {path_of(key) for key in self.states[-1]}
        assert self.map.versions <= 3


MapMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestMap = MapMachine.TestCase


def filled(count: int) -> tuple[SparseMap, dict[bytes, bytes]]:
    items = {b"item %d" % number: b"value %d" % number for number in range(count)}
    tree = SparseMap()
    tree.update(items)
    return tree, items


def test_presence_holds_for_other_ics23_verifiers():
    tree, items = filled(300)
    for key, value in items.items():
        proof = tree.prove(key)[1].to_ics23(key, value)
        verify_existence(SMT_SPEC, tree.root(), decode_existence(encode_proof(proof)), key=key, value=value)


def decode_existence(data: bytes) -> ExistenceProof:
    proof = decode_proof(data)
    assert not isinstance(proof, NonExistenceProof)
    return proof


def test_absence_agrees_with_ics23_neighbors():
    """Our one-path absence and ICS-23's two neighbors, from the same tree, give the same answer."""
    tree, items = filled(50)
    ordered = sorted(items, key=path_of)
    for number in range(300):
        key = b"absent %d" % number
        value, ours = tree.prove(key)
        assert value is None
        ours.check(tree.root(), key, None)
        before = [item for item in ordered if path_of(item) < path_of(key)]
        after = [item for item in ordered if path_of(item) > path_of(key)]
        sides = [
            tree.prove(near[0])[1].to_ics23(near[0], items[near[0]]) if near else None
            for near in (before[-1:], after[:1])
        ]
        verify_absence(
            SMT_SPEC, tree.root(), NonExistenceProof(key=key, left=sides[0], right=sides[1]), key=key
        )


def test_ics23_absence_with_a_key_between_is_refused():
    tree, items = filled(50)
    ordered = sorted(items, key=path_of)
    for left, middle, right in zip(ordered, ordered[1:], ordered[2:], strict=False):
        sides = [tree.prove(key)[1].to_ics23(key, items[key]) for key in (left, right)]
        with pytest.raises(IntegrityError):
            verify_absence(
                SMT_SPEC,
                tree.root(),
                NonExistenceProof(key=middle, left=sides[0], right=sides[1]),
                key=middle,
            )


def test_ics23_operations_that_are_not_the_trees_are_refused():
    tree, items = filled(50)
    key = b"item 7"
    good = tree.prove(key)[1].to_ics23(key, items[key])
    assert good.leaf is not None
    step = good.path[0]
    for wrong in (
        replace(good, leaf=replace(good.leaf, prefix=b"\x00\x00")),
        replace(good, leaf=replace(good.leaf, prehash_key=HashOp.NO_HASH)),
        replace(good, path=(replace(step, prefix=b"\x02" + step.prefix[1:]), *good.path[1:])),
        replace(good, path=(InnerOp(hash=step.hash, prefix=b"\x01", suffix=b""), *good.path[1:])),
        replace(good, path=good.path[:-1]),
        replace(good, path=good.path * 40),
    ):
        with pytest.raises(IntegrityError):
            verify_existence(SMT_SPEC, tree.root(), wrong, key=key, value=items[key])


def test_a_proof_is_for_one_key_and_root_only():
    tree, items = filled(60)
    other = tree.update({b"item 3": b"changed"})
    assert other != tree.root(1)
    for key, value in items.items():
        proof = tree.prove(key, 1)[1]
        proof.check(tree.root(1), key, value)
        for name, root in ((b"item 4" if key != b"item 4" else b"item 5", tree.root(1)), (key, other)):
            with pytest.raises(IntegrityError):
                proof.check(root, name, value)


def test_an_absence_proof_cannot_hide_a_key():
    """The leaf in the way must be on the key's own path, and be another one."""
    tree, items = filled(60)
    for key in items:
        value, present = tree.prove(key)
        assert value is not None
        hidden = MapProof(
            terminal=Terminal.OTHER,
            siblings=present.siblings,
            other=(path_of(key), sha256(value).digest()),
        )
        with pytest.raises(IntegrityError):
            hidden.check(tree.root(), key, None)
        for other in items:
            foreign = replace(
                tree.prove(other)[1],
                terminal=Terminal.OTHER,
                other=(path_of(other), sha256(items[other]).digest()),
            )
            if other != key:
                with pytest.raises(IntegrityError):
                    foreign.check(tree.root(), key, None)


def test_each_flip_in_a_proof_is_refused():
    tree, items = filled(40)
    for key in (b"item 7", b"absent 1", b"absent 2", b"absent 5"):
        value = items.get(key)
        data = tree.prove(key)[1].encode()
        for at in range(len(data)):
            for bit in range(8):
                flipped = bytearray(data)
                flipped[at] ^= 1 << bit
                with pytest.raises((MalformedError, IntegrityError)):
                    decode_map_proof(bytes(flipped)).check(tree.root(), key, value)


@given(st.binary(max_size=400))
def test_reader_never_crashes(data):
    try:
        proof = decode_map_proof(data)
    except MalformedError:
        return
    assert proof.encode() == data


@given(st.sampled_from([1, 2, 3]), st.integers(0, 300), st.binary(max_size=40), st.integers(0, 12))
def test_reader_never_crashes_on_what_looks_right(kind, depth, bits, count):
    data = bytes([kind]) + depth.to_bytes(2, "big") + bits + b"\x11" * 32 * count
    try:
        proof = decode_map_proof(data)
    except MalformedError:
        return
    assert proof.encode() == data
    with pytest.raises(IntegrityError):
        proof.check(b"\x22" * 32, b"key", None)


def test_an_empty_map_holds_nothing():
    proof = decode_map_proof(SparseMap().prove(b"key")[1].encode())
    proof.check(EMPTY, b"key", None)
    with pytest.raises(IntegrityError):
        proof.check(map_leaf(path_of(b"other"), sha256(b"value").digest()), b"key", None)


def test_the_deepest_proof_is_read_and_no_deeper_one():
    for depth, fits in ((256, True), (257, False)):
        proof = MapProof(terminal=Terminal.PRESENT, siblings=(b"\x11" * 32,) * depth)
        if fits:
            assert decode_map_proof(proof.encode()) == proof
        else:
            with pytest.raises(MalformedError):
                decode_map_proof(proof.encode())


def test_misuse_is_a_bug():
    tree = SparseMap(versions=0)
    tree.update({b"a": b"1"})
    assert tree.versions == 0
    with pytest.raises(BugError):
        tree.rollback()
    with pytest.raises(BugError):
        tree.root(1)
    with pytest.raises(BugError):
        tree.update({b"a": b""})
    with pytest.raises(BugError):
        SparseMap().prove(b"a")[1].to_ics23(b"a", b"1")


def test_updates_of_one_key_do_not_grow_the_map():
    tree = SparseMap()
    for number in range(100):
        tree.update({b"a": b"%d" % number, b"b": b"x"})
    assert len(tree) == 2
    assert tree.get(b"a") == b"99"
    assert tree.get(b"a", 3) == b"96"

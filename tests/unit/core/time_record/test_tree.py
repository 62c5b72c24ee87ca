import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.time_record import build_batch, find_algorithm, reduced_preimage, reduced_root
from evidence_desk.core.time_record.algorithms import known_algorithm
from evidence_desk.errors import BugError
from tests.unit.core.time_record import naive

SHA256 = known_algorithm("sha256")
SM3 = known_algorithm("sm3")


def h(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


A, B, C, D = sorted(h(bytes([number])) for number in range(4))
# Few values, so that duplicates inside a group and between groups occur.
hashes = st.one_of(st.binary(min_size=32, max_size=32), st.sampled_from([A, B, C, D]))
groups = st.lists(st.lists(hashes, min_size=1, max_size=6), min_size=1, max_size=20)


@given(groups)
def test_every_object_of_a_random_batch_verifies_by_the_naive_reading(batch_groups):
    batch = build_batch(batch_groups)
    assert batch.root == naive.pair_root([naive.group_node(group) for group in batch_groups])
    for group, tree in zip(batch_groups, batch.trees, strict=True):
        assert tree[0] == tuple(sorted(group))
        assert reduced_root(tree, SHA256) == batch.root
        assert all(naive.verifies(tree, digest, batch.root) for digest in group)


@given(groups)
def test_preimage_hashes_to_the_root_from_every_reduced_tree(batch_groups):
    batch = build_batch(batch_groups)
    if len(batch_groups) == 1 and len(batch_groups[0]) == 1:
        assert batch.preimage == b""
        assert batch.root == batch_groups[0][0]
    else:
        assert h(batch.preimage) == batch.root
    assert {reduced_preimage(tree, SHA256) for tree in batch.trees} == {(batch.preimage, batch.root)}


@given(groups, st.data())
def test_any_flipped_bit_of_a_reduced_tree_misses_the_root(batch_groups, data):
    batch = build_batch(batch_groups)
    tree = data.draw(st.sampled_from(batch.trees))
    level = data.draw(st.integers(0, len(tree) - 1))
    place = data.draw(st.integers(0, len(tree[level]) - 1))
    bit = data.draw(st.integers(0, 255))
    value = (int.from_bytes(tree[level][place]) ^ 1 << bit).to_bytes(32)
    values = (*tree[level][:place], value, *tree[level][place + 1 :])
    forged = (*tree[:level], values, *tree[level + 1 :])
    assert reduced_root(forged, SHA256) != batch.root
    assert not naive.verifies(forged, forged[0][0], batch.root)


def test_shape_of_three_groups():
    batch = build_batch([[B, A], [C], [D]])
    pair = h(A, B)
    assert batch.trees[0] == ((A, B), (C,), (D,))
    assert batch.trees[1] == ((C,), (pair,), (D,))
    assert batch.trees[2] == ((D,), (h(*sorted((pair, C))),))


def test_lone_node_goes_up_unchanged():
    batch = build_batch([[A], [B], [C], [D], [A]])
    left = h(*sorted((h(A, B), h(C, D))))
    assert batch.trees[4] == ((A,), (left,))
    assert batch.root == h(*sorted((left, A)))


def test_one_object_alone_is_its_own_root():
    batch = build_batch([[A]])
    assert batch.root == A
    assert batch.preimage == b""
    assert batch.trees == (((A,),),)


def test_duplicates_are_kept_in_the_group_and_between_groups():
    batch = build_batch([[A, B, A], [A, B, A]])
    node = h(A, A, B)
    assert batch.trees == (((A, A, B), (node,)), ((A, A, B), (node,)))
    assert batch.root == h(node, node)


def test_siblings_are_sorted_as_unsigned_bytes():
    low, high = b"\x7f" * 32, b"\x80" * 32
    assert build_batch([[high], [low]]).preimage == low + high


def test_sm3_tree():
    batch = build_batch([[A, B], [C]], algorithm="sm3")
    assert batch.root == SM3.digest(b"".join(sorted((SM3.digest(A + B), C))))
    assert build_batch([[A, B], [C]], algorithm=SM3.oid) == batch


@pytest.mark.parametrize("batch_groups", [[], [[]], [[A], []], [[A] * 101], [[A[:31]]], [[A + b"\0"]]])
def test_impossible_batches_are_bugs(batch_groups):
    with pytest.raises(BugError, match=r"bug\.time_record"):
        build_batch(batch_groups)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "1.3.14.3.2.26", ""])
def test_broken_algorithms_make_no_tree(algorithm):
    assert find_algorithm(algorithm) is None
    with pytest.raises(BugError):
        build_batch([[A]], algorithm=algorithm)


@pytest.mark.parametrize("tree", [(), ((),), ((A,), ())])
def test_empty_lists_have_no_root(tree):
    with pytest.raises(BugError):
        reduced_root(tree, SHA256)


@pytest.mark.parametrize("name", ["sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"])
def test_algorithms_are_what_they_are_called(name):
    algorithm = find_algorithm(name)
    assert algorithm is not None
    assert algorithm.digest(b"abc") == hashlib.new(name, b"abc").digest()
    assert len(algorithm.digest(b"")) == algorithm.size
    assert find_algorithm(algorithm.oid) is algorithm


def test_sm3_is_sm3():
    assert SM3.digest(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"

import random
from collections.abc import Sequence
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.merkle import (
    EMPTY_ROOT,
    CompactRange,
    TileTree,
    extend_tiles,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_of,
    verify_consistency,
)
from evidence_desk.errors import BugError, IntegrityError, MalformedError
from tests.fixed import refusal

LEAVES = tuple(leaf_hash(b"leaf %d" % index) for index in range(70_000))


# RFC 6962 §2.1, word for word: the reference the module is measured against.


@cache
def mth(start: int, stop: int) -> bytes:
    if stop == start:
        return sha256(b"").digest()
    if stop - start == 1:
        return LEAVES[start]
    k = split(stop - start)
    return sha256(b"\x01" + mth(start, start + k) + mth(start + k, stop)).digest()


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m: int, start: int, stop: int) -> list[bytes]:
    n = stop - start
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*path(m, start, start + k), mth(start + k, stop)]
    return [*path(m - k, start + k, stop), mth(start, start + k)]


def subproof(m: int, start: int, stop: int, whole: object) -> list[bytes]:
    n = stop - start
    if m == n:
        return [] if whole else [mth(start, stop)]
    k = split(n)
    if m <= k:
        return [*subproof(m, start, start + k, whole), mth(start + k, stop)]
    return [*subproof(m - k, start + k, stop, False), mth(start, start + k)]


class Stored:
    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.size = 0

    def tile(self, level: int, index: int) -> bytes:
        return self.tiles.get((level, index), b"")

    def append(self, digests: Sequence[bytes]) -> None:
        self.tiles.update(extend_tiles(self.tile, self.size, digests))
        self.size += len(digests)


@pytest.fixture(scope="module")
def big() -> Stored:
    stored = Stored()
    for start in range(0, 66_000, 1000):
        stored.append(LEAVES[start : start + 1000])
    return stored


def test_known_answers():
    """RFC 6962's empty tree, and the well-known test vectors of certificate transparency."""
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    entries = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    root = root_of(leaf_hash(bytes.fromhex(entry)) for entry in entries)
    assert root.hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_roots_of_all_small_sizes():
    stored, compact = Stored(), CompactRange()
    for size in range(601):
        assert root_of(LEAVES[:size]) == mth(0, size)
        assert compact.root() == mth(0, size)
        assert TileTree(stored, size).root() == mth(0, size)
        compact.append(LEAVES[size])
        stored.append([LEAVES[size]])


SMALL = (*range(1, 34), 63, 64, 65, 127, 129, 255, 256, 257, 511, 512, 513, 600)


@pytest.mark.parametrize("size", SMALL)
def test_inclusion_of_every_leaf(big, size):
    tree = TileTree(big, size)
    for index in range(size):
        proof = tree.inclusion(index)
        assert list(proof) == path(index, 0, size)
        root = root_from_inclusion(index=index, size=size, digest=LEAVES[index], path=proof)
        assert root == mth(0, size)


@pytest.mark.parametrize("size", SMALL)
def test_consistency_from_every_size(big, size):
    tree = TileTree(big, size)
    for old in range(1, size + 1):
        proof = tree.consistency(old)
        assert list(proof) == subproof(old, 0, size, True)
        assert verify_consistency(
            old_size=old, new_size=size, old_root=mth(0, old), new_root=mth(0, size), path=proof
        )


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 65_791, 65_792, 65_793])
def test_tile_boundaries_of_the_third_level(big, size):
    tree = TileTree(big, size)
    assert tree.root() == mth(0, size) == root_of(LEAVES[:size])
    chosen = random.Random(size)
    for index in {0, 1, 255, 256, 65_279, 65_280, size - 2, size - 1, *chosen.sample(range(size), 30)}:
        assert list(tree.inclusion(index)) == path(index, 0, size)
    for old in {1, 255, 256, 257, 65_535, size - 1, size, *chosen.sample(range(1, size), 30)}:
        assert list(tree.consistency(old)) == subproof(old, 0, size, True)


@given(st.lists(st.integers(0, 700), max_size=8))
@settings(max_examples=60, deadline=None)
def test_tiles_do_not_depend_on_how_leaves_are_batched(counts):
    batched, whole = Stored(), Stored()
    for count in counts:
        batched.append(LEAVES[batched.size : batched.size + count])
    whole.append(LEAVES[: batched.size])
    assert batched.tiles == whole.tiles
    assert TileTree(batched, batched.size).edge().root() == mth(0, batched.size)


def test_tiles_are_those_of_c2sp(big):
    assert big.tile(0, 0) == b"".join(LEAVES[:256])
    assert big.tile(1, 0) == b"".join(mth(at, at + 256) for at in range(0, 65_536, 256))
    assert big.tile(2, 0) == mth(0, 65_536)
    assert set(big.tiles) == (
        {(0, index) for index in range(258)} | {(1, index) for index in range(2)} | {(2, 0)}
    )


def test_bytes_left_over_in_a_tile_are_dropped_by_an_append():
    stored = Stored()
    stored.append(LEAVES[:10])
    stored.tiles[0, 0] += b"\xff" * 64
    stored.append(LEAVES[10:12])
    assert stored.tile(0, 0) == b"".join(LEAVES[:12])


def test_short_tiles_are_reported():
    stored = Stored()
    stored.append(LEAVES[:300])
    for key in ((0, 1), (1, 0)):
        kept = stored.tiles[key]
        stored.tiles[key] = kept[:-1]
        with refusal("log.tile_missing", IntegrityError):
            TileTree(stored, 300).root()
        stored.tiles[key] = kept
    with refusal("log.tile_missing", IntegrityError):
        extend_tiles(lambda _level, _index: b"", 300, [LEAVES[0]])


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_asking_for_proofs_outside_the_tree_is_a_bug(big, index, size):
    with refusal("bug.merkle_index", BugError):
        TileTree(big, size).inclusion(index)
    with refusal("bug.merkle_index", BugError):
        TileTree(big, 5).consistency(0)
    with refusal("bug.merkle_index", BugError):
        TileTree(big, 5).consistency(6)
    with refusal("bug.merkle_edge", BugError):
        CompactRange([LEAVES[0]], 3)


SIZES = st.integers(1, 40)
NODES = st.lists(st.sampled_from([*LEAVES[:4], b"", b"x" * 31, b"x" * 33]), max_size=70)


@given(st.integers(-2, 45), SIZES, NODES)
@settings(max_examples=800)
def test_any_inclusion_path_is_refused_or_leads_to_a_root(index, size, nodes):
    try:
        root = root_from_inclusion(index=index, size=size, digest=LEAVES[0], path=nodes)
    except MalformedError:
        return
    assert len(nodes) == len(path(index, 0, size))
    assert (root == mth(0, size)) == (index == 0 and nodes == path(0, 0, size))


@given(st.data(), SIZES)
@settings(max_examples=600)
def test_wrong_inclusion_proofs_lead_elsewhere(data, size):
    index = data.draw(st.integers(0, size - 1))
    proof = path(index, 0, size)
    other_index = data.draw(st.integers(0, size - 1))
    other_size = data.draw(SIZES)
    changed = data.draw(st.sampled_from(["keep", "drop", "add", "flip", "swap"]))
    nodes = list(proof)
    if changed == "drop" and nodes:
        nodes.pop(data.draw(st.integers(0, len(nodes) - 1)))
    elif changed == "add":
        nodes.insert(data.draw(st.integers(0, len(nodes))), data.draw(st.sampled_from([*proof, LEAVES[-1]])))
    elif changed == "flip" and nodes:
        at = data.draw(st.integers(0, len(nodes) - 1))
        nodes[at] = bytes([nodes[at][0] ^ 1]) + nodes[at][1:]
    elif changed == "swap":
        nodes.reverse()
    try:
        root = root_from_inclusion(index=other_index, size=other_size, digest=LEAVES[index], path=nodes)
    except MalformedError:
        return
    if root == mth(0, other_size):
        assert (other_index, nodes) == (index, path(index, 0, other_size))


@given(st.data(), SIZES)
@settings(max_examples=1500)
def test_wrong_consistency_proofs_are_false(data, size):
    old = data.draw(st.integers(1, size))
    proof = subproof(old, 0, size, True)
    nodes = data.draw(
        st.sampled_from(
            [
                proof,
                proof[:-1],
                proof[1:],
                [*proof, LEAVES[0]],
                [LEAVES[0], *proof],
                proof[::-1],
                [],
                proof * 2,
            ]
        )
        | NODES
    )
    claimed_old, claimed_new = data.draw(st.integers(-1, size + 1)), data.draw(st.integers(-1, 41))
    holds = verify_consistency(
        old_size=claimed_old, new_size=claimed_new, old_root=mth(0, old), new_root=mth(0, size), path=nodes
    )
    if holds:
        # Sizes are not committed to by the hashes alone, but roots of trees with other sizes differ.
        assert nodes == proof
        assert claimed_old == claimed_new if old == size else True
    if (claimed_old, claimed_new, nodes) == (old, size, proof):
        assert holds


def test_consistency_of_the_empty_tree():
    some = mth(0, 5)

    def holds(old: int, new: int, old_root: bytes, new_root: bytes, nodes: Sequence[bytes] = ()) -> bool:
        return verify_consistency(
            old_size=old, new_size=new, old_root=old_root, new_root=new_root, path=nodes
        )

    assert holds(0, 0, EMPTY_ROOT, EMPTY_ROOT)
    assert holds(0, 5, EMPTY_ROOT, some)
    assert not holds(0, 5, EMPTY_ROOT, some, [some])
    assert not holds(0, 5, some, some)
    assert not holds(0, 0, some, some)
    assert not holds(0, 0, EMPTY_ROOT, some)
    assert not holds(-1, -1, some, some)
    assert not holds(5, 4, some, some)


def test_leaves_and_nodes_are_apart():
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)

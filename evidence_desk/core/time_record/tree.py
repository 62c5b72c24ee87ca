"""The hash tree of a batch and its reduced trees (RFC 4998 §4.2, §4.3). Must not know tokens or DER.

A one-element list is never hashed again: §4.2 step 3 hashes "each data group containing *more than one* document",
so the leaf of a lone object is its hash as it is. §4.3 step 3 read alone would hash it once more, which no builder
following §4.2 can have produced; RFC 6283 §3.1 states the exception in words, and BouncyCastle, EU DSS and the
published records agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from evidence_desk.core.time_record.algorithms import HashAlgorithm, known_algorithm
from evidence_desk.errors import BugError

ReducedTree = tuple[tuple[bytes, ...], ...]
"""Lists of hashes: first the data-object group itself, then the siblings of its node at each level upwards."""

MAX_GROUP: Final = 100
"""Greatest number of objects of a group that we issue; larger exhibits make further groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One hash tree over any number of groups.

    Attributes:
        root: hash that the token covers (its messageImprint).
        preimage: bytes whose hash is `root`: the sorted hashes under the top node. Empty when the batch is one
            object: then `root` is that object's own hash, and the object itself is what the token covers.
        trees: reduced tree of each group, in the order given.
    """

    root: bytes
    preimage: bytes
    trees: tuple[ReducedTree, ...]


def build_batch(groups: Sequence[Sequence[bytes]], *, algorithm: str = "sha256") -> Batch:
    """Build the hash tree over groups of object hashes (RFC 4998 §4.2).

    Args:
        groups: object hashes of each group, 1 to `MAX_GROUP`; duplicates count as often as they occur.
        algorithm: name or OID of the hash that made them and makes the nodes.

    Raises:
        BugError: ``bug.time_record`` for an empty batch, a group of wrong size, or a hash of wrong length.
    """
    hasher = known_algorithm(algorithm)
    firsts = [_first_list(group, hasher) for group in groups]
    if not firsts:
        raise BugError("bug.time_record", what="empty batch")
    level = [node_hash(first, hasher) for first in firsts]
    preimage = b"".join(firsts[0]) if len(firsts) == 1 and len(firsts[0]) > 1 else b""
    paths: list[list[tuple[bytes, ...]]] = [[first] for first in firsts]
    below: list[list[int]] = [[index] for index in range(len(firsts))]
    while len(level) > 1:
        nodes: list[bytes] = []
        under: list[list[int]] = []
        for at in range(0, len(level) - 1, 2):
            left, right = level[at], level[at + 1]
            for index in below[at]:
                paths[index].append((right,))
            for index in below[at + 1]:
                paths[index].append((left,))
            preimage = left + right if left <= right else right + left
            nodes.append(hasher.digest(preimage))
            under.append(below[at] + below[at + 1])
        if len(level) % 2:  # carried up unchanged: RFC 4998 asks for no padding, and a list of one is no list
            nodes.append(level[-1])
            under.append(below[-1])
        level, below = nodes, under
    return Batch(root=level[0], preimage=preimage, trees=tuple(tuple(path) for path in paths))


def reduced_root(tree: ReducedTree, algorithm: HashAlgorithm) -> bytes:
    """Root hash that a reduced tree leads to (RFC 4998 §4.3 step 3).

    Raises:
        BugError: ``bug.time_record`` for a tree without lists or with an empty one (`parse_record` lets none in).
    """
    return reduced_preimage(tree, algorithm)[1]


def reduced_preimage(tree: ReducedTree, algorithm: HashAlgorithm) -> tuple[bytes, bytes]:
    """(bytes hashed last, root); the bytes are empty when the tree is one hash, as in `Batch.preimage`."""
    if not tree or not all(tree):
        raise BugError("bug.time_record", what="empty list")
    preimage = b"".join(sorted(tree[0])) if len(tree[0]) > 1 else b""
    node = node_hash(tree[0], algorithm)
    for siblings in tree[1:]:
        preimage = b"".join(sorted((node, *siblings)))
        node = algorithm.digest(preimage)
    return preimage, node


def node_hash(values: Sequence[bytes], algorithm: HashAlgorithm) -> bytes:
    """Node of a first list: the value itself when alone, else the hash of the sorted concatenation."""
    if len(values) == 1:
        return values[0]
    return algorithm.digest(b"".join(sorted(values)))


def _first_list(group: Sequence[bytes], hasher: HashAlgorithm) -> tuple[bytes, ...]:
    if not 1 <= len(group) <= MAX_GROUP:
        raise BugError("bug.time_record", what=f"group of {len(group)}")
    if any(len(value) != hasher.size for value in group):
        raise BugError("bug.time_record", what="hash length")
    return tuple(sorted(group))

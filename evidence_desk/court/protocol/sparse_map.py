"""Sparse Merkle map in memory (ICS-23 SmtSpec), versioned by blocks: keys are inserted and updated, never deleted.

Built for a million keys in CPython: nodes are rows of flat arrays (65 bytes a node: 0x01 ‖ left ‖ right, ready to be
hashed), not objects. A batch hashes each touched node once. Old rows of the last few batches are kept, so that proofs
can be made against the root that the newest header already shows, and a batch can be taken back.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256 as _sha256
from typing import Final

from evidence_desk.court.protocol.map_proof import EMPTY, MapProof, Terminal, map_leaf, path_of
from evidence_desk.errors import BugError

_ROW: Final = 65
_LEFT: Final = 1
_RIGHT: Final = 33
DEFAULT_VERSIONS: Final = 4
_Row = tuple[bytes, int, int]


@dataclass(slots=True)
class _Version:
    """What a batch replaced: root before it, old rows and values, sizes of the arrays."""

    root: tuple[int, bytes]
    nodes: int
    leaves: int
    rows: dict[int, _Row] = field(default_factory=dict)
    values: dict[int, bytes] = field(default_factory=dict)


class SparseMap:
    """The map. A child is an inner node (> 0), nothing (0) or a leaf (< 0, minus its number, from 1)."""

    def __init__(self, *, versions: int = DEFAULT_VERSIONS) -> None:
        """Keep what `versions` batches replaced."""
        self._keep = versions
        self._rows = bytearray(_ROW)
        self._children = (array("i", [0]), array("i", [0]))
        self._paths = bytearray(32)
        self._values: list[bytes] = [b""]
        self._root: tuple[int, bytes] = (0, EMPTY)
        self._history: list[_Version] = []
        self._batch: list[bytes] = []
        self._given: list[bytes] = []
        self._version = _Version(self._root, 1, 1)

    def __len__(self) -> int:
        return len(self._values) - 1

    @property
    def versions(self) -> int:
        """How many batches can be looked behind or taken back."""
        return len(self._history)

    def root(self, back: int = 0) -> bytes:
        """Root now, or as it was `back` batches ago."""
        return self._root_of(back)[1]

    def update(self, items: Mapping[bytes, bytes]) -> bytes:
        """Set values (not empty) at keys and return the new root; one batch is one version, even when empty."""
        self._version = _Version(self._root, len(self._children[0]), len(self._values))
        ordered = sorted((path_of(key), value) for key, value in items.items())
        if any(not value for _, value in ordered):
            raise BugError("bug.map_value")
        self._batch = [path for path, _ in ordered]
        self._given = [value for _, value in ordered]
        if ordered:
            self._root = self._merge(*self._root, 0, 0, len(ordered))
        self._history.append(self._version)
        del self._history[: max(0, len(self._history) - self._keep)]
        self._batch, self._given = [], []
        return self._root[1]

    def rollback(self) -> None:
        """Take the last batch back.

        Raises:
            BugError: ``bug.map_version`` when it is no longer kept.
        """
        if not self._history:
            raise BugError("bug.map_version", back=1)
        version = self._history.pop()
        for node, (row, left, right) in version.rows.items():
            self._rows[node * _ROW : node * _ROW + _ROW] = row
            self._children[0][node], self._children[1][node] = left, right
        for leaf, value in version.values.items():
            self._values[leaf] = value
        for side in self._children:
            del side[version.nodes :]
        del self._rows[version.nodes * _ROW :]
        del self._paths[version.leaves * 32 :]
        del self._values[version.leaves :]
        self._root = version.root

    def get(self, key: bytes, back: int = 0) -> bytes | None:
        """Value at a key, None when there is none."""
        path = path_of(key)
        _, leaf = self._walk(path, back)
        if not leaf or self._path(leaf) != path:
            return None
        return self._value(leaf, back)

    def prove(self, key: bytes, back: int = 0) -> tuple[bytes | None, MapProof]:
        """Value at a key (None when absent) and its proof under `root(back)`."""
        path = path_of(key)
        siblings, leaf = self._walk(path, back)
        if not leaf:
            return None, MapProof(terminal=Terminal.EMPTY, siblings=siblings)
        value = self._value(leaf, back)
        found = self._path(leaf)
        if found == path:
            return value, MapProof(terminal=Terminal.PRESENT, siblings=siblings)
        other = (found, _sha256(value).digest())
        return None, MapProof(terminal=Terminal.OTHER, siblings=siblings, other=other)

    def paths(self) -> Iterator[bytes]:
        """Paths of all keys, in the order they came."""
        return (self._path(leaf) for leaf in range(1, len(self._values)))

    def _root_of(self, back: int) -> tuple[int, bytes]:
        if not 0 <= back <= len(self._history):
            raise BugError("bug.map_version", back=back)
        return self._history[-back].root if back else self._root

    def _walk(self, path: bytes, back: int) -> tuple[tuple[bytes, ...], int]:
        """Siblings from the root down and the number of the leaf at the end, 0 for none."""
        node, _ = self._root_of(back)
        newer = [version.rows for version in self._history[len(self._history) - back :]]
        siblings: list[bytes] = []
        bits = int.from_bytes(path, "big")
        shift = 255
        while node > 0:
            row, left, right = self._row(node, newer)
            if bits >> shift & 1:
                siblings.append(row[_LEFT:_RIGHT])
                node = right
            else:
                siblings.append(row[_RIGHT:])
                node = left
            shift -= 1
        return tuple(siblings), -node

    def _row(self, node: int, newer: list[dict[int, _Row]]) -> _Row:
        """A row as it was before the batches in `newer`, oldest first."""
        for rows in newer:
            if node in rows:
                return rows[node]
        start = node * _ROW
        return bytes(self._rows[start : start + _ROW]), self._children[0][node], self._children[1][node]

    def _value(self, leaf: int, back: int) -> bytes:
        for version in self._history[len(self._history) - back :]:
            if leaf in version.values:
                return version.values[leaf]
        return self._values[leaf]

    def _path(self, leaf: int) -> bytes:
        return bytes(self._paths[leaf * 32 : leaf * 32 + 32])

    def _merge(self, node: int, digest: bytes, depth: int, low: int, high: int) -> tuple[int, bytes]:
        """Put items low…high of the batch below `node`; its new number and hash."""
        if high - low == 1:
            return self._merge_one(node, digest, depth, low)
        # Two different paths or more come together here, so there is a node, whatever was here before.
        node = self._open(node, digest, depth)
        batch = self._batch
        middle = bisect_left(batch, _boundary(batch[low], depth), low, high)
        for side, first, last in ((0, low, middle), (1, middle, high)):
            if first < last:
                child, child_digest = self._merge(*self._child(node, side), depth + 1, first, last)
                self._set_child(node, side, child, child_digest)
        return node, self._hash(node)

    def _merge_one(self, node: int, digest: bytes, depth: int, item: int) -> tuple[int, bytes]:
        """Put one item below `node`: down to where it belongs, then up again hashing."""
        path, value = self._batch[item], self._given[item]
        bits, shift = int.from_bytes(path, "big"), 255 - depth
        way: list[tuple[int, int]] = []
        while node > 0:
            side = bits >> shift & 1
            way.append((node, side))
            node, digest = self._child(node, side)
            shift -= 1
        found = self._path(-node) if node else b""
        if found == path:
            leaf = node
            self._version.values.setdefault(-leaf, self._values[-leaf])
            self._values[-leaf] = value
        else:
            leaf = -len(self._values)
            self._paths += path
            self._values.append(value)
            if node:
                way += self._push_down(node, digest, bits, shift)
        leaf_digest = map_leaf(path, _sha256(value).digest())
        for parent, side in reversed(way):
            self._set_child(parent, side, leaf, leaf_digest)
            leaf, leaf_digest = parent, self._hash(parent)
        return leaf, leaf_digest

    def _push_down(self, leaf: int, digest: bytes, bits: int, shift: int) -> list[tuple[int, int]]:
        """New nodes above a leaf, down to where its path parts from `bits`; the way of `bits` through them."""
        apart = int.from_bytes(self._path(-leaf), "big") ^ bits
        way: list[tuple[int, int]] = []
        node = leaf
        while True:
            opened = self._open(node, digest, 255 - shift)
            side = bits >> shift & 1
            way.append((opened, side))
            if apart >> shift & 1:
                return way
            node, digest = self._child(opened, side)
            shift -= 1

    def _open(self, node: int, digest: bytes, depth: int) -> int:
        """An inner node here: the one there is, or a new one above the leaf (if any) that was here."""
        if node > 0:
            return node
        opened = len(self._children[0])
        self._rows += b"\x01" + EMPTY + EMPTY
        for side in self._children:
            side.append(0)
        if node < 0:
            self._set_child(opened, self._path(-node)[depth >> 3] >> (7 - (depth & 7)) & 1, node, digest)
        return opened

    def _child(self, node: int, side: int) -> tuple[int, bytes]:
        start = node * _ROW + 1 + 32 * side
        return self._children[side][node], bytes(self._rows[start : start + 32])

    def _set_child(self, node: int, side: int, child: int, digest: bytes) -> None:
        start = node * _ROW
        version = self._version
        if node < version.nodes and node not in version.rows and self._keep:
            row = bytes(self._rows[start : start + _ROW])
            version.rows[node] = (row, self._children[0][node], self._children[1][node])
        start += 1 + 32 * side
        self._rows[start : start + 32] = digest
        self._children[side][node] = child

    def _hash(self, node: int) -> bytes:
        start = node * _ROW
        return _sha256(self._rows[start : start + _ROW]).digest()


def _boundary(path: bytes, depth: int) -> bytes:
    """Smallest path that agrees with `path` above `depth` and has a one there."""
    keep = 255 - depth
    return ((int.from_bytes(path, "big") >> keep | 1) << keep).to_bytes(32, "big")

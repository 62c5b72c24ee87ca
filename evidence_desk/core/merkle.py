"""RFC 6962 Merkle trees over tiles (C2SP tlog-tiles, height 8): roots, inclusion and consistency proofs.

Pure: storage is a `TileSource`. A tile at (level, index) holds the hashes of nodes of height 8·level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256 as _sha256
from typing import Final, Protocol

from evidence_desk.errors import BugError, IntegrityError, MalformedError

HASH_SIZE: Final = 32
TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
MAX_PROOF: Final = 64
EMPTY_ROOT: Final = _sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 ‖ leaf) (RFC 6962 §2.1)."""
    return _sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1)."""
    return _sha256(b"\x01" + left + right).digest()


class CompactRange:
    """Right edge of a growing tree: one perfect subtree for each bit of the size."""

    def __init__(self, edge: Iterable[bytes] = (), size: int = 0) -> None:
        self._edge = list(edge)
        self.size = size
        if len(self._edge) != size.bit_count():
            raise BugError("bug.merkle_edge", size=size)

    def append(self, digest: bytes) -> None:
        """Add the leaf hash at position `size`."""
        node = digest
        position = self.size
        while position & 1:
            node = node_hash(self._edge.pop(), node)
            position >>= 1
        self._edge.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Merkle tree hash of everything appended."""
        if not self._edge:
            return EMPTY_ROOT
        root = self._edge[-1]
        for node in reversed(self._edge[:-1]):
            root = node_hash(node, root)
        return root


def root_of(digests: Iterable[bytes]) -> bytes:
    """Merkle tree hash over leaf hashes."""
    compact = CompactRange()
    for digest in digests:
        compact.append(digest)
    return compact.root()


def root_from_inclusion(*, index: int, size: int, digest: bytes, path: Sequence[bytes]) -> bytes:
    """Root that an inclusion proof leads to (RFC 9162 §2.1.3.2).

    Raises:
        MalformedError: ``malformed.inclusion_proof`` when index, size and length of the path do not fit.
    """
    if not 0 <= index < size or len(path) > MAX_PROOF:
        raise MalformedError("malformed.inclusion_proof", index=index, size=size)
    if any(len(node) != HASH_SIZE for node in (digest, *path)):
        raise MalformedError("malformed.inclusion_proof", index=index, size=size)
    fn, sn, root = index, size - 1, digest
    for node in path:
        if sn == 0:
            raise MalformedError("malformed.inclusion_proof", index=index, size=size)
        if fn & 1 or fn == sn:
            root = node_hash(node, root)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            root = node_hash(root, node)
        fn >>= 1
        sn >>= 1
    if sn != 0:
        raise MalformedError("malformed.inclusion_proof", index=index, size=size)
    return root


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the tree of `new_size` extends the one of `old_size` (RFC 9162 §2.1.4.2)."""
    if not 0 <= old_size <= new_size:
        return False
    if old_size == 0 and (path or old_root != EMPTY_ROOT):
        return False
    if old_size in {0, new_size}:
        return not path and (old_size != new_size or old_root == new_root)
    nodes = list(path)
    if old_size & (old_size - 1) == 0:
        nodes.insert(0, old_root)
    if not nodes or len(nodes) > 2 * MAX_PROOF or any(len(node) != HASH_SIZE for node in nodes):
        return False
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = node_hash(node, old), node_hash(node, new)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            new = node_hash(new, node)
        fn >>= 1
        sn >>= 1
    return sn == 0 and old == old_root and new == new_root


class Tiles(Protocol):
    """Read access to tiles; b"" where nothing is stored."""

    def tile(self, level: int, index: int) -> bytes:
        """Concatenated hashes of a tile."""
        ...


class TileTree:
    """A tree of fixed size read from tiles; every node it needs is recomputed within its tile."""

    def __init__(self, tiles: Tiles, size: int) -> None:
        self._tiles = tiles
        self.size = size
        self._cache: dict[tuple[int, int], bytes] = {}

    def node(self, height: int, index: int) -> bytes:
        """Hash of the perfect subtree over leaves [index·2^height, (index+1)·2^height).

        Raises:
            IntegrityError: ``log.tile_missing`` when a tile is shorter than the size demands.
        """
        level, rest = divmod(height, TILE_HEIGHT)
        first = index << rest
        tile_index, offset = divmod(first, TILE_WIDTH)
        count = 1 << rest
        blob = self._tile(level, tile_index)
        part = blob[offset * HASH_SIZE : (offset + count) * HASH_SIZE]
        if len(part) != count * HASH_SIZE:
            raise IntegrityError("log.tile_missing", level=level, index=tile_index)
        nodes = [part[at : at + HASH_SIZE] for at in range(0, len(part), HASH_SIZE)]
        while len(nodes) > 1:
            nodes = [node_hash(nodes[at], nodes[at + 1]) for at in range(0, len(nodes), 2)]
        return nodes[0]

    def edge(self) -> CompactRange:
        """Right edge, for appending."""
        nodes: list[bytes] = []
        start = 0
        for height in reversed(range(self.size.bit_length())):
            if self.size >> height & 1:
                nodes.append(self.node(height, start >> height))
                start += 1 << height
        return CompactRange(nodes, self.size)

    def root(self) -> bytes:
        """Root recomputed from the right edge."""
        return self.edge().root()

    def inclusion(self, index: int) -> tuple[bytes, ...]:
        """Inclusion path of leaf `index` (RFC 6962 §2.1.1)."""
        if not 0 <= index < self.size:
            raise BugError("bug.merkle_index", index=index, size=self.size)
        return tuple(self._path(index, 0, self.size))

    def consistency(self, old_size: int) -> tuple[bytes, ...]:
        """Consistency proof from `old_size` to `size` (RFC 6962 §2.1.2)."""
        if not 0 < old_size <= self.size:
            raise BugError("bug.merkle_index", index=old_size, size=self.size)
        return tuple(self._subproof(old_size, 0, self.size, known=True))

    def _tile(self, level: int, index: int) -> bytes:
        key = (level, index)
        if key not in self._cache:
            self._cache[key] = self._tiles.tile(level, index)
        return self._cache[key]

    def _range(self, start: int, stop: int) -> bytes:
        """Hash of the subtree over [start, stop); start is a multiple of the subtree's span."""
        width = stop - start
        if width & (width - 1) == 0:
            height = width.bit_length() - 1
            return self.node(height, start >> height)
        split = _split(width)
        return node_hash(self._range(start, start + split), self._range(start + split, stop))

    def _path(self, index: int, start: int, stop: int) -> list[bytes]:
        if stop - start == 1:
            return []
        middle = start + _split(stop - start)
        if index < middle:
            return [*self._path(index, start, middle), self._range(middle, stop)]
        return [*self._path(index, middle, stop), self._range(start, middle)]

    def _subproof(self, old: int, start: int, stop: int, *, known: bool) -> list[bytes]:
        if old == stop:
            return [] if known else [self._range(start, stop)]
        middle = start + _split(stop - start)
        if old <= middle:
            return [*self._subproof(old, start, middle, known=known), self._range(middle, stop)]
        return [*self._subproof(old, middle, stop, known=False), self._range(start, middle)]


def _split(width: int) -> int:
    """Largest power of two smaller than `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def extend_tiles(
    read: Callable[[int, int], bytes], size: int, digests: Sequence[bytes]
) -> dict[tuple[int, int], bytes]:
    """Tiles that change when leaf hashes are appended to a tree of `size` leaves, as whole blobs."""
    changed: dict[tuple[int, int], bytearray] = {}
    level, position, nodes = 0, size, list(digests)
    while nodes:
        full: list[bytes] = []
        first = position // TILE_WIDTH
        for node in nodes:
            index, offset = divmod(position, TILE_WIDTH)
            blob = changed.get((level, index))
            if blob is None:
                blob = bytearray(read(level, index)[: offset * HASH_SIZE])
                if len(blob) != offset * HASH_SIZE:
                    raise IntegrityError("log.tile_missing", level=level, index=index)
                changed[level, index] = blob
            blob += node
            position += 1
            if offset == TILE_WIDTH - 1:
                full.append(_tile_root(bytes(blob)))
        level, position, nodes = level + 1, first, full
    return {key: bytes(blob) for key, blob in changed.items()}


def _tile_root(blob: bytes) -> bytes:
    nodes = [blob[at : at + HASH_SIZE] for at in range(0, len(blob), HASH_SIZE)]
    while len(nodes) > 1:
        nodes = [node_hash(nodes[at], nodes[at + 1]) for at in range(0, len(nodes), 2)]
    return nodes[0]

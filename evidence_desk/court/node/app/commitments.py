"""The Merkle structures over committed rows: kept in memory, derived from the rows alone, one version a block.

Which rows are proven is decided by their space: those of `MAPS` are keys of sparse maps, those of `LIST` an RFC 6962 list
in the order of their 8-byte index. All other spaces are indexes that prove nothing.
"""

from __future__ import annotations

from typing import Final

from evidence_desk.core.merkle import TileTree, extend_tiles, leaf_hash
from evidence_desk.court.node.app.store import META, Changes, Reader, StateStore
from evidence_desk.court.protocol.map_proof import MapProof
from evidence_desk.court.protocol.sparse_map import SparseMap
from evidence_desk.court.protocol.state import ListRoot, StateRoots
from evidence_desk.errors import BugError

DESKS: Final = "desks"
LOOKUP: Final = "lookup"
GOVERNANCE: Final = "governance"
LIST: Final = "checkpoints"
MAPS: Final = (DESKS, LOOKUP, GOVERNANCE)
KEPT: Final = 16
"""Blocks whose state can still be proven: some seconds on a busy chain, for whoever waits for the header of his block."""
_TILES: Final = "tiles"
_SIZE: Final = b"checkpoints.size"


def index_key(index: int) -> bytes:
    """Key of a list's row."""
    return index.to_bytes(8, "big")


class Commitments:
    """Maps and list with their history.

    `apply` enters one block on top of what the store holds; it is then either committed, by storing its rows, or taken
    back.
    """

    def __init__(self, store: StateStore) -> None:
        """Build everything from the rows; a million keys take some seconds."""
        self._store = store
        self._maps = {space: SparseMap(versions=KEPT) for space in MAPS}
        for space, tree in self._maps.items():
            tree.update(dict(store.scan(space)))
        size = _stored_size(store)
        self._lists = [(size, TileTree(_Tiles(store), size).root())]

    @property
    def kept(self) -> int:
        """How many blocks back proofs can be made."""
        return len(self._lists) - 1

    def roots(self, back: int = 0) -> StateRoots:
        """Sub-roots as they were `back` blocks ago."""
        size, root = self._lists[-1 - back]
        return StateRoots(
            checkpoints=ListRoot(size=size, root=root),
            desks=self._maps[DESKS].root(back),
            governance=self._maps[GOVERNANCE].root(back),
            lookup=self._maps[LOOKUP].root(back),
        )

    def apply(self, changes: Changes) -> Changes:
        """Enter a block's rows; returns further rows (tiles) that have to be stored with them."""
        by_space: dict[str, dict[bytes, bytes]] = {space: {} for space in (*MAPS, LIST)}
        for (space, key), value in changes.items():
            if space in by_space:
                by_space[space][key] = value
        for space in MAPS:
            self._maps[space].update(by_space[space])
        size, root = self._lists[-1]
        rows = sorted(by_space[LIST].items())
        if [key for key, _ in rows] != [index_key(size + at) for at in range(len(rows))]:
            raise BugError("bug.court_list", size=size)
        tiles: dict[tuple[int, int], bytes] = {}
        if rows:
            digests = [leaf_hash(value) for _, value in rows]
            edge = TileTree(_Tiles(self._store), size).edge()
            for digest in digests:
                edge.append(digest)
            tiles = extend_tiles(_Tiles(self._store).tile, size, digests)
            size, root = edge.size, edge.root()
        self._lists.append((size, root))
        del self._lists[: -KEPT - 1]
        return {(_TILES, _tile_key(*place)): blob for place, blob in tiles.items()} | {
            (META, _SIZE): index_key(size)
        }

    def take_back(self) -> None:
        """Forget the last block; its rows must not be stored."""
        for tree in self._maps.values():
            tree.rollback()
        self._lists.pop()

    def size(self, back: int = 0) -> int:
        """Length of the list, `back` blocks ago."""
        return self._lists[-1 - back][0]

    def value(self, space: str, key: bytes, back: int = 0) -> bytes | None:
        """Value in a map, `back` blocks ago."""
        return self._maps[space].get(key, back)

    def prove(self, space: str, key: bytes, back: int = 0) -> tuple[bytes | None, MapProof]:
        """Value in a map (None when absent) with its proof under the map's root, `back` blocks ago."""
        return self._maps[space].prove(key, back)

    def prove_index(self, index: int, back: int = 0) -> tuple[bytes, ...]:
        """Inclusion path of a row of the list (RFC 6962 §2.1.1); the block must be committed."""
        return list_tree(self._store, self.size(back)).inclusion(index)


def list_tree(rows: Reader, size: int) -> TileTree:
    """The list of checkpoints as it was at `size`."""
    return TileTree(_Tiles(rows), size)


class _Tiles:
    """Tiles of the list in the rows."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def tile(self, level: int, index: int) -> bytes:
        """Stored hashes of a tile."""
        return self._reader.get(_TILES, _tile_key(level, index)) or b""


def _tile_key(level: int, index: int) -> bytes:
    return bytes([level]) + index_key(index)


def _stored_size(reader: Reader) -> int:
    return int.from_bytes(reader.get(META, _SIZE) or b"", "big")

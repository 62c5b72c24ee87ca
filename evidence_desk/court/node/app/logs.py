"""The desks' logs as the network holds them: leaves, envelopes and tiles by origin. Indexes that prove themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evidence_desk.core.merkle import CompactRange, TileTree, extend_tiles
from evidence_desk.court.node.app.commitments import index_key
from evidence_desk.court.node.app.store import Overlay, Reader

LEAVES: Final = "leaves"
"""Space: origin ‖ 0x0A ‖ seq (8 bytes) → leaf bytes."""
ENVELOPES: Final = "envelopes"
"""Space: the same key → ciphertext of the statement."""
CHECKPOINT_INDEX: Final = "checkpoint_index"
"""Space: origin ‖ 0x0A ‖ size (8 bytes) → index in the list of checkpoints."""
NOTES: Final = "notes"
"""Space: origin ‖ 0x0A ‖ size (8 bytes) → the accepted checkpoint's note."""
PLACES: Final = "leaf_places"
"""Space: leaf hash → key in `LEAVES`."""
TILES: Final = "log_tiles"
"""Space: origin ‖ 0x0A ‖ level (1 byte) ‖ index (8 bytes) → hashes."""


def log_key(origin: str, number: int) -> bytes:
    """Key of something at a place in a log."""
    return origin.encode() + b"\n" + index_key(number)


def read_log_key(key: bytes) -> tuple[str, int]:
    """Origin and number of a key."""
    return key[:-9].decode(), int.from_bytes(key[-8:], "big")


class LogTiles:
    """Tiles of one log."""

    def __init__(self, rows: Reader, origin: str) -> None:
        self._rows = rows
        self._origin = origin.encode() + b"\n"

    def tile(self, level: int, index: int) -> bytes:
        """Stored hashes."""
        return self._rows.get(TILES, self.key(level, index)) or b""

    def key(self, level: int, index: int) -> bytes:
        """Key of a tile."""
        return self._origin + bytes([level]) + index_key(index)


def log_edge(rows: Reader, origin: str, size: int) -> CompactRange:
    """Right edge of a log of `size` leaves."""
    return TileTree(LogTiles(rows, origin), size).edge()


def log_root(rows: Reader, origin: str, size: int) -> bytes:
    """Root a log had at `size`, at most its present size."""
    return TileTree(LogTiles(rows, origin), size).root()


def log_inclusion(rows: Reader, origin: str, seq: int, size: int) -> tuple[bytes, ...]:
    """Inclusion path of a leaf in the log as it was at `size` (RFC 6962 §2.1.1)."""
    return TileTree(LogTiles(rows, origin), size).inclusion(seq)


def extend_log(rows: Overlay, origin: str, size: int, digests: Sequence[bytes]) -> None:
    """Store the tiles that change when leaf hashes are appended to a log of `size` leaves."""
    tiles = LogTiles(rows, origin)
    for (level, index), blob in extend_tiles(tiles.tile, size, digests).items():
        rows.set(TILES, tiles.key(level, index), blob)

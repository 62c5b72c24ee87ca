"""Right edges of growing RFC 6962 lists as they lie in rows: one node for each bit of the size, largest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evidence_desk.core.merkle import HASH_SIZE, CompactRange, node_hash
from evidence_desk.errors import BugError


@dataclass(frozen=True, slots=True)
class Edge:
    """Right edge of a list of `size` leaves."""

    size: int = 0
    nodes: tuple[bytes, ...] = ()

    @classmethod
    def decode(cls, size: int, data: bytes) -> Edge:
        """Read stored nodes."""
        if len(data) != size.bit_count() * HASH_SIZE:
            raise BugError("bug.court_edge", size=size)
        return cls(size, tuple(data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)))

    def encode(self) -> bytes:
        """Nodes one after the other."""
        return b"".join(self.nodes)

    def extended(self, digests: Iterable[bytes]) -> Edge:
        """The edge after appending leaf hashes."""
        size, nodes = self.size, list(self.nodes)
        for digest in digests:
            node, position = digest, size
            while position & 1:
                node = node_hash(nodes.pop(), node)
                position >>= 1
            nodes.append(node)
            size += 1
        return Edge(size, tuple(nodes))

    def root(self) -> bytes:
        """Merkle tree hash of the list."""
        return CompactRange(self.nodes, self.size).root()

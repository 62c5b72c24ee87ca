"""Proof of what a sparse Merkle map holds at a key, in one compact canonical form.

The tree is that of ICS-23's SmtSpec: path = SHA-256(key), bits from the highest; a subtree with one leaf is that leaf;
an empty subtree is 32 zero bytes; leaf = SHA-256(0x00 ‖ path ‖ SHA-256(value)), node = SHA-256(0x01 ‖ left ‖ right).
A key is absent when its path ends in an empty subtree or in the leaf of another path.

Bytes: kind (1) ‖ depth (2, big-endian) ‖ bitmap of non-empty siblings, one bit a level from the root, highest first,
padded with zeros ‖ those siblings from the root down ‖ for `OTHER`: path and value digest of the leaf found instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256 as _sha256
from typing import Final

from evidence_desk.court.protocol.ics23 import SMT_SPEC, ExistenceProof, HashOp, InnerOp
from evidence_desk.errors import BugError, IntegrityError, MalformedError

EMPTY: Final = bytes(32)
MAX_DEPTH: Final = 256
MAX_SIZE: Final = 3 + 32 + 32 * MAX_DEPTH + 64


def path_of(key: bytes) -> bytes:
    """Place of a key in the tree."""
    return _sha256(key).digest()


def map_leaf(path: bytes, value_digest: bytes) -> bytes:
    """Leaf node."""
    return _sha256(b"\x00" + path + value_digest).digest()


def map_node(left: bytes, right: bytes) -> bytes:
    """Inner node."""
    return _sha256(b"\x01" + left + right).digest()


class Terminal(IntEnum):
    """What lies at the end of the path."""

    PRESENT = 1
    EMPTY = 2
    OTHER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MapProof:
    """Siblings from the root down; `other` is (path, value digest) of the leaf in the way of an absent key."""

    terminal: Terminal
    siblings: tuple[bytes, ...]
    other: tuple[bytes, bytes] | None = None

    def encode(self) -> bytes:
        """Bytes of the proof."""
        bits = bytearray((len(self.siblings) + 7) // 8)
        for level, node in enumerate(self.siblings):
            if node != EMPTY:
                bits[level >> 3] |= 0x80 >> (level & 7)
        return b"".join(
            (
                bytes([self.terminal]),
                len(self.siblings).to_bytes(2, "big"),
                bytes(bits),
                *(node for node in self.siblings if node != EMPTY),
                *(self.other or ()),
            )
        )

    def check(self, root: bytes, key: bytes, value: bytes | None) -> None:
        """Return when the map of `root` holds `value` at `key`, or nothing when `value` is None.

        Raises:
            IntegrityError: ``court.map_proof``.
        """
        path = path_of(key)
        if (value is None) is (self.terminal is Terminal.PRESENT):
            raise IntegrityError("court.map_proof", reason="kind")
        if value is not None:
            if not value:
                raise IntegrityError("court.map_proof", reason="empty value")
            node = map_leaf(path, _sha256(value).digest())
        elif self.other is None:
            node = EMPTY
        else:
            self._check_other(path)
            node = map_leaf(*self.other)
        if self._fold(path, node) != root:
            raise IntegrityError("court.map_proof", reason="root")

    def _check_other(self, path: bytes) -> None:
        """The leaf in the way is another one, and this key would really meet it."""
        other = b"" if self.other is None else self.other[0]
        depth = len(self.siblings)
        apart = int.from_bytes(path, "big") ^ int.from_bytes(other, "big")
        if apart == 0 or apart >> (MAX_DEPTH - depth):
            raise IntegrityError("court.map_proof", reason="other leaf")

    def _fold(self, path: bytes, node: bytes) -> bytes:
        bits = int.from_bytes(path, "big") >> (MAX_DEPTH - len(self.siblings))
        for sibling in reversed(self.siblings):
            node = map_node(sibling, node) if bits & 1 else map_node(node, sibling)
            bits >>= 1
        return node

    def to_ics23(self, key: bytes, value: bytes) -> ExistenceProof:
        """The same proof of presence for other ICS-23 libraries."""
        if self.terminal is not Terminal.PRESENT:
            raise BugError("bug.map_proof_kind")
        bits = int.from_bytes(path_of(key), "big") >> (MAX_DEPTH - len(self.siblings))
        path: list[InnerOp] = []
        for sibling in reversed(self.siblings):
            prefix, suffix = (b"\x01" + sibling, b"") if bits & 1 else (b"\x01", sibling)
            path.append(InnerOp(hash=HashOp.SHA256, prefix=prefix, suffix=suffix))
            bits >>= 1
        return ExistenceProof(key=key, value=value, leaf=SMT_SPEC.leaf, path=tuple(path))


def decode_map_proof(data: bytes) -> MapProof:
    """Read a proof; each has one spelling.

    Raises:
        MalformedError: ``malformed.map_proof``.
    """
    if not 3 <= len(data) <= MAX_SIZE:
        raise MalformedError("malformed.map_proof", reason="size")
    try:
        terminal = Terminal(data[0])
    except ValueError as error:
        raise MalformedError("malformed.map_proof", reason="kind") from error
    depth = int.from_bytes(data[1:3], "big")
    start = 3 + (depth + 7) // 8
    bits, nodes = data[3:start], data[start:]
    if depth > MAX_DEPTH or len(bits) != start - 3 or len(nodes) % 32:
        raise MalformedError("malformed.map_proof", reason="depth")
    other: tuple[bytes, bytes] | None = None
    if terminal is Terminal.OTHER:
        other = (nodes[-64:-32], nodes[-32:])
        nodes = nodes[:-64] if len(nodes) >= 64 else b"x"
    given = [nodes[at : at + 32] for at in range(0, len(nodes), 32)]
    filled = [bool(bits[level >> 3] & 0x80 >> (level & 7)) for level in range(depth)]
    if sum(filled) != len(given) or EMPTY in given:
        raise MalformedError("malformed.map_proof", reason="siblings")
    siblings = iter(given)
    proof = MapProof(
        terminal=terminal, siblings=tuple(next(siblings) if here else EMPTY for here in filled), other=other
    )
    # A lone leaf moves up, so a leaf has a sibling; an empty end beside an empty one would be empty itself. At depth 0
    # the whole map is empty, as `desks` is until the first desk is registered.
    if (depth and not filled[-1]) or proof.encode() != data:
        raise MalformedError("malformed.map_proof", reason="form")
    return proof

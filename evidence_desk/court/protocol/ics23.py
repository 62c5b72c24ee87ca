"""ICS-23 commitment proofs: what a proof must look like under a specification, and what root it leads to.

After cosmos/ics23 (Go, v0.11): existence and non-existence; batches and compression are not used here. Our look-up map
follows `SMT_SPEC`; the checks for other specifications are here so that the published tables test the whole of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from evidence_desk.court.protocol.wire import varint
from evidence_desk.errors import IntegrityError

MAX_DEPTH: Final = 128
"""Where a specification sets no limit."""


class HashOp(IntEnum):
    """Hash functions by their number in proofs.proto."""

    NO_HASH = 0
    SHA256 = 1
    SHA512 = 2
    KECCAK256 = 3
    RIPEMD160 = 4
    BITCOIN = 5
    SHA512_256 = 6
    BLAKE2B_512 = 7
    BLAKE2S_256 = 8
    BLAKE3 = 9


class LengthOp(IntEnum):
    """How a length is put before data, by number in proofs.proto."""

    NO_PREFIX = 0
    VAR_PROTO = 1
    VAR_RLP = 2
    FIXED32_BIG = 3
    FIXED32_LITTLE = 4
    FIXED64_BIG = 5
    FIXED64_LITTLE = 6
    REQUIRE_32_BYTES = 7
    REQUIRE_64_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafOp:
    """How a key and a value become a leaf."""

    hash: HashOp = HashOp.NO_HASH
    prehash_key: HashOp = HashOp.NO_HASH
    prehash_value: HashOp = HashOp.NO_HASH
    length: LengthOp = LengthOp.NO_PREFIX
    prefix: bytes = b""

    def apply(self, key: bytes, value: bytes) -> bytes:
        """Hash of the leaf.

        Raises:
            IntegrityError: ``court.ics23`` when key or value is empty or an operation is unknown.
        """
        if not key or not value:
            raise _refusal("empty key or value")
        data = self._prepare(self.prehash_key, key) + self._prepare(self.prehash_value, value)
        return digest(self.hash, self.prefix + data)

    def _prepare(self, operation: HashOp, data: bytes) -> bytes:
        hashed = data if operation is HashOp.NO_HASH else digest(operation, data)
        return with_length(self.length, hashed)


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerOp:
    """One step up: the child between a prefix and a suffix."""

    hash: HashOp = HashOp.NO_HASH
    prefix: bytes = b""
    suffix: bytes = b""

    def apply(self, child: bytes) -> bytes:
        """Hash of the parent; ``court.ics23`` without a child."""
        if not child:
            raise _refusal("no child")
        return digest(self.hash, self.prefix + child + self.suffix)


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerSpec:
    """Form of inner nodes: `child_size` and prefix lengths in bytes."""

    child_order: tuple[int, ...] = (0, 1)
    child_size: int = 0
    min_prefix: int = 0
    max_prefix: int = 0
    empty_child: bytes = b""
    hash: HashOp = HashOp.NO_HASH


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSpec:
    """What a tree's proofs look like."""

    leaf: LeafOp
    inner: InnerSpec
    min_depth: int = 0
    max_depth: int = 0
    prehash_key_before_comparison: bool = False

    @property
    def is_iavl(self) -> bool:
        """Whether the extra rules for IAVL prefixes apply (the names of both specifications' fields agree)."""
        return self._shape() == IAVL_SPEC._shape()  # noqa: SLF001 - the same class

    def _shape(self) -> tuple[object, ...]:
        leaf, inner = self.leaf, self.inner
        return (
            leaf.hash, leaf.prehash_key, leaf.prehash_value, leaf.length,
            inner.hash, inner.min_prefix, inner.max_prefix, inner.child_size, len(inner.child_order),
        )  # fmt: skip


IAVL_SPEC: Final = ProofSpec(
    leaf=LeafOp(hash=HashOp.SHA256, prehash_value=HashOp.SHA256, length=LengthOp.VAR_PROTO, prefix=b"\x00"),
    inner=InnerSpec(child_size=33, min_prefix=4, max_prefix=12, hash=HashOp.SHA256),
)
SMT_SPEC: Final = ProofSpec(
    leaf=LeafOp(hash=HashOp.SHA256, prehash_key=HashOp.SHA256, prehash_value=HashOp.SHA256, prefix=b"\x00"),
    inner=InnerSpec(child_size=32, min_prefix=1, max_prefix=1, empty_child=bytes(32), hash=HashOp.SHA256),
    max_depth=256,
    prehash_key_before_comparison=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistenceProof:
    """A key, its value, and the way to the root."""

    key: bytes
    value: bytes
    leaf: LeafOp | None
    path: tuple[InnerOp, ...] = ()

    def root(self) -> bytes:
        """Root that the steps lead to; ``court.ics23``."""
        if self.leaf is None:
            raise _refusal("no leaf operation")
        node = self.leaf.apply(self.key, self.value)
        for step in self.path:
            node = step.apply(node)
        return node


@dataclass(frozen=True, slots=True, kw_only=True)
class NonExistenceProof:
    """The neighbors between which a key would lie; `key` is for information (Go ignores it too)."""

    key: bytes
    left: ExistenceProof | None
    right: ExistenceProof | None


def verify_existence(
    spec: ProofSpec, root: bytes, proof: ExistenceProof, *, key: bytes, value: bytes
) -> None:
    """Return when `root` holds `value` at `key`.

    Raises:
        IntegrityError: ``court.ics23``.
    """
    check_form(spec, proof)
    if proof.key != key:
        raise _refusal("other key")
    if proof.value != value:
        raise _refusal("other value")
    if proof.root() != root:
        raise _refusal("other root")


def verify_absence(spec: ProofSpec, root: bytes, proof: NonExistenceProof, *, key: bytes) -> None:
    """Return when `root` holds nothing at `key`.

    Raises:
        IntegrityError: ``court.ics23``.
    """
    wanted = _comparable(spec, key)
    for side in (proof.left, proof.right):
        if side is not None:
            verify_existence(spec, root, side, key=side.key, value=side.value)
    if proof.right is not None and wanted >= _comparable(spec, proof.right.key):
        raise _refusal("key is not left of the right proof")
    if proof.left is not None and wanted <= _comparable(spec, proof.left.key):
        raise _refusal("key is not right of the left proof")
    match proof.left, proof.right:
        case None, None:
            raise _refusal("both neighbors missing")
        case None, right:
            adjacent = right is not None and is_leftmost(spec.inner, right.path)
        case left, None:
            adjacent = left is not None and is_rightmost(spec.inner, left.path)
        case left, right:
            adjacent = (
                left is not None and right is not None and _neighbors(spec.inner, left.path, right.path)
            )
    if not adjacent:
        raise _refusal("not neighbors")


def check_form(spec: ProofSpec, proof: ExistenceProof) -> None:
    """Refuse a proof whose operations are not those of the specification; ``court.ics23``."""
    if proof.leaf is None:
        raise _refusal("no leaf operation")
    check_leaf(spec, proof.leaf)
    if spec.min_depth and len(proof.path) < spec.min_depth:
        raise _refusal("too shallow")
    if len(proof.path) > (spec.max_depth or MAX_DEPTH):
        raise _refusal("too deep")
    for layer, step in enumerate(proof.path, start=1):
        _check_inner(spec, step, layer)


def check_leaf(spec: ProofSpec, leaf: LeafOp) -> None:
    """Refuse a leaf operation other than the specification's; ``court.ics23``."""
    wanted = spec.leaf
    if spec.is_iavl:
        _check_iavl(leaf, 0)
    if (leaf.hash, leaf.prehash_key, leaf.prehash_value, leaf.length) != (
        wanted.hash, wanted.prehash_key, wanted.prehash_value, wanted.length,
    ):  # fmt: skip
        raise _refusal("leaf operation")
    if not leaf.prefix.startswith(wanted.prefix):
        raise _refusal("leaf prefix")
    # Prefixes that may grow are IAVL's; elsewhere they would let part of a key pass for prefix.
    if spec == SMT_SPEC and leaf.prefix != wanted.prefix:
        raise _refusal("leaf prefix")


def _check_inner(spec: ProofSpec, step: InnerOp, layer: int) -> None:
    inner = spec.inner
    if step.hash is not inner.hash:
        raise _refusal("inner hash")
    if spec.is_iavl:
        _check_iavl(step, layer)
    if step.prefix.startswith(spec.leaf.prefix):
        raise _refusal("inner prefix is a leaf's")
    if (
        not inner.min_prefix
        <= len(step.prefix)
        <= inner.max_prefix + (len(inner.child_order) - 1) * inner.child_size
    ):
        raise _refusal("inner prefix length")
    if inner.child_size < 1 or len(step.suffix) % inner.child_size:
        raise _refusal("inner suffix length")
    if spec == SMT_SPEC and (step.prefix[:1] != b"\x01" or len(step.prefix + step.suffix) != 33):
        raise _refusal("inner node")


def _check_iavl(operation: LeafOp | InnerOp, layer: int) -> None:
    """IAVL prefix: height, size and version as zigzag varints, then for inner nodes the rest of a child."""
    rest = operation.prefix
    for least in (layer, 0, 0):
        value = shift = 0
        while True:
            if not rest or shift > 63:
                raise _refusal("IAVL prefix")
            byte, rest = rest[0], rest[1:]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if value >> 1 ^ -(value & 1) < least:
            raise _refusal("IAVL height" if least else "IAVL size or version")
    if layer == 0 and rest:
        raise _refusal("IAVL leaf prefix")
    if layer and (len(rest) not in {1, 34} or operation.hash is not HashOp.SHA256):
        raise _refusal("IAVL inner prefix")


def is_leftmost(spec: InnerSpec, path: Sequence[InnerOp]) -> bool:
    """Whether nothing lies left of a path, empty children apart."""
    return all(_has_padding(step, _padding(spec, 0)) or left_is_empty(spec, step) for step in path)


def is_rightmost(spec: InnerSpec, path: Sequence[InnerOp]) -> bool:
    """Whether nothing lies right of a path, empty children apart."""
    last = len(spec.child_order) - 1
    return all(_has_padding(step, _padding(spec, last)) or right_is_empty(spec, step) for step in path)


def left_is_empty(spec: InnerSpec, step: InnerOp) -> bool:
    """Whether all children left of this one are the empty child."""
    branch = _branch(spec, step)
    if not branch or len(spec.empty_child) != spec.child_size:
        return False
    start = len(step.prefix) - branch * spec.child_size
    return start >= 0 and step.prefix[start:] == spec.empty_child * branch


def right_is_empty(spec: InnerSpec, step: InnerOp) -> bool:
    """Whether all children right of this one are the empty child."""
    branch = _branch(spec, step)
    if branch is None or len(spec.empty_child) != spec.child_size:
        return False
    count = len(spec.child_order) - 1 - branch
    return count > 0 and step.suffix == spec.empty_child * count


def _neighbors(spec: InnerSpec, left: Sequence[InnerOp], right: Sequence[InnerOp]) -> bool:
    """Whether `right` is the next path after `left`: one step apart at the fork, hugging it below."""
    common = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if (one.prefix, one.suffix) != (other.prefix, other.suffix):
            break
        common += 1
    lower_left, lower_right = left[: len(left) - common], right[: len(right) - common]
    if not lower_left or not lower_right:
        return False
    first, second = _branch(spec, lower_left[-1]), _branch(spec, lower_right[-1])
    if first is None or second is None or second != first + 1:
        return False
    return is_rightmost(spec, lower_left[:-1]) and is_leftmost(spec, lower_right[:-1])


def _padding(spec: InnerSpec, branch: int) -> tuple[int, int, int]:
    """Shortest and longest prefix and the suffix length of a branch."""
    place = spec.child_order.index(branch)
    before = place * spec.child_size
    after = (len(spec.child_order) - 1 - place) * spec.child_size
    return before + spec.min_prefix, before + spec.max_prefix, after


def _has_padding(step: InnerOp, padding: tuple[int, int, int]) -> bool:
    shortest, longest, suffix = padding
    return shortest <= len(step.prefix) <= longest and len(step.suffix) == suffix


def _branch(spec: InnerSpec, step: InnerOp) -> int | None:
    """Which child a step carries."""
    for branch in range(len(spec.child_order)):
        if _has_padding(step, _padding(spec, branch)):
            return branch
    return None


def _comparable(spec: ProofSpec, key: bytes) -> bytes:
    if not spec.prehash_key_before_comparison or spec.leaf.prehash_key is HashOp.NO_HASH:
        return key
    return digest(spec.leaf.prehash_key, key)


_BY_NAME: Final = {
    HashOp.SHA256: "sha256",
    HashOp.SHA512: "sha512",
    HashOp.RIPEMD160: "ripemd160",
    HashOp.SHA512_256: "sha512_256",
    HashOp.BLAKE2B_512: "blake2b",
    HashOp.BLAKE2S_256: "blake2s",
}


def digest(operation: HashOp, data: bytes) -> bytes:
    """Hash by number; ``court.ics23`` for NO_HASH and what this machine's OpenSSL does not know."""
    if operation is HashOp.BITCOIN:
        return digest(HashOp.RIPEMD160, digest(HashOp.SHA256, data))
    try:
        return hashlib.new(_BY_NAME[operation], data).digest()
    except (KeyError, ValueError) as error:
        raise _refusal("hash operation") from error


def with_length(operation: LengthOp, data: bytes) -> bytes:
    """`data` with its length put before it; ``court.ics23`` for operations that ICS-23 does not define."""
    size = len(data)
    match operation:
        case LengthOp.NO_PREFIX:
            return data
        case LengthOp.VAR_PROTO:
            return varint(size) + data
        case LengthOp.REQUIRE_32_BYTES | LengthOp.REQUIRE_64_BYTES:
            if size != (32 if operation is LengthOp.REQUIRE_32_BYTES else 64):
                raise _refusal("length")
            return data
        case LengthOp.FIXED32_BIG:
            return size.to_bytes(4, "big") + data
        case LengthOp.FIXED32_LITTLE:
            return size.to_bytes(4, "little") + data
        case LengthOp.FIXED64_BIG:
            return size.to_bytes(8, "big") + data
        case LengthOp.FIXED64_LITTLE:
            return size.to_bytes(8, "little") + data
        case LengthOp.VAR_RLP:
            raise _refusal("length operation")


def _refusal(reason: str) -> IntegrityError:
    return IntegrityError("court.ics23", reason=reason)

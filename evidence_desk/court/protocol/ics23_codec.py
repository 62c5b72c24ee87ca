"""Protocol Buffers form of ICS-23 proofs (proofs.proto): what other ICS-23 libraries read and write."""

from __future__ import annotations

from typing import Final

from evidence_desk.court.protocol.ics23 import (
    ExistenceProof,
    HashOp,
    InnerOp,
    LeafOp,
    LengthOp,
    NonExistenceProof,
)
from evidence_desk.court.protocol.wire import bytes_field, message_field, read_fields, uint_field
from evidence_desk.errors import MalformedError

MAX_SIZE: Final = 64 * 1024
_WHAT: Final = "ICS-23"


def encode_proof(proof: ExistenceProof | NonExistenceProof) -> bytes:
    """CommitmentProof with one proof in it."""
    if isinstance(proof, ExistenceProof):
        return message_field(1, _existence_body(proof))
    sides = b"".join(
        message_field(number, _existence_body(side))
        for number, side in ((2, proof.left), (3, proof.right))
        if side is not None
    )
    return message_field(2, bytes_field(1, proof.key) + sides)


def decode_proof(data: bytes) -> ExistenceProof | NonExistenceProof:
    """Read a CommitmentProof strictly: what would not be written the same way again is refused.

    Raises:
        MalformedError: ``malformed.too_large`` or ``malformed.wire``.
    """
    if len(data) > MAX_SIZE:
        raise MalformedError("malformed.too_large", what=_WHAT, limit=MAX_SIZE)
    fields = _single(data)
    match list(fields.items()):
        case [(1, bytes() as body)]:
            proof: ExistenceProof | NonExistenceProof = _read_existence(body)
        case [(2, bytes() as body)]:
            proof = _read_absence(body)
        case _:
            raise _malformed("proof")
    if encode_proof(proof) != data:
        raise _malformed("not canonical")
    return proof


def _existence_body(proof: ExistenceProof) -> bytes:
    leaf = proof.leaf
    return (
        bytes_field(1, proof.key)
        + bytes_field(2, proof.value)
        + (b"" if leaf is None else message_field(3, _leaf_body(leaf)))
        + b"".join(message_field(4, _inner_body(step)) for step in proof.path)
    )


def _leaf_body(leaf: LeafOp) -> bytes:
    numbers = (leaf.hash, leaf.prehash_key, leaf.prehash_value, leaf.length)
    return b"".join(uint_field(at, int(number)) for at, number in enumerate(numbers, start=1)) + bytes_field(
        5, leaf.prefix
    )


def _inner_body(step: InnerOp) -> bytes:
    return uint_field(1, int(step.hash)) + bytes_field(2, step.prefix) + bytes_field(3, step.suffix)


def _read_absence(body: bytes) -> NonExistenceProof:
    fields = _single(body)
    left, right = fields.pop(2, None), fields.pop(3, None)
    proof = NonExistenceProof(
        key=_bytes(fields.pop(1, b"")),
        left=None if left is None else _read_existence(_bytes(left)),
        right=None if right is None else _read_existence(_bytes(right)),
    )
    _none_left(fields)
    return proof


def _read_existence(body: bytes) -> ExistenceProof:
    path = [_read_inner(_bytes(item.value)) for item in read_fields(body, what=_WHAT) if item.number == 4]
    fields = _single(body, repeated=4)
    leaf = fields.pop(3, None)
    proof = ExistenceProof(
        key=_bytes(fields.pop(1, b"")),
        value=_bytes(fields.pop(2, b"")),
        leaf=None if leaf is None else _read_leaf(_bytes(leaf)),
        path=tuple(path),
    )
    _none_left(fields)
    return proof


def _read_leaf(body: bytes) -> LeafOp:
    fields = _single(body)
    try:
        leaf = LeafOp(
            hash=HashOp(_int(fields.pop(1, 0))),
            prehash_key=HashOp(_int(fields.pop(2, 0))),
            prehash_value=HashOp(_int(fields.pop(3, 0))),
            length=LengthOp(_int(fields.pop(4, 0))),
            prefix=_bytes(fields.pop(5, b"")),
        )
    except ValueError as error:
        raise _malformed("operation") from error
    _none_left(fields)
    return leaf


def _read_inner(body: bytes) -> InnerOp:
    fields = _single(body)
    try:
        step = InnerOp(
            hash=HashOp(_int(fields.pop(1, 0))),
            prefix=_bytes(fields.pop(2, b"")),
            suffix=_bytes(fields.pop(3, b"")),
        )
    except ValueError as error:
        raise _malformed("operation") from error
    _none_left(fields)
    return step


def _single(body: bytes, *, repeated: int = 0) -> dict[int, int | bytes]:
    """Fields by number, each at most once; those of number `repeated` are left to the caller."""
    found: dict[int, int | bytes] = {}
    for item in read_fields(body, what=_WHAT):
        if item.number == repeated:
            continue
        if item.number in found:
            raise _malformed("field twice")
        found[item.number] = item.value
    return found


def _none_left(fields: dict[int, int | bytes]) -> None:
    if fields:
        raise _malformed("unknown field")


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise _malformed("type")
    return value


def _int(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise _malformed("type")
    return value


def _malformed(reason: str) -> MalformedError:
    return MalformedError("malformed.wire", what=_WHAT, reason=reason)

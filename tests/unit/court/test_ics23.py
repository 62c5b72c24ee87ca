"""What the published tables of ICS-23 do not reach: operations, neighbors, and the strict Protocol Buffers form."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.court.protocol.ics23 import (
    IAVL_SPEC,
    SMT_SPEC,
    ExistenceProof,
    HashOp,
    InnerOp,
    LeafOp,
    LengthOp,
    NonExistenceProof,
    check_form,
    digest,
    verify_absence,
    verify_existence,
    with_length,
)
from evidence_desk.court.protocol.ics23_codec import decode_proof, encode_proof
from evidence_desk.court.protocol.map_proof import path_of
from evidence_desk.court.protocol.sparse_map import SparseMap
from evidence_desk.errors import IntegrityError, MalformedError

ITEMS = {b"item %d" % number: b"value" for number in range(40)}
TREE = SparseMap()
TREE.update(ITEMS)
ORDERED = sorted(ITEMS, key=path_of)


def present(key: bytes) -> ExistenceProof:
    return TREE.prove(key)[1].to_ics23(key, ITEMS[key])


def refused(reason: str, proof: NonExistenceProof, key: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify_absence(SMT_SPEC, TREE.root(), proof, key=key)
    assert caught.value.parameters["reason"] == reason


def absent_key(after: int) -> bytes:
    """A key whose path lies right after place `after` of the order (-1: before all)."""
    for number in range(100_000):
        key = b"absent %d" % number
        place = sum(path_of(item) < path_of(key) for item in ORDERED) - 1
        if place == after:
            return key
    raise LookupError


def test_every_gap_by_its_neighbors():
    for after in (-1, 0, 7, 20, 38, 39):
        key = absent_key(after)
        left = present(ORDERED[after]) if after >= 0 else None
        right = present(ORDERED[after + 1]) if after < 39 else None
        proof = NonExistenceProof(key=key, left=left, right=right)
        verify_absence(SMT_SPEC, TREE.root(), proof, key=key)
        read = decode_proof(encode_proof(proof))
        assert read == proof


def test_refusals_of_absence():
    key = absent_key(7)
    left, right, far = present(ORDERED[7]), present(ORDERED[8]), present(ORDERED[9])
    refused("both neighbors missing", NonExistenceProof(key=key, left=None, right=None), key)
    refused("not neighbors", NonExistenceProof(key=key, left=left, right=far), key)
    refused("not neighbors", NonExistenceProof(key=key, left=left, right=None), key)
    refused("not neighbors", NonExistenceProof(key=key, left=None, right=right), key)
    refused("key is not left of the right proof", NonExistenceProof(key=key, left=None, right=left), key)
    refused("key is not right of the left proof", NonExistenceProof(key=key, left=right, right=None), key)
    refused("other root", NonExistenceProof(key=key, left=replace(left, value=b"x"), right=right), key)


def test_refusals_of_form():
    good = present(ORDERED[5])
    step = good.path[0]
    wrong_steps = {
        "inner hash": replace(step, hash=HashOp.SHA512),
        "inner prefix is a leaf's": replace(step, prefix=b"\x00" + step.prefix[1:]),
        "inner prefix length": replace(step, prefix=b"\x01" * 34),
        "inner suffix length": replace(step, suffix=step.suffix + b"x"),
        "inner node": replace(step, prefix=b"\x02" + step.prefix[1:]),
    }
    for reason, wrong in wrong_steps.items():
        with pytest.raises(IntegrityError) as caught:
            check_form(SMT_SPEC, replace(good, path=(wrong, *good.path[1:])))
        assert caught.value.parameters["reason"] == reason
    for wrong_leaf, reason in (
        (None, "no leaf operation"),
        (LeafOp(hash=HashOp.SHA256), "leaf operation"),
        (replace(SMT_SPEC.leaf, prefix=b""), "leaf prefix"),
        (replace(SMT_SPEC.leaf, prefix=b"\x00x"), "leaf prefix"),
    ):
        with pytest.raises(IntegrityError) as caught:
            check_form(SMT_SPEC, replace(good, leaf=wrong_leaf))
        assert caught.value.parameters["reason"] == reason


def test_iavl_prefixes():
    leaf = replace(IAVL_SPEC.leaf, prefix=b"\x00\x02\x04")
    plain = ExistenceProof(key=b"k", value=b"v", leaf=leaf)
    check_form(IAVL_SPEC, plain)
    inner = InnerOp(hash=HashOp.SHA256, prefix=b"\x02\x04\x06\x20", suffix=b"")
    check_form(IAVL_SPEC, replace(plain, path=(inner,)))
    for bad in (b"\x00\x02", b"\x00\x02\x03", b"\x00\x02\x04\x20", b"\x00" + b"\x80" * 12):
        with pytest.raises(IntegrityError):
            check_form(IAVL_SPEC, replace(plain, leaf=replace(leaf, prefix=bad)))
    for bad in (b"\x00\x04\x06\x20", b"\x02\x04\x06\x20\x20"):
        with pytest.raises(IntegrityError):
            check_form(IAVL_SPEC, replace(plain, path=(replace(inner, prefix=bad),)))


def test_operations_without_meaning():
    for operation in (HashOp.NO_HASH, HashOp.KECCAK256, HashOp.BLAKE3):
        with pytest.raises(IntegrityError):
            digest(operation, b"data")
    for length in (LengthOp.VAR_RLP, LengthOp.REQUIRE_32_BYTES, LengthOp.REQUIRE_64_BYTES):
        with pytest.raises(IntegrityError):
            with_length(length, b"data")
    assert with_length(LengthOp.REQUIRE_32_BYTES, bytes(32)) == bytes(32)
    assert with_length(LengthOp.FIXED64_BIG, b"ab") == bytes(7) + b"\x02ab"
    assert with_length(LengthOp.FIXED32_LITTLE, b"ab") == b"\x02" + bytes(3) + b"ab"


def test_existence_is_of_key_value_and_root():
    good = present(ORDERED[5])
    key, value = good.key, good.value
    verify_existence(SMT_SPEC, TREE.root(), good, key=key, value=value)
    for change in ({"key": b"x"}, {"value": b"x"}):
        with pytest.raises(IntegrityError):
            verify_existence(SMT_SPEC, TREE.root(), good, **{"key": key, "value": value, **change})
    with pytest.raises(IntegrityError):
        replace(good, leaf=None).root()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x1a\x00", b"\x08\x01", b"\x0a\x00\x0a\x00", b"\x0a\x02\x28\x01", b"\x0a\x02\x08\x01", b"\x0a\x04\x1a\x02\x08\x63",
        b"\x0a\x04\x1a\x02\x0a\x00", b"\x0a\x04\x22\x02\x08\x63", b"\x0a\x02\x0a\x00", b"\x12\x02\x10\x01", b"\x12\x04\x0a\x00\x22\x00",
        b"\x0a\x04\x1a\x02\x30\x01", b"\x0a\x04\x22\x02\x20\x01", b"x" * 70_000,
    ],
)  # fmt: skip
def test_other_spellings_are_refused(data):
    with pytest.raises(MalformedError):
        decode_proof(data)


@given(st.binary(max_size=200))
def test_reader_never_crashes(data):
    try:
        proof = decode_proof(data)
    except MalformedError:
        return
    assert encode_proof(proof) == data

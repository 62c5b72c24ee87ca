"""Tables and sparse-tree proofs of cosmos/ics23."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from evidence_desk.court.protocol.ics23 import (
    SMT_SPEC,
    ExistenceProof,
    HashOp,
    InnerOp,
    InnerSpec,
    LeafOp,
    LengthOp,
    NonExistenceProof,
    ProofSpec,
    check_form,
    check_leaf,
    digest,
    left_is_empty,
    right_is_empty,
    verify_absence,
    verify_existence,
)
from evidence_desk.court.protocol.ics23_codec import decode_proof, encode_proof
from evidence_desk.errors import IntegrityError

SMT = ["exist_left", "exist_middle", "exist_right", "nonexist_left", "nonexist_middle", "nonexist_right"]


def table(vectors: Path, name: str, rows: int) -> list[tuple[str, Any]]:
    path = vectors / "ics23" / f"Test{name}Data.json"
    if not path.exists():
        pytest.skip(f"no vectors: {path.name}")
    loaded = json.loads(path.read_bytes())
    found = list(loaded.items()) if isinstance(loaded, dict) else list(enumerate(loaded))
    assert len(found) == rows
    return [(str(name), case) for name, case in found]


def raw(value: str | None) -> bytes:
    return base64.b64decode(value or "", validate=True)


def leaf_op(value: dict[str, Any]) -> LeafOp:
    return LeafOp(
        hash=HashOp(value.get("hash", 0)),
        prehash_key=HashOp(value.get("prehash_key", 0)),
        prehash_value=HashOp(value.get("prehash_value", 0)),
        length=LengthOp(value.get("length", 0)),
        prefix=raw(value.get("prefix")),
    )


def inner_op(value: dict[str, Any]) -> InnerOp:
    return InnerOp(
        hash=HashOp(value.get("hash", 0)), prefix=raw(value.get("prefix")), suffix=raw(value.get("suffix"))
    )


def spec_of(value: dict[str, Any]) -> ProofSpec:
    inner = value.get("inner_spec", {})
    return ProofSpec(
        leaf=leaf_op(value.get("leaf_spec", {})),
        inner=InnerSpec(
            child_order=tuple(inner.get("child_order", ())),
            child_size=inner.get("child_size", 0),
            min_prefix=inner.get("min_prefix_length", 0),
            max_prefix=inner.get("max_prefix_length", 0),
            empty_child=raw(inner.get("empty_child")),
            hash=HashOp(inner.get("hash", 0)),
        ),
        min_depth=value.get("min_depth", 0),
        max_depth=value.get("max_depth", 0),
    )


def existence(value: dict[str, Any]) -> ExistenceProof:
    return ExistenceProof(
        key=raw(value["key"]),
        value=raw(value["value"]),
        leaf=leaf_op(value["leaf"]) if "leaf" in value else None,
        path=tuple(inner_op(step) for step in value.get("path", ())),
    )


def test_hashes(vectors: Path) -> None:
    for name, case in table(vectors, "DoHash", 7):
        data = case.get("Preimage", case.get("PreImage")).encode()
        assert digest(HashOp(case["HashOp"]), data).hex() == case["ExpectedHash"], name


def test_leaf_operations(vectors: Path) -> None:
    for name, case in table(vectors, "LeafOp", 11):
        operation = leaf_op(case["Op"])
        if case["IsErr"]:
            with pytest.raises(IntegrityError):
                operation.apply(raw(case["Key"]), raw(case["Value"]))
        else:
            assert operation.apply(raw(case["Key"]), raw(case["Value"])) == raw(case["Expected"]), name


def test_inner_operations(vectors: Path) -> None:
    for name, case in table(vectors, "InnerOp", 4):
        operation = inner_op(case["Op"])
        if case["IsErr"]:
            with pytest.raises(IntegrityError):
                operation.apply(raw(case["Child"]))
        else:
            assert operation.apply(raw(case["Child"])) == raw(case["Expected"]), name


def test_roots_of_existence_proofs(vectors: Path) -> None:
    for name, case in table(vectors, "ExistenceProof", 6):
        proof = existence(case["Proof"])
        if case["IsErr"]:
            with pytest.raises(IntegrityError):
                proof.root()
        else:
            assert proof.root() == raw(case["Expected"]), name


def test_leaf_against_specification(vectors: Path) -> None:
    for name, case in table(vectors, "CheckLeaf", 10):
        wanted = ProofSpec(leaf=leaf_op(case["Spec"]), inner=InnerSpec())
        if case["IsErr"]:
            with pytest.raises(IntegrityError):
                check_leaf(wanted, leaf_op(case["Leaf"]))
        else:
            check_leaf(wanted, leaf_op(case["Leaf"]))
            assert name


REASONS = {
    "existence Proof needs defined LeafOp": "no leaf operation",
    "innerOps depth too short: 1": "too shallow",
    "innerOps depth too long: 5": "too deep",
    "innerOps depth too long: 129": "too deep",
    "inner, unexpected HashOp: 2": "inner hash",
    "inner, unexpected HashOp: 0": "inner hash",
    "leaf, unexpected PrehashValue: 0": "leaf operation",
    "inner, IAVL height (0) must be non-negative and greater than or equal to the layer number (3)": "IAVL height",
}


def test_proof_against_specification(vectors: Path) -> None:
    for name, case in table(vectors, "CheckAgainstSpec", 11):
        wanted, proof = spec_of(case["Spec"]), existence(case["Proof"])
        if case["Err"]:
            with pytest.raises(IntegrityError) as caught:
                check_form(wanted, proof)
            assert caught.value.parameters["reason"] == REASONS[case["Err"]], name
        else:
            check_form(wanted, proof)


def test_empty_branches(vectors: Path) -> None:
    for name, case in table(vectors, "EmptyBranch", 8):
        inner, step = spec_of(case["Spec"]).inner, inner_op(case["Op"])
        assert left_is_empty(inner, step) is case["IsLeft"], name
        assert right_is_empty(inner, step) is case["IsRight"], name


def sparse(vectors: Path, name: str) -> tuple[bytes, bytes, bytes, ExistenceProof | NonExistenceProof]:
    path = vectors / "ics23" / "smt" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"no vectors: {path.name}")
    case = {member: bytes.fromhex(text) for member, text in json.loads(path.read_bytes()).items()}
    proof = decode_proof(case["proof"])
    assert encode_proof(proof) == case["proof"]
    return case["root"], case["key"], case["value"], proof


@pytest.mark.parametrize("name", SMT)
def test_sparse_tree(vectors: Path, name: str) -> None:
    root, key, value, proof = sparse(vectors, name)
    if isinstance(proof, ExistenceProof):
        verify_existence(SMT_SPEC, root, proof, key=key, value=value)
        for other_key, other_value, other_root in (
            (key + b"x", value, root), (key, value + b"x", root), (key, value, bytes(32)),
        ):  # fmt: skip
            with pytest.raises(IntegrityError):
                verify_existence(SMT_SPEC, other_root, proof, key=other_key, value=other_value)
    else:
        assert value == b""
        verify_absence(SMT_SPEC, root, proof, key=key)
        for neighbor in (proof.left, proof.right):
            if neighbor is not None:
                with pytest.raises(IntegrityError):
                    verify_absence(SMT_SPEC, root, proof, key=neighbor.key)


def test_neighbors_of_one_key_do_not_prove_another_absent(vectors: Path) -> None:
    """Each absence proof, asked for keys of the other files: only the gap it shows is proven."""
    cases = [sparse(vectors, name) for name in SMT if name.startswith("nonexist")]
    for root, key, _, proof in cases:
        assert isinstance(proof, NonExistenceProof)
        swapped = NonExistenceProof(key=key, left=proof.right, right=proof.left)
        without = NonExistenceProof(key=key, left=None, right=None)
        for wrong in (swapped, without):
            with pytest.raises(IntegrityError):
                verify_absence(SMT_SPEC, root, wrong, key=key)

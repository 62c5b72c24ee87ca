import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.proof import (
    MAX_COURT,
    MAX_PATH,
    MAX_RECORDS,
    MAX_TIMES,
    Proof,
    ProvenLeaf,
    ProvenNote,
    TimeProof,
    parse_proof,
)
from evidence_desk.errors import MalformedError
from tests.fixed import mutations, refusal

LEAF = ProvenLeaf(leaf=b"leaf", seq=3, path=(b"p" * 32, b"q" * 32))
TIME = TimeProof(
    records=(b"record", b"second"),
    token=b"token",
    attested=LEAF,
    checkpoint=ProvenNote(data=b"note", record=b"r", path=(b"n",)),
)
PROOF = Proof(
    number="ED-0000-0000-0000-0000-0",
    leaf=LEAF,
    checkpoint=b"checkpoint",
    times=(TIME, replace(TIME, attested=None, checkpoint=None)),
    court={"v": "court/1", "index": 7, "names": ["x", {"é": None}]},
)
DATA = PROOF.encode()

blobs = st.binary(max_size=40)
leaves = st.builds(
    ProvenLeaf, leaf=blobs, seq=st.integers(0, 2**53 - 1), path=st.lists(blobs, max_size=4).map(tuple)
)
times = st.builds(
    TimeProof,
    records=st.lists(blobs, min_size=1, max_size=3).map(tuple),
    token=blobs,
    attested=st.none() | leaves,
    checkpoint=st.none()
    | st.builds(ProvenNote, data=blobs, record=blobs, path=st.lists(blobs, max_size=3).map(tuple)),
)
proofs = st.builds(
    Proof,
    number=st.text(st.characters(codec="utf-8"), max_size=30),
    leaf=leaves,
    checkpoint=blobs,
    times=st.lists(times, max_size=3).map(tuple),
    court=st.none()
    | st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=5),
        st.integers(0, 9) | st.lists(blobs.map(bytes.hex), max_size=2),
        max_size=3,
    ),
)


@given(proofs)
@settings(max_examples=200)
def test_round_trip(proof):
    assert parse_proof(proof.encode()) == proof


def test_no_mutation_reads_as_the_same_proof():
    for data in mutations(DATA):
        try:
            other = parse_proof(data)
        except MalformedError:
            continue
        assert other != PROOF
        assert other.encode() == data


def changed(value: Any, at: tuple[str | int, ...], new: JSON) -> Any:
    if not at:
        return new
    if isinstance(value, dict):
        return {**value, at[0]: changed(value[at[0]], at[1:], new)}
    return [changed(item, at[1:], new) if index == at[0] else item for index, item in enumerate(value)]


def places(value: Any) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [(), *((name, *rest) for name, item in items for rest in places(item))]
    return [()]


@pytest.mark.parametrize("at", places(json.loads(DATA)), ids=lambda at: "/".join(map(str, at)) or "root")
def test_every_place_is_checked(at):
    news: list[JSON] = [
        None,
        True,
        False,
        -1,
        0,
        7,
        "",
        "x",
        "eB==",
        "eA",
        "é",
        "eA==\n",
        [],
        {},
        [None],
        [[]],
        {"x": 1},
    ]
    for new in news:
        data = encode(changed(json.loads(DATA), at, new))
        try:
            other = parse_proof(data)
        except MalformedError:
            continue
        assert other.encode() == data


def test_members_are_exact_and_versions_known():
    value = json.loads(DATA)
    bads: list[JSON] = [
        {**value, "v": "proof/2"}, {**value, "court": []}, {**value, "court": "court/1"}, {**value, "court": 1}, {**value, "extra": None},
        {name: item for name, item in value.items() if name != "court"}, [], None, "proof/1",
        changed(value, ("times", 0, "header"), {}), changed(value, ("times", 0, "records"), []),
    ]  # fmt: skip
    for bad in bads:
        with refusal("malformed.proof"):
            parse_proof(encode(bad))


def test_lists_are_bounded():
    with refusal("malformed.proof"):
        parse_proof(replace(PROOF, leaf=replace(LEAF, path=(b"",) * (MAX_PATH + 1))).encode())
    with refusal("malformed.proof"):
        parse_proof(replace(PROOF, times=(TIME,) * (MAX_TIMES + 1)).encode())
    with refusal("malformed.proof"):
        parse_proof(replace(PROOF, times=(replace(TIME, records=(b"",) * (MAX_RECORDS + 1)),)).encode())


def test_the_court_part_is_bounded_and_may_be_missing():
    assert parse_proof(replace(PROOF, court=None).encode()).court is None
    with refusal("malformed.proof"):
        parse_proof(replace(PROOF, court={"x": "x" * MAX_COURT}).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data):
    with pytest.raises(MalformedError):
        parse_proof(data)

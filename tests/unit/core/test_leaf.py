import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.digests import DigestPair, sha256
from evidence_desk.core.leaf import (
    MAX_LEAF,
    BlindedObject,
    Leaf,
    LeafObject,
    LeafType,
    PlainObject,
    as_ranges,
    attested_ranges,
    blind,
    objects_root,
    parse_leaf,
)
from evidence_desk.core.merkle import leaf_hash, node_hash
from evidence_desk.errors import BugError, MalformedError
from tests.fixed import AT, ORIGIN, SIGNER, mutations, opened_leaf, refusal, sealed_leaf

PAIR = DigestPair.of(b"x")
PAIR_JSON: dict[str, JSON] = {**PAIR.to_json()}
HASH = sha256(b"ref")


def event(kind: LeafType, *, ref: bytes | None = None, **facts: JSON) -> Leaf:
    return Leaf(log=ORIGIN, seq=7, type=kind, at=AT, ref=ref, facts=facts)


EVERY_TYPE = [
    opened_leaf(seq=7),
    replace(opened_leaf(seq=7), type=LeafType.KEY_ROTATED),
    event(LeafType.LOG_SUCCEEDS, predecessor={"origin": ORIGIN, "size": 3, "root": "ab" * 32}),
    sealed_leaf(7),
    replace(sealed_leaf(7), objects=tuple(blind(PAIR, bytes([n]) * 32) for n in range(16))),
    replace(sealed_leaf(7), objects=(), root=HASH, count=17),
    event(LeafType.CAPTURE_STARTED, commitment=PAIR_JSON),
    replace(sealed_leaf(7), type=LeafType.CAPTURE_SEALED, ref=HASH),
    event(LeafType.CAPTURE_ABANDONED, ref=HASH),
    event(
        LeafType.TIME_ATTESTED,
        token_sha256="ab" * 32, gen_time="2026-03-02T01:30:00.000Z", tsa="cd" * 32, ranges=[[1, 3], [5, 5]],
    ),
    event(LeafType.CUSTODY_EVENT, events={"root": "ab" * 32, "count": 2}),
    event(LeafType.CERTIFICATE_ISSUED, certificate=PAIR_JSON),
    event(LeafType.CERTIFICATE_REVOKED, ref=HASH, certificate=PAIR_JSON),
    event(LeafType.CORRECTION_NOTED, ref=HASH, commitment=PAIR_JSON),
    event(LeafType.HEARTBEAT),
]  # fmt: skip
IDS = [f"{leaf.type.value}-{index}" for index, leaf in enumerate(EVERY_TYPE)]


def test_the_examples_cover_every_type():
    assert {leaf.type for leaf in EVERY_TYPE} == set(LeafType)


@pytest.mark.parametrize("leaf", EVERY_TYPE, ids=IDS)
def test_round_trip(leaf):
    data = leaf.encode()
    assert parse_leaf(data) == leaf
    assert parse_leaf(data).encode() == data


@pytest.mark.parametrize("leaf", EVERY_TYPE, ids=IDS)
def test_no_mutation_reads_as_the_same_leaf(leaf):
    for data in mutations(leaf.encode()):
        try:
            other = parse_leaf(data)
        except MalformedError:
            continue
        assert other != leaf
        assert other.encode() == data  # the parser does not compare, so this holds it to one spelling


WRONG_VALUES: list[JSON] = [
    None, True, False, 0, 1, -1, 2**53 - 1, "", "x", "ab" * 32, ORIGIN, [], {}, [[]], [{}], [None], [[1, 2]], [[2, 1]],
    [[1, 2], [3, 4]], [[True, 2]], PAIR_JSON, {"root": "ab" * 32, "count": 0}, {"root": "ab" * 32, "count": True},
    {"root": None, "count": 1}, {"sha256": "ab" * 32, "sm3": "cd" * 32, "size": -1}, [{"blinded": "x"}],
    [{**PAIR_JSON, "size": True}], [{**PAIR_JSON, "size": 1}] * 17, {"ed25519": "x", "sm2": "y"},
    {"ed25519": "ab" * 32, "sm2": "04" + "ab" * 64}, {"ed25519": PAIR_JSON, "sm2": None},
    {"origin": "x", "size": 0, "root": "ab" * 32}, {"origin": ORIGIN, "size": True, "root": "ab" * 32},
    {"origin": ORIGIN, "size": 0, "root": ""}, {"origin": 1, "size": 0, "root": ""}, "2026-03-02T01:30:00.000Z",
    "leaf/2", "heartbeat",
]  # fmt: skip


@pytest.mark.parametrize("leaf", EVERY_TYPE, ids=IDS)
def test_every_member_is_needed_and_checked(leaf):
    value: dict[str, Any] = json.loads(leaf.encode())
    for name in value:
        with pytest.raises(MalformedError):
            parse_leaf(encode({other: item for other, item in value.items() if other != name}))
        for wrong in WRONG_VALUES:
            data = encode({**value, name: wrong})
            try:
                other = parse_leaf(data)
            except MalformedError:
                continue
            assert (other != leaf) == (data != leaf.encode())
            assert other.encode() == data
    for name in ("x", "statement", "objects", "objects_root", "ref", "events", "keys"):
        if name not in value:
            for wrong in (None, "ab" * 32, PAIR_JSON):
                with pytest.raises(MalformedError):
                    parse_leaf(encode({**value, name: wrong}))


def test_both_forms_of_objects_at_once_are_refused():
    value: dict[str, Any] = json.loads(sealed_leaf(7).encode())
    with refusal("malformed.leaf"):
        parse_leaf(encode({**value, "objects_root": {"root": "ab" * 32, "count": 2}}))


@given(
    st.recursive(
        st.sampled_from(WRONG_VALUES),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["v", "log", "seq", "type", "at", "ref", "keys", "x"]), inner)
        ),
        max_leaves=8,
    )
)
@settings(max_examples=500)
def test_any_document_is_refused(value):
    with pytest.raises(MalformedError):
        parse_leaf(encode(value))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data):
    with pytest.raises(MalformedError):
        parse_leaf(data)


def test_points_off_the_curve_are_no_keys():
    value: dict[str, Any] = json.loads(opened_leaf().encode())
    value["keys"]["sm2"] = "04" + "01" * 64
    with refusal("sm2.point"):
        parse_leaf(encode(value))
    value["keys"] = {"ed25519": SIGNER.ed25519_public.hex(), "sm2": "05" + SIGNER.sm2_public[1:].hex()}
    with refusal("sm2.point"):
        parse_leaf(encode(value))


def test_size_limit_counts_bytes_and_binds_both_ways():
    with refusal("bug.leaf_too_large", BugError):
        event(LeafType.TIME_ATTESTED, ranges=[[n, n] for n in range(0, 2000, 2)]).encode()
    with refusal("malformed.too_large"):
        parse_leaf(b" " * (MAX_LEAF + 1))


def test_blinding_depends_on_the_salt_and_both_digests():
    expected = sha256(b"ed/object/1" + b"s" * 32 + PAIR.sha256 + PAIR.sm3)
    assert blind(PAIR, b"s" * 32) == BlindedObject(blinded=expected)
    others = [blind(PAIR, b"t" * 32), blind(DigestPair(sha256=PAIR.sm3, sm3=PAIR.sha256), b"s" * 32)]
    assert all(other.blinded != expected for other in others)


def test_objects_root_is_rfc_6962_over_the_entries_in_order():
    first = PlainObject(digests=PAIR, size=1)
    second = blind(PAIR, b"s" * 32)
    one, two = (leaf_hash(encode(item.to_json())) for item in (first, second))
    objects: tuple[LeafObject, ...] = (first, second)
    assert objects_root(objects) == node_hash(one, two)
    assert objects_root((first,)) == one


@given(st.lists(st.integers(0, 60)))
def test_ranges_round_trip(numbers):
    ranges = as_ranges(numbers)
    covered = [n for pair in ranges for n in range(pair[0], pair[1] + 1)]  # type: ignore[index,operator,arg-type]
    assert covered == sorted(set(numbers))
    if numbers:
        assert attested_ranges({"ranges": ranges}) == tuple(tuple(pair) for pair in ranges)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ranges",
    [None, [], {}, 1, [1], [[1]], [[1, 2, 3]], [[2, 1]], [[-1, 2]], [[1, 2], [2, 3]], [[1, 2], [3, 4]], [[5, 6], [1, 2]],
     [["1", 2]], [[1, None]], [[0, True]]],
)  # fmt: skip
def test_ranges_are_ascending_and_merged(ranges):
    with refusal("malformed.leaf"):
        attested_ranges({"ranges": ranges})


def test_times_before_the_year_1000_keep_one_spelling():
    leaf = replace(EVERY_TYPE[-1], at=datetime(33, 4, 3, tzinfo=UTC))
    assert parse_leaf(leaf.encode()) == leaf

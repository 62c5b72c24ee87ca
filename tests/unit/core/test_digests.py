import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.digests import DigestPair, PairHasher, parse_hex, sha256, sm3
from evidence_desk.errors import MalformedError
from tests.fixed import refusal


def test_published_answers():
    """FIPS 180-4 and GB/T 32905-2016 example 1."""
    assert sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_chunks_do_not_matter(chunks):
    hasher = PairHasher()
    for chunk in chunks:
        hasher.update(chunk)
    whole = b"".join(chunks)
    assert hasher.size == len(whole)
    assert hasher.digest() == DigestPair.of(whole)
    assert DigestPair.of(whole).sm3 == hashlib.new("sm3", whole).digest()


@given(st.binary())
def test_json_round_trip(data):
    pair = DigestPair.of(data)
    assert DigestPair.from_json(pair.to_json()) == pair


@pytest.mark.parametrize(
    "value",
    [None, 1, b"a" * 64, "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + "\n", "１" * 64, " " + "a" * 63],
)
def test_digests_have_one_spelling(value):
    with refusal("malformed.digest"):
        parse_hex(value, what="x")


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"sha256": "a" * 64},
        {"sha256": "a" * 64, "sm3": 1},
        {"sha256": "a" * 64, "sm3": "b" * 64, "x": 1},
    ],
)
def test_pairs_have_exactly_two_members(value):
    with refusal("malformed.digest"):
        DigestPair.from_json(value)


def test_matching_needs_both_digests():
    pair = DigestPair.of(b"a")
    other = DigestPair.of(b"b")
    assert pair.matches(DigestPair.of(b"a"))
    assert not pair.matches(DigestPair(sha256=pair.sha256, sm3=other.sm3))
    assert not pair.matches(DigestPair(sha256=other.sha256, sm3=pair.sm3))
    for wrong in (b"", b"x" * 31, b"x" * 33):
        with pytest.raises(MalformedError):
            DigestPair(sha256=wrong, sm3=pair.sm3)
        with pytest.raises(MalformedError):
            DigestPair(sha256=pair.sha256, sm3=wrong)

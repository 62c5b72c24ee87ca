"""Envelopes: boxes, padding, compression; what is not exactly one of ours is refused."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON
from evidence_desk.core.envelope import (
    KEY_ID_SIZE,
    MAX_BOXES,
    MAX_CONTENT,
    MAX_ENVELOPE,
    Box,
    box_aad,
    box_key_id,
    encode_envelope,
    pack,
    padded_size,
    parse_envelope,
    unpack,
)
from evidence_desk.errors import BugError, EvidenceDeskError, MalformedError

LEAST = 12 + 16 + 512
LEAF = bytes(range(32))
BOXES = st.lists(
    st.builds(
        lambda key, extra: Box(key_id=key, sealed=bytes(LEAST) + extra),
        st.binary(min_size=KEY_ID_SIZE, max_size=KEY_ID_SIZE),
        st.binary(max_size=40),
    ),
    min_size=1,
    max_size=5,
)
VALUES: st.SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(BOXES)
def test_boxes_round_trip(boxes):
    assert parse_envelope(encode_envelope(boxes)) == tuple(boxes)


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(data):
    try:
        boxes = parse_envelope(b"\x01" + data)
    except MalformedError:
        return
    assert encode_envelope(boxes) == b"\x01" + data


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x01", b"\x02" + bytes(600), b"\x01" + bytes(11), b"\x01" + bytes(8) + b"\xff\xff\xff\xff" + bytes(600),
        b"\x01" + bytes(8) + (LEAST - 1).to_bytes(4, "big") + bytes(LEAST - 1), bytes([1]) + bytes(MAX_ENVELOPE),
        encode_envelope([Box(key_id=bytes(8), sealed=bytes(LEAST))]) + b"\0",
        encode_envelope([Box(key_id=bytes(8), sealed=bytes(LEAST))])[:-1],
    ],
)  # fmt: skip
def test_malformed(data):
    with pytest.raises(MalformedError, match=r"malformed\.envelope"):
        parse_envelope(data)


def test_number_of_boxes():
    box = Box(key_id=bytes(8), sealed=b"")
    for boxes in ([], [box] * (MAX_BOXES + 1)):
        with pytest.raises(BugError, match=r"bug\.envelope"):
            encode_envelope(boxes)


@given(VALUES)
def test_contents_round_trip_padded(value):
    plain = pack(value)
    assert unpack(plain) == value
    assert len(plain) == padded_size(len(plain))


@given(st.binary(max_size=900))
def test_any_content_is_read_or_refused(plain):
    try:
        value = unpack(plain)
    except EvidenceDeskError:
        return
    assert unpack(pack(value)) == value


@given(st.integers(0, 10_000_000))
def test_padding_costs_an_eighth_at_most(size):
    padded = padded_size(size)
    assert size <= padded <= max(512, size + size // 8)
    assert padded_size(padded) == padded


def test_lengths_say_little():
    assert len({padded_size(size) for size in range(1, 65_536)}) < 130


def test_bombs_and_rests_are_refused():
    bomb = zlib.compress(b"[" + b"0," * (MAX_CONTENT // 2) + b"0]", 9)
    squeezed = zlib.compress(b"{}")
    for data in (
        bomb,
        squeezed + b"x",
        squeezed[:-1],
        b"not zlib",
        zlib.compress(b"{ }"),
        zlib.compress(b"{"),
    ):
        size = padded_size(4 + len(data))
        with pytest.raises(EvidenceDeskError):
            unpack((len(data).to_bytes(4, "big") + data).ljust(size, b"\0"))
    good = pack({})
    for wrong in (good + bytes(64), good[:-1], good[:-1] + b"\1", b"", bytes(512)):
        with pytest.raises(EvidenceDeskError):
            unpack(wrong)


def test_names_of_keys_do_not_link_leaves():
    key = bytes(32)
    assert box_key_id(key, LEAF) != box_key_id(key, bytes(32))
    assert box_aad(LEAF) != box_aad(bytes(32))

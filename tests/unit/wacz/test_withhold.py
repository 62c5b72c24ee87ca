"""What may open an account is recognized; the list of records is read strictly."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.errors import MalformedError
from evidence_desk.wacz.listing import Listed, encode_listing, listed, parse_listing
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.stored import read_records
from evidence_desk.wacz.withhold import _facts_tell, _sensitive, spans
from tests.unit.wacz.samples import sample

IDS = [f"<urn:uuid:{number:08x}-0000-0000-0000-000000000000>" for number in range(6)]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("Cookie: a=1", True), ("cookie: a=1", True), ("Set-Cookie: a=1", True), ("Cookie : a=1", True),
        ("Authorization: Basic eA==", True), ("Proxy-Authorization: x", True), ("X-Auth-Token: 1", True),
        ("X-CSRF-TOKEN: 1", True), ("X-Api-Key: 1", True), ("Session-Id: 1", True),
        ("WWW-Authenticate: Basic", False), ("Content-Type: text/html", False), ("Server: cookie-monster", False),
        ("Access-Control-Allow-Headers: Authorization", False), ("Accept: */*", False),
    ],
)  # fmt: skip
def test_fields_that_tell(field, told):
    assert _sensitive(f"GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n".encode()) is told
    assert _sensitive(f"GET / HTTP/1.1\n{field}\n\n".encode()) is told


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"trailers": [["x-after", "yes"]]}, False),
        ({"trailers": [["Set-Cookie", "a=1"]]}, True),
        ({"request_trailers": [["authorization", "x"]]}, True),
        ({"informational": ["HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=1\r\n\r\n"]}, True),
        ({"informational": ["HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]}, False),
        ({"complete": False, "fault": "x"}, False),
        ([], True),
    ],
)
def test_what_metadata_tells(facts, told):
    assert _facts_tell(encode(facts)) is told


@given(st.binary(max_size=200))
def test_a_list_of_records_is_read_strictly(data):
    with suppress(MalformedError):
        assert encode_listing(parse_listing(data)) == data


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6))
def test_lists_are_read_as_written(lengths):
    items, place = [], 0
    for name, length in zip(IDS, lengths, strict=False):
        items.append(Listed(name, place, length, bytes(32)))
        place += length
    assert parse_listing(encode_listing(items)) == tuple(items)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [Listed(IDS[0], 1, 5, bytes(32))],
        [Listed(IDS[0], 0, 5, bytes(32)), Listed(IDS[1], 6, 5, bytes(32))],
        [Listed(IDS[0], 0, 5, bytes(32)), Listed(IDS[0], 5, 5, bytes(32))],
        [Listed(IDS[0], 0, 0, bytes(32))],
        [Listed("x", 0, 5, bytes(32))],
        [Listed(IDS[0], 0, 5, bytes(31))],
    ],
)
def test_lists_that_cannot_be(items):
    with pytest.raises(MalformedError):
        parse_listing(encode_listing(items))


def test_neighbors_are_copied_together():
    written = sample().records
    total = sum(item.length for item in written)
    assert spans(written) == [(0, total)]
    assert spans([*written[:2], *written[3:]]) == [
        (0, written[2].offset), (written[3].offset, total - written[3].offset),
    ]  # fmt: skip
    reader = WaczReader(io.BytesIO(sample().wacz))
    assert reader.members(spans(written[1:3])).read() == sample().warc[written[1].offset : written[3].offset]


@given(st.sets(st.integers(0, 40)))
def test_any_part_of_an_archive_is_read_with_its_list(gone):
    written = sample().records
    kept = [item for at, item in enumerate(written) if at == 0 or at not in gone]
    data = b"".join(sample().warc[item.offset : item.offset + item.length] for item in kept)
    listing = tuple(map(listed, written))
    found = [done.id for _, done in read_records(io.BytesIO(data), listing) if done is not None]
    assert found == [item.id for item in kept]
    if kept[1:] != list(written[1 : len(kept)]):
        with pytest.raises(MalformedError):
            list(read_records(io.BytesIO(data)))

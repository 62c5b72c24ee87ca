"""The index: keys, lines, blocks; strict on the way back."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.errors import MalformedError
from evidence_desk.wacz.archive import Resource, write_warc
from evidence_desk.wacz.cdx import (
    BLOCK_LINES,
    Entry,
    encode_index,
    index_lines,
    parse_index,
    parse_line,
    url_key,
)
from evidence_desk.wacz.record import Bytes, archive_uri
from tests.unit.wacz.samples import sample

LINES = index_lines(sample().records)


def read(idx: bytes, cdx: bytes) -> list[bytes]:
    return parse_index(idx, io.BytesIO(cdx), len(cdx))


@pytest.mark.parametrize(
    ("url", "method", "key"),
    [
        ("https://www.Site.test/A/b?z=1&a=2", None, "test,site)/a/b?a=2&z=1"),
        ("http://site.test", None, "test,site)/"),
        ("https://site.test:443/", None, "test,site)/"),
        ("https://site.test:8443/", None, "test,site:8443)/"),
        ("https://203.0.113.7/x", None, "7,113,0,203)/x"),
        ("https://[2001:DB8::7]/x", None, "2001:db8::7)/x"),
        ("https://site.test/form", "POST", "test,site)/form?__wb_method=POST"),
        ("https://site.test/?a", "PUT", "test,site)/?a&__wb_method=PUT"),
        ("https://[broken/", None, "https://[broken/"),
        ("https://a.test:99999/", None, "https://a.test:99999/"),
        ("dns:site.test", None, "dns:site.test"),
        ("urn:view:https://Site.test/ x", None, "urn:view:https://Site.test/_x"),
    ],
)
def test_keys(url: str, method: str | None, key: str) -> None:
    assert url_key(url, method) == key


@given(st.text(max_size=60))
def test_keys_of_any_address_fit_into_a_line(text: str) -> None:
    for start in ("", "http://", "https://www.a.test:1/", "https://["):
        key = url_key(archive_uri(start + text))
        assert key.isascii()
        assert not any(char.isspace() for char in key)


def test_every_response_and_resource_has_a_line() -> None:
    entries = [parse_line(line) for line in LINES]
    assert len(entries) == sum(one.header.type.value in ("response", "resource") for one in sample().records)
    assert b"".join(entry.encode() for entry in entries) == b"".join(LINES)
    assert {entry.method for entry in entries} == {None, "POST", "HEAD"}
    lengths = {(one.offset, one.length) for one in sample().records}
    assert all((entry.offset, entry.length) in lengths for entry in entries)


def large() -> Sequence[bytes]:
    files = [
        Resource(
            uri=f"https://site.test/{n % 500}",
            content_type="text/plain",
            at=n * 1000,
            source=Bytes(b"%d" % n),
        )
        for n in range(2 * BLOCK_LINES + 7)
    ]
    return encode_index(write_warc(io.BytesIO(), (), files, software="x", at=0))


def test_blocks() -> None:
    idx, cdx = large()
    lines = read(idx, cdx)
    assert len(lines) == 2 * BLOCK_LINES + 7
    assert lines == sorted(lines)
    assert gzip.decompress(cdx) == b"".join(lines)
    starts = [json.loads(line.split(b" ", 2)[2]) for line in idx.splitlines()[1:]]
    assert len(starts) == 3
    for index, start in enumerate(starts):
        piece = gzip.decompress(cdx[start["offset"] : start["offset"] + start["length"]])
        assert piece == b"".join(lines[index * BLOCK_LINES : (index + 1) * BLOCK_LINES])


def test_an_empty_index() -> None:
    idx, cdx = encode_index([])
    assert read(idx, cdx) == []
    assert cdx == b""


def test_blocks_in_another_order_or_missing_are_refused() -> None:
    idx, cdx = large()
    head, *blocks = idx.splitlines(keepends=True)
    for pieces in ([head, *blocks[:-1]], [head, *blocks[::-1]], blocks, [head, blocks[0], *blocks], []):
        with pytest.raises(MalformedError):
            read(b"".join(pieces), cdx)
    with pytest.raises(MalformedError):
        read(idx, cdx[:-1])
    with pytest.raises(MalformedError):
        read(idx, cdx + b"\0")


@given(st.data())
def test_a_flipped_byte_in_an_index_is_noticed(data: st.DataObject) -> None:
    idx, cdx = encode_index(sample().records)
    whole = idx + cdx
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    with pytest.raises(MalformedError):
        read(broken[: len(idx)], broken[len(idx) :])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"offset":"', b'"offset":"0'),
        (b'"offset":"', b'"offset":"-'),
        (b'"length":"', b'"length":"99999999999999999'),
        (b'"status":"200"', b'"status":200'),
        (b'"filename":"data.warc.gz"', b'"filename":"other.warc.gz"'),
        (b'"recordDigest"', b'"recordDigesT"'),
        (b'"url":"https://site.test/br"', b'"url":"https://site.test/bx"'),
        (b'"url":"https://site.test/br"', '"url":"https://site.test/br证"'.encode()),
        (b'"mime":', b'"extra":1,"mime":'),
        (b"{", b"["),
        (b" 2026", b" 202"),
        (b"test,site)/br", b"test,site)/bq"),
    ],
)
def test_lines_that_are_not_ours_are_refused(old: bytes, new: bytes) -> None:
    line = next(line for line in LINES if line.startswith(b"test,site)/br "))
    assert old in line
    with pytest.raises(MalformedError):
        parse_line(line.replace(old, new, 1))


@given(st.binary(max_size=200))
def test_lines_never_crash(data: bytes) -> None:
    for line in (data, b"a 20260202024000000 {" + data + b"}\n", b"a 20260202024000000 " + data + b"\n"):
        with pytest.raises(MalformedError):
            parse_line(line)


@given(
    st.builds(
        Entry, url=st.text("abcXYZ019-._~:/?&=%", max_size=30).map(lambda text: "https://" + text),
        at=st.just("20260202024000000"), mime=st.none() | st.text(max_size=9), status=st.none() | st.integers(0, 999),
        digest=st.none() | st.text(max_size=9), record_digest=st.text(max_size=9),
        method=st.none() | st.sampled_from(["POST", "X"]), offset=st.integers(0, 2**53 - 1), length=st.integers(1, 2**53 - 1),
    )
)  # fmt: skip
def test_entries_round_trip(entry: Entry) -> None:
    assert parse_line(entry.encode()) == entry

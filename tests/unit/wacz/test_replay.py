"""Stored answers as a program shows them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.errors import MalformedError
from evidence_desk.wacz.read import Found, WaczReader
from evidence_desk.wacz.replay import Unchunked, content, headers, payload
from tests.unit.wacz.samples import CHINESE, H2, PAGE, sample


def find(url: str, data: bytes | None = None) -> Found:
    found = WaczReader(io.BytesIO(data or sample().wacz)).find(url)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/gzip", PAGE), ("/br", PAGE), ("/chunked", b"hello world"), ("/early", b"early"), ("/none", b""), (CHINESE, PAGE),
     *H2.items()],
)  # fmt: skip
def test_contents(path: str, shown: bytes) -> None:
    stream = content(find(f"https://site.test{path}"))
    assert stream.read() == shown
    assert stream.fault is None


def test_what_is_no_answer_is_shown_as_it_is() -> None:
    found = find("urn:text:https://site.test/")
    assert headers(found) == []
    assert content(found).read() == PAGE


def test_fields() -> None:
    found = find("https://site.test/folded")
    assert [name for name, _ in headers(found)] == [
        b"X-Long",
        b"Set-Cookie",
        b"Set-Cookie",
        b"Content-Length",
    ]


def test_what_was_cut_short_is_shown_as_far_as_it_came() -> None:
    assert content(find("http://plain.test/cut")).read() == PAGE[:-100]


def test_damage_is_told() -> None:
    entry = find("https://site.test/noise.png").entry
    at = sample().wacz.index(sample().warc) + entry.offset + entry.length // 2
    broken = bytearray(sample().wacz)
    broken[at] ^= 1
    with pytest.raises(MalformedError):
        payload(find("https://site.test/noise.png", bytes(broken))).read()


@pytest.mark.parametrize(
    ("framed", "data", "fault"),
    [
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc", None),
        (b"3 ;x=y\nabc\n0\nT: 1\n\n", b"abc", None),
        (b"A\r\n0123456789\r\n000\r\n", b"0123456789", None),
        (b"0" * 99 + b"3\r\nabc\r\n0\r\n\r\n", b"abc", None),
        (b"1" * 16 + b"\r\nabc", b"", "http1.chunk_malformed"),
        (b"3\r\nabc\r\n", b"abc", "http.truncated"),
        (b"3\r\nab", b"ab", "http.truncated"),
        (b"3", b"", "http.truncated"),
        (b"", b"", "http.truncated"),
        (b"3\r\nabcd\r\n0\r\n\r\n", b"abc", "http1.chunk_malformed"),
        (b"x\r\nabc", b"", "http1.chunk_malformed"),
        (b"-3\r\nabc", b"", "http1.chunk_malformed"),
        (b"1" * 20_000, b"", "http1.chunk_malformed"),
    ],
)
def test_chunks(framed: bytes, data: bytes, fault: str | None) -> None:
    stream = Unchunked(io.BytesIO(framed))
    assert stream.readall() == data
    assert stream.fault == fault


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=6), st.integers(1, 9))
def test_chunks_of_any_size(pieces: list[bytes], size: int) -> None:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    stream = io.BufferedReader(Unchunked(io.BytesIO(framed)), size)
    assert stream.read() == b"".join(pieces)


@given(st.binary(max_size=60))
def test_chunks_never_crash(framed: bytes) -> None:
    Unchunked(io.BytesIO(framed)).readall()

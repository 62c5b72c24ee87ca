import gzip
import hashlib
import io
import tracemalloc
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.wacz.http.content import Content, ContentLimits, codings, content_digest, decoded

TEXT = "证据台 content that repeats itself, ".encode() * 5000


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


CODERS = {
    b"gzip": gzip.compress,
    b"x-gzip": gzip.compress,
    b"deflate": zlib.compress,
    b"Deflate": raw_deflate,
    b"br": brotli.compress,
    b"ZSTD": zstandard.compress,
}
ALL = sorted(CODERS)


def opened(coding: bytes, data: bytes, limits: ContentLimits | None = None) -> Content:
    headers = [(b"Content-Type", b"text/html"), (b"CONTENT-encoding", coding)]
    return (
        decoded(headers, io.BytesIO(data)) if limits is None else decoded(headers, io.BytesIO(data), limits)
    )


@pytest.mark.parametrize("coding", ALL)
def test_each_coding(coding):
    content = opened(coding, CODERS[coding](TEXT))
    assert content.read() == TEXT
    assert content.fault is None


@pytest.mark.parametrize("coding", ALL)
@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_reading_in_steps(coding, size):
    text = TEXT[:3000] if size == 1 else TEXT
    content, pieces = opened(coding, CODERS[coding](text)), []
    while piece := content.read(size):
        assert len(piece) <= size
        pieces.append(piece)
    assert b"".join(pieces) == text
    assert all(len(piece) == size for piece in pieces[:-1])
    assert content.fault is None


def test_stacked_codings_in_their_order():
    headers = [(b"Content-Encoding", b"gzip, identity"), (b"content-encoding", b"br,zstd")]
    assert codings(headers) == ["gzip", "br", "zstd"]
    body = zstandard.compress(brotli.compress(gzip.compress(TEXT)))
    content = decoded(headers, io.BytesIO(body))
    assert (content.read(), content.fault) == (TEXT, None)


def test_without_coding_the_body_is_the_content():
    content = decoded([], io.BytesIO(TEXT))
    assert (content.read(), content.fault) == (TEXT, None)


def test_an_unknown_coding_leaves_the_body():
    content = opened(b"gzip, dcb", b"whatever")
    assert (content.fault, content.read()) == ("content.unknown", b"whatever")
    content = opened(b", ".join([b"gzip"] * 6), b"whatever")
    assert (content.fault, content.read()) == ("content.too_many", b"whatever")


@pytest.mark.parametrize("coding", ALL)
def test_an_empty_body_is_an_empty_content(coding):
    content = opened(coding, b"")
    assert (content.read(), content.fault) == (b"", None)


@pytest.mark.parametrize("coding", ALL)
def test_a_cut_body_gives_what_came(coding):
    coded = CODERS[coding](TEXT)
    content = opened(coding, coded[: len(coded) - 3])
    assert TEXT.startswith(content.read())
    assert content.fault == "content.truncated"


@pytest.mark.parametrize("coding", ALL)
def test_garbage(coding):
    content = opened(coding, b"\xff\xfe this is no coded content at all " * 100)
    content.read()
    assert content.fault in ("content.malformed", "content.trailing")
    assert content.read() == b""


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"Deflate"])
def test_bytes_after_the_end(coding):
    content = opened(coding, CODERS[coding](TEXT) + b"more")
    assert (content.read(), content.fault) == (TEXT, "content.trailing")
    long = opened(coding, CODERS[coding](TEXT) + bytes(200_000))
    assert (long.read(), long.fault) == (TEXT, "content.trailing")


def test_the_sum_of_gzip():
    coded = bytearray(gzip.compress(TEXT))
    coded[-6] ^= 1
    content = opened(b"gzip", bytes(coded))
    assert (content.read(), content.fault) == (TEXT, "content.checksum")


def test_a_gzip_head_with_everything_in_it():
    head = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\x03\x00abc" + b"name\0" + b"comment\0" + b"\x12\x34"
    coded = head + gzip.compress(TEXT)[10:]
    content = opened(b"gzip", coded)
    assert (content.read(), content.fault) == (TEXT, None)
    for size in range(1, len(head) + 1):
        cut = opened(b"gzip", coded[:size])
        assert cut.read() == b""
        assert cut.fault in ("content.truncated", "content.malformed")


def test_bytes_after_the_end_below_another_coding():
    content = opened(b"gzip, gzip", gzip.compress(gzip.compress(TEXT) + b"more"))
    assert (content.read(), content.fault) == (TEXT, "content.trailing")


def test_frames_in_a_row():
    content = opened(b"zstd", zstandard.compress(TEXT) + zstandard.compress(b"two"))
    assert (content.read(), content.fault) == (TEXT + b"two", None)


def test_a_window_no_browser_accepts():
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=24)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    content = opened(b"zstd", stream.compress(TEXT) + stream.flush())
    assert (content.read(), content.fault) == (b"", "content.malformed")


BOMB = bytes(300_000_000)


@pytest.fixture(scope="module")
def bombs() -> dict[bytes, bytes]:
    return {
        b"gzip": gzip.compress(BOMB, 9),
        b"br": brotli.compress(BOMB, quality=5),
        b"zstd": zstandard.compress(BOMB),
        b"gzip, gzip": gzip.compress(gzip.compress(BOMB, 9), 9),
        b"zstd, zstd": zstandard.compress(zstandard.compress(BOMB)),
    }


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"zstd", b"gzip, gzip", b"zstd, zstd"])
def test_bombs_cost_neither_memory_nor_time(bombs, coding):
    content, size = opened(coding, bombs[coding]), 0
    tracemalloc.start()
    try:
        while piece := content.read(1 << 20):
            size += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert content.fault == "content.ratio"
    assert size <= max(16 << 20, 200 * len(bombs[coding]))
    assert peak < 40 << 20


def test_a_bomb_between_two_codings_that_gives_nothing():
    """A gigabyte of empty deflate blocks."""
    block = b"\0\0\0\xff\xff" * 200_000
    compressor = zstandard.ZstdCompressor().compressobj()
    coded = b"".join(compressor.compress(block) for _ in range(1000)) + compressor.flush()
    body = io.BytesIO(coded)
    content = decoded([(b"content-encoding", b"deflate, zstd")], body)
    assert (content.read(), content.fault) == (b"", "content.ratio")
    assert body.tell() < len(coded) // 2


def test_the_absolute_bound():
    content = opened(b"gzip", gzip.compress(TEXT), ContentLimits(size=100_000))
    assert (len(content.read()) <= 100_000, content.fault) == (True, "content.too_large")


def test_digest_of_a_content():
    found = content_digest([(b"content-encoding", b"br")], io.BytesIO(brotli.compress(TEXT)))
    assert (found.size, found.sha256, found.fault) == (len(TEXT), hashlib.sha256(TEXT).digest(), None)


@given(
    st.sampled_from([b"gzip", b"deflate", b"br", b"zstd", b"gzip, br", b"zstd,deflate"]),
    st.binary(max_size=400),
)
@settings(max_examples=300, deadline=None)
def test_nothing_is_raised_on_any_bytes(coding, data):
    content = opened(coding, data)
    content.read()
    assert content.fault is None or content.fault.startswith("content.")


@given(st.sampled_from(ALL), st.binary(max_size=3000), st.data())
@settings(max_examples=300, deadline=None)
def test_nothing_is_raised_on_damaged_bytes(coding, data, more):
    coded = bytearray(CODERS[coding](data))
    for _ in range(more.draw(st.integers(0, 3))):
        place = more.draw(st.integers(0, len(coded) - 1))
        coded[place : place + 1] = more.draw(st.binary(max_size=3))
        coded += b"\0"
    content = opened(coding, bytes(coded))
    content.read()
    assert content.fault is None or content.fault.startswith("content.")

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.capture.stream import (
    HEAD_SIZE,
    MAX_CHUNK,
    Chunk,
    Direction,
    StreamReader,
    encode_chunk,
    put_head,
)
from evidence_desk.errors import BugError, MalformedError

CHUNKS = st.builds(
    Chunk, direction=st.sampled_from(Direction), at=st.integers(0, 2**64 - 1), data=st.binary(min_size=1, max_size=100)
)  # fmt: skip


def test_the_bytes():
    chunk = Chunk(direction=Direction.OUT, at=0x0102, data=b"abc")
    assert encode_chunk(chunk) == b">\0\0\0\0\0\0\1\2\0\0\0\3abc"
    buffer = bytearray(HEAD_SIZE)
    put_head(buffer, Direction.IN, 0x0102, MAX_CHUNK)
    assert bytes(buffer) == b"<\0\0\0\0\0\0\1\2\0\x10\0\0"


@given(st.lists(CHUNKS, max_size=10))
def test_chunks_come_back(chunks: list[Chunk]):
    reader = StreamReader(io.BytesIO(b"".join(map(encode_chunk, chunks))))
    assert list(reader) == chunks
    assert not reader.torn


@given(st.lists(CHUNKS, min_size=1, max_size=4), st.data())
def test_whole_chunks_of_a_torn_stream(chunks: list[Chunk], data: st.DataObject):
    whole = [encode_chunk(chunk) for chunk in chunks]
    cut = data.draw(st.integers(1, len(whole[-1]) - 1))
    reader = StreamReader(io.BytesIO(b"".join(whole)[:-cut]))
    assert list(reader) == chunks[:-1]
    assert reader.torn


@pytest.mark.parametrize("data", [b"", bytes(MAX_CHUNK + 1)])
def test_chunks_that_are_none(data: bytes):
    with pytest.raises(BugError, match=r"bug\.chunk"):
        encode_chunk(Chunk(direction=Direction.IN, at=0, data=data))


@pytest.mark.parametrize(
    "head", [b"=" + bytes(11) + b"\1", b">" + bytes(12), b">" + bytes(8) + b"\xff\xff\xff\xff"]
)
def test_heads_that_are_none(head: bytes):
    with pytest.raises(MalformedError, match=r"malformed\.stream"):
        list(StreamReader(io.BytesIO(head + b"x")))


@given(st.binary(max_size=200))
def test_anything_is_read_or_refused(data: bytes):
    reader = StreamReader(io.BytesIO(data))
    try:
        chunks = list(reader)
    except MalformedError:
        return
    again = b"".join(map(encode_chunk, chunks))
    assert data.startswith(again)
    assert reader.torn == (again != data)

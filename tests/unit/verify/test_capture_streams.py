"""Marks as places that a stream passed."""

from __future__ import annotations

import io
from hashlib import sha256

import pytest

from evidence_desk.core.capture.marks import StreamMark
from evidence_desk.core.capture.stream import Chunk, Direction, StreamReader, encode_chunk
from evidence_desk.verify.capture_streams import _passes

DATA = b"abcdef"
CHUNKS = b"".join(
    encode_chunk(Chunk(direction=Direction.IN, at=number, data=DATA[number : number + 2]))
    for number in (0, 2, 4)
)


def mark(size: int, data: bytes = DATA) -> StreamMark:
    return StreamMark(
        number=1, sent=0, received=size, sent_sha256=sha256().digest(), received_sha256=sha256(data[:size]).digest()
    )  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("marks", "passes"),
    [
        ([mark(6)], True),
        ([mark(0), mark(1), mark(3), mark(4), mark(6)], True),
        ([mark(4)], False),
        ([mark(7), mark(6)], False),
        ([mark(1, b"x"), mark(6)], False),
        ([mark(1, b"x"), mark(3), mark(6)], False),
        ([mark(1, b"x"), mark(3, b"xyz"), mark(6, b"xxxxxx")], False),
        ([mark(3), mark(3, b"xyz"), mark(6)], False),
    ],
)
def test_a_stream_goes_through_all_of_its_marks_or_is_refused(marks, passes):
    assert _passes(StreamReader(io.BytesIO(CHUNKS)), marks) is passes

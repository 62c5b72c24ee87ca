"""Marks as places that a stream passed."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from evidence_desk.core.capture.marks import StreamMark
from evidence_desk.core.capture.stream import Chunk, Direction, StreamReader, encode_chunk
from evidence_desk.verify.capture_streams import _passes, _Span

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


BEGUN = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
ENDED = BEGUN + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("offsets", "outside"),
    [([], False), ([0, 30], False), ([-59, 89], False), ([-61], True), ([5, 91], True), ([-(10**9)], True)],
)
def test_moments_outside_of_the_capture_are_noticed(offsets, outside):
    at = [int((BEGUN + timedelta(seconds=offset)).timestamp()) * 1_000_000 for offset in offsets]
    span = _Span()
    chunks = [Chunk(direction=Direction.IN, at=moment, data=b"x") for moment in at]
    assert list(span.over(chunks)) == chunks
    assert span.outside(BEGUN, ENDED) is outside


def test_moments_that_no_calendar_has_are_told_as_they_are():
    span = _Span()
    list(span.over([Chunk(direction=Direction.IN, at=2**64 - 1, data=b"x")]))
    assert span.outside(BEGUN, ENDED)
    assert span.text(1) == str(2**64 - 1)

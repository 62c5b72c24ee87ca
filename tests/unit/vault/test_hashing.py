from __future__ import annotations

import io
import random
import threading
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.digests import DigestPair
from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError, UnreadableError
from evidence_desk.vault import hashing
from evidence_desk.vault.hashing import BUFFER_SIZE, hash_stream

EDGES = [0, 1, BUFFER_SIZE - 1, BUFFER_SIZE, BUFFER_SIZE + 1, 3 * BUFFER_SIZE, 20 * BUFFER_SIZE + 7]


class Dribble(io.RawIOBase):
    """A source that returns less than asked for."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step, self._at = data, step, 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        piece = self._data[self._at : self._at + min(self._step, len(target))]
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


class OnlyRead:
    """A source without readinto."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._stream.read(size)


class Breaks(Dribble):
    def readinto(self, target: Any) -> int:
        if self._at >= len(self._data):
            raise OSError(5, "Input/output error")
        return super().readinto(target)


@pytest.mark.parametrize("size", EDGES)
def test_digests_are_those_of_the_whole(size):
    data = random.Random(size).randbytes(size)
    expected = (DigestPair.of(data), size)
    assert hash_stream(io.BytesIO(data), job=Job(), size=size) == expected
    assert hash_stream(cast("BinaryIO", OnlyRead(data)), job=Job(), size=0) == expected
    assert hash_stream(cast("BinaryIO", Dribble(data, 300_001)), job=Job(), size=size) == expected


@given(data=st.binary(max_size=5000), step=st.integers(1, 700), buffer=st.integers(1, 600))
@settings(max_examples=60, deadline=None)
def test_buffer_edges_do_not_matter(data, step, buffer):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "BUFFER_SIZE", buffer)
        assert hash_stream(cast("BinaryIO", Dribble(data, step)), job=Job(), size=0) == (
            DigestPair.of(data),
            len(data),
        )


def test_progress_ends_at_the_size():
    steps = []
    data = bytes(3 * BUFFER_SIZE)
    hash_stream(io.BytesIO(data), job=Job(lambda *step: steps.append(step)), size=len(data))
    assert [done for _, done, _ in steps] == [BUFFER_SIZE, 2 * BUFFER_SIZE, 3 * BUFFER_SIZE]
    assert {(stage, total) for stage, _, total in steps} == {("hash", len(data))}


def test_cancel_stops_and_leaves_no_thread():
    job = Job()
    seen = []

    def report(_stage, done, _total):
        seen.append(done)
        if done >= 2 * BUFFER_SIZE:
            job.cancel()

    job._report = report
    with pytest.raises(CanceledError):
        hash_stream(io.BytesIO(bytes(50 * BUFFER_SIZE)), job=job, size=0)
    assert len(seen) == 2
    assert not [thread for thread in threading.enumerate() if thread.name == "hash"]


@pytest.mark.parametrize("good", [0, 10, BUFFER_SIZE, 2 * BUFFER_SIZE])
def test_a_failing_source_is_our_error(good):
    with pytest.raises(UnreadableError, match=r"vault\.source_unreadable"):
        hash_stream(cast("BinaryIO", Breaks(bytes(good), BUFFER_SIZE)), job=Job(), size=0)

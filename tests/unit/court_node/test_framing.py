import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evidence_desk.court.node.abci.framing import FrameReader, frame
from evidence_desk.errors import MalformedError


def read(reader: FrameReader, data: bytes) -> list[bytes]:
    return list(reader.feed(data))


@settings(deadline=None)
@given(messages=st.lists(st.binary(max_size=400), max_size=8), cuts=st.lists(st.integers(1, 50), min_size=1))
def test_messages_survive_any_cutting(messages, cuts):
    stream = b"".join(frame(message) for message in messages)
    reader, found, at, turn = FrameReader(), [], 0, 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        found += read(reader, stream[at : at + step])
        at, turn = at + step, turn + 1
    assert found == messages
    assert reader.pending == 0


@settings(deadline=None)
@given(st.binary(max_size=2000))
@example(b"\x80\x80\x80\x80\x80")
@example(b"\x80\x00")
def test_garbage_is_refused_or_waits_for_more(data):
    reader = FrameReader(limit=100)
    found, code = [], ""
    try:
        found = read(reader, data)
    except MalformedError as error:
        code = error.code
    if code:
        assert code == "malformed.abci_frame"
        with pytest.raises(MalformedError):
            read(reader, frame(b"good"))
    else:
        assert all(len(message) <= 100 for message in found)
        assert b"".join(frame(message) for message in found) == data[: len(data) - reader.pending]


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16383, 16384])
def test_lengths_are_minimal_varints(size):
    data = frame(bytes(size))
    assert len(data) == size + (1 if size < 128 else 2 if size < 16384 else 3)
    assert read(FrameReader(), data) == [bytes(size)]


def test_limit_counts_before_the_bytes_arrive():
    reader = FrameReader(limit=1000)
    assert read(reader, frame(bytes(1000))) == [bytes(1000)]
    with pytest.raises(MalformedError):
        read(reader, frame(bytes(1001))[:2])


@pytest.mark.parametrize(
    "prefix", [b"\x80\x00", b"\x81\x00", b"\xff\xff\xff\xff\xff", b"\x80\x80\x80\x80\x80\x01"]
)
def test_lengths_in_another_spelling_are_refused(prefix):
    with pytest.raises(MalformedError):
        read(FrameReader(), prefix + b"x" * 10)


def test_messages_before_the_broken_one_are_given():
    reader = FrameReader(limit=10)
    stream = reader.feed(frame(b"one") + frame(b"two") + b"\x7f")
    assert next(stream) == b"one"
    assert next(stream) == b"two"
    with pytest.raises(MalformedError):
        next(stream)

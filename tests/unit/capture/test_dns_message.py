"""DNS messages: made and read strictly, hostile ones refused."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.capture.dns_message import Answer, Kind, encode_question, parse_answer
from evidence_desk.errors import MalformedError

NUMBER = 0xBEEF
QUESTION = b"\7example\3com\0\0\1\0\1"


def message(
    *records: bytes,
    flags: int = 0x8180,
    questions: int = 1,
    count: int | None = None,
    question: bytes = QUESTION,
) -> bytes:
    header = struct.pack(">HHHHHH", NUMBER, flags, questions, len(records) if count is None else count, 0, 0)
    return header + question + b"".join(records)


def record(
    owner: bytes, kind: int, data: bytes, *, ttl: int = 60, klass: int = 1, length: int | None = None
) -> bytes:
    return owner + struct.pack(">HHIH", kind, klass, ttl, len(data) if length is None else length) + data


HERE = b"\xc0\x0c"
FOUR = record(HERE, 1, b"\xc0\0\2\7")


def parsed(data: bytes) -> Answer:
    return parse_answer(data, NUMBER, "example.com", Kind.A)


def test_a_question():
    data = encode_question(NUMBER, "Example.COM.", Kind.AAAA)
    assert data == b"\xbe\xef\1\0\0\1\0\0\0\0\0\1\7example\3com\0\0\x1c\0\1" + b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


@pytest.mark.parametrize(
    "name", ["", ".", "a..b", ".a", "a" * 64, ".".join(["a" * 63] * 4), "例子", "é.example"]
)
def test_names_that_are_none(name: str):
    with pytest.raises(MalformedError, match="name"):
        encode_question(NUMBER, name, Kind.A)


def test_addresses_in_their_order():
    other = record(b"\7EXAMPLE\3cOm\0", 1, b"\xc0\0\2\x01", ttl=30)
    text = record(HERE, 16, b"\3abc")
    chaos = record(HERE, 1, b"\1\2\3\4", klass=3)
    elsewhere = record(b"\3www\xc0\x0c", 1, b"\1\1\1\1")
    assert parsed(message(FOUR, text, chaos, elsewhere, other)) == Answer(
        code=0, truncated=False, addresses=("192.0.2.7", "192.0.2.1"), aliases=(), ttl=30
    )


def test_aliases_are_followed():
    first = record(HERE, 5, b"\3cdn\3net\0", ttl=10)
    second = record(b"\3cdn\3net\0", 5, b"\1a\3cdn\3net\0", ttl=99)
    last = record(b"\1a\3cdn\3net\0", 1, b"\xc0\0\2\7", ttl=50)
    expected = Answer(
        code=0, truncated=False, addresses=("192.0.2.7",), aliases=("cdn.net", "a.cdn.net"), ttl=10
    )
    assert parsed(message(first, second, last)) == parsed(message(last, second, first)) == expected
    assert parsed(message(first)) == Answer(
        code=0, truncated=False, addresses=(), aliases=("cdn.net",), ttl=10
    )


def test_no_such_name_and_nothing():
    assert parsed(message(flags=0x8183)) == Answer(
        code=3, truncated=False, addresses=(), aliases=(), ttl=None
    )
    assert parsed(message(flags=0x8380)).truncated
    assert parsed(message()).addresses == ()


def test_bytes_of_names_that_are_no_text_are_escaped():
    alias = record(HERE, 5, b"\4a.\0\xff\0")
    assert parsed(message(alias)).aliases == ("a\\046\\000\\255",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "short"), (b"\xbe\xef", "short"), (message()[:20], "short"), (message(FOUR)[:-1], "short"), (message(FOUR, count=2), "short"),
        (b"\0\0" + message(FOUR)[2:], "header"), (message(FOUR, flags=0x0100), "header"), (message(FOUR, flags=0x8980), "header"),
        (message(FOUR, questions=0), "header"), (message(FOUR, questions=2), "header"), (message() + bytes(70_000), "header"),
        (message(FOUR, question=b"\7example\3org\0\0\1\0\1"), "question"), (message(FOUR, question=b"\7example\3com\0\0\x1c\0\1"), "question"),
        (message(FOUR, question=b"\7example\3com\0\0\1\0\3"), "question"), (message(count=300), "records"),
        (message(record(HERE, 1, b"\1\2\3")), "address"), (message(record(HERE, 1, bytes(16))), "address"), (message(record(HERE, 5, b"\1a\0x")), "alias"),
        (message(record(HERE, 5, b"\xc0\x0c")), "loop"),
        (message(record(HERE, 5, b"\1a\0"), record(b"\1a\0", 5, b"\1b\0"), record(b"\1b\0", 5, b"\1a\0")), "loop"),
        (message(record(b"\xc0\x1d", 1, bytes(4))), "pointer"), (message(record(b"\xff\xff", 1, bytes(4))), "pointer"),
        (message(record(b"\x40", 1, bytes(4))), "name"), (message(record(b"\x80a", 1, bytes(4))), "name"),
        (message(record((b"\x3f" + b"a" * 63) * 4 + b"\0", 1, bytes(4))), "name"),
    ],
)  # fmt: skip
def test_what_is_no_answer(data: bytes, reason: str):
    with pytest.raises(MalformedError) as caught:
        parsed(data)
    assert (caught.value.code, caught.value.parameters["reason"]) == ("malformed.dns", reason)


def test_ipv6():
    question = b"\7example\3com\0\0\x1c\0\1"
    data = message(record(HERE, 28, bytes(15) + b"\1"), question=question)
    assert parse_answer(data, NUMBER, "example.com", Kind.AAAA).addresses == ("::1",)


@given(st.binary(max_size=700), st.booleans())
def test_anything_is_read_or_refused(tail: bytes, framed: bool):
    data = message(count=3) + tail if framed else tail
    try:
        found = parsed(data)
    except MalformedError:
        return
    assert len(found.addresses) <= 3


@given(st.lists(st.tuples(st.sampled_from([1, 5, 16, 28]), st.binary(max_size=20)), max_size=6))
def test_any_records_are_read_or_refused(items: list[tuple[int, bytes]]):
    with suppress(MalformedError):
        assert len(parsed(message(*(record(HERE, kind, data) for kind, data in items))).addresses) <= len(
            items
        )

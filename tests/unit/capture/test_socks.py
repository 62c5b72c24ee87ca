"""RFC 1928 as the recorder reads and writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.capture.socks import (
    MAX_GREETING,
    MAX_REQUEST,
    Greeting,
    Reply,
    Request,
    encode_reply,
    parse_greeting,
    parse_request,
)
from evidence_desk.errors import MalformedError


def test_greetings():
    assert parse_greeting(b"\5\1\0") == Greeting(methods=b"\0", size=3)
    assert parse_greeting(b"\5\2\0\2rest") == Greeting(methods=b"\0\2", size=4)
    assert parse_greeting(b"\5\xff" + bytes(255)) == Greeting(methods=bytes(255), size=MAX_GREETING)
    for short in (b"", b"\5", b"\5\2\0", b"\5\xff" + bytes(254)):
        assert parse_greeting(short) is None


@pytest.mark.parametrize(
    ("data", "reason"), [(b"\4", "version"), (b"G", "version"), (b"\0\1\0", "version"), (b"\5\0", "methods")]
)
def test_what_is_no_greeting(data: bytes, reason: str):
    with pytest.raises(MalformedError) as caught:
        parse_greeting(data)
    assert (caught.value.code, caught.value.parameters) == ("malformed.socks", {"reason": reason})


def test_requests():
    assert parse_request(b"\5\1\0\1\x7f\0\0\1\x01\xbbx") == Request(
        command=1, host="127.0.0.1", port=443, size=10
    )
    assert parse_request(b"\5\1\0\4" + bytes(15) + b"\1\0\x50") == Request(
        command=1, host="::1", port=80, size=22
    )
    assert parse_request(b"\5\1\0\3\x0bexample.com\0\x50") == Request(
        command=1, host="example.com", port=80, size=18
    )
    longest = b"\5\1\0\3\xff" + b"a" * 255 + b"\0\x50"
    assert parse_request(longest) == Request(command=1, host="a" * 255, port=80, size=MAX_REQUEST)
    assert parse_request(b"\5\2\0\1\0\0\0\0\0\0") == Request(command=2, host="0.0.0.0", port=0, size=10)
    for whole in (b"\5\1\0\1\x7f\0\0\1\x01\xbb", b"\5\1\0\3\1a\0\x50", b"\5\1\0\4" + bytes(18)):
        for length in range(len(whole)):
            assert parse_request(whole[:length]) is None


def test_bytes_of_a_name_that_are_no_text_are_shown_escaped():
    found = parse_request(b"\5\1\0\3\5a\0\xff b\0\x50")
    assert found is not None
    assert found.host == "a\\x00\\xff\\x20b"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\4", "version"), (b"\5\1\1", "reserved"), (b"\5\1\0\0\0", "address_type"), (b"\5\1\0\2\0", "address_type"),
        (b"\5\1\0\5\0", "address_type"), (b"\5\1\0\3\0", "name"),
    ],
)  # fmt: skip
def test_what_is_no_request(data: bytes, reason: str):
    with pytest.raises(MalformedError) as caught:
        parse_request(data)
    assert caught.value.parameters == {"reason": reason}


@given(st.binary(max_size=600))
def test_anything_is_read_or_refused(data: bytes):
    for parse in (parse_greeting, parse_request):
        try:
            found = parse(data)
        except MalformedError:
            continue
        assert found is None or 0 < found.size <= len(data)


def test_replies():
    assert encode_reply(Reply.SUCCEEDED, "192.0.2.1", 443) == b"\5\0\0\1\xc0\0\2\1\x01\xbb"
    assert encode_reply(Reply.SUCCEEDED, "::1", 80) == b"\5\0\0\4" + bytes(15) + b"\1\0\x50"
    assert encode_reply(Reply.NOT_ALLOWED) == b"\5\2\0\1" + bytes(6)

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.core.capture.connection import (
    Connection,
    Ending,
    Fate,
    encode_connection,
    parse_index,
    stream_name,
)
from evidence_desk.core.digests import sha256
from evidence_desk.errors import MalformedError

AT = "2026-03-02T01:30:00.123Z"
LINE = Connection(
    number=2, host="example.com", port=443, answers=("192.0.2.7", "2001:db8::7"), address="192.0.2.7", local="10.0.0.5:40000",
    fate=Fate.OPENED, reason=None, opened_at=AT, closed_at=AT, ending=Ending.CLOSED, sent=1, received=2,
    sent_sha256=sha256(b"a"), received_sha256=sha256(b"bc"),
)  # fmt: skip
FAILED = replace(
    LINE, number=1, fate=Fate.UNREACHABLE, reason="ECONNREFUSED", closed_at=None, ending=None, local=None
)


def test_names_of_streams():
    assert stream_name(1) == "stream-000001.bin"
    assert stream_name(1_234_567) == "stream-1234567.bin"


def test_lines_lie_in_the_order_of_ending_and_come_back_by_number():
    data = encode_connection(LINE) + encode_connection(FAILED)
    assert parse_index(data) == (FAILED, LINE)
    assert parse_index(b"") == ()


def test_a_number_is_given_once():
    with pytest.raises(MalformedError, match="twice"):
        parse_index(encode_connection(LINE) + encode_connection(FAILED) + encode_connection(LINE))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", 0), ("number", "1"), ("number", True), ("host", None), ("port", -1), ("answers", None), ("answers", [1]), ("address", 1),
        ("local", []), ("fate", "fine"), ("reason", 1), ("opened_at", "now"), ("opened_at", None), ("closed_at", 1), ("ending", "well"),
        ("sent", -1), ("received", None), ("sent_sha256", "00"), ("received_sha256", None),
    ],
)  # fmt: skip
def test_wrong_members(name: str, value: object):
    line = json.loads(encode_connection(LINE))
    line[name] = value
    with pytest.raises(MalformedError):
        parse_index(encode(line) + b"\n")


def test_torn_missing_and_further_members():
    with pytest.raises(MalformedError, match="torn"):
        parse_index(encode_connection(LINE)[:-1])
    line = json.loads(encode_connection(LINE))
    for other in ({**line, "more": 1}, {name: value for name, value in line.items() if name != "host"}):
        with pytest.raises(MalformedError, match="members"):
            parse_index(encode(other) + b"\n")
    with pytest.raises(MalformedError, match="members"):
        parse_index(b"[]\n")


@given(st.binary(max_size=200))
def test_anything_is_read_or_refused(data: bytes):
    with suppress(MalformedError):
        assert len(parse_index(data)) == data.count(b"\n")

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.core.capture.lookup import Lookup, Outcome, encode_lookup, parse_lookups
from evidence_desk.errors import MalformedError

AT = "2026-03-02T01:30:00.123Z"
SYSTEM = Lookup(
    host="example.com", kind="system", server=None, transport="system", asked_at=AT, microseconds=812,
    outcome=Outcome.ANSWERED, answers=("192.0.2.7", "2001:db8::7"),
)  # fmt: skip
INDEPENDENT = Lookup(
    host="example.com", kind="A", server="192.0.2.53:53", transport="udp", asked_at=AT, microseconds=20_000,
    outcome=Outcome.FAILED, reason="SERVFAIL", aliases=("cdn.example",), ttl=60, message=b"\0\1\2",
)  # fmt: skip


def test_lines_come_back():
    data = encode_lookup(SYSTEM) + encode_lookup(INDEPENDENT)
    assert parse_lookups(data) == (SYSTEM, INDEPENDENT)
    assert parse_lookups(b"") == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", 1), ("kind", None), ("server", 1), ("transport", []), ("asked_at", "yesterday"), ("microseconds", -1), ("microseconds", True),
        ("outcome", "good"), ("reason", 1), ("answers", "x"), ("answers", [1]), ("aliases", None), ("ttl", -1), ("ttl", "1"), ("message", 1),
        ("message", "?"), ("message", "AB=="),
    ],
)  # fmt: skip
def test_wrong_members(name: str, value: object):
    line = json.loads(encode_lookup(INDEPENDENT))
    line[name] = value
    with pytest.raises(MalformedError, match=r"malformed\.(lookups|time)"):
        parse_lookups(encode(line) + b"\n")


@pytest.mark.parametrize(
    "data", [encode_lookup(SYSTEM)[:-1], encode_lookup(SYSTEM) + b"{}", b"\n", b"{}\n", b"[]\n", b" {}\n"]
)
def test_wrong_lines(data: bytes):
    with pytest.raises(MalformedError):
        parse_lookups(data)


def test_missing_and_further_members():
    line = json.loads(encode_lookup(SYSTEM))
    for other in ({**line, "more": 1}, {name: value for name, value in line.items() if name != "ttl"}):
        with pytest.raises(MalformedError, match="members"):
            parse_lookups(encode(other) + b"\n")


@given(st.binary(max_size=200))
def test_anything_is_read_or_refused(data: bytes):
    with suppress(MalformedError):
        assert len(parse_lookups(data)) == data.count(b"\n")

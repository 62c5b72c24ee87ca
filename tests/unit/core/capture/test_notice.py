import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.core.capture.notice import Notice, NoticeKind, encode_notice, parse_notices
from evidence_desk.errors import MalformedError

AT = "2026-03-02T01:30:00.123Z"
JUMP = Notice(at=AT, kind=NoticeKind.CLOCK_JUMP, reason="-3600000")
REFUSED = Notice(
    at=AT, kind=NoticeKind.REFUSED, reason="private", number=3, host="intranet.example", port=443
)


def test_lines_come_back():
    assert parse_notices(encode_notice(JUMP) + encode_notice(REFUSED)) == (JUMP, REFUSED)
    assert parse_notices(b"") == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [("at", "now"), ("at", None), ("kind", "odd"), ("kind", 1), ("reason", None), ("number", -1), ("number", True), ("host", 1), ("port", "80")],
)  # fmt: skip
def test_wrong_members(name: str, value: object):
    line = json.loads(encode_notice(REFUSED))
    line[name] = value
    with pytest.raises(MalformedError, match=r"malformed\.(notices|time)"):
        parse_notices(encode(line) + b"\n")


@pytest.mark.parametrize(
    "data", [encode_notice(JUMP)[:-1], b"\n", b"{}\n", b"[]\n", encode_notice(JUMP) + b"x\n"]
)
def test_wrong_lines(data: bytes):
    with pytest.raises(MalformedError):
        parse_notices(data)


@given(st.binary(max_size=200))
def test_anything_is_read_or_refused(data: bytes):
    with suppress(MalformedError):
        assert len(parse_notices(data)) == data.count(b"\n")

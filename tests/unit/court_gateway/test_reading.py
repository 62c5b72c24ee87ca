"""Requests read strictly."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from evidence_desk.court.node.gateway.reading import (
    MAX_LEAVES,
    flag,
    leaves_of,
    number_of,
    one_number,
    query_of,
    read_body,
    read_leaves,
)
from evidence_desk.errors import MalformedError


def request(
    *chunks: bytes, query: bytes = b"", headers: dict[bytes, bytes] | None = None, breaks: bool = False
) -> Request:
    waiting = list(chunks)

    async def receive() -> dict[str, object]:
        if not waiting and breaks:
            return {"type": "http.disconnect"}
        chunk = waiting.pop(0) if waiting else b""
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting) or breaks}

    scope = {
        "type": "http", "method": "POST", "path": "/", "query_string": query, "server": ("x", 80), "scheme": "http",
        "headers": list((headers or {}).items()),
    }  # fmt: skip
    return Request(scope, receive)


def body(made: Request, limit: int = 10) -> bytes:
    return asyncio.run(read_body(made, limit, what="body"))


def test_bodies():
    assert body(request()) == b""
    assert body(request(b"0123456789")) == b"0123456789"
    assert body(request(b"01234", b"56789")) == b"0123456789"


@pytest.mark.parametrize(
    "made",
    [
        request(b"0123456789", b"0"),
        request(b"0", headers={b"content-length": b"11"}),
        request(b"0", headers={b"content-length": b"9" * 30}),
    ],
)
def test_a_body_that_is_too_large(made):
    with pytest.raises(MalformedError) as told:
        body(made)
    assert told.value.code == "malformed.too_large"


def test_a_body_that_breaks_off():
    with pytest.raises(MalformedError) as told:
        body(request(b"01", breaks=True))
    assert told.value.code == "malformed.api_body"


@given(st.text(max_size=20))
def test_a_number_has_one_spelling(text):
    try:
        value = number_of(text, name="x")
    except MalformedError:
        return
    assert str(value) == text
    assert 0 <= value < 2**53


@given(st.integers(0, 2**53 - 1))
def test_every_number_is_read(value):
    assert number_of(str(value), name="x") == value


@given(st.binary(max_size=60))
def test_any_query(query):
    try:
        found = query_of(request(query=query), frozenset({"leaf", "from", "fresh"}))
        leaves_of(found)
        one_number(found, "from", 0)
        flag(found, "fresh")
    except MalformedError:
        return
    assert set(found) <= {"leaf", "from", "fresh"}


def test_parameters_are_said_once():
    with pytest.raises(MalformedError):
        one_number(query_of(request(query=b"from=1&from=1"), frozenset({"from"})), "from", 0)
    assert one_number({}, "from", 7) == 7
    assert flag(query_of(request(query=b"fresh=1"), frozenset({"fresh"})), "fresh")
    assert not flag({}, "fresh")
    with pytest.raises(MalformedError):
        flag({"fresh": ["1", "1"]}, "fresh")


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_any_body_of_leaves(data):
    try:
        asyncio.run(read_leaves(request(data)))
    except MalformedError:
        return
    assert set(json.loads(data)) == {"leaves"}


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=5))
def test_leaves_are_read(leaves):
    data = json.dumps({"leaves": [leaf.hex() for leaf in leaves]}).encode()
    assert asyncio.run(read_leaves(request(data))) == leaves


def test_as_many_leaves_as_the_limit():
    for count, fits in ((MAX_LEAVES, True), (MAX_LEAVES + 1, False)):
        data = json.dumps({"leaves": [f"{number:064x}" for number in range(count)]}).encode()
        if fits:
            assert len(asyncio.run(read_leaves(request(data)))) == count
        else:
            with pytest.raises(MalformedError):
                asyncio.run(read_leaves(request(data)))

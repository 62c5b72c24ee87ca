from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.court.protocol.carried import (
    MAX_TRANSACTIONS,
    OutboxFile,
    Wanted,
    parse_answers,
    parse_outbox,
)
from evidence_desk.errors import MalformedError
from tests.fixed import ORIGIN
from tests.unit.court.network import CHAIN, digest

OUTBOX = OutboxFile(
    chain_id=CHAIN,
    origin=ORIGIN,
    registration=b"registration",
    transactions=(b"one", b"two"),
    wanted=(Wanted(size=12, root=digest("root"), leaves=(digest(1), digest(2))),),
)


def test_an_outbox_reads_back():
    assert parse_outbox(OUTBOX.encode()) == OUTBOX


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("v", "outbox/2"),
        ("chain_id", 5),
        ("chain_id", ""),
        ("origin", "desk"),
        ("registration", ""),
        ("transactions", [""]),
        ("transactions", ["b25l"] * (MAX_TRANSACTIONS + 1)),
        ("transactions", "b25l"),
        ("wanted", [{"size": 0, "root": "00" * 32, "leaves": ["00" * 32]}]),
        ("wanted", [{"size": 1, "root": "00" * 32, "leaves": []}]),
        ("wanted", [{"size": 1, "root": "00" * 32, "leaves": ["00" * 32] * 2}]),
        ("wanted", [{"size": 1, "root": "00", "leaves": ["00" * 32]}]),
        ("wanted", [{"size": 1, "leaves": ["00" * 32]}]),
        ("more", 1),
    ],
)
def test_other_forms_are_refused(member, value):
    document = json.loads(OUTBOX.encode())
    document[member] = value
    with pytest.raises(MalformedError):
        parse_outbox(encode(document))


@given(st.binary(max_size=300))
def test_readers_never_crash(data):
    for read in (parse_outbox, parse_answers):
        with pytest.raises(MalformedError):
            read(data)


@given(
    st.dictionaries(
        st.sampled_from(["v", "chain_id", "origin", "desk", "anchors"]),
        st.none()
        | st.text()
        | st.integers(0, 9)
        | st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=3)), max_size=2),
    )
)
def test_answers_of_other_forms_are_refused(value):
    for version in ({}, {"v": "answers/1"}):
        with pytest.raises(MalformedError):
            parse_answers(encode({**value, **version}))

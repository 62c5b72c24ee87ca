"""What the replay browser and its starter say to each other."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.capture.replay import (
    ReplayEnded,
    ReplayFailed,
    ReplayMessage,
    ReplayOpened,
    ReplayOrder,
    ReplayShown,
    encode_replay,
    parse_replay,
)
from evidence_desk.errors import MalformedError

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
VALUES = {"str": TEXT, "int": st.integers(0, 10**9), "bool": st.booleans()}


def made(kind: type[ReplayMessage]) -> st.SearchStrategy[ReplayMessage]:
    return st.builds(kind, **{item.name: VALUES[str(item.type)] for item in fields(kind)})


@given(st.one_of(*map(made, (ReplayOrder, ReplayOpened, ReplayShown, ReplayFailed, ReplayEnded))))
def test_what_is_said_is_heard(message: ReplayMessage) -> None:
    assert parse_replay(encode_replay(message)) == message


@pytest.mark.parametrize(
    "line",
    [
        b"", b"[]", b"{}", b'{"facts":{},"kind":"order"}', b'{"facts":[],"kind":"ended"}', b'{"facts":{"a":1},"kind":"ended"}',
        b'{"facts":{},"kind":"opened"}', b'{"facts":{"pages":true},"kind":"opened"}', b'{"facts":{"pages":-1},"kind":"opened"}',
        b'{"facts":{"pages":"1"},"kind":"opened"}', b'{"facts":{},"kind":1}', b'{"facts":{},"kind":"ended","x":1}', b"[" * 9999,
    ],
)  # fmt: skip
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_replay(line)


@given(st.binary(max_size=60))
def test_noise(line: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_replay(line)

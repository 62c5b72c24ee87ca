"""What a gateway hands over of a log is bounded: leaf, envelope, page and all that is held at once."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.envelope import MAX_ENVELOPE
from evidence_desk.core.leaf import MAX_LEAF
from evidence_desk.core.rows import Submission
from evidence_desk.errors import MalformedError
from evidence_desk.services import fetch_log as module
from evidence_desk.services.court_query import Court, GatewayFault
from evidence_desk.services.fetch_log import ask_envelopes, ask_leaves
from tests.unit.services.court import HandMadeCourt, court_of

ORIGIN = "desk.test/a/1"


@dataclass
class Pages:
    """A gateway that only knows leaves; `pair` makes one by its seq, a page has at most `most`."""

    pair: Callable[[int], list[str | None]]
    url: str = "http://pages.example"
    most: int = 500
    asked: list[int] = field(default_factory=list)

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> bytes:
        assert path.endswith("/leaves")
        assert parameters
        start, count = int(parameters["start"]), int(parameters["count"])
        self.asked.append(count)
        found: Any = [self.pair(seq) for seq in range(start, start + min(count, self.most))]
        return encode({"v": "leaves/1", "origin": ORIGIN, "start": start, "leaves": found})

    def submit(self, transaction: bytes) -> Submission:
        raise NotImplementedError

    def post(self, path: str, body: bytes) -> bytes:
        raise NotImplementedError

    def keybag(self, method: str, family: str, *, authorization: str, body: bytes = b"") -> bytes:
        raise NotImplementedError


def text(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


def asked_of(*gateways: Pages) -> Court:
    court = court_of(HandMadeCourt())
    return Court(trust=court.trust, roots=court.roots, gateways=gateways, clock=court.clock)


def test_the_greatest_leaf_and_envelope():
    assert ask_leaves(Pages(lambda _: [text(MAX_LEAF), text(MAX_ENVELOPE)]), ORIGIN, 0, 1) == [
        (bytes(MAX_LEAF), bytes(MAX_ENVELOPE))
    ]


@pytest.mark.parametrize(
    ("leaf", "envelope", "what"),
    [(MAX_LEAF + 1, 1, "leaf"), (1, MAX_ENVELOPE + 1, "envelope"), (1, 2 << 20, "leaves")],
)
def test_beyond_them(leaf, envelope, what):
    with pytest.raises(MalformedError) as caught:
        ask_leaves(Pages(lambda _: [text(leaf), text(envelope)]), ORIGIN, 0, 1)
    assert (caught.value.code, caught.value.parameters["what"]) == ("malformed.too_large", what)


def test_what_is_held_at_once_has_an_end(monkeypatch):
    monkeypatch.setattr(module, "MAX_HELD", 10_000)
    pages = Pages(lambda _: [text(1), text(999)], most=4)
    with pytest.raises(MalformedError) as caught:
        ask_leaves(pages, ORIGIN, 0, 1_000)
    assert caught.value.parameters["limit"] == 10_000
    assert len(pages.asked) == 3
    assert len(ask_leaves(pages, ORIGIN, 0, 10)) == 10


def test_a_run_fits_whatever_its_envelopes_have():
    assert module.RUN * (MAX_LEAF + MAX_ENVELOPE) <= module.MAX_HELD


def test_an_excess_is_that_gateway_s_fault_and_the_next_one_is_asked():
    wanted = {seq: bytes(9) for seq in range(250)}
    liar = Pages(lambda _: [text(9), text(MAX_ENVELOPE + 1)], most=1)
    honest = Pages(lambda _: [text(9), text(5)], url="http://honest.example")
    faults: list[GatewayFault] = []
    found = list(ask_envelopes(asked_of(liar, honest), ORIGIN, wanted, faults))
    assert found == [(honest.url, seq, bytes(5)) for seq in range(250)]
    assert [(item.gateway, item.code) for item in faults] == [(liar.url, "malformed.too_large")]
    assert honest.asked == [100, 100, 50]

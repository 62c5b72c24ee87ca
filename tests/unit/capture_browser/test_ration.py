"""However much pages cause, the action log stays within what its readers take."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, get_args, get_type_hints

import pytest

from evidence_desk.core.canonical import encode
from evidence_desk.core.capture.actions import MAX_LINE, Action, verify_actions
from evidence_desk.core.capture.events import (
    CertificateRefused,
    Deed,
    Dialog,
    Done,
    Ended,
    Event,
    Fault,
    Heartbeat,
    PageState,
    Snapped,
    Step,
    Visited,
)
from evidence_desk.core.digests import sha256
from evidence_desk.core.moment import format_moment
from evidence_desk.verify import capture, capture_told
from ui.capture_browser import ration
from ui.capture_browser.ration import LINE, LONGEST, MAX_ALIKE, MAX_LOG, Ration

AT = format_moment(datetime(2026, 3, 2, 1, 30, 0, 123456, tzinfo=UTC))
DONE = Done(reason=Ended.FAULT, steps=1, snapshots=1, requests=1, failed=1)
WORST = "\x01"
"""Six bytes in JSON."""
OURS = ("started", "heartbeat", "snapped", "visited", "fault", "done")


def worst(kind: Any, length: int) -> Any:
    """An event whose texts are so long, and as bad as they can be."""
    hints = get_type_hints(kind)
    given: dict[str, object] = {}
    for field in fields(kind):
        hint = hints[field.name]
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            given[field.name] = next(iter(hint))
        else:
            given[field.name] = {str: WORST * length, int: 2**50, bool: True}.get(hint, (WORST * length,) * 2)
    return kind(**given)


def dialog(text: str) -> Dialog:
    return Dialog(tab=1, url="", form="alert", text=text, answer="closed", by_user=False)


def visited(number: int) -> Visited:
    return Visited(
        number=number, url="https://a.example/" + "长" * 2700, reached="https://a.example/" + "x" * 8000, status=200,
        failed=0, state=PageState.LOADED, reasons=(),
    )  # fmt: skip


def snapped(number: int, url: str = "https://a.example/" + "长" * 8000) -> Snapped:
    return Snapped(
        number=number, tab=1, url=url, title="长" * 500, names=tuple(f"page-{number:03}-full-{part:02}.png" for part in range(10)),
        missing=(), sha256=("a" * 64,) * 10, page_height=40_000, shown_height=40_000,
    )  # fmt: skip


class Listener:
    """A ration, what came through, and how long the action log of it would be."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.size = self.full = 0
        self.longest = 0
        self.ration = Ration(self.hear, self.on_full)

    def hear(self, event: Event) -> None:
        self.told.append(event)
        if not isinstance(event, Heartbeat):
            number = 10**6 + len(self.told)
            line = encode(Action(number=number, at=AT, event=event, previous=bytes(32)).to_json()) + b"\n"
            self.size += len(line)
            self.longest = max(self.longest, len(line))

    def on_full(self) -> None:
        self.full += 1

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]


@pytest.fixture
def listener() -> Listener:
    return Listener()


def test_readers_take_more_than_is_ever_told():
    assert min(capture._MAX_SMALL, capture_told._MAX_LOG) > MAX_LOG + (1 << 20)
    assert LONGEST + LINE < MAX_LINE


def test_no_page_fills_the_log(listener):
    """All kinds of events that there are, as many and as bad as can be; there is always room for what the browser did."""
    kinds = [kind for kind in get_args(Event) if kind.kind not in OURS]
    for kind in kinds:
        for length in (2000, 400, 20):
            event = worst(kind, length)
            for number in range(25_000 if kind is Step else 2100):
                listener.ration.say(
                    replace(event, chain=(WORST * length, str(number)))
                    if kind is CertificateRefused
                    else event
                )
    assert {fault.detail for fault in listener.of(Fault)} == {kind.kind for kind in kinds}
    assert listener.full == 0
    for number in range(500):
        listener.ration.say(visited(number))
        listener.ration.say(snapped(number))
    assert len(listener.of(Visited)) == 500
    assert listener.size <= MAX_LOG
    assert listener.longest <= MAX_LINE
    assert listener.full == 0


def test_when_snapshots_fill_it_the_capture_ends(listener, monkeypatch):
    monkeypatch.setattr(ration, "MAX_LOG", 20 << 20)
    for number in range(4_000):
        listener.ration.say(snapped(number))
    assert listener.full == 1
    assert listener.ration.over
    listener.ration.say(dialog("more"))
    listener.ration.say(Fault(code="capture.browser_fault", detail=""))
    listener.ration.say(DONE)
    assert listener.told[-1] == DONE
    assert listener.of(Dialog) == listener.of(Fault) == []
    assert listener.size <= (20 << 20) + 10_000


def test_long_addresses_are_left_out_of_snapshots_when_there_are_many(listener):
    for number in range(1000):
        listener.ration.say(snapped(number))
    first, *_, last = listener.of(Snapped)
    assert (first.url, first.title) == (snapped(0).url, snapped(0).title)
    assert (last.url, len(last.title)) == ("", 200)
    listener.ration.say(snapped(1000, "https://a.example/"))
    assert listener.told[-1].url == "https://a.example/"


def test_of_each_kind_so_many_then_it_is_told_once(listener):
    for number in range(3 * MAX_ALIKE):
        listener.ration.say(dialog(str(number)))
    assert [event.text for event in listener.of(Dialog)] == [str(number) for number in range(MAX_ALIKE - 1)]
    assert listener.of(Fault) == [Fault(code="capture.browser_flood", detail="dialog")]
    step = Step(number=1, tab=1, deed=Deed.CLICK, url="", target="")
    listener.ration.say(step)
    assert listener.told[-1] == step, "other kinds go on"


def test_faults_are_told_within_bounds_too(listener):
    for _ in range(3 * MAX_ALIKE):
        listener.ration.say(Fault(code="capture.browser_fault", detail=WORST * 500))
    assert len(listener.of(Fault)) <= MAX_ALIKE
    assert listener.of(Fault)[-1] == Fault(code="capture.browser_flood", detail="fault")


def test_one_event_that_is_too_long_is_not_told(listener):
    listener.ration.say(dialog("x" * LONGEST))
    assert listener.told == [Fault(code="capture.browser_flood", detail="dialog")]


def test_a_chain_is_told_once_then_its_digest(listener):
    refused = CertificateRefused(
        url="", host="a.example", error="CertificateDateInvalid", main_frame=True, accepted=False, chain=("PEM 1", "PEM 2")
    )  # fmt: skip
    bare, other = replace(refused, chain=()), replace(refused, chain=("PEM 1",))
    for event in (refused, refused, other, bare, bare):
        listener.ration.say(event)
    named = f"sha256:{sha256(b'PEM 1PEM 2').hex()}"
    assert [event.chain for event in listener.told] == [("PEM 1", "PEM 2"), (named,), ("PEM 1",), (), ()]


def test_what_is_told_is_read_again(listener):
    listener.ration.say(visited(1))
    line = encode(Action(number=1, at=AT, event=listener.told[0], previous=bytes(32)).to_json()) + b"\n"
    assert verify_actions(line).actions[0].event == visited(1)

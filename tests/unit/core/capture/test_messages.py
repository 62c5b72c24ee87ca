import json
import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.canonical import JSON, encode
from evidence_desk.core.capture.events import (
    MAX_TEXT,
    CertificateRefused,
    Deed,
    Denied,
    Done,
    Ended,
    Event,
    Heartbeat,
    PageState,
    Snapped,
    Step,
    Visited,
    clean,
)
from evidence_desk.core.capture.messages import (
    MAX_LINE,
    Command,
    Navigate,
    Recorded,
    Setup,
    Snapshot,
    Stop,
    encode_message,
    facts,
    parse_command,
    parse_event,
    read_event,
)
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.errors import BugError, EvidenceDeskError, MalformedError
from evidence_desk.texts import Language, has
from tests.codes import ROOT

SETUP = Setup(
    plan=CapturePlan(urls=("https://a.example/",)),
    folder="/证据/1",
    proxy_port=1080,
    debug_port=9222,
    tongue="zh",
)
EVENTS = (
    Heartbeat(requests=3, failed=0, console=1, errors=0),
    Step(number=1, tab=1, deed=Deed.TYPE, url="https://a.example/", target="input[password]"),
    Visited(
        number=1, url="https://a.example/", reached="", status=0, failed=2, state=PageState.FAILED,
        reasons=("capture.page.timeout",),
    ),
    CertificateRefused(
        url="https://a.example/", host="a.example", error="CertificateDateInvalid", main_frame=True, accepted=False,
        chain=("-----BEGIN…", ""),
    ),
    Done(reason=Ended.LIMIT, steps=0, snapshots=1, requests=2, failed=0),
)  # fmt: skip


@pytest.mark.parametrize("event", EVENTS)
def test_events_come_back(event):
    line = encode_message(event)
    assert line.endswith(b"\n")
    assert parse_event(line) == event
    assert read_event(event.kind, facts(event)) == event


@pytest.mark.parametrize(
    "command",
    [SETUP, Navigate(url="https://a.example/"), Snapshot(), Recorded(connections=1, size=2), Stop()],
)
def test_commands_come_back(command):
    assert parse_command(encode_message(command)) == command


def test_every_kind_is_one_word_of_its_own():
    kinds = [kind.kind for kind in (*get_args(Event), *get_args(Command))]
    assert len(set(kinds)) == len(kinds)


def test_sides_do_not_take_each_others_messages():
    with pytest.raises(MalformedError):
        parse_event(encode_message(Stop()))
    with pytest.raises(MalformedError):
        parse_command(encode_message(EVENTS[0]))


@pytest.mark.parametrize(
    "facts_of_step",
    [
        {"number": -1},
        {"number": True},
        {"number": "1"},
        {"deed": "hack"},
        {"deed": 5},
        {"url": None},
        {"url": 5},
        {"more": ""},
    ],
)
def test_other_members_are_refused(facts_of_step):
    value = {**facts(EVENTS[1]), **facts_of_step}
    with pytest.raises(MalformedError):
        parse_event(encode({"kind": "step", "facts": value}))


def test_lists_hold_what_they_should():
    value = facts(EVENTS[3])
    chains: list[JSON] = ["x", [5], [["x"]]]
    for chain in chains:
        with pytest.raises(MalformedError):
            parse_event(encode({"kind": "certificate-error", "facts": {**value, "chain": chain}}))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b'{"facts":{},"kind":5}',
        b'{"facts":[],"kind":"step"}',
        b'{"facts":{},"kind":"unknown"}',
        b'{"kind":"stop","facts":{}}',
        b'{"facts":{},"kind":"stop"} ',
        b"\xff",
    ],
)
def test_other_lines_are_refused(line):
    with pytest.raises(MalformedError):
        parse_event(line)
    with pytest.raises(MalformedError):
        parse_command(line)


@given(st.binary(max_size=200))
def test_bytes_are_read_or_refused(line):
    for parse in (parse_event, parse_command):
        try:
            parse(line)
        except EvidenceDeskError as error:
            assert isinstance(error, MalformedError)  # noqa: PT017


def test_a_line_that_is_too_long_is_not_written():
    with pytest.raises(BugError):
        encode_message(Navigate(url="x" * MAX_LINE))


def test_what_no_message_holds_is_not_written():
    with pytest.raises(BugError):
        encode_message(Navigate(url=1.5))  # type: ignore[arg-type]


def test_texts_of_pages_are_made_safe_to_write():
    assert clean("a\ud800b") == "a\ufffdb"
    assert clean("\U0001f600" * 5000) == "\U0001f600" * MAX_TEXT
    assert clean("abcdef", 3) == "abc"


@given(st.text(st.characters(), max_size=50), st.integers(0, 60))
def test_clean_text_can_be_told(text, limit):
    said = clean(text, limit)
    assert len(said) <= limit
    assert parse_event(encode_message(Step(number=1, tab=1, deed=Deed.CLICK, url="", target=said)))


def test_a_snapshot_is_plain_json():
    event = Snapped(
        number=1, tab=1, url="https://a.example/", title="题", names=("page-001.txt",), missing=(), sha256=("00",),
        page_height=1, shown_height=1,
    )  # fmt: skip
    assert json.loads(encode_message(event))["facts"]["names"] == ["page-001.txt"]


@pytest.mark.parametrize("language", Language)
def test_codes_that_the_browser_tells_have_sentences(language):
    """They are put together in the browser's process, where the scan for codes does not look."""
    missing = [code for code in codes_in_the_browser() if not has(code, language)]
    assert missing == []


def codes_in_the_browser() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "ui" / "capture_browser").glob("*.py"):
        found |= set(
            re.findall(r'"(capture\.(?:page|snapshot|browser|window)[a-z_.]*[a-z])"', path.read_text("utf-8"))
        )
    kinds = ("picture", "text", "dom", "mhtml", "pdf")
    found |= {f"capture.snapshot.{kind}{end}" for kind in kinds for end in ("", "_end")}
    assert len(found) > 40
    return found | {f"capture.denied.{what.value}" for what in Denied}

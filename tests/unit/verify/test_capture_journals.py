"""The recorder's journals against its index: what a forger forgets to change in one of them is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_desk.core.canonical import encode
from evidence_desk.core.capture.environment import because
from evidence_desk.core.verdict import Status
from tests.unit.verify.captures import BEGUN, broken, built, codes, judged, recorded, sealed

Lines = list[dict[str, Any]]
OPENED, LOOKUPS, INDEX = "opened.jsonl", "lookups.jsonl", "connections.jsonl"


def changed(data: bytes, change: Callable[[Lines], object]) -> bytes:
    lines = [json.loads(line) for line in data.splitlines()]
    change(lines)
    return b"".join(encode(line) + b"\n" for line in lines)


def found(name: str, change_lines: Callable[[Lines], object], *, end: bool = True, **more: Any):
    streams, key_log = recorded()
    put = {**streams, name: changed(streams[name], change_lines)}
    data, bond = sealed({**put, **built(streams, key_log)}, {"keylog.txt": key_log}, end=end, **more)
    return judged(data, bond)


def test_journals_of_a_sound_capture_agree():
    verdict = found(OPENED, list)
    assert {"capture.opened_lines.right", "capture.lookups.right"} <= codes(verdict, Status.PASSED)
    assert broken(verdict) == set()


CHANGES: dict[str, tuple[str, Callable[[Lines], object], str]] = {
    "a connection forgotten": (OPENED, lambda lines: lines.pop(), "opened_lines.missing"),
    "a connection invented": (
        OPENED,
        lambda lines: lines.append(lines[0] | {"number": 9}),
        "opened_lines.strange",
    ),
    "another address": (OPENED, lambda lines: lines[0].update(address="203.0.113.9"), "opened_lines.other"),
    "another moment": (
        OPENED,
        lambda lines: lines[0].update(opened_at="2026-02-02T02:40:59.000Z"),
        "opened_lines.other",
    ),
    "bytes before the first": (OPENED, lambda lines: lines[0].update(sent=1), "opened_lines.other"),
    "a member too many": (OPENED, lambda lines: lines[0].update(more=1), "opened_lines.malformed"),
    "a lookup forgotten": (LOOKUPS, lambda lines: lines.clear(), "lookups.unanswered"),
    "another answer": (
        LOOKUPS,
        lambda lines: [line.update(answers=["203.0.113.9"]) for line in lines],
        "lookups.unanswered",
    ),
    "a lookup invented": (
        LOOKUPS,
        lambda lines: lines.append(lines[0] | {"host": "bank.test"}),
        "lookups.unasked",
    ),
    "an independent server's word": (
        LOOKUPS,
        lambda lines: [line.update(kind="A", server="192.0.2.53:53", transport="udp") for line in lines],
        "lookups.unanswered",
    ),
    "an answer that is no address": (
        LOOKUPS,
        lambda lines: lines[0].update(answers=["203.0.113.7 "]),
        "lookups.wrong",
    ),
    "a question that nobody asks so": (
        LOOKUPS,
        lambda lines: lines[0].update(kind="MX", server="192.0.2.53:53", transport="udp"),
        "lookups.wrong",
    ),
    "no outcome": (LOOKUPS, lambda lines: lines[0].update(outcome="fine"), "lookups.malformed"),
    "an address that nobody answered": (
        INDEX,
        lambda lines: lines[0].update(address="203.0.113.9"),
        "lookups.address",
    ),
    "a connection without an address": (
        INDEX,
        lambda lines: lines[0].update(address=None),
        "lookups.address",
    ),
}


@pytest.mark.parametrize(("name", "change", "code"), CHANGES.values(), ids=CHANGES)
def test_journals_that_say_other_than_the_index(name, change, code):
    assert f"capture.{code}" in broken(found(name, change))


def elsewhere(lines: Lines, address: str) -> None:
    for line in lines:
        line["answers"] = [address]
        if "address" in line:
            line["address"] = address


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "fd00::1", "169.254.169.254"])
def test_an_address_of_a_private_network_that_was_not_allowed(address):
    streams, key_log = recorded()
    put = {
        name: changed(streams[name], partial(elsewhere, address=address)) for name in (INDEX, OPENED, LOOKUPS)
    }
    data, bond = sealed({**streams, **put, **built(streams, key_log)}, {"keylog.txt": key_log}, end=True)
    assert "capture.lookups.private" in codes(judged(data, bond), Status.FAILED)


def test_a_recording_that_was_cut_short_may_lack_lookups_and_is_not_called_right():
    for verdict in (
        found(LOOKUPS, lambda lines: lines.clear(), end=False),
        found(
            LOOKUPS,
            lambda lines: lines.clear(),
            change=lambda it: replace(it, reasons=(because("host.disk_full"),)),
        ),
    ):
        assert broken(verdict) == set()
        assert "capture.lookups.cut" in codes(verdict, Status.UNDETERMINED)


def test_a_torn_last_line_is_no_fault_of_a_recorder_that_was_killed():
    streams, key_log = recorded()
    torn = {**streams, LOOKUPS: streams[LOOKUPS] + b'{"aliases":', OPENED: streams[OPENED] + b"{"}
    for end, expected in (
        (False, set()),
        (True, {"capture.lookups.malformed", "capture.opened_lines.malformed", "capture.moments.malformed"}),
    ):
        data, bond = sealed({**torn, **built(streams, key_log)}, {"keylog.txt": key_log}, end=end)
        assert broken(judged(data, bond)) == expected


def test_moments_outside_of_the_capture_are_told():
    late = (BEGUN + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    for name, member in ((LOOKUPS, "asked_at"), (INDEX, "closed_at")):
        verdict = found(name, lambda lines, member=member: lines[0].update({member: late}))  # type: ignore[misc]
        told = [item.parameters for item in verdict.findings if item.code == "capture.moments.strange"]
        assert {"name": name, "at": late} in told


@given(st.sampled_from([OPENED, LOOKUPS, "notices.jsonl"]), st.integers(0, 1 << 20), st.binary(max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_bytes_in_a_journal_are_judged_and_not_crashed_on(name, place, junk):
    streams, key_log = recorded()
    data = streams.get(name, b"")
    place %= len(data) + 1
    put = {**streams, name: data[:place] + junk + data[place:]}
    wacz, bond = sealed({**put, **built(streams, key_log)}, {"keylog.txt": key_log}, end=True)
    checks = {item.check for item in judged(wacz, bond).findings}
    assert {"capture.opened_lines", "capture.lookups"} <= checks

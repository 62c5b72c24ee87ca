"""environment/1: round trip, one spelling, refusal of everything else, and what `compare` tells."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.core.capture.environment import (
    MAX_KEPT,
    MAX_VALUE,
    MAX_VALUES,
    Change,
    Check,
    EnvironmentReport,
    Item,
    Outcome,
    When,
    because,
    compare,
    kept,
    raw_output,
    values,
    worst,
)
from evidence_desk.core.capture.environment_codec import encode, parse
from evidence_desk.core.digests import DigestPair
from evidence_desk.errors import MalformedError

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def an_item(check: Check = Check.HOSTS, outcome: Outcome = Outcome.PASS, **facts: tuple[str, ...]) -> Item:
    return Item(
        check=check,
        outcome=outcome,
        reasons=(because("environment.hosts.plain", count=2),),
        facts=facts,
        raws=(raw_output("/etc/hosts", "127.0.0.1 本机\n".encode()),),
        duration_ms=3,
    )


def a_report(*items: Item, when: When = When.BEFORE, **changes: object) -> EnvironmentReport:
    report = EnvironmentReport(
        when=when, system="linux", started=AT, finished=AT + timedelta(seconds=2), uptime_ms=60_000,
        targets=("example.com:443",), items=items, demo=("演示时间戳机构",),
    )  # fmt: skip
    return replace(report, **changes)  # type: ignore[arg-type]


def test_round_trip():
    binary = raw_output("GetExtendedTcpTable", b"\xff\x00", exit_code=1, masked=True)
    private = raw_output("ps", b"1 init\n", attachment="environment-before-processes.txt")
    report = a_report(replace(an_item(entries=("10.0.0.1 a",)), raws=(binary, private)), an_item(Check.DISK))
    assert parse(encode(report)) == report
    assert private.kept == b""
    assert private.cut
    assert not binary.cut
    assert (report.count(Outcome.PASS), report.count(Outcome.FAIL)) == (2, 0)
    assert report.item(Check.DISK) is report.items[1]
    assert report.item(Check.CLOCK) is None


def test_a_long_output_is_cut_between_characters_and_says_so():
    text = ("证" * MAX_KEPT).encode()
    raw = raw_output("x", text)
    assert raw.cut
    assert raw.size == len(text)
    assert raw.digests == DigestPair.of(text)
    assert 0 < MAX_KEPT - len(raw.kept) < 3
    raw.kept.decode("utf-8")
    for size in range(4):
        data = b"a" * size + "😀é证".encode() * MAX_KEPT
        assert data.startswith(kept(data))
        kept(data).decode("utf-8")
    assert kept(b"\xff" * (MAX_KEPT + 1)) == b"\xff" * MAX_KEPT
    assert kept(b"\x80" * (MAX_KEPT + 1)) == b"\x80" * MAX_KEPT
    assert parse(encode(a_report(replace(an_item(), raws=(raw,))))).items[0].raws == (raw,)


def spoiled(path: list[str | int], value: object) -> bytes:
    top = json.loads(encode(a_report(an_item(entries=("a",)), an_item(Check.DISK))))
    place = top
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return json.dumps(top, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


RAW: list[str | int] = ["items", 0, "raws", 0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["v"], "environment/2"), (["when"], "during"), (["when"], 1), (["extra"], 1), (["items"], {}), (["items", 0], []),
        (["items", 0, "check"], "disk"), (["items", 0, "check"], "nonsense"), (["items", 0, "outcome"], "passed"),
        (["items", 0, "reasons"], []), (["items", 0, "reasons", 0, "code"], "clock.x"),
        (["items", 0, "reasons", 0, "parameters"], {"A b": 1}), (["items", 0, "reasons", 0, "parameters"], {"a": True}),
        (["items", 0, "facts"], {"Big": []}), (["items", 0, "facts"], {"a": ["x" * 1001]}), (["items", 0, "facts"], []),
        (["items", 0, "facts"], {"a": ["x"] * 513}), (["items", 0, "duration_ms"], -1), (["uptime_ms"], True),
        (["started"], "2026"), (["system"], "x" * 41), (["targets"], ["t"] * 65),
        ([*RAW, "size"], 1), ([*RAW, "kept"], "x"), ([*RAW, "kept"], "x" * (MAX_KEPT + 1)), ([*RAW, "kept"], 5),
        ([*RAW, "kept"], "x" * (2 * MAX_KEPT + 1)), ([*RAW, "encoding"], "base64"), ([*RAW, "encoding"], "hex"),
        ([*RAW, "exit_code"], True), ([*RAW, "masked"], 0), ([*RAW, "attachment"], "environment-before-processes.txt"),
        ([*RAW, "attachment"], "../x"), ([*RAW, "digests", "sm3"], "0" * 64), ([*RAW, "more"], 0),
    ],
)  # fmt: skip
def test_everything_else_is_refused(path, value):
    with pytest.raises(MalformedError):
        parse(spoiled(path, value))


def test_base64_is_only_for_what_is_no_text():
    path = [*RAW[:-1], 0]
    top = json.loads(spoiled([*path, "masked"], value=False))
    raw = top["items"][0]["raws"][0]
    raw["encoding"], raw["kept"] = "base64", "eA=="
    raw["size"], raw["digests"] = 1, DigestPair.of(b"x").to_json()
    with pytest.raises(MalformedError):
        parse(json.dumps(top, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())


@given(st.binary(max_size=300))
def test_foreign_bytes_only_raise_our_error(data):
    with pytest.raises(MalformedError):
        parse(data)


@given(st.data())
def test_a_changed_byte_is_another_report_or_none(data):
    good = encode(a_report(an_item(entries=("a",))))
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= data.draw(st.integers(1, 255))
    try:
        report = parse(bytes(bad))
    except MalformedError:
        return
    assert encode(report) == bytes(bad) != good


def test_values_are_bounded_and_in_order():
    assert values(["b", "a", "b"]) == ("a", "b")
    assert values(["b", "a", "b"], ordered=True) == ("b", "a")
    many = values(f"{number:04}" for number in range(MAX_VALUES + 5))
    assert len(many) == MAX_VALUES
    assert many[-1] == "+6"
    assert len(values(["x" * 5000])[0]) == MAX_VALUE
    assert values(["\ud800"]) == ("\\ud800",)


def test_the_worst_outcome():
    assert worst([]) is Outcome.UNCHECKED
    assert worst([Outcome.PASS]) is Outcome.PASS
    assert worst([Outcome.PASS, Outcome.UNCHECKED]) is Outcome.UNCHECKED
    assert worst([Outcome.UNCHECKED, Outcome.WARN]) is Outcome.WARN
    assert worst([Outcome.WARN, Outcome.FAIL]) is Outcome.FAIL


def later(*items: Item, **changes: object) -> EnvironmentReport:
    moved = {
        "started": AT + timedelta(seconds=90),
        "finished": AT + timedelta(seconds=92),
        "uptime_ms": 150_000,
    }
    return a_report(*items, when=When.AFTER, **(moved | changes))


def test_equal_reports_have_no_difference():
    assert compare(a_report(an_item(a=("1",))), later(an_item(a=("1",)))) == ()


def test_differences_name_only_what_changed():
    before = a_report(an_item(entries=("a", "b")), an_item(Check.DISK, order=("1", "2")))
    after = later(
        an_item(Check.HOSTS, Outcome.WARN, entries=("b", "c")),
        an_item(Check.DISK, order=("2", "1")),
        an_item(Check.PROFILE),
    )
    found = [(item.change, item.check, item.name, item.before, item.after) for item in compare(before, after)]
    assert found == [
        (Change.OUTCOME, Check.HOSTS, "outcome", ("pass",), ("warn",)),
        (Change.FACT, Check.HOSTS, "entries", ("a",), ("c",)),
        (Change.FACT, Check.DISK, "order", ("1", "2"), ("2", "1")),
        (Change.OUTCOME, Check.PROFILE, "outcome", (), ("pass",)),
    ]


def test_a_clock_that_jumps_a_restart_and_other_targets_are_told():
    before = a_report()
    assert [item.change for item in compare(before, later(uptime_ms=151_900))] == []
    assert [item.change for item in compare(before, later(uptime_ms=152_100))] == [Change.CLOCK]
    assert [item.change for item in compare(before, later(started=AT - timedelta(days=1)))] == [Change.CLOCK]
    assert [item.change for item in compare(before, later(uptime_ms=10))] == [Change.RESTART]
    assert [item.change for item in compare(before, later(targets=("b:443",)))] == [Change.TARGETS]

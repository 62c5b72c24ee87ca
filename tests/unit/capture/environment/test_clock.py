"""Clock: who counts, what a majority decides; time zone and time services from recorded outputs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from evidence_desk.capture.environment.clock import (
    Reading,
    ask_authority,
    ask_server,
    check_clock,
    check_zone,
    judge,
)
from evidence_desk.capture.environment.surroundings import AuthorityClock, ClockSources
from evidence_desk.core.capture.environment import Outcome
from evidence_desk.errors import RemoteError
from tests.unit.capture.environment.machines import a_machine, around, codes


def reading(offset: int, **facts: object) -> Reading:
    return Reading(**({"source": f"NTP {offset}", "offset_ms": offset, "uncertainty_ms": 20} | facts))  # type: ignore[arg-type]


SILENT = Reading(source="NTP silent", error="environment.ntp")


@pytest.mark.parametrize(
    ("readings", "outcome", "first"),
    [
        ([], Outcome.UNCHECKED, "clock.silent"),
        ([SILENT], Outcome.UNCHECKED, "clock.silent"),
        ([reading(3, counts=False)], Outcome.UNCHECKED, "clock.none_counts"),
        ([reading(3, uncertainty_ms=2_001)], Outcome.UNCHECKED, "clock.none_counts"),
        ([reading(3), SILENT], Outcome.WARN, "clock.one"),
        ([reading(3), reading(3, counts=False)], Outcome.WARN, "clock.one"),
        ([reading(3), reading(-40)], Outcome.PASS, "clock.agree"),
        ([reading(2_020), reading(0)], Outcome.PASS, "clock.agree"),
        ([reading(2_021), reading(0)], Outcome.WARN, "clock.disagree"),
        ([reading(9_000), reading(0), reading(1)], Outcome.WARN, "clock.disagree"),
        ([reading(9_000), reading(9_001), reading(1)], Outcome.FAIL, "clock.off"),
        ([reading(-9_000)], Outcome.FAIL, "clock.off"),
        ([reading(-9_000), reading(0, counts=False), reading(0, counts=False)], Outcome.FAIL, "clock.off"),
    ],
)
def test_what_the_sources_decide(readings, outcome, first):
    item = judge(readings)
    assert item.outcome is outcome
    assert codes(item)[0] == first
    assert len(item.raws[0].kept.splitlines()) == len(readings)


def test_sources_that_do_not_count_are_told_and_why():
    item = judge([reading(1), reading(2), reading(3, counts=False), reading(4, uncertainty_ms=5_000), SILENT])
    assert codes(item) == ["clock.agree", "clock.some_silent", "clock.not_counted", "clock.uncertain"]
    assert item.facts["sources"] == ("NTP 1", "NTP 2", "NTP 3", "NTP 4")


def test_authorities_are_clocks_and_demonstrations_do_not_count():
    real = AuthorityClock(name="A", ask=lambda: datetime.now(UTC) - timedelta(seconds=7))
    demo = AuthorityClock(name="B", ask=lambda: datetime.now(UTC), demo=True)
    found = ask_authority(real)
    assert abs(found.offset_ms - 7_000) < 1_000
    assert found.uncertainty_ms >= 1_000
    assert found.counts
    assert not ask_authority(demo).counts


def test_an_authority_that_fails_is_told(tmp_path):
    def refuse() -> datetime:
        raise RemoteError("tsa.silent", reason="x")

    machine = ClockSources(ntp=("no-such-host.invalid",), authorities=(AuthorityClock(name="A", ask=refuse),))
    item = check_clock(around(a_machine(tmp_path), clocks=machine))
    assert item.outcome is Outcome.UNCHECKED
    text = item.raws[0].kept.decode()
    assert "TSA A: (tsa.silent x)" in text
    assert "NTP no-such-host.invalid: (environment.ntp" in text


def test_a_server_may_have_a_port():
    assert ask_server("127.0.0.1:1").error
    assert ask_server("::1").source == "NTP ::1"


SHOW = "Timezone=Asia/Shanghai\nLocalRTC=no\nCanNTP=yes\nNTP=yes\nNTPSynchronized={}\nTimeUSec=Sun 2026-11-22 16:30:15 CST\n"


@pytest.mark.parametrize(
    ("status", "output", "running", "outcome", "last"),
    [
        (0, SHOW.format("yes"), "", Outcome.PASS, "zone.synchronized"),
        (0, SHOW.format("no"), "chronyd", Outcome.WARN, "zone.unsynchronized"),
        (1, SHOW.format("yes"), "chronyd", Outcome.UNCHECKED, "zone.service"),
        (1, "", "", Outcome.UNCHECKED, "zone.unknown"),
    ],
)
def test_linux_time_service(tmp_path, status, output, running, outcome, last):
    files = {"/proc/7/comm": f"{running or 'bash'}\n", "/proc/7/cmdline": "x\0"}
    machine = a_machine(tmp_path, files=files, outputs={"timedatectl show": (status, output)})
    item = check_zone(around(machine))
    assert item.outcome is outcome
    assert codes(item) == ["zone.is", last]


QUERY = (
    "\r\nSERVICE_NAME: w32time \r\n        TYPE               : 30  WIN32  \r\n        STATE              : {}  {} \r\n"
    "        WIN32_EXIT_CODE    : 0  (0x0)\r\n"
)


@pytest.mark.parametrize(
    ("outputs", "outcome", "last"),
    [
        ({"sc.exe query": (0, QUERY.format(4, "RUNNING")), "w32tm.exe": (0, "Stratum: 4\r\n")}, Outcome.UNCHECKED, "zone.service"),
        ({"sc.exe query": (0, QUERY.format(1, "STOPPED")), "w32tm.exe": (1, "")}, Outcome.WARN, "zone.unsynchronized"),
        ({}, Outcome.UNCHECKED, "zone.unknown"),
    ],
)  # fmt: skip
def test_windows_time_service(tmp_path, outputs, outcome, last):
    item = check_zone(around(a_machine(tmp_path, outputs=outputs, system="windows")))
    assert item.outcome is outcome
    assert codes(item)[-1] == last

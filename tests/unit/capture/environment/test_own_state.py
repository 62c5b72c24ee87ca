"""Processes, program, disk and profile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evidence_desk.capture.environment import own_state
from evidence_desk.capture.environment.machine import Machine
from evidence_desk.capture.environment.own_state import (
    check_disk,
    check_processes,
    check_profile,
    check_program,
)
from evidence_desk.capture.environment.programs import REMOTE, changes, listing, matching, processes
from evidence_desk.capture.environment.surroundings import ProgramFacts
from evidence_desk.core.capture.environment import Outcome, When
from evidence_desk.core.digests import DigestPair
from tests.unit.capture.environment.machines import a_machine, around, codes

SECRET = "mysql -pOpenSesame"


def recorded(*names: str) -> dict[str, str]:
    files = {"/proc/self/comm": "x", "/proc/cpuinfo": "x"}
    for pid, name in enumerate(names, 1):
        files |= {f"/proc/{pid}/comm": f"{name[:15]}\n", f"/proc/{pid}/cmdline": f"/usr/bin/{name}\0--x\0"}
    return files


def test_the_list_is_private_and_only_its_digests_are_public(tmp_path):
    kept: dict[str, bytes] = {}
    files = recorded("systemd", "bash") | {"/proc/2/cmdline": SECRET.replace(" ", "\0")}
    item = check_processes(around(a_machine(tmp_path, files=files), keep=kept.__setitem__))
    assert item.outcome is Outcome.PASS
    data = kept["environment-before-processes.txt"]
    assert SECRET.encode() in data
    (raw,) = item.raws
    assert (raw.kept, raw.size, raw.digests) == (b"", len(data), DigestPair.of(data))
    assert "OpenSesame" not in repr(item)


def test_what_started_and_ended_is_counted_and_named_only_in_private(tmp_path):
    kept: dict[str, bytes] = {}
    earlier = b"1\tsystemd\t/usr/bin/systemd --x\n9\tbash\tbash -c secret\n9\tbash\tbash -c secret\n"
    machine = a_machine(tmp_path, files=recorded("systemd", "chrome"))
    item = check_processes(around(machine, when=When.AFTER, earlier=earlier, keep=kept.__setitem__))
    assert item.reasons[-1].parameters == {"started": 1, "ended": 2}
    data = kept["environment-after-process-changes.txt"]
    assert data.decode().splitlines() == ["+ chrome\t/usr/bin/chrome --x", *(["- bash\tbash -c secret"] * 2)]
    assert item.raws[1].digests == DigestPair.of(data)
    assert "secret" not in repr(item)
    assert changes(b"odd", b"odd\n") == ([], [])


def test_programs_that_intercept_or_debug_are_told(tmp_path):
    machine = a_machine(tmp_path, files=recorded("systemd", "mitmproxy", "gdb", "firefox"))
    item = check_processes(around(machine))
    assert item.outcome is Outcome.WARN
    assert item.facts["told"] == ("gdb", "mitmproxy")


def test_processes_of_others_may_be_hidden(tmp_path):
    files = {name.replace("/1/", "/900/"): text for name, text in recorded("bash").items()}
    item = check_processes(around(a_machine(tmp_path, files=files)))
    assert (item.outcome, codes(item)) == (Outcome.UNCHECKED, ["processes.partly"])
    assert codes(check_processes(around(a_machine(tmp_path / "empty")))) == ["processes.unread"]


def test_names_cut_by_linux_and_suffixes_of_windows_are_recognized(tmp_path):
    found = (
        processes(
            a_machine(tmp_path, files=recorded("gnome-remote-desktop-daemon", "chrome-remote-desktop-host"))
        )
        or ()
    )
    assert len(matching(found, REMOTE)) == 2
    output = (
        '"System","4","Services","0","140 K"\r\n"AnyDesk.exe","712","Console","1","9,116 K"\r\n"broken"\r\n'
    )
    windows = a_machine(tmp_path, outputs={"tasklist.exe": (0, output)}, system="windows")
    assert matching(processes(windows) or (), REMOTE) == ("AnyDesk.exe",)
    assert b"712\tAnyDesk.exe" in listing(processes(windows) or ())
    assert processes(a_machine(tmp_path, outputs={"tasklist.exe": (1, "")}, system="windows")) is None


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc")
def test_this_process_is_in_the_list_of_this_machine():
    assert os.getpid() in {item.pid for item in processes(Machine()) or ()}


def test_the_program_is_recorded_with_digests(tmp_path):
    facts = ProgramFacts(
        name="Evidence Desk", version="1", digests=DigestPair.of(b"x"), components={"Qt": "6.11", "lost": ""}
    )
    item = check_program(around(a_machine(tmp_path), program=facts))
    assert item.outcome is Outcome.PASS
    assert f"SHA-256 {DigestPair.of(b'x').sha256.hex()}" in item.facts["program"]
    assert {"Qt 6.11", "lost —"} <= set(item.facts["components"])
    assert check_program(around(a_machine(tmp_path))).outcome is Outcome.UNCHECKED


@pytest.mark.parametrize(
    ("least", "comfortable", "outcome"),
    [(0, 0, Outcome.PASS), (0, 1 << 60, Outcome.WARN), (1 << 60, 1 << 60, Outcome.FAIL)],
)
def test_free_space(tmp_path, monkeypatch, least, comfortable, outcome):
    monkeypatch.setattr(own_state, "LEAST", least)
    monkeypatch.setattr(own_state, "COMFORTABLE", comfortable)
    assert check_disk(around(a_machine(tmp_path), folder=tmp_path)).outcome is outcome


def test_free_space_of_nowhere_is_not_known(tmp_path):
    for folder in (None, tmp_path / "gone"):
        assert check_disk(around(a_machine(tmp_path), folder=folder)).outcome is Outcome.UNCHECKED


@pytest.mark.parametrize(
    ("when", "profile", "outcome"),
    [
        (When.BEFORE, [], Outcome.PASS),
        (When.BEFORE, ["Cookies"], Outcome.FAIL),
        (When.AFTER, ["Cookies"], Outcome.WARN),
        (When.AFTER, None, Outcome.UNCHECKED),
    ],
)
def test_profile(tmp_path, when, profile, outcome):
    assert check_profile(around(a_machine(tmp_path), when=when, profile=profile)).outcome is outcome

"""Linux: virtual machine, remote control, injection, protection, system, updates, from recorded files and outputs."""

from __future__ import annotations

import os
import sys
import time

import pytest

from evidence_desk.capture.environment.linux_machine import (
    check_antivirus,
    check_injection,
    check_machine,
    check_remote,
    check_system,
    check_updates,
)
from evidence_desk.core.capture.environment import Outcome
from tests.unit.capture.environment.machines import a_machine, around, codes

CPU = "processor\t: 0\nflags\t\t: fpu vme{} lahf_lm\n"
REAL = {
    "/proc/cpuinfo": CPU.format(""),
    "/sys/class/dmi/id/sys_vendor": "LENOVO\n",
    "/sys/class/dmi/id/product_name": "21CB\n",
}


@pytest.mark.parametrize(
    ("files", "outputs", "outcome", "signs"),
    [
        (REAL, {"systemd-detect-virt": (1, "none\n")}, Outcome.PASS, ()),
        (REAL, {}, Outcome.PASS, ()),
        (REAL, {"systemd-detect-virt": (0, "kvm\n")}, Outcome.WARN, ("systemd-detect-virt kvm",)),
        ({"/proc/cpuinfo": CPU.format(" hypervisor")}, {}, Outcome.WARN, ("CPU hypervisor",)),
        (
            {**REAL, "/sys/class/dmi/id/sys_vendor": "VMware, Inc.\n"},
            {},
            Outcome.WARN,
            ("DMI VMware, Inc. 21CB",),
        ),
        ({**REAL, "/.dockerenv": ""}, {}, Outcome.WARN, ("/.dockerenv",)),
        ({**REAL, "/run/.containerenv": ""}, {}, Outcome.WARN, ("/run/.containerenv",)),
        ({**REAL, "/proc/sys/fs/binfmt_misc/WSLInterop": "enabled"}, {}, Outcome.WARN, ("WSL",)),
        ({}, {}, Outcome.UNCHECKED, ()),
    ],
)
def test_virtual_machines_are_told_never_failed(tmp_path, files, outputs, outcome, signs):
    item = check_machine(around(a_machine(tmp_path, files=files, outputs=outputs)))
    assert (item.outcome, item.facts["signs"]) == (outcome, signs)


INIT = {"/proc/1/comm": "systemd\n", "/proc/1/cmdline": "/sbin/init\0"}


@pytest.mark.parametrize(
    ("environ", "files", "outcome", "signs"),
    [
        ({"DISPLAY": ":0"}, INIT, Outcome.PASS, ()),
        ({"SSH_CONNECTION": "198.51.100.7 1 2 3"}, INIT, Outcome.WARN, ("SSH_CONNECTION",)),
        ({"DISPLAY": "198.51.100.7:0"}, INIT, Outcome.WARN, ("DISPLAY=198.51.100.7:0",)),
        ({"DISPLAY": "localhost:10.0"}, INIT, Outcome.WARN, ("X11 forwarding",)),
        ({}, {**INIT, "/proc/9/comm": "xrdp\n"}, Outcome.WARN, ("xrdp",)),
        ({}, {}, Outcome.UNCHECKED, ()),
    ],
)
def test_remote_control(tmp_path, environ, files, outcome, signs):
    item = check_remote(around(a_machine(tmp_path, files=files, environ=environ)))
    assert (item.outcome, item.facts["signs"]) == (outcome, signs)


def maps(*paths: str) -> str:
    return "".join(
        f"7f00-7f01 r-xp 00000000 08:01 42    {path}\n" for path in ("[stack]", "/usr/bin/python3", *paths)
    )


STATUS = "Name:\tpython3\nState:\tR (running)\nTracerPid:\t{}\n"
OWN = ("/usr/lib/x86_64-linux-gnu/libc.so.6", f"{sys.prefix}/lib/_ssl.cpython-311.so")


@pytest.mark.parametrize(
    ("tracer", "paths", "environ", "preload", "outcome", "found"),
    [
        (0, OWN, {}, None, Outcome.PASS, ["none"]),
        (0, OWN, {}, "\n", Outcome.PASS, ["none"]),
        (77, OWN, {}, None, Outcome.FAIL, ["debugger"]),
        (0, (*OWN, "/tmp/hook.so"), {}, None, Outcome.WARN, ["modules"]),
        (0, (*OWN, "/home/x/a b/hook.so.1 (deleted)"), {}, None, Outcome.WARN, ["modules"]),
        (0, OWN, {"LD_PRELOAD": "/tmp/hook.so"}, None, Outcome.WARN, ["preloaded"]),
        (
            77,
            (*OWN, "/tmp/hook.so"),
            {},
            "/tmp/hook.so\n",
            Outcome.FAIL,
            ["preloaded", "debugger", "modules"],
        ),
    ],
)
def test_injection(tmp_path, tracer, paths, environ, preload, outcome, found):
    files = {"/proc/self/status": STATUS.format(tracer), "/proc/self/maps": maps(*paths)}
    files |= {} if preload is None else {"/etc/ld.so.preload": preload}
    item = check_injection(around(a_machine(tmp_path, files=files, environ=environ)))
    assert item.outcome is outcome
    assert codes(item) == [f"injection.{name}" for name in found]


def test_the_users_name_is_not_told(tmp_path):
    home = f"{tmp_path}/home/user"
    files = {"/proc/self/status": STATUS.format(0), "/proc/self/maps": maps(*OWN, f"{home}/x/hook.so")}
    item = check_injection(
        around(a_machine(tmp_path, files=files, environ={"LD_PRELOAD": f"{home}/x/hook.so"}))
    )
    assert item.facts == {"preloaded": ("LD_PRELOAD=~/x/hook.so",), "modules": ("~/x/hook.so",)}
    assert home not in repr(item)


def test_injection_that_cannot_be_read(tmp_path):
    assert check_injection(around(a_machine(tmp_path))).outcome is Outcome.UNCHECKED


def test_protection_that_runs_with_the_age_of_its_signatures(tmp_path):
    machine = a_machine(
        tmp_path,
        files={**INIT, "/proc/8/comm": "clamd\n", "/var/lib/clamav/daily.cld": "x", "/var/lib/clamav/x": ""},
    )
    os.utime(tmp_path / "var/lib/clamav/daily.cld", (1_700_000_000, 1_700_000_000))
    item = check_antivirus(around(machine))
    assert (item.outcome, item.facts["running"]) == (Outcome.PASS, ("clamd",))
    assert item.facts["signatures"] == ("daily.cld 2023-11-14",)
    assert check_antivirus(around(a_machine(tmp_path / "b", files=INIT))).outcome is Outcome.WARN
    assert check_antivirus(around(a_machine(tmp_path / "c"))).outcome is Outcome.UNCHECKED


RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n{}'
UNAME = {"uname": (0, "Linux 6.1.0-18-amd64 #1 SMP x86_64\n")}


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ("", Outcome.PASS), ("SUPPORT_END=2099-01-01\n", Outcome.PASS), ("SUPPORT_END=2020-01-01\n", Outcome.WARN),
        ('SUPPORT_END="soon"\n', Outcome.PASS),
    ],
)  # fmt: skip
def test_system(tmp_path, more, outcome):
    files = {"/etc/os-release": RELEASE.format(more), "/etc/debian_version": "12.5\n"}
    item = check_system(around(a_machine(tmp_path, files=files, outputs=UNAME)))
    assert item.outcome is outcome
    assert item.facts["system"] == (
        "Debian GNU/Linux 12 (bookworm) (12.5)",
        "Linux 6.1.0-18-amd64 #1 SMP x86_64",
    )
    assert check_system(around(a_machine(tmp_path, files=files))).outcome is Outcome.UNCHECKED


APT = (
    "NOTE: This is only a simulation!\nReading package lists...\nInst openssl [3.0.11] (3.0.15 Debian-Security:12/stable-security [amd64])\n"
    "Inst less [590] (590-2 Debian:12.8/stable [amd64])\nConf openssl (3.0.15)\n"
)  # fmt: skip
LISTS = "/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease"


@pytest.mark.parametrize(
    ("age", "output", "outcome", "found"),
    [
        (1, (0, APT), Outcome.WARN, ["updates.waiting"]), (1, (0, "Reading package lists...\n"), Outcome.PASS, ["updates.none"]),
        (40, (0, ""), Outcome.UNCHECKED, ["updates.stale"]), (1, (100, ""), Outcome.UNCHECKED, ["updates.unknown"]),
        (None, (0, ""), Outcome.UNCHECKED, ["updates.unknown"]),
    ],
)  # fmt: skip
def test_updates_of_debian(tmp_path, age, output, outcome, found):
    files = {"/var/lib/dpkg/info/x.list": ""} | ({} if age is None else {LISTS: ""})
    machine = a_machine(tmp_path, files=files, outputs={"apt-get -s": output})
    if age is not None:
        at = time.time() - age * 86_400 - 60
        os.utime(tmp_path / LISTS[1:], (at, at))
    item = check_updates(around(machine))
    assert (item.outcome, codes(item)) == (outcome, found)
    if found == ["updates.waiting"]:
        assert item.facts["waiting"] == ("less", "openssl")
        assert item.reasons[0].parameters == {"count": 2, "security": 1}


@pytest.mark.parametrize(
    ("output", "outcome"),
    [
        ((100, "\nopenssl.x86_64   1:3.0.7-27.el9   baseos\n"), Outcome.WARN), ((0, ""), Outcome.PASS), ((1, "x"), Outcome.UNCHECKED),
    ],
)  # fmt: skip
def test_updates_of_red_hat(tmp_path, output, outcome):
    assert check_updates(around(a_machine(tmp_path, outputs={"dnf -q": output}))).outcome is outcome


def test_a_restart_that_is_due(tmp_path):
    item = check_updates(
        around(a_machine(tmp_path, files={"/run/reboot-required": ""}, outputs={"dnf -q": (0, "")}))
    )
    assert (item.outcome, codes(item)) == (Outcome.WARN, ["updates.reboot", "updates.none"])

"""The same on every system: running programs, our own program, free space, the browser's fresh profile."""

from __future__ import annotations

import shutil
import sys
from typing import Final

from evidence_desk.capture.environment.machine import call_raw
from evidence_desk.capture.environment.programs import (
    DEBUGGING,
    INTERCEPTING,
    changes,
    listing,
    matching,
    processes,
)
from evidence_desk.capture.environment.surroundings import Findings, Surroundings
from evidence_desk.core.capture.environment import Check, Item, Outcome, When, because, raw_output, values

LEAST: Final = 1 << 30
COMFORTABLE: Final = 5 << 30
"""Free bytes below which a capture is in danger, or near it."""


def check_processes(around: Surroundings) -> Item:
    """The list of processes, kept private; names of programs that intercept or debug are told."""
    found = Findings(Check.PROCESSES)
    listed = processes(around.machine)
    if listed is None:
        found.tell(Outcome.UNCHECKED, because("environment.processes.unread"))
        return found.item()
    data = listing(listed)
    name = f"environment-{around.when.value}-processes.txt"
    found.raws.append(
        raw_output("/proc" if around.machine.system != "windows" else "tasklist", data, attachment=name)
    )
    if around.keep is not None:
        around.keep(name, data)
    told = matching(listed, (*INTERCEPTING, *DEBUGGING))
    found.facts["told"] = values(told)
    if told:
        found.tell(
            Outcome.WARN, because("environment.processes.told", names=", ".join(told), count=len(listed))
        )
    if around.machine.system == "linux" and not any(item.pid == 1 for item in listed):
        found.tell(Outcome.UNCHECKED, because("environment.processes.partly", count=len(listed)))
    elif not told:
        found.tell(Outcome.PASS, because("environment.processes.none", count=len(listed)))
    _changed(found, around, data)
    return found.item()


def _changed(found: Findings, around: Surroundings, data: bytes) -> None:
    """What started and ended since the check before: numbers in the report, names apart and private."""
    if around.earlier is None:
        return
    started, ended = changes(around.earlier, data)
    found.reasons.append(because("environment.processes.changed", started=len(started), ended=len(ended)))
    lines = [*(f"+ {line}" for line in started), *(f"- {line}" for line in ended)]
    private = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
    name = f"environment-{around.when.value}-process-changes.txt"
    found.raws.append(raw_output("process list", private, attachment=name))
    if around.keep is not None:
        around.keep(name, private)


def check_program(around: Surroundings) -> Item:
    """Which program this is, by digest over its files, with its components."""
    found = Findings(Check.PROGRAM)
    program = around.program
    if program is None:
        found.tell(Outcome.UNCHECKED, because("environment.program.unknown"))
        return found.item()
    parts = [f"{name} {version or '—'}" for name, version in sorted(program.components.items())]
    python = f"Python {sys.version.split()[0]}"
    digests = [f"SHA-256 {program.digests.sha256.hex()}", f"SM3 {program.digests.sm3.hex()}"]
    shown = f"{program.name} {program.version}"
    found.raws.append(call_raw("program", [shown, *digests, python, *parts]))
    found.facts["program"] = values([shown, *digests], ordered=True)
    found.facts["components"] = values([python, *parts])
    found.tell(Outcome.PASS, because("environment.program.recorded", program=shown))
    return found.item()


def check_disk(around: Surroundings) -> Item:
    """Free space where the capture is written."""
    found = Findings(Check.DISK)
    if around.folder is None:
        found.tell(Outcome.UNCHECKED, because("environment.disk.unknown"))
        return found.item()
    try:
        usage = shutil.disk_usage(around.folder)
    except OSError:
        found.tell(Outcome.UNCHECKED, because("environment.disk.unknown"))
        return found.item()
    free = usage.free >> 20
    found.raws.append(
        call_raw("disk_usage()", [f"total {usage.total}", f"used {usage.used}", f"free {usage.free}"])
    )
    if usage.free < LEAST:
        found.tell(Outcome.FAIL, because("environment.disk.little", free=free))
    elif usage.free < COMFORTABLE:
        found.tell(Outcome.WARN, because("environment.disk.scarce", free=free))
    else:
        found.tell(Outcome.PASS, because("environment.disk.enough", free=free))
    return found.item()


def check_profile(around: Surroundings) -> Item:
    """The browser starts with an empty profile folder and leaves nothing in it."""
    found = Findings(Check.PROFILE)
    if around.profile is None:
        found.tell(Outcome.UNCHECKED, because("environment.profile.unknown"))
        return found.item()
    names = sorted(around.profile)
    found.raws.append(call_raw("profile folder", names))
    found.facts["names"] = values(names)
    if not names:
        found.tell(Outcome.PASS, because("environment.profile.empty"))
    elif around.when is When.BEFORE:
        found.tell(Outcome.FAIL, because("environment.profile.used", count=len(names)))
    else:
        found.tell(Outcome.WARN, because("environment.profile.left", count=len(names)))
    return found.item()

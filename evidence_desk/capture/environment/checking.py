"""Runs every check of a report side by side, within a time limit; one that does not end in time is unchecked."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from evidence_desk.capture.environment import (
    clock,
    linux_machine,
    linux_network,
    own_state,
    reaching,
    roots,
    windows_machine,
    windows_network,
)
from evidence_desk.capture.environment.machine import Machine
from evidence_desk.capture.environment.surroundings import (
    ClockSources,
    Keep,
    ProgramFacts,
    Resolve,
    Surroundings,
)
from evidence_desk.core.capture.environment import (
    MAX_TARGETS,
    Check,
    EnvironmentReport,
    Item,
    Outcome,
    Target,
    When,
    because,
    short,
)
from evidence_desk.core.job import Job

LIMIT_S: Final = 20.0
"""Seconds that all checks together may take."""
Checker = Callable[[Surroundings], Item]
_EVERYWHERE: Final[Mapping[Check, Checker]] = {
    Check.CLOCK: clock.check_clock,
    Check.ZONE: clock.check_zone,
    Check.HOSTS: reaching.check_hosts,
    Check.ANSWERS: reaching.check_answers,
    Check.REACH: reaching.check_reach,
    Check.TRACE: reaching.check_trace,
    Check.ROOTS: roots.check_roots,
    Check.INTERCEPTION: roots.check_interception,
    Check.PROCESSES: own_state.check_processes,
    Check.PROGRAM: own_state.check_program,
    Check.DISK: own_state.check_disk,
    Check.PROFILE: own_state.check_profile,
}
_LINUX: Final[Mapping[Check, Checker]] = {
    Check.PROXY: linux_network.check_proxy,
    Check.DNS: linux_network.check_dns,
    Check.ADAPTERS: linux_network.check_adapters,
    Check.ROUTES: linux_network.check_routes,
    Check.MACHINE: linux_machine.check_machine,
    Check.REMOTE: linux_machine.check_remote,
    Check.INJECTION: linux_machine.check_injection,
    Check.ANTIVIRUS: linux_machine.check_antivirus,
    Check.SYSTEM: linux_machine.check_system,
    Check.UPDATES: linux_machine.check_updates,
}
_WINDOWS: Final[Mapping[Check, Checker]] = {
    Check.PROXY: windows_network.check_proxy,
    Check.DNS: windows_network.check_dns,
    Check.ADAPTERS: windows_network.check_adapters,
    Check.ROUTES: windows_network.check_routes,
    Check.MACHINE: windows_machine.check_machine,
    Check.REMOTE: windows_machine.check_remote,
    Check.INJECTION: windows_machine.check_injection,
    Check.ANTIVIRUS: windows_machine.check_antivirus,
    Check.SYSTEM: windows_machine.check_system,
    Check.UPDATES: windows_machine.check_updates,
}


def checkers(system: str) -> Mapping[Check, Checker]:
    """The checks there are for a system."""
    return {**_EVERYWHERE, **{"linux": _LINUX, "windows": _WINDOWS}.get(system, {})}


def check_environment(
    when: When,
    targets: Sequence[Target],
    *,
    sources: ClockSources,
    job: Job,
    resolvers: Mapping[str, Resolve] | None = None,
    folder: Path | None = None,
    profile: Sequence[str] | None = None,
    program: ProgramFacts | None = None,
    earlier: bytes | None = None,
    keep: Keep | None = None,
    machine: Machine | None = None,
    limit: float = LIMIT_S,
) -> EnvironmentReport:
    """Check this machine before or after a capture; takes at most `limit` seconds and some.

    At most 64 `targets`, hosts that the capture asks, are checked; `resolvers` are independent ones by name, to compare the
    system's answers with; `folder` is where the capture is written; `profile` holds the names found in the browser's
    profile folder; `keep` takes private outputs (the list of processes) under their names, called in this thread; `earlier` is
    that list of the check before, so that the one after can tell what started and ended.

    Raises:
        CanceledError: the job was canceled.
    """
    private: dict[str, bytes] = {}
    asked = tuple(dict.fromkeys(targets))
    around = Surroundings(
        when=when, targets=asked[:MAX_TARGETS], rest=max(0, len(asked) - MAX_TARGETS), clocks=sources, machine=machine or Machine(),
        resolvers=resolvers or {}, folder=folder, profile=profile, program=program, earlier=earlier,
        keep=private.__setitem__,
    )  # fmt: skip
    started, uptime = datetime.now(UTC), round(time.monotonic() * 1000)
    found = _run(around, checkers(around.machine.system), job, limit)
    items = tuple(found.get(check, _missing(check, "environment.not_on_system")) for check in Check)
    for name, data in private.items():
        if keep is not None and any(raw.attachment == name for item in items for raw in item.raws):
            keep(name, data)
    return EnvironmentReport(
        when=when, system=short(around.machine.system)[:40], started=_cut(started), finished=_cut(datetime.now(UTC)),
        uptime_ms=uptime, targets=tuple(short(str(target)) for target in around.targets), items=items,
        demo=tuple(short(item.name) for item in sources.authorities if item.demo),
    )  # fmt: skip


def _run(around: Surroundings, checks: Mapping[Check, Checker], job: Job, limit: float) -> dict[Check, Item]:
    """Items of all checks; each runs in a thread of its own, which is left behind when it is late."""
    done: queue.SimpleQueue[Item] = queue.SimpleQueue()
    for check, checker in checks.items():
        threading.Thread(target=_one, args=(check, checker, around, done), daemon=True).start()
    found: dict[Check, Item] = {}
    end = time.monotonic() + limit
    while len(found) < len(checks):
        job.step("environment", len(found), len(checks))
        try:
            item = done.get(timeout=min(0.2, max(0.0, end - time.monotonic())))
        except queue.Empty:
            if time.monotonic() >= end:
                break
            continue
        found[item.check] = item
    late = {check: _missing(check, "environment.late") for check in checks if check not in found}
    job.step("environment", len(checks), len(checks))
    return {**found, **late}


def _one(check: Check, checker: Checker, around: Surroundings, done: queue.SimpleQueue[Item]) -> None:
    started = time.monotonic()
    try:
        item = checker(around)
    except Exception as error:  # noqa: BLE001 - one broken check must not take the others' results; it is told
        item = _missing(check, "environment.broken", reason=type(error).__name__)
    done.put(replace(item, duration_ms=round((time.monotonic() - started) * 1000)))


def _missing(check: Check, code: str, **parameters: str) -> Item:
    return Item(check=check, outcome=Outcome.UNCHECKED, reasons=(because(code, **parameters),))


def _cut(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

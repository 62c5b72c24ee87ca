"""Clock against outside sources, time zone, and the service that keeps the clock right."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from evidence_desk.capture.environment import sntp
from evidence_desk.capture.environment.machine import call_raw
from evidence_desk.capture.environment.programs import running
from evidence_desk.capture.environment.surroundings import AuthorityClock, Findings, Surroundings
from evidence_desk.core.capture.environment import Check, Item, Outcome, Reason, because, values
from evidence_desk.errors import EvidenceDeskError

TOLERANCE_MS: Final = 2_000
"""Difference from which a clock is called wrong, as in the diagnosis of the installation."""
ENOUGH: Final = 2
"""Independent sources that must agree."""
TIME_SERVICES: Final = ("chronyd", "ntpd", "systemd-timesyncd", "systemd-timesyn", "openntpd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One source's answer: our clock minus its, and how far that may be wrong, milliseconds.

    Attributes:
        counts: False for a demonstration and for this machine itself.
        error: why there is no answer, "" when there is one.
    """

    source: str
    offset_ms: int = 0
    uncertainty_ms: int = 0
    counts: bool = True
    error: str = ""
    note: str = ""

    @property
    def right(self) -> bool:
        """Whether our clock is within the tolerance of this source, its own uncertainty (at most as great) allowed for."""
        return abs(self.offset_ms) <= TOLERANCE_MS + self.uncertainty_ms

    def __str__(self) -> str:
        if self.error:
            return f"{self.source}: {self.error}"
        return f"{self.source}: {self.offset_ms:+d} ms ±{self.uncertainty_ms} ms {self.note}".rstrip()


def check_clock(around: Surroundings) -> Item:
    """Compare with every source at once; sources that do not answer are told."""
    questions: list[Callable[[], Reading]] = [
        *(lambda server=server: ask_server(server) for server in around.clocks.ntp),
        *(lambda one=one: ask_authority(one) for one in around.clocks.authorities),
    ]
    readings: list[Reading] = []
    if questions:
        with ThreadPoolExecutor(min(16, len(questions))) as pool:
            readings = list(pool.map(lambda question: question(), questions))
    return judge(readings)


def ask_server(server: str) -> Reading:
    """One NTP server, ``host`` or ``host:port``."""
    host, port = server, sntp.PORT
    if server.count(":") == 1 and server.rpartition(":")[2].isdecimal():
        host, port = server.rpartition(":")[0], int(server.rpartition(":")[2])
    try:
        answer = sntp.ask(host, port)
    except EvidenceDeskError as error:
        return Reading(source=f"NTP {server}", error=_why(error))
    return Reading(
        source=f"NTP {server}", offset_ms=answer.offset_ms, uncertainty_ms=answer.uncertainty_ms, counts=not answer.here,
        note=f"({answer.address}, stratum {answer.stratum}, {answer.packet.hex()})",
    )  # fmt: skip


def ask_authority(authority: AuthorityClock) -> Reading:
    """One RFC 3161 authority by its genTime; half the round trip and a second of rounding are the uncertainty."""
    name = f"TSA {authority.name}"
    before, tick = datetime.now(UTC), time.monotonic()
    try:
        stated = authority.ask()
    except EvidenceDeskError as error:
        return Reading(source=name, error=_why(error))
    half = timedelta(seconds=time.monotonic() - tick) / 2
    millisecond = timedelta(milliseconds=1)
    return Reading(
        source=name, offset_ms=round((before + half - stated) / millisecond), counts=not authority.demo,
        uncertainty_ms=round(half / millisecond) + 1_000, note=f"(genTime {stated.astimezone(UTC).isoformat()})",
    )  # fmt: skip


def _why(error: EvidenceDeskError) -> str:
    reason = error.parameters.get("reason")
    return f"({error.code} {reason})" if reason else f"({error.code})"


def judge(readings: Sequence[Reading]) -> Item:
    """Outcome over all sources: a majority of independent ones decides, a minority that differs is told."""
    found = Findings(Check.CLOCK)
    found.raws.append(call_raw("SNTP (RFC 4330) / RFC 3161", [str(item) for item in readings]))
    found.facts["sources"] = values((item.source for item in readings if not item.error), ordered=True)
    answered = [item for item in readings if not item.error]
    counted = [item for item in answered if item.counts and item.uncertainty_ms <= TOLERANCE_MS]
    silent = len(readings) - len(answered)
    if not counted:
        code = "environment.clock.none_counts" if answered else "environment.clock.silent"
        found.tell(Outcome.UNCHECKED, because(code, asked=len(readings)))
    else:
        _compared(found, counted)
    if counted and silent:
        found.reasons.append(because("environment.clock.some_silent", count=silent))
    found.reasons.extend(_ignored(item) for item in answered if item not in counted)
    return found.item()


def _compared(found: Findings, counted: Sequence[Reading]) -> None:
    wrong = [item for item in counted if not item.right]
    middle = sorted(item.offset_ms for item in counted)[len(counted) // 2]
    if 2 * len(wrong) > len(counted):
        found.tell(
            Outcome.FAIL,
            because("environment.clock.off", offset=middle, count=len(wrong), asked=len(counted)),
        )
    elif wrong:
        found.tell(
            Outcome.WARN,
            because("environment.clock.disagree", offset=middle, count=len(wrong), asked=len(counted)),
        )
    elif len(counted) < ENOUGH:
        found.tell(Outcome.WARN, because("environment.clock.one", offset=middle, source=counted[0].source))
    else:
        found.tell(Outcome.PASS, because("environment.clock.agree", offset=middle, count=len(counted)))


def _ignored(item: Reading) -> Reason:
    if item.counts:
        return because("environment.clock.uncertain", source=item.source, uncertainty=item.uncertainty_ms)
    return because("environment.clock.not_counted", source=item.source, offset=item.offset_ms)


def check_zone(around: Surroundings) -> Item:
    """Time zone of the system, and whether a service says that it keeps the clock synchronized."""
    found = Findings(Check.ZONE)
    now = datetime.now().astimezone()
    offset = now.utcoffset() or timedelta(0)
    minutes = round(offset.total_seconds() / 60)
    shown = f"UTC{minutes // 60 if minutes >= 0 else -(-minutes // 60):+03d}:{abs(minutes) % 60:02d}"
    found.facts["zone"] = values([f"{now.tzname()} {shown}"])
    found.raws.append(call_raw("localtime", [f"{now.tzname()} {shown}"]))
    found.reasons.append(because("environment.zone.is", zone=shown))
    if around.machine.system == "windows":
        _windows_service(found, around)
    else:
        _linux_service(found, around)
    return found.item()


def _linux_service(found: Findings, around: Surroundings) -> None:
    ran = around.machine.run(("timedatectl", "show"), 5.0)
    told: dict[str, str] = {}
    if ran is not None:
        found.raws.extend(ran.raws)
        if ran.exit_code == 0:
            told = dict(line.split("=", 1) for line in ran.text.splitlines() if "=" in line)
    services = running(around.machine, TIME_SERVICES)
    found.facts["services"] = values(services)
    if told.get("NTPSynchronized") == "yes":
        found.tell(Outcome.PASS, because("environment.zone.synchronized"))
    elif told.get("NTPSynchronized") == "no":
        found.tell(Outcome.WARN, because("environment.zone.unsynchronized"))
    elif services:
        found.tell(Outcome.UNCHECKED, because("environment.zone.service", services=", ".join(services)))
    else:
        found.tell(Outcome.UNCHECKED, because("environment.zone.unknown"))


def _windows_service(found: Findings, around: Surroundings) -> None:
    """The state's number in the answer of ``sc query`` is the same in every language: 4 is running."""
    ran = around.machine.run(("sc.exe", "query", "w32time"), 5.0)
    state = None
    if ran is not None:
        found.raws.extend(ran.raws)
        fields = [line.split(":", 1)[1].split() for line in ran.text.splitlines() if ":" in line]
        numbers = [field[0] for field in fields if len(field) >= 2 and field[0].isdecimal()]
        state = numbers[1] if len(numbers) > 1 else None  # TYPE first, then STATE
    status = around.machine.run(("w32tm.exe", "/query", "/status"), 5.0)
    if status is not None:
        found.raws.extend(status.raws)
    found.facts["services"] = values(["w32time"] if state == "4" else [])
    if state == "4" and status is not None and status.exit_code == 0:
        found.tell(Outcome.UNCHECKED, because("environment.zone.service", services="w32time"))
    elif state is not None:
        found.tell(Outcome.WARN, because("environment.zone.unsynchronized"))
    else:
        found.tell(Outcome.UNCHECKED, because("environment.zone.unknown"))

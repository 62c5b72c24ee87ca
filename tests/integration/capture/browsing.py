"""The real capture browser before the test sites, through the real recording proxy."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from evidence_desk.capture.browser import BrowserDriver, Departure
from evidence_desk.capture.guard import Guard
from evidence_desk.core.capture.events import Event
from evidence_desk.core.capture.plan import CapturePlan
from tests.sites import Town
from tests.sites.recording import Tape

COMMAND = (sys.executable, "-m", "ui.capture_browser")
QUIET = {"QT_QPA_PLATFORM": "offscreen"}
LONG = 60.0
_E = TypeVar("_E", bound=Event)


@dataclass
class Browsing:
    """A browser that runs or ran; `events` in the order they came."""

    folder: Path
    events: list[Event] = field(default_factory=list)
    driver: BrowserDriver | None = None
    departure: Departure | None = None
    _came: threading.Condition = field(default_factory=threading.Condition)

    def hear(self, event: Event) -> None:
        with self._came:
            self.events.append(event)
            self._came.notify_all()

    def of(self, kind: type[_E]) -> list[_E]:
        return [event for event in self.events if isinstance(event, kind)]

    def until(self, kind: type[_E], which: Callable[[_E], bool] = lambda _: True) -> _E:
        """Wait for an event."""
        with self._came:
            found = self._came.wait_for(lambda: next(filter(which, self.of(kind)), None), LONG)
        assert found is not None, f"no {kind.__name__}; {self.events}"
        return found

    def ended(self, wait: float = LONG) -> Departure:
        assert self.driver is not None
        self.departure = self.driver.wait(wait)
        assert self.departure is not None, self.events
        return self.departure

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_bytes().splitlines()]

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


@contextmanager
def browser(
    tape: Tape,
    plan: CapturePlan,
    *,
    command: Sequence[str] = COMMAND,
    guard: Guard | None = None,
    silence: float = 15.0,
) -> Iterator[Browsing]:
    """Start it; killed at the end of the block when it still runs."""
    browsing = Browsing(tape.folder)
    with tape.running(guard) as proxy:
        driver = BrowserDriver(
            command, tape.folder, plan, tape.port, browsing.hear, environment=QUIET, silence=silence
        )
        browsing.driver = driver
        proxy.forbid_port(driver.debug_port)
        driver.start()
        proxy.allow_pid(driver.pid)
        try:
            yield browsing
        finally:
            driver.kill()
            driver.wait(LONG)


def visit(
    tape: Tape, plan: CapturePlan, *, guard: Guard | None = None, wait: float = LONG, silence: float = 15.0
) -> Browsing:
    """Run a plan to its end."""
    with browser(tape, plan, guard=guard, silence=silence) as browsing:
        browsing.ended(wait)
    return browsing


def plan_for(town: Town, *pages: tuple[str, str], **given: Any) -> CapturePlan:
    """A quick plan for pages of the town."""
    settings: dict[str, Any] = {
        "settle_ms": 300,
        "page_seconds": 6,
        "max_seconds": 90,
        "viewport": (1000, 700),
    } | given
    return CapturePlan(
        urls=tuple(town.url(name, target) for name, target in pages), extra_ca=(town.ca.root_der,), **settings
    )


def family(pid: int) -> set[int]:
    """A process and its descendants (Linux)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = set[int](), [pid]
    while waiting:
        found.add(one := waiting.pop())
        waiting += children.get(one, [])
    return found


def renderers(pid: int) -> set[int]:
    """Processes that render pages: forked by one that does nothing else, and themselves without children."""
    forkers = {one for one in family(pid) if b"--type=zygote" in Path(f"/proc/{one}/cmdline").read_bytes()}
    children = set[int]().union(*(family(one) - {one} for one in forkers))
    return {one for one in children if family(one) == {one}}

"""The real capture browser on the test sites, before the real proxy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from evidence_desk.capture.browser import BrowserDriver, Departure
from evidence_desk.core.capture.events import Event
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.wacz.compare import NETWORK, compare
from evidence_desk.wacz.differences import Comparison as Agreement
from evidence_desk.wacz.recorded import recorded
from tests.sites.recording import Tape

COMMAND = (sys.executable, "-m", "ui.capture_browser")
_E = TypeVar("_E")


@dataclass(slots=True, kw_only=True)
class Visit:
    """What the browser told while it visited."""

    events: list[Event] = field(default_factory=list)
    departure: Departure | None = None

    def of(self, kind: type[_E]) -> list[_E]:
        """Events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def plan_for(tape: Tape, urls: Sequence[str], **more: object) -> CapturePlan:
    """A plan that trusts the town's authority."""
    given: dict[str, object] = {
        "urls": tuple(urls), "settle_ms": 500, "page_seconds": 30, "max_seconds": 240,
        "extra_ca": (tape.town.ca.root_der,), **more,
    }  # fmt: skip
    return CapturePlan(**given)  # type: ignore[arg-type]


def held_against_browser(tape: Tape) -> Agreement:
    """The browser's own log against what was recorded."""
    decoded = tape.decoded()
    with tape.workspace.open(NETWORK) as file:
        return compare(
            file, [recorded(item) for one in decoded for item in one.exchanges],
            [message for one in decoded for message in one.messages],
        )  # fmt: skip


def browse(
    tape: Tape, urls: Sequence[str], *, during: Callable[[BrowserDriver, Event], None] | None = None, **more: object,
) -> Visit:  # fmt: skip
    """Record a browser that visits these addresses, until it has gone."""
    visit = Visit()

    def watch(event: Event) -> None:
        visit.events.append(event)
        if during is not None:
            during(driver, event)

    with tape.running() as proxy:
        plan = plan_for(tape, urls, **more)
        driver = BrowserDriver(
            COMMAND, tape.folder, plan, tape.port, watch, environment={"QT_QPA_PLATFORM": "offscreen"}
        )
        proxy.forbid_port(driver.debug_port)
        driver.start()
        try:
            proxy.allow_pid(driver.pid)
            visit.departure = driver.wait(plan.max_seconds + 90)
        finally:
            driver.kill()
    assert driver.fault is None, driver.fault
    assert visit.departure is not None
    return visit

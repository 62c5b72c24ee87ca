"""What the browser told while it was recorded, and what follows: pages, counts, and how the capture came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from evidence_desk.core.capture.environment import Parameter, Reason, because
from evidence_desk.core.capture.events import (
    CertificateRefused,
    Crashed,
    Dialog,
    Done,
    Downloaded,
    Ended,
    Event,
    Fault,
    PageState,
    Popup,
    Refused,
    Snapped,
    Started,
    Step,
    Unplayable,
    Visited,
)
from evidence_desk.core.capture.manifest import MAX_REASONS, PageResult
from evidence_desk.core.capture.plan import CaptureMode, CapturePlan
from evidence_desk.core.capture.ports import BrowserEnd, Recorded
from evidence_desk.core.capture.rows import CaptureResult

_COMPARED: Final = 2_000
"""Characters of an address, of which events hold no more than some thousands."""
CUT_SHORT: Final = "capture.reason.program_ended"
"""Reason of a capture whose program was ended: what it was about to write may be missing."""
LIMITS: Final = (
    "capture.limit.repudiation",
    "capture.limit.vantage",
    "capture.limit.personal",
    "capture.limit.loaded",
    "capture.limit.protocols",
    "capture.limit.revocation",
    "capture.limit.selection",
)
"""What no capture of this kind shows; printed on every certificate."""

_COUNTED: Final[Mapping[type[Event], str]] = {
    CertificateRefused: "certificate_errors",
    Popup: "popups",
    Refused: "refused_requests",
    Dialog: "dialogs",
    Crashed: "crashes",
    Unplayable: "unplayable",
    Step: "steps",
}
COUNTED: Final = frozenset(_COUNTED.values())
"""Names of what a manifest counts by events."""
_ENDED: Final[Mapping[Ended, str]] = {
    Ended.STOPPED: "capture.reason.stopped",
    Ended.LIMIT: "capture.reason.time_limit",
    Ended.FAULT: "capture.reason.browser_fault",
}
_BROWSER: Final[Mapping[BrowserEnd, str]] = {
    BrowserEnd.VANISHED: "capture.reason.browser_vanished",
    BrowserEnd.HUNG: "capture.reason.browser_hung",
}


@dataclass(slots=True)
class Story:
    """Everything the browser told, in short."""

    plan: CapturePlan
    started: Started | None = None
    done: Done | None = None
    visits: dict[int, Visited] = field(default_factory=dict)
    snapshots: list[tuple[int, Snapped]] = field(default_factory=list)
    """(address of the list that was being visited, 0 for none; snapshot)."""
    downloads: list[Downloaded] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        """Take in one event."""
        name = _COUNTED.get(type(event))
        if name is not None:
            self.counts[name] += 1
        match event:
            case Started():
                self.started = event
            case Visited():
                self.visits[event.number] = event
            case Snapped():
                self.snapshots.append((len(self.visits) + 1 if self._automatic else 0, event))
            case Downloaded() if event.state != "started":
                self.downloads.append(event)
            case Fault():
                self.faults.append(event)
            case Done():
                self.done = event
            case _:
                pass

    @property
    def _automatic(self) -> bool:
        return self.plan.mode is CaptureMode.AUTOMATIC

    @property
    def abandoned(self) -> bool:
        """Whether the person gave it up in the browser's window."""
        return self.done is not None and self.done.reason is Ended.ABANDONED

    def browser(self) -> dict[str, Parameter]:
        """State of the browser, for the manifest; flags as 0 and 1."""
        started = self.started
        if started is None:
            return {}
        return {
            "chromium": started.chromium, "qt": started.qt, "user_agent": started.user_agent,
            "sandbox": int(started.sandbox), "observer_closed": int(started.observer_closed),
            "fresh_profile": int(started.fresh_profile), "extra_ca": started.extra_ca,
        }  # fmt: skip

    def pages(self) -> tuple[PageResult, ...]:
        """Every address of the list, or every snapshot of a person."""
        if not self._automatic:
            return tuple(_snapshot_page(index, item) for index, (_, item) in enumerate(self.snapshots, 1))
        return tuple(self._visited_page(number, url) for number, url in enumerate(self.plan.urls, 1))

    def _visited_page(self, number: int, url: str) -> PageResult:
        """Snapshots of the windows that it opened count to it; they come after its own."""
        shown = [item for visit, item in self.snapshots if visit == number]
        names = tuple(name for item in shown for name in item.names)
        title = shown[0].title if shown else ""
        visit = self.visits.get(number)
        if visit is None:
            return PageResult(
                number=number, url=url, reached="", title=title, names=names,
                state=PageState.PARTIAL if names else PageState.FAILED,
                reasons=(because("capture.reason.not_visited"),),
            )  # fmt: skip
        missing = [code for item in shown for code in item.missing]
        if shown and shown[0].url and _place(shown[0].url) != _place(visit.reached):
            missing.append("capture.page.moved")
        return PageResult(
            number=number, url=url, reached=visit.reached, title=title, names=names,
            state=PageState.PARTIAL if missing and visit.state is PageState.LOADED else visit.state,
            reasons=_each_once((*visit.reasons, *missing)),
        )  # fmt: skip


def _place(url: str) -> str:
    """What of an address names the page; it is spelled in two ways, by the page and by the window."""
    return unquote(url.partition("#")[0])[:_COMPARED]


def _snapshot_page(number: int, snapshot: Snapped) -> PageResult:
    return PageResult(
        number=number, url=snapshot.url, reached=snapshot.url, title=snapshot.title, names=snapshot.names,
        state=PageState.PARTIAL if snapshot.missing else PageState.LOADED,
        reasons=_each_once(snapshot.missing),
    )  # fmt: skip


def _each_once(codes: Sequence[str]) -> tuple[Reason, ...]:
    """The browser tells of a visit what its snapshots lack, and each snapshot tells it too."""
    return tuple(because(code) for code in dict.fromkeys(codes))


def judge(
    story: Story, recorded: Recorded | None, further: Sequence[Reason]
) -> tuple[CaptureResult, tuple[Reason, ...]]:
    """How a capture came out, and why it is not complete.

    Args:
        story: what the browser told.
        recorded: how the recording ended; None when the program itself was ended meanwhile.
        further: what was found when the streams were read.
    """
    reasons = [*_ending(story, recorded), *further]
    pages = story.pages()
    lost = sum(page.state is PageState.FAILED for page in pages)
    partial = sum(page.state is PageState.PARTIAL for page in pages)
    if lost:
        reasons.append(because("capture.reason.pages_failed", count=lost, total=len(pages)))
    if partial:
        reasons.append(because("capture.reason.pages_partial", count=partial, total=len(pages)))
    if not pages:
        reasons.append(because("capture.reason.no_snapshot"))
    nothing = not pages or lost == len(pages)
    if nothing:
        return CaptureResult.FAILED, tuple(reasons[:MAX_REASONS])
    return CaptureResult.PARTIAL if reasons else CaptureResult.COMPLETE, tuple(reasons[:MAX_REASONS])


def _ending(story: Story, recorded: Recorded | None) -> list[Reason]:
    if recorded is None:
        return [because(CUT_SHORT)]
    reasons = [*_each_once([item.code for item in story.faults])]
    if recorded.fault is not None:
        reasons.append(because(recorded.fault, **recorded.facts))
    if recorded.browser in _BROWSER:
        reasons.append(because(_BROWSER[recorded.browser]))
    elif (
        story.done is not None
        and story.done.reason in _ENDED
        and not (
            story.done.reason is Ended.STOPPED
            and recorded.fault is not None  # stopped by the recorder, not by a person
        )
    ):
        reasons.append(because(_ENDED[story.done.reason]))
    return reasons

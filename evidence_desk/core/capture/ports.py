"""Ports of a capture: who records it, and who looks at the machine. See ``core.ports``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from evidence_desk.core.capture.environment import Parameter, Reason, Target, When
from evidence_desk.core.capture.events import Event
from evidence_desk.core.capture.marks import Started, StreamMark
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.job import Job


class BrowserEnd(StrEnum):
    """How the browser's process ended."""

    FINISHED = "finished"
    """It said so, and went."""
    VANISHED = "vanished"
    """It went without a word: crashed or was killed."""
    HUNG = "hung"
    """It said nothing any more and was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a recording has come: streams by number, entries of the action log, digest of the last."""

    streams: tuple[StreamMark, ...]
    actions: int
    head: bytes
    size: int
    """Recorded bytes of all streams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """How a recording ended.

    Attributes:
        fault: code of why the recorder had to stop (``host.disk_full``, ``capture.byte_limit``…), None otherwise.
        facts: parameters of that code.
    """

    browser: BrowserEnd
    fault: str | None
    facts: Mapping[str, Parameter] = field(default_factory=dict)


class Recording(Protocol):
    """One capture while it is recorded; used by one thread, but for `snapshot`, `stop` and `say`."""

    def poll(self, seconds: float) -> Sequence[Event]:
        """What the browser told since, waiting at most so long for the first."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the browser has ended, or the recorder cannot go on; nothing follows then but what `poll` still gives."""
        ...

    @property
    def fault(self) -> Reason | None:
        """Why the recorder cannot go on, as soon as that is known."""
        ...

    def reach(self) -> Reach:
        """How far it has come; consistent with what lies on the disk."""
        ...

    def snapshot(self) -> None:
        """Ask for a snapshot of the page in front."""
        ...

    def stop(self) -> None:
        """Ask the browser to end."""
        ...

    def close(self) -> Recorded:
        """End browser and proxy, whatever they do, and complete the connection index."""
        ...


class Recorder(Protocol):
    """Makes recordings, each in a workspace of its own."""

    def workspace(self, capture: bytes) -> Workspace:
        """A new, empty workspace for a capture; HostError."""
        ...

    def begin(self, workspace: Workspace, plan: CapturePlan) -> Recording:
        """Start proxy and browser.

        Raises:
            ConfigurationError, HostError: the browser cannot be started here.
        """
        ...

    def left_over(self) -> Mapping[bytes, Workspace]:
        """Workspaces that are there and not `busy`, by capture: their capture was cut short."""
        ...

    def busy(self) -> Collection[bytes]:
        """Captures that are being recorded now, by this process or another."""
        ...

    def recover(self, workspace: Workspace) -> None:
        """Complete the connection index of a recording that was cut short."""
        ...

    def release(self, capture: bytes) -> None:
        """It is not recorded any more, and ended badly: its workspace is left over from now on."""
        ...

    def remove(self, capture: bytes) -> None:
        """Delete a workspace; what was sealed lies in the vault."""
        ...


class EnvironmentChecker(Protocol):
    """Looks at this machine (清洁性检查)."""

    def check(
        self,
        when: When,
        targets: Sequence[Target],
        job: Job,
        *,
        profile: Sequence[str] | None = None,
        earlier: Mapping[str, bytes] | None = None,
    ) -> tuple[bytes, Mapping[str, bytes]]:
        """(report, ``environment/1``; private outputs by name) about hosts that are to be captured.

        Args:
            when: before or after the capture.
            targets: hosts and ports.
            job: it takes some seconds.
            profile: what the browser's profile held when it started, None when that is not known.
            earlier: private outputs of the report from before.
        """
        ...

    def render(self, before: bytes, after: bytes | None, started: Started) -> bytes:
        """The reports as PDF, with case, capture and moment as they were settled at the beginning."""
        ...

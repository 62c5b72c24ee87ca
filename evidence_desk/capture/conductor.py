"""Recordings in folders of one place: blind proxy, capture browser and action log together (`core.capture.ports.Recorder`)."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Condition
from typing import Final

from evidence_desk.capture.browser import BrowserDriver, BrowserFate, Departure
from evidence_desk.capture.folder import FolderWorkspace, host_fault
from evidence_desk.capture.guard import Guard
from evidence_desk.capture.limits import Limits
from evidence_desk.capture.proxy import BlindProxy
from evidence_desk.capture.recovery import recover_index
from evidence_desk.capture.resolver import Resolver
from evidence_desk.core.capture.actions import ActionLog
from evidence_desk.core.capture.environment import Reason, because
from evidence_desk.core.capture.events import Event, Heartbeat, Started, Visited
from evidence_desk.core.capture.marks import ID_SIZE, StreamMark
from evidence_desk.core.capture.messages import Recorded as RecordedSoFar
from evidence_desk.core.capture.messages import Snapshot
from evidence_desk.core.capture.plan import CaptureMode, CapturePlan
from evidence_desk.core.capture.ports import BrowserEnd, Reach, Recorded
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.ports import Clock
from evidence_desk.errors import BugError, EvidenceDeskError, HostError, UserError

_GRACE: Final = 20.0
"""Seconds that the browser has to end after it was asked to: it takes cookies and storage, and closes its files."""
_LAST_WORDS: Final = 10.0
_DRAIN: Final = 3.0
_TELL_SECONDS: Final = 1.0
MOST_SHARES: Final = 4
"""Into so many parts at most the bytes that are left are divided, for an address of a list: one without end leaves some for
the others."""
RESERVE: Final = 4 << 20
"""Bytes on the disk, twice, kept for what is written when a recording ends because the disk is full: by the browser and about
it first, then the last lines of the index, the mark at the end and the report from after."""
LEAST_ROOM: Final = 16 << 20
"""Bytes free on the disk at which a recording ends: the browser, which writes there too, would lose what it keeps."""
MAX_LOGS: Final = 256 << 20
"""Bytes of the browser's own logs, at which a recording ends: some 100,000 requests. Pages decide how fast they grow."""
_LOGS: Final = ("network.jsonl", "console.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserCommand:
    """How the capture browser is started here.

    Attributes:
        arguments: program and arguments.
        tongue: ``zh`` or ``en``, of its window.
        environment: variables added to this process's own.
    """

    arguments: tuple[str, ...]
    tongue: str = "zh"
    environment: Mapping[str, str] | None = None


_busy: Final[set[Path]] = set()
"""Folders of this process's recordings. One vault has one process that writes."""


class FolderRecorder:
    """Keeps each capture in ``root/ID`` until it is sealed.

    Args:
        root: made when first needed, 0700.
        command: how the browser is started.
        clock: for every moment that is written.
        resolver: by default the system's.
        dns_servers: asked beside it.
    """

    def __init__(
        self,
        root: Path,
        command: BrowserCommand,
        clock: Clock,
        *,
        resolver: Resolver | None = None,
        dns_servers: Sequence[str] = (),
    ) -> None:
        self._root, self._command, self._clock = root, command, clock
        self._resolver, self._dns_servers = resolver, tuple(dns_servers)

    def workspace(self, capture: bytes) -> Workspace:
        """A new, empty workspace for a capture; HostError."""
        name = _folder_name(capture)
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._root / name).mkdir(mode=0o700)
        except OSError as error:
            raise host_fault(error, name) from error
        _busy.add(self._root / name)
        return FolderWorkspace(self._root / name)

    def begin(self, workspace: Workspace, plan: CapturePlan) -> FolderRecording:
        """Start proxy and browser; see `core.capture.ports.Recorder.begin`."""
        if not isinstance(workspace, FolderWorkspace):
            raise BugError("bug.recorder", reason="workspace")
        return FolderRecording(workspace, plan, self._command, self._clock, self._resolver, self._dns_servers)

    def left_over(self) -> Mapping[bytes, Workspace]:
        """Workspaces that are there and not in use by this process, by capture."""
        found: dict[bytes, Workspace] = {}
        if not self._root.is_dir():
            return found
        try:
            for path in sorted(self._root.iterdir()):
                if _is_capture(path.name) and path not in _busy and path.is_dir():
                    found[bytes.fromhex(path.name)] = FolderWorkspace(path)
        except OSError as error:
            raise host_fault(error, self._root.name) from error
        return found

    def busy(self) -> Collection[bytes]:
        """Captures that are being recorded now; one vault has one writing process."""
        return {bytes.fromhex(path.name) for path in tuple(_busy) if path.parent == self._root}

    def recover(self, workspace: Workspace) -> None:
        """Complete the connection index of a recording that was cut short."""
        if isinstance(workspace, FolderWorkspace):
            workspace.give_back(2)
        recover_index(workspace, self._clock)

    def remove(self, capture: bytes) -> None:
        """Delete a workspace; what was sealed lies in the vault."""
        name = _folder_name(capture)
        shutil.rmtree(self._root / name, ignore_errors=True)
        _busy.discard(self._root / name)

    def release(self, capture: bytes) -> None:
        """A capture ended badly in this process; its workspace is left over from now on."""
        _busy.discard(self._root / _folder_name(capture))


def limits_of(plan: CapturePlan) -> Limits:
    """Bounds of a recording: where a person browses, one connection may take half of all bytes."""
    interactive = plan.mode is CaptureMode.INTERACTIVE
    limits = Limits()
    most = plan.max_bytes // 2 if interactive else limits.stream
    return replace(limits, total=plan.max_bytes, stream=max(1, min(limits.stream, most)))


class FolderRecording:
    """One recording (`core.capture.ports.Recording`)."""

    def __init__(
        self,
        workspace: FolderWorkspace,
        plan: CapturePlan,
        command: BrowserCommand,
        clock: Clock,
        resolver: Resolver | None,
        dns_servers: Sequence[str],
    ) -> None:
        self._workspace = workspace
        self._events: deque[Event] = deque()
        self._new = Condition()
        self._full: EvidenceDeskError | None = None
        workspace.reserve(2, RESERVE)
        self._actions = ActionLog(workspace, clock)
        self._told = 0.0
        self._proxy = BlindProxy(
            workspace,
            Guard(allow_private=plan.allow_private),
            clock,
            limits_of(plan),
            resolver=resolver,
            dns_servers=dns_servers,
        )
        self._plan = plan
        port = self._proxy.start()
        self._share(1)
        try:
            self._browser = BrowserDriver(
                command.arguments, workspace.path, plan, port, self._hear,
                tongue=command.tongue, environment=command.environment,
            )  # fmt: skip
            self._proxy.forbid_port(self._browser.debug_port)
            self._browser.start()
            self._proxy.allow_pid(self._browser.pid)
        except BaseException:
            self._proxy.stop(0)
            raise
        self._departure: Departure | None = None

    def _hear(self, event: Event) -> None:
        """In the driver's thread."""
        if isinstance(event, Started):  # the record needs no names of this machine's folders
            folder = str(self._workspace.path.absolute())
            event = replace(event, flags=tuple(flag.replace(folder, "…") for flag in event.flags))
        if isinstance(event, Visited):
            self._share(event.number + 1)
        if not isinstance(event, Heartbeat):
            self._actions.add(event)
        with self._new:
            self._events.append(event)
            self._new.notify_all()

    def _share(self, number: int) -> None:
        """The address of this number is visited from now on."""
        if self._plan.mode is CaptureMode.AUTOMATIC:
            self._proxy.next_share(max(1, min(MOST_SHARES, len(self._plan.urls) - number + 1)))

    def poll(self, seconds: float) -> Sequence[Event]:
        """What the browser told since, waiting at most so long for the first."""
        self._tell()
        with self._new:
            if not self._events and seconds > 0:
                self._new.wait(seconds)
            events = tuple(self._events)
            self._events.clear()
        return events

    def _tell(self) -> None:
        """The browser's window shows how much is recorded."""
        now = time.monotonic()
        if now - self._told >= _TELL_SECONDS:
            self._told = now
            totals = self._proxy.totals
            self._browser.send(RecordedSoFar(connections=totals.asked, size=totals.sent + totals.received))
            self._weigh()

    def _weigh(self) -> None:
        here = set(self._workspace.names())
        if sum(self._workspace.size(name) for name in _LOGS if name in here) > MAX_LOGS:
            self._end_for(UserError("capture.log_limit", limit=MAX_LOGS))
        if self._workspace.room() < LEAST_ROOM:
            self._end_for(HostError("host.disk_full", what="capture"))
        if self._unheard is not None:
            self._end_for(self._unheard)

    def _end_for(self, error: EvidenceDeskError) -> None:
        """The recorder notes why, so that it is known even if this program does not come to seal."""
        if self._full is None and self._proxy.failure is None:
            self._full = error
            self._proxy.fail(error)

    @property
    def ended(self) -> bool:
        """Whether the browser has ended, or the recorder cannot go on."""
        return self._browser.wait(0) is not None or self._failure is not None

    @property
    def _failure(self) -> EvidenceDeskError | None:
        """Why the recorder cannot go on."""
        return self._full or self._proxy.failure or self._unheard

    @property
    def _unheard(self) -> EvidenceDeskError | None:
        """Why the action log could not be written."""
        error = self._browser.fault
        if error is None or isinstance(error, EvidenceDeskError):
            return error
        return BugError("bug.recorder", reason=type(error).__name__)

    @property
    def fault(self) -> Reason | None:
        """Why the recorder cannot go on, as soon as that is known."""
        self._weigh()
        return None if self._failure is None else _reason(self._failure)

    def reach(self) -> Reach:
        """How far it has come."""
        digests = self._proxy.running_digest()
        streams = sorted(
            (
                StreamMark(
                    number=int(name[7:-4]), sent=item.sent, received=item.received,
                    sent_sha256=item.sent_sha256, received_sha256=item.received_sha256,
                )
                for name, item in digests.items()
            ),
            key=lambda mark: mark.number,
        )  # fmt: skip
        actions, head = self._actions.reach
        size = sum(item.sent + item.received for item in streams)
        return Reach(streams=tuple(streams), actions=actions, head=head, size=size)

    def snapshot(self) -> None:
        """Ask for a snapshot of the page in front."""
        self._browser.send(Snapshot())

    def stop(self) -> None:
        """Ask the browser to end."""
        self._browser.stop()

    def close(self) -> Recorded:
        """End browser and proxy, whatever they do, and complete the connection index."""
        failure = self._failure
        self._workspace.give_back(1)
        if self._browser.wait(0) is None:
            self._browser.stop()
            if self._browser.wait(_GRACE) is None:
                self._browser.kill()
        departure = self._browser.wait(_LAST_WORDS)
        self._workspace.give_back(1)
        self._proxy.stop(_DRAIN)
        failure = failure or self._failure
        end = BrowserEnd.HUNG if departure is None else departure.end
        if failure is not None and departure is not None and departure.fate is BrowserFate.KILLED:
            end = BrowserEnd.FINISHED  # not by itself
        if failure is None:
            return Recorded(browser=end, fault=None)
        reason = _reason(failure)
        return Recorded(browser=end, fault=reason.code, facts=reason.parameters)


def _reason(failure: EvidenceDeskError) -> Reason:
    return because(failure.code, **({} if isinstance(failure, BugError) else failure.parameters))


def _folder_name(capture: bytes) -> str:
    if len(capture) != ID_SIZE:
        raise BugError("bug.recorder", reason="capture id")
    return capture.hex()


def _is_capture(name: str) -> bool:
    return len(name) == 2 * ID_SIZE and all(char in "0123456789abcdef" for char in name)

"""A recorder whose browser is a script that the test plays; the rest of a capture is real."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter

from evidence_desk.capture.folder import FolderWorkspace
from evidence_desk.core.capture.actions import ActionLog
from evidence_desk.core.capture.connection import Connection, Ending, Fate, encode_connection, stream_name
from evidence_desk.core.capture.environment import (
    Check,
    EnvironmentReport,
    Item,
    Outcome,
    Target,
    When,
    because,
    raw_output,
)
from evidence_desk.core.capture.environment_codec import encode, parse
from evidence_desk.core.capture.events import Done, Ended, Event, PageState, Snapped, Started, Visited
from evidence_desk.core.capture.lookup import encode_lookup
from evidence_desk.core.capture.marks import Started as Beginning
from evidence_desk.core.capture.marks import StreamMark
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.capture.ports import BrowserEnd, Reach, Recorded
from evidence_desk.core.capture.stream import Chunk, Direction, encode_chunk
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.job import Job
from evidence_desk.core.ports import Clock
from evidence_desk.texts import Language
from reports.cleanliness import render_cleanliness
from tests.unit.verify.captures import as_opened, looked_up

AT = 1_772_415_060_000_000
PAGE = "<!doctype html><title>公告</title><p>第一条 中文内容</p>".encode()
PATIENCE = 20.0

STARTED = Started(
    pid=1, chromium="140.0.7339.0", qt="6.11.3", user_agent="Mozilla/5.0", sandbox=True, observer_closed=True,
    fresh_profile=True, extra_ca=0, flags=("--disable-quic",),
)  # fmt: skip


def visited(number: int, url: str, state: PageState = PageState.LOADED, *reasons: str) -> Visited:
    status = 0 if state is PageState.FAILED else 200
    return Visited(
        number=number, url=url, reached=url, status=status, failed=0, state=state, reasons=tuple(reasons)
    )


def done(reason: Ended = Ended.FINISHED) -> Done:
    return Done(reason=reason, steps=0, snapshots=1, requests=2, failed=0)


def png(width: int = 400, height: int = 300) -> bytes:
    """A picture with something on it."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("#FFFFFF"))
    painter = QPainter(image)
    for at in range(0, height, 40):
        painter.fillRect(20, at + 10, width - 40, 20, QColor("#1F4E8C"))
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(data.data())


@dataclass
class Stage:
    """What the test decides: events that come, when the browser ends."""

    events: deque[Event] = field(default_factory=deque)
    over: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    snapshots: int = 0
    private: dict[str, bytes] = field(default_factory=dict)
    """Files that are sealed encrypted: key log, cookies."""
    end: BrowserEnd = BrowserEnd.FINISHED
    fails: Exception | None = None
    looked: threading.Event = field(default_factory=threading.Event)
    may_look: threading.Event = field(default_factory=threading.Event)

    def play(self, *events: Event) -> None:
        """These come, and the browser ends."""
        self.events.extend((STARTED, *events, done()))
        self.over.set()


class StagedRecording:
    def __init__(self, stage: Stage, workspace: FolderWorkspace, plan: CapturePlan, clock: Clock) -> None:
        self._stage, self._workspace, self._plan = stage, workspace, plan
        self._actions = ActionLog(workspace, clock)
        self._write_stream()
        stage.begun.set()

    def poll(self, seconds: float) -> Sequence[Event]:
        stage = self._stage
        if not stage.events and seconds:
            stage.over.wait(min(seconds, 0.02))
        found: list[Event] = []
        while stage.events:
            event = stage.events.popleft()
            if isinstance(event, Snapped):
                self._write_snapshot(event)
            self._actions.add(event)
            found.append(event)
        return found

    @property
    def ended(self) -> bool:
        return self._stage.over.is_set() and not self._stage.events

    @property
    def fault(self) -> None:
        return None

    def reach(self) -> Reach:
        actions, head = self._actions.reach
        line = self._connection
        mark = StreamMark(
            number=1, sent=line.sent, received=line.received, sent_sha256=line.sent_sha256,
            received_sha256=line.received_sha256,
        )  # fmt: skip
        return Reach(streams=(mark,), actions=actions, head=head, size=line.sent + line.received)

    def snapshot(self) -> None:
        self._stage.snapshots += 1

    def stop(self) -> None:
        if not self._stage.stopped.is_set():
            self._stage.stopped.set()
            self._stage.events.append(done(Ended.STOPPED))
            self._stage.over.set()

    def close(self) -> Recorded:
        self._workspace.append("connections.jsonl", encode_connection(self._connection))
        self._workspace.append("network.jsonl", b"")
        self._workspace.append("opened.jsonl", encode_connection(as_opened(self._connection)))
        self._workspace.append("lookups.jsonl", encode_lookup(looked_up(self._connection)))
        for name, data in self._stage.private.items():
            self._workspace.append(name, data)
        return Recorded(browser=self._stage.end, fault=None)

    def _write_stream(self) -> None:
        """One plain connection with one answer."""
        asked = b"GET /a HTTP/1.1\r\nHost: site.test\r\n\r\n"
        told = (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
            % len(PAGE)
        )
        answer = told + PAGE
        chunks = [
            Chunk(direction=Direction.OUT, at=AT, data=asked),
            Chunk(direction=Direction.IN, at=AT + 1000, data=answer),
        ]
        self._workspace.append(stream_name(1), b"".join(map(encode_chunk, chunks)))
        self._connection = Connection(
            number=1, host="site.test", port=80, answers=("192.0.2.7",), address="192.0.2.7", local="192.0.2.1:4000",
            fate=Fate.OPENED, reason=None, opened_at="2026-03-02T01:31:00.000Z", closed_at="2026-03-02T01:31:01.000Z",
            ending=Ending.CLOSED, sent=len(asked), received=len(answer), sent_sha256=hashlib.sha256(asked).digest(),
            received_sha256=hashlib.sha256(answer).digest(),
        )  # fmt: skip

    def _write_snapshot(self, event: Snapped) -> None:
        for name in event.names:
            self._workspace.append(name, shown(name))


def shown(name: str) -> bytes:
    """Content of a file of a snapshot."""
    return png() if name.endswith(".png") else "第一条 中文内容\n".encode()


def snapped(number: int, url: str, *missing: str) -> Snapped:
    names = (f"page-{number:03}-viewport.png", f"page-{number:03}-full-01.png", f"page-{number:03}.txt")
    return Snapped(
        number=number, tab=1, url=url, title="公告", names=names, missing=tuple(missing),
        sha256=tuple(hashlib.sha256(shown(name)).hexdigest() for name in names), page_height=900, shown_height=900,
    )  # fmt: skip


class StagedRecorder:
    """`core.capture.ports.Recorder` over real folders."""

    def __init__(self, root: Path, clock: Clock, stage: Stage) -> None:
        self._root, self._clock, self._stage = root, clock, stage
        self._busy: set[bytes] = set()

    def workspace(self, capture: bytes) -> Workspace:
        path = self._root / capture.hex()
        path.mkdir(parents=True, mode=0o700)
        self._busy.add(capture)
        return FolderWorkspace(path)

    def begin(self, workspace: Workspace, plan: CapturePlan) -> StagedRecording:
        if self._stage.fails is not None:
            raise self._stage.fails
        assert isinstance(workspace, FolderWorkspace)
        return StagedRecording(self._stage, workspace, plan, self._clock)

    def left_over(self) -> Mapping[bytes, Workspace]:
        if not self._root.is_dir():
            return {}
        found = {bytes.fromhex(path.name): FolderWorkspace(path) for path in self._root.iterdir()}
        return {capture: workspace for capture, workspace in found.items() if capture not in self._busy}

    def busy(self) -> Collection[bytes]:
        return set(self._busy)

    def recover(self, workspace: Workspace) -> None:
        pass

    def release(self, capture: bytes) -> None:
        self._busy.discard(capture)

    def remove(self, capture: bytes) -> None:
        shutil.rmtree(self._root / capture.hex(), ignore_errors=True)
        self._busy.discard(capture)


class StagedChecker:
    """Two checks of which one has a warning."""

    def __init__(self, stage: Stage | None = None) -> None:
        self._stage = stage

    def check(
        self,
        when: When,
        targets: Sequence[Target],
        job: Job,
        *,
        profile: Sequence[str] | None = None,
        earlier: Mapping[str, bytes] | None = None,
    ) -> tuple[bytes, Mapping[str, bytes]]:
        if self._stage is not None and when is When.BEFORE:
            self._stage.looked.set()
            while not self._stage.may_look.wait(0.02):
                job.step("environment", 0, 1)
        moment = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
        items = (
            Item(
                check=Check.ZONE, outcome=Outcome.PASS, reasons=(because("environment.fact.zone"),),
                facts={"zone": ("Asia/Shanghai",)}, raws=(raw_output("timedatectl", b"Asia/Shanghai\n"),),
            ),
            Item(check=Check.PROXY, outcome=Outcome.WARN, reasons=(because("environment.fact.proxies"),)),
        )  # fmt: skip
        report = EnvironmentReport(
            when=when, system="linux", started=moment, finished=moment, uptime_ms=1000,
            targets=tuple(str(item) for item in targets), items=items,
        )  # fmt: skip
        return encode(report), {}

    def render(self, before: bytes, after: bytes | None, started: Beginning) -> bytes:
        last = None if after is None else parse(after)
        return render_cleanliness(parse(before), last, Language.ZH, started=started)

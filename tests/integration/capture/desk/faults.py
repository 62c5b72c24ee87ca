"""What tests of faults share: captures with a puppet for a browser, and what is in a sealed capture, decoded anew."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from evidence_desk.bootstrap.capturing import FOLDER
from evidence_desk.bootstrap.session import Session
from evidence_desk.capture.conductor import BrowserCommand, FolderRecorder
from evidence_desk.core.capture.connection import Fate, parse_index, stream_name
from evidence_desk.core.capture.environment import Target, When
from evidence_desk.core.capture.environment_codec import encode, parse
from evidence_desk.core.capture.events import Event, Started
from evidence_desk.core.capture.marks import Started as Beginning
from evidence_desk.core.capture.ports import EnvironmentChecker
from evidence_desk.core.capture.stream import StreamReader
from evidence_desk.core.job import Job
from evidence_desk.core.package.zip_reader import ZipReader
from evidence_desk.core.rows import ExhibitRow
from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.services.capture import CaptureOutcome, CaptureTools
from evidence_desk.wacz.decode import Decoded, decode_connection
from evidence_desk.wacz.read import WaczReader
from evidence_desk.wacz.tls import KeyLog
from tests.integration.capture.browsing import family
from tests.integration.capture.desk.conftest import tools_for
from tests.integration.capture.desk.test_capture import bond_of, verdict, wacz_of
from tests.sites.recording import TownResolver
from tests.sites.town import Town

PUPPET = (sys.executable, "-m", "tests.integration.capture.desk.puppet")


@dataclass
class OneLook:
    """The real checks, made once: later reports are the first one again, so that a test need not wait for them."""

    checker: EnvironmentChecker
    report: bytes = b""
    private: Mapping[str, bytes] = field(default_factory=dict)

    def check(
        self, when: When, targets: Sequence[Target], job: Job, *, profile: Sequence[str] | None = None,
        earlier: Mapping[str, bytes] | None = None,
    ) -> tuple[bytes, Mapping[str, bytes]]:  # fmt: skip
        if not self.report:
            self.report, self.private = self.checker.check(
                When.BEFORE, targets, job, profile=profile, earlier=earlier
            )
        told = tuple(map(str, targets))
        report = encode(replace(parse(self.report), when=when, targets=told))
        return report, self.private if when is When.BEFORE else {}

    def render(self, before: bytes, after: bytes | None, started: Beginning) -> bytes:
        return self.checker.render(before, after, started)


def puppet_tools(session: Session, town: Town, *given: str, look: OneLook | None = None) -> CaptureTools:
    """As the program's own, but for the browser."""
    tools = tools_for(session, town)
    recorder = FolderRecorder(
        session.vault.folder / FOLDER, BrowserCommand(arguments=(*PUPPET, *given)), session.clock,
        resolver=TownResolver(addresses=town.addresses),
    )  # fmt: skip
    return replace(tools, recorder=recorder, environment=look or tools.environment)


@dataclass
class Sealed:
    """A sealed capture, opened with the keys of its case."""

    session: Session
    exhibit: ExhibitRow
    reader: WaczReader

    def read(self, name: str) -> bytes:
        return self.reader.open(name).read()

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.read(name).splitlines()]

    def checks(self, name: str) -> dict[str, tuple[str, set[str]]]:
        """Outcome and reasons by check."""
        return {
            item["check"]: (item["outcome"], {reason["code"] for reason in item["reasons"]})
            for item in json.loads(self.read(name))["items"]
        }

    @property
    def connections(self) -> tuple[Any, ...]:
        return parse_index(self.read("connections.jsonl"))

    @contextmanager
    def decoded(self) -> Iterator[list[Decoded]]:
        """Every opened connection, decoded from what was sealed."""
        inside = ZipReader(
            io.BytesIO(
                self.session.vault.objects.unwrap(
                    self.read("secrets.age"), case_number=self.exhibit.case_number
                )
            )
        )
        secrets = KeyLog.parse(inside.read("keylog.txt", 1 << 26) if "keylog.txt" in inside.names else b"")
        found: list[Decoded] = []
        try:
            for connection in self.connections:
                if connection.fate is Fate.OPENED:
                    stream = io.BytesIO(self.read(stream_name(connection.number)))
                    found.append(decode_connection(connection, StreamReader(stream), secrets, _spool))
            yield found
        finally:
            for one in found:
                one.close()


def _spool() -> Any:
    return tempfile.TemporaryFile()


def checked(session: Session, outcome: CaptureOutcome) -> Sealed:
    """It is sealed, its verification finds nothing wrong, nothing of it is left in the clear."""
    assert outcome.exhibit is not None
    data = wacz_of(session, outcome.exhibit)
    found = verdict(session, data, bond_of(session, outcome.exhibit))
    wrong = [
        (item.code, dict(item.parameters))
        for item in found.findings
        if item.status is Status.FAILED and item.dimension is Dimension.INTEGRITY
    ]
    assert wrong == [], wrong
    assert found.manifest is not None
    assert (found.manifest.result, found.manifest.reasons) == (outcome.result, outcome.reasons)
    folder = session.vault.folder / FOLDER
    assert not (folder / outcome.capture.id.hex()).exists()
    return Sealed(session, outcome.exhibit, WaczReader(io.BytesIO(data)))


def codes(outcome: CaptureOutcome) -> set[str]:
    """Why it is not complete."""
    return {item.code for item in outcome.reasons}


class Family:
    """Processes of a browser, noted while it runs; `told` is for `CaptureControl`."""

    def __init__(self, then: Callable[[Event, int], None] = lambda _event, _pid: None) -> None:
        self.pids: set[int] = set()
        self.pid = 0
        self._then = then

    def told(self, event: Event) -> None:
        if isinstance(event, Started):
            self.pid = event.pid
        if self.pid:
            self.pids |= family(self.pid)
        self._then(event, self.pid)

    def gone(self, patience: float = 15.0) -> bool:
        """Whether none of them is there any more."""
        until = time.monotonic() + patience
        while left := {pid for pid in self.pids if _alive(pid)}:
            if time.monotonic() > until:
                print(left)
                return False
            time.sleep(0.05)
        return bool(self.pids)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX" and pid != os.getpid()


def fill(where: Path, *, leave: int = 0) -> None:
    """Take what room a disk has, but for `leave` bytes."""
    with (where / "ballast").open("wb", buffering=0) as stream:
        free = os.statvfs(where).f_bavail * os.statvfs(where).f_frsize
        wanted = max(0, free - leave)
        try:
            while wanted > 0:
                wanted -= stream.write(bytes(min(wanted, 1 << 16)))
        except OSError:
            pass


def make_room(where: Path) -> None:
    """Undo `fill`."""
    (where / "ballast").unlink()


def json_of(data: bytes) -> dict[str, Any]:
    """An object."""
    return cast("dict[str, Any]", json.loads(data))

"""The machine fails or is not clean while a real browser captures: full disks, a browser that hangs, a proxy, an inspector."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.capture import conductor
from evidence_desk.capture.browser import BrowserDriver
from evidence_desk.core.capture.connection import parse_index, stream_name
from evidence_desk.core.capture.events import Event, Navigated, Visited
from evidence_desk.core.capture.marks import MarkKind, parse_mark
from evidence_desk.core.capture.rows import CaptureResult
from evidence_desk.core.job import Job
from evidence_desk.errors import HostError
from evidence_desk.services import capture as use_case
from evidence_desk.services.audit import audit
from evidence_desk.services.capture import CaptureControl, Progress, capture
from evidence_desk.services.capture_recover import cut_short, recover
from evidence_desk.services.capture_seal import read_file
from evidence_desk.wacz.build import BUILT
from tests.gui.faults.test_disks import mounted
from tests.integration.capture.desk.conftest import REQUEST, open_desk, plan_for, taken, tools_for
from tests.integration.capture.desk.faults import Family, checked, codes, fill, make_room, puppet_tools
from tests.sites import TLS13, Http1Site, SiteCa, Tls
from tests.sites.answer import always, html
from tests.sites.recording import compare
from tests.sites.town import SITE, Town

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform != "linux", reason="mounts and signals of Linux"),
]
MB = 1 << 20


@dataclass
class Disk:
    where: Path
    session: Session
    town: Town

    def refused(self, *targets: str, control: CaptureControl | None = None, job: Job | None = None) -> None:
        """A capture that ends for want of room, which is left to what is there besides."""
        with pytest.raises(HostError, match=r"capture\.disk_full"):
            capture(
                self.session.desk, tools_for(self.session, self.town), plan_for(self.town, *targets), REQUEST,
                job=job or Job(), control=control,
            )  # fmt: skip

    def ended_in_order(self) -> bool:
        """Every connection has its line, and there is a mark at the end with the report from after."""
        tools = tools_for(self.session, self.town)
        ((_, workspace),) = tools.recorder.left_over().items()
        names = set(workspace.names())
        lines = {stream_name(item.number) for item in parse_index(read_file(workspace, "connections.jsonl"))}
        mark = parse_mark(
            read_file(
                workspace, max(name for name in names if name.startswith("mark-") and name.endswith(".json"))
            )
        )
        made = set(BUILT) & names
        return (
            {name for name in names if name.startswith("stream-")} <= lines
            and mark.kind is MarkKind.END and mark.environment_after is not None and not made
        )  # fmt: skip

    def recovered(self) -> set[str]:
        """It is found cut short and sealed now that there is room; why it is partial."""
        tools = tools_for(self.session, self.town)
        (row,) = cut_short(self.session.desk, tools.recorder)
        outcome = recover(self.session.desk, tools, row.id, job=Job())
        assert outcome.result is CaptureResult.PARTIAL
        sealed = checked(self.session, outcome)
        with sealed.decoded() as decoded:
            found = compare(self.town, decoded)
        assert found.wrong == []
        assert f"{SITE}/" in found.whole
        assert cut_short(self.session.desk, tools.recorder) == ()
        assert audit(self.session.desk, job=Job()).faults == ()
        return codes(outcome)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=240m", "tmpfs") as where, Town() as town:
        session = open_desk(where)
        yield Disk(where, session, town)
        session.close()


def test_a_disk_that_fills_while_it_records(disk: Disk):
    """What came before lies there, nothing after it was shown to the browser; sealed once there is room."""

    def then(event: Event, _pid: int) -> None:
        if isinstance(event, Visited) and event.number == 2:  # more than what is kept free is needed to seal
            fill(disk.where, leave=3 * MB)

    processes = Family(then)
    troubles: list[str] = []
    disk.refused(
        f"{SITE}/", f"{SITE}/big.html?size={20 * MB}", f"{SITE}/endless.html",
        control=CaptureControl(told=processes.told, troubled=lambda reason: troubles.append(reason.code)),
    )  # fmt: skip
    assert troubles == ["host.disk_full"]  # before the machine was looked at again, and sealing was tried
    assert processes.gone()
    assert disk.ended_in_order()
    make_room(disk.where)
    why = disk.recovered()
    assert {"host.disk_full", "capture.reason.sealed_later"} <= why
    assert not {"capture.reason.program_ended", "capture.reason.torn_streams"} & why


def test_a_disk_that_has_no_room_for_a_mark(disk: Disk, monkeypatch: pytest.MonkeyPatch):
    """Nothing else is written meanwhile. What was kept free is enough to seal so little."""
    monkeypatch.setattr(use_case, "MARK_SECONDS", 0.2)
    monkeypatch.setattr(conductor, "LEAST_ROOM", 0)
    monkeypatch.setattr(conductor, "RESERVE", 24 * MB)
    troubles: list[str] = []

    def progress(now: Progress) -> None:
        if now.marks == 3 and not (disk.where / "ballast").exists():
            fill(disk.where)

    outcome = capture(
        disk.session.desk, puppet_tools(disk.session, disk.town, "wait"), plan_for(disk.town, f"{SITE}/"), REQUEST,
        job=Job(), control=CaptureControl(progress=progress, troubled=lambda reason: troubles.append(reason.code)),
    )  # fmt: skip
    assert troubles == ["host.disk_full"]
    assert outcome.result is CaptureResult.PARTIAL
    assert codes(outcome) == {"host.disk_full"}
    checked(disk.session, outcome)


def test_a_disk_that_fills_while_it_seals(disk: Disk):
    def report(stage: str, _done: int, _total: int) -> None:
        if stage == "capture.build" and not (disk.where / "ballast").exists():
            fill(disk.where)

    disk.refused(f"{SITE}/", job=Job(report))
    make_room(disk.where)
    disk.recovered()


def test_a_browser_that_hangs_is_ended_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    defaults = BrowserDriver.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "silence", 3.0)

    def then(event: Event, pid: int) -> None:
        if isinstance(event, Navigated) and "endless" in event.url:
            os.kill(pid, signal.SIGSTOP)

    processes = Family(then)
    with Town() as town:
        session = open_desk(tmp_path)
        outcome = taken(
            session, town, f"{SITE}/", f"{SITE}/endless.html", control=CaptureControl(told=processes.told)
        )
        assert outcome.result is CaptureResult.PARTIAL
        assert "capture.reason.browser_hung" in codes(outcome)
        with checked(session, outcome).decoded() as decoded:
            found = compare(town, decoded)
        assert found.wrong == []
        assert f"{SITE}/" in found.whole
        assert processes.gone()
        session.close()


def test_a_system_proxy_is_told_and_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as proxy, Town() as town:
        proxy.setblocking(False)
        address = f"http://name:secret@127.0.0.1:{proxy.getsockname()[1]}"
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, address)
        session = open_desk(tmp_path)
        outcome = taken(session, town, f"{SITE}/")
        assert (outcome.result, outcome.reasons) == (CaptureResult.COMPLETE, ())
        sealed = checked(session, outcome)
        for name in ("environment-before.json", "environment-after.json"):
            state, _reasons = sealed.checks(name)["proxy"]
            assert state == "warn"
            assert b"secret" not in sealed.read(name)
            assert f"127.0.0.1:{proxy.getsockname()[1]}".encode() in sealed.read(name)
        with pytest.raises(BlockingIOError):
            proxy.accept()
        session.close()


def test_a_certificate_that_only_an_added_root_vouches_for_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As behind a proxy that inspects TLS: its root was put into the user's store, and the site's certificate is its own."""
    if not Path("/usr/share/ca-certificates").is_dir():
        pytest.skip("no list of shipped roots here")
    inspector = SiteCa("Zscaler")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    store_root(tmp_path / "home", inspector.root_der)
    page = {"/": always(html("<!doctype html><meta charset=utf-8><title>被检查</title>经过代理的网页"))}
    with Http1Site("localhost", page, tls=Tls(leaf=inspector.leaf("localhost"), versions=TLS13)) as site:
        town = Town(inspector)
        town.sites["localhost"], town.addresses["localhost"] = site, ("127.0.0.1",)
        session = open_desk(tmp_path)
        outcome = capture(
            session.desk, puppet_tools(session, town), plan_for(town, "localhost/"), REQUEST, job=Job()
        )
        sealed = checked(session, outcome)
        before = sealed.checks("environment-before.json")
        assert before["interception"] == ("fail", {"environment.interception.added"})
        assert before["roots"][0] == "warn"
        assert {"environment.roots.added", "environment.roots.inspector"} <= before["roots"][1]
        with sealed.decoded() as decoded:
            assert decoded[0].tls is not None
            assert decoded[0].tls.certificates == site.leaf.chain
        session.close()


def store_root(home: Path, der: bytes) -> None:
    """A root in the user's NSS store, as browsers' settings put it there."""
    import sqlite3  # noqa: PLC0415 - here only

    folder = home / ".pki" / "nssdb"
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "cert9.db") as store:
        store.execute("CREATE TABLE nssPublic (id PRIMARY KEY UNIQUE ON CONFLICT ABORT, a0, a11)")
        store.execute("INSERT INTO nssPublic VALUES (1, ?, ?)", (b"\0\0\0\x01", der))
    store.close()

"""The desk's own side fails during a capture: clock, authority, vault. Recorder, proxy, log and seal are real; the browser is a
puppet that fetches through them."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from evidence_desk.bootstrap.opening import unlocked
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.capture.events import Event, Started, Visited
from evidence_desk.core.capture.manifest import MarkResult, parse_manifest
from evidence_desk.core.capture.marks import parse_mark
from evidence_desk.core.capture.rows import CaptureResult, CaptureState
from evidence_desk.core.digests import sha256
from evidence_desk.core.job import Job
from evidence_desk.core.moment import parse_moment
from evidence_desk.core.ports import TimestampAuthority
from evidence_desk.errors import EvidenceDeskError, UsageError
from evidence_desk.services import capture as use_case
from evidence_desk.services.audit import audit
from evidence_desk.services.capture import (
    CaptureControl,
    CaptureOutcome,
    CaptureTools,
    Progress,
    capture,
)
from evidence_desk.services.capture_recover import cut_short, recover
from evidence_desk.services.erase import erase
from evidence_desk.services.seal import SealRequest
from tests.integration.capture.desk.conftest import REQUEST, open_desk, plan_for
from tests.integration.capture.desk.faults import Family, OneLook, Sealed, checked, puppet_tools
from tests.sites.recording import compare
from tests.sites.town import AGAIN, SITE, STAPLED, Town
from tests.unit.tsa.liars import Answer, http_server, raw_server
from tests.unit.tsa.test_client import honest, trust
from tsa import client
from tsa.acceptance import make_question
from tsa.client import HttpAuthority
from tsa.request import parse_request

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform == "win32", reason="processes of POSIX"),
]
_looks: dict[str, OneLook] = {}


@pytest.fixture(autouse=True)
def fresh_town():
    """Logs of sites belong to one capture."""
    with Town() as town:
        yield town


@pytest.fixture
def town(fresh_town):
    return fresh_town


def tools(session: Session, town: Town, *given: str) -> CaptureTools:
    """With the machine looked at once."""
    made = puppet_tools(session, town, *given)
    return replace(made, environment=_looks.setdefault("one", OneLook(made.environment)))


def captured(
    session: Session, town: Town, given: CaptureTools, *targets: str, control: CaptureControl | None = None,
    request: SealRequest = REQUEST, elapsed: Callable[[], float] | None = None, job: Job | None = None,
) -> CaptureOutcome:  # fmt: skip
    more = {} if elapsed is None else {"elapsed": elapsed}
    return capture(
        session.desk, given, plan_for(town, *(targets or (f"{SITE}/",))), request, job=job or Job(),
        control=control, **more
    )  # fmt: skip


def whole(sealed: Sealed, town: Town) -> set[str]:
    """Everything is recorded as it was sent; what came whole."""
    with sealed.decoded() as decoded:
        found = compare(town, decoded)
    assert found.wrong == []
    return set(found.whole)


@dataclass
class JumpingClock:
    """The machine's, set forward or back when told."""

    off: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_jumps_is_told(session, town, hours):
    clock = JumpingClock()
    session.clock = session.desk.clock = clock

    def told(event: Event) -> None:
        if isinstance(event, Visited) and event.number == 1:
            clock.off = timedelta(hours=hours)
            threading.Timer(3, control.stop).start()  # the recorder looks at both clocks about once a second

    seconds: list[int] = []
    control = CaptureControl(told=told, progress=lambda now: seconds.append(now.seconds))
    outcome = captured(session, town, tools(session, town, "wait"), control=control)
    assert outcome.result is CaptureResult.PARTIAL
    assert seconds == sorted(seconds)
    assert 0 <= max(seconds) < 600  # it lasted some seconds, by a clock that nobody sets
    (jump,) = [item for item in outcome.reasons if item.code == "capture.reason.clock_jump"]
    assert abs(int(jump.parameters["milliseconds"]) - hours * 3_600_000) < 2_000
    sealed = checked(session, outcome)
    assert f"{SITE}/" in whole(sealed, town)
    (notice,) = [line for line in sealed.lines("notices.jsonl") if line["kind"] == "clock-jump"]
    assert abs(int(notice["reason"]) - hours * 3_600_000) < 2_000
    first, last = (
        parse_moment(parse_mark(sealed.read(item.name)).at, what="mark") for item in marks(outcome)
    )
    assert abs(last - first - timedelta(hours=hours)) < timedelta(seconds=600)


@contextmanager
def authority(url: str, seconds: float = 1) -> Iterator[TimestampAuthority]:
    with httpx.Client(trust_env=False) as http:
        yield HttpAuthority("第三方", url, trust(), http, JumpingClock(), total_seconds=seconds)


def deaf(_connection: socket.socket, over: threading.Event) -> None:
    """Never hangs up either."""
    over.wait()


def silent(connection: socket.socket, over: threading.Event) -> None:
    while not over.is_set() and connection.recv(65536):
        pass


def marks(outcome: CaptureOutcome) -> list[MarkResult]:
    assert outcome.capture.manifest is not None
    return list(parse_manifest(outcome.capture.manifest).marks)


def test_a_silent_authority_leaves_marks_without_tokens(session, town, monkeypatch):
    monkeypatch.setattr(use_case, "FIRST_TOKEN_SECONDS", 20.0)
    with raw_server(silent) as (url, count), authority(url) as asked:
        outcome = captured(session, town, replace(tools(session, town), authorities=(asked,)))
        assert len(count) == 2
    assert [item.token for item in marks(outcome)] == [False, False]
    assert whole(checked(session, outcome), town)
    assert outcome.result is CaptureResult.COMPLETE


@pytest.mark.parametrize("wish", ["stop", "cancel"])
def test_marks_do_not_wait_for_an_authority(session, town, monkeypatch, wish):
    """It would be silent for an hour: every mark is made, the capture ends when a person wants, and is sealed."""
    for name in ("FIRST_TOKEN_SECONDS", "LAST_TOKENS_SECONDS", "CANCELED_TOKENS_SECONDS"):
        monkeypatch.setattr(use_case, name, 0.5)
    monkeypatch.setattr(use_case, "MARK_SECONDS", 0.2)
    monkeypatch.setattr(client, "SILENCE_SECONDS", 3600.0)
    job, control = Job(), CaptureControl()
    control.progress = lambda now: (
        (job.cancel if wish == "cancel" else control.stop)() if now.marks > 3 else None
    )
    with raw_server(deaf) as (url, count), authority(url, 3600) as asked:
        given = replace(tools(session, town, "wait"), authorities=(asked,))
        outcome = captured(session, town, given, control=control, job=job)
        assert len(count) == 1  # it has not been asked for a second mark yet
    assert len(marks(outcome)) > 4
    assert not any(item.token for item in marks(outcome))
    assert whole(checked(session, outcome), town)


def test_a_token_that_comes_late_says_when(session, town, monkeypatch):
    monkeypatch.setattr(use_case, "FIRST_TOKEN_SECONDS", 0.1)
    monkeypatch.setattr(use_case, "MARK_SECONDS", 0.2)
    back = threading.Event()

    def answer(_path: str, body: bytes) -> Answer:
        return Answer(body=honest(body)) if back.is_set() else Answer(status=503)

    def progress(now: Progress) -> None:
        if now.marks == 3:
            back.set()
        if now.tokens > 3:
            control.stop()

    control = CaptureControl(progress=progress)
    with http_server(answer) as (url, _), authority(url) as asked:
        outcome = captured(
            session, town, replace(tools(session, town, "wait"), authorities=(asked,)), control=control
        )
    found = marks(outcome)
    assert all(item.token for item in found)
    sealed = checked(session, outcome)
    third = parse_mark(sealed.read(found[2].name)).at
    assert found[0].gen_time is not None
    assert found[0].gen_time > parse_moment(third, what="mark")
    assert whole(sealed, town)


def lying(body: bytes) -> bytes:
    """A good token, over something else."""
    assert body
    return honest(make_question(sha256(b"other"), policy=None, now=datetime.now(UTC)).encoded)


@pytest.mark.parametrize(
    "answers", [(lying, lying), (honest, lying), (lying, honest), (honest, lambda _: b"")],
    ids=["always", "at-the-end", "at-the-start", "empty-at-the-end"],
)  # fmt: skip
def test_tokens_of_an_authority_that_lies_are_not_kept(session, town, answers):
    heard: dict[bytes, int] = {}

    def answer(_path: str, body: bytes) -> Answer:
        number = heard.setdefault(parse_request(body).imprint, len(heard))
        return Answer(body=answers[number](body))

    with http_server(answer) as (url, _), authority(url) as asked:
        outcome = captured(session, town, replace(tools(session, town), authorities=(asked,)))
    good = [one is honest for one in answers]
    assert [item.token for item in marks(outcome)] == good
    sealed = checked(session, outcome)
    names = set(sealed.reader.evidence)
    assert {"mark-000.tst" in names, "mark-001.tst" in names} == set(good)
    assert whole(sealed, town)


def test_another_authority_is_asked_when_one_is_silent(session, town):
    with raw_server(silent) as (url, _), authority(url) as asked:
        outcome = captured(
            session, town, replace(tools(session, town), authorities=(asked, *session.authorities))
        )
    assert [item.token for item in marks(outcome)] == [True, True]


def test_a_mark_each_minute(session, town):
    """By a clock that runs a minute for each look at it."""
    control, seconds = CaptureControl(), iter(range(0, 10**9, 20))
    control.progress = lambda now: control.stop() if now.marks >= 4 else None
    outcome = captured(
        session, town, tools(session, town, "wait"), control=control, elapsed=lambda: float(next(seconds))
    )
    found = marks(outcome)
    assert len(found) >= 5
    assert all(item.token for item in found)
    sealed = checked(session, outcome)
    kinds = [sealed.lines(item.name)[0]["kind"] for item in found]
    assert kinds == ["start", *["running"] * (len(found) - 2), "end"]


def test_a_vault_that_is_closed_meanwhile_loses_nothing(tmp_path: Path, town):
    session = open_desk(tmp_path)
    processes = Family(lambda event, _pid: session.close() if isinstance(event, Visited) else None)
    with pytest.raises(EvidenceDeskError) as caught:
        captured(session, town, tools(session, town), control=CaptureControl(told=processes.told))
    assert not caught.value.code.startswith("bug.")
    assert processes.gone()
    session.close()
    again = unlocked(tmp_path / "vault", "capture")
    given = tools(again, town)
    (row,) = cut_short(again.desk, given.recorder)
    outcome = recover(again.desk, given, row.id, job=Job())
    assert outcome.result is CaptureResult.PARTIAL
    assert f"{SITE}/" in whole(checked(again, outcome), town)
    assert audit(again.desk, job=Job()).faults == ()
    again.close()


@dataclass
class Side:
    """One of two captures at once."""

    target: str
    outcome: CaptureOutcome | None = None
    refused: list[str] = field(default_factory=list)


def test_two_captures_at_once_do_not_mix(session, town):
    barrier = threading.Barrier(2, timeout=30)
    sides = [Side(f"{SITE}/"), Side(f"{AGAIN}/second.html")]

    def run(side: Side) -> None:
        def told(event: Event) -> None:
            if isinstance(event, Started):
                barrier.wait()
                assert len(given.recorder.busy()) == 2
                assert cut_short(session.desk, given.recorder) == ()
                with pytest.raises(UsageError, match=r"erase\.capturing"):
                    erase(session.desk, "案一", reason="到期", court=None)
                side.refused.append("erase")

        given = tools(session, town)
        side.outcome = captured(
            session, town, given, side.target, f"{STAPLED}/style.css", control=CaptureControl(told=told)
        )

    threads = [threading.Thread(target=run, args=(side,)) for side in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for side, other in (sides, sides[::-1]):
        assert side.refused == ["erase"]
        assert side.outcome is not None
        assert (side.outcome.result, side.outcome.reasons) == (CaptureResult.COMPLETE, ())
        sealed = checked(session, side.outcome)
        hosts = {item.host for item in sealed.connections}
        assert hosts == {side.target.partition("/")[0], STAPLED}
        with sealed.decoded() as decoded:
            urls = {item.url for one in decoded for item in one.exchanges}
        assert town.url(*split(side.target)) in urls
        assert town.url(*split(other.target)) not in urls
        assert [line["facts"]["url"] for line in sealed.lines("actions.jsonl") if line["kind"] == "visited"] == [
            town.url(*split(side.target)), town.url(STAPLED, "/style.css"),
        ]  # fmt: skip
    assert [row.state for row in session.vault.captures.captures()] == [CaptureState.SEALED] * 2
    assert audit(session.desk, job=Job()).faults == ()


def split(target: str) -> tuple[str, str]:
    name, _, path = target.partition("/")
    return name, f"/{path}"


TORN = {
    "environment-after.json": b"",
    "mark-001.json": b'{"actions":',
    "mark-001.tst": b"\x30\x82",
    "mark-000.tst": b"\x30",
    "notices.jsonl": b'{"at":"2026',
}
"""What a power cut or a kill between making a file and writing it leaves of the last things written."""


def test_what_a_kill_left_half_written_does_not_stand_in_the_way(session, town):
    control = CaptureControl()
    given = tools(session, town)

    def told(event: Event) -> None:
        if isinstance(event, Visited):
            raise KeyboardInterrupt  # as near to a kill as one process comes: nothing is sealed

    control.told = told
    with pytest.raises(KeyboardInterrupt):
        captured(session, town, given, control=control)
    (row,) = cut_short(session.desk, given.recorder)
    workspace = given.recorder.left_over()[row.id]
    for name, data in TORN.items():
        workspace.replace(name, data)
    outcome = recover(session.desk, given, row.id, job=Job())
    assert outcome.result is CaptureResult.PARTIAL
    assert [item.name for item in marks(outcome)] == ["mark-000.json"]
    sealed = checked(session, outcome)
    assert not {"environment-after.json", "mark-000.tst", "mark-001.json", "mark-001.tst"} & set(
        sealed.reader.evidence
    )
    assert f"{SITE}/" in whole(sealed, town)

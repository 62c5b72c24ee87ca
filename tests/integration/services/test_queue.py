"""The queue: what is found at once, what becomes of each item, pause, cancel, retry, and what is left after the end."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest

from evidence_desk.bootstrap.opening import open_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState, QueueItem
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.errors import BusyError, CanceledError, MalformedError, NotFoundError, UnreadableError
from evidence_desk.services import queue, seal
from evidence_desk.services.audit import audit
from evidence_desk.services.queue_request import encode_request, parse_request
from evidence_desk.services.seal import SealRequest
from tests.fixed import refusal
from tests.integration.services.conftest import PASSPHRASE

CASE = "（2026）测2号"
REQUEST = SealRequest(case_number=CASE)


@dataclass
class Notes:
    """A watcher that notes what it is told, and may act on it."""

    on_start: Callable[[QueueItem], None] = lambda _item: None
    started_: list[str] = field(default_factory=list)
    finished_: list[QueueItem] = field(default_factory=list)

    def started(self, item: QueueItem) -> None:
        self.started_.append(name(item))
        self.on_start(item)

    def finished(self, item: QueueItem) -> None:
        self.finished_.append(item)


def name(item: QueueItem) -> str:
    return Path(os.fsdecode(item.path)).name


def files(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    paths = [folder / item for item in names]
    for path in paths:
        path.write_text(f"content of {path.name}", "utf-8")
    return paths


def drop(
    session: Session, *paths: Path, each_file: bool = False, request: SealRequest = REQUEST
) -> queue.Batch:
    return queue.enqueue(session.desk, paths, request, each_file=each_file, job=Job())


def work(
    session: Session, watcher: queue.QueueWatcher | None = None, job: Job | None = None
) -> queue.QueueOutcome:
    return queue.work(session.desk, job or Job(), watcher=watcher or queue.Unwatched())


def states(session: Session) -> dict[str, str]:
    return {name(item): item.state.value for item in queue.items(session.desk)}


def test_a_drop_is_sealed_in_order_and_says_so(session: Session, tmp_path: Path):
    paths = files(tmp_path / "in", "b", "a", "c")
    batch = drop(session, *paths)
    assert (batch.waiting, batch.failed, batch.repeated) == (3, 0, ())
    assert batch.size == sum(path.stat().st_size for path in paths)
    notes = Notes()
    outcome = work(session, notes)
    rows = list(session.vault.exhibits.exhibits())
    assert [row.title for row in rows] == notes.started_ == ["b", "a", "c"]
    assert outcome.sealed == [row.leaf_hash for row in rows]
    assert [(item.state, item.number, item.leaf_hash) for item in notes.finished_] == [
        (ItemState.SEALED, row.number, row.leaf_hash) for row in rows
    ]
    assert [item.number for item in queue.items(session.desk)] == [row.number for row in rows]
    assert outcome.timestamped == 0
    assert queue.clear_finished(session.desk) == 3
    assert queue.items(session.desk) == []
    assert session.vault.database.rows("SELECT count(*) FROM seal_batches") == [(0,)]
    assert audit(session.desk, job=Job()).faults == ()


def test_with_authorities_what_was_sealed_is_timestamped(session: Session, tmp_path: Path):
    drop(session, *files(tmp_path / "in", "a", "b"))
    outcome = queue.work(session.desk, Job(), watcher=queue.Unwatched(), authorities=session.authorities)
    assert (outcome.timestamped, outcome.untimestamped) == (2, None)
    assert session.vault.exhibits.awaiting_timestamp() == []


def test_what_cannot_be_sealed_is_found_at_once(session: Session, tmp_path: Path):
    (good,) = files(tmp_path / "in", "good")
    link, pipe, empty = tmp_path / "link", tmp_path / "pipe", tmp_path / "empty"
    link.symlink_to(good)
    os.mkfifo(pipe)
    empty.mkdir()
    wrong = {
        link: "input.symlink",
        pipe: "input.special",
        empty: "input.empty_folder",
        tmp_path / "missing": "input.missing",
    }
    for each_file in (False, True):
        batch = drop(session, *wrong, good, good, each_file=each_file)
        assert (batch.waiting, batch.failed, batch.repeated) == (1, 4, (good,))
        failed = queue.items(session.desk, states=(ItemState.FAILED,))
        assert {Path(os.fsdecode(item.path)): item.error for item in failed} == wrong
        assert all(item.parameters["path"] for item in failed)
        assert work(session).failed == 0
        queue.clear_finished(session.desk, failed=True)


def test_a_folder_with_something_wrong_inside(session: Session, tmp_path: Path):
    """As one exhibit it is refused; file by file the rest is taken."""
    files(tmp_path / "in", "a", "c")
    (tmp_path / "in" / "b").symlink_to(tmp_path / "in" / "a")
    (tmp_path / "in" / "sub").mkdir()
    files(tmp_path / "in" / "sub", "d")
    assert drop(session, tmp_path / "in").waiting == 0
    batch = drop(session, tmp_path / "in", each_file=True)
    assert (batch.waiting, batch.failed) == (3, 1)
    work(session)
    assert [row.title for row in session.vault.exhibits.exhibits()] == ["a", "c", "d"]


def test_the_same_path_waits_once_for_a_case(session: Session, tmp_path: Path):
    paths = files(tmp_path / "in", "a", "b")
    drop(session, paths[0])
    again = drop(session, *paths)
    assert (again.waiting, again.repeated) == (1, (paths[0],))
    nothing = drop(session, *paths)
    assert (nothing.id, nothing.waiting, nothing.repeated) == (None, 0, tuple(paths))
    assert drop(session, *paths, request=SealRequest(case_number="另案")).waiting == 2
    assert len(work(session).sealed) == 4


def test_a_drop_of_too_many_files_is_refused_whole(session: Session, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(queue, "MAX_FILES", 2)
    files(tmp_path / "in", "a", "b", "c")
    with refusal("input.too_many", UnreadableError):
        drop(session, tmp_path / "in", each_file=True)
    assert queue.items(session.desk) == []


def test_relative_paths_are_queued_as_absolute_ones(session: Session, tmp_path: Path, monkeypatch):
    files(tmp_path / "in", "a")
    monkeypatch.chdir(tmp_path / "in")
    drop(session, Path("a"))
    monkeypatch.chdir("/")
    assert len(work(session).sealed) == 1


def test_duplicates_name_the_exhibit_that_has_the_files(session: Session, tmp_path: Path):
    (first,) = files(tmp_path / "in", "first")
    drop(session, first)
    work(session)
    (row,) = session.vault.exhibits.exhibits()
    twin, other = tmp_path / "twin", tmp_path / "other"
    twin.write_bytes(first.read_bytes())
    other.write_bytes(b"another")
    last = tmp_path / "last"
    last.write_bytes(b"another")
    drop(session, twin, other, last)
    outcome = work(session)
    assert (len(outcome.sealed), outcome.duplicates) == (1, 2)
    second = list(session.vault.exhibits.exhibits())[1]
    assert [item.number for item in queue.items(session.desk)] == [
        row.number,
        row.number,
        second.number,
        second.number,
    ]
    assert states(session) == {"first": "sealed", "twin": "duplicate", "other": "sealed", "last": "duplicate"}
    ids = [item.id for item in queue.items(session.desk, states=(ItemState.DUPLICATE,))]
    assert queue.retry(session.desk, ids) == 2
    assert work(session).duplicates == 2
    assert queue.retry(session.desk, ids, allow_duplicates=True) == 2
    assert len(work(session).sealed) == 2
    assert states(session)["twin"] == "sealed"
    assert len({path.name for path in (session.vault.folder / "objects").iterdir()}) == 2


def test_the_whole_set_of_files_makes_a_duplicate(session: Session, tmp_path: Path):
    pair = tmp_path / "pair"
    files(pair, "a", "b")
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    (renamed / "y").write_bytes((pair / "a").read_bytes())
    (renamed / "x").write_bytes((pair / "b").read_bytes())
    more = tmp_path / "more"
    files(more, "a", "b", "c")
    twice = tmp_path / "twice"
    twice.mkdir()
    for copy in ("1", "2", "3"):
        (twice / copy).write_bytes((pair / "a").read_bytes())
    drop(session, pair, renamed, more, twice, pair / "a")
    work(session)
    assert states(session) == {
        "pair": "sealed", "renamed": "duplicate", "more": "sealed", "twice": "sealed", "a": "sealed",
    }  # fmt: skip
    drop(session, pair, request=SealRequest(case_number="另案"))
    assert len(work(session).sealed) == 1


def test_failed_items_wait_again_and_keep_their_place(session: Session, tmp_path: Path):
    a, b = files(tmp_path / "in", "a", "b")
    drop(session, a, b)
    content = a.read_bytes()
    a.unlink()
    outcome = work(session)
    assert (len(outcome.sealed), outcome.failed) == (1, 1)
    (failed,) = queue.items(session.desk, states=(ItemState.FAILED,))
    assert failed.error == "input.missing"
    assert queue.retry(session.desk, [failed.id]) == 0
    a.write_bytes(content + b", longer")
    assert queue.retry(session.desk, [failed.id, 999]) == 1
    (again,) = queue.waiting(session.desk)
    assert (again.id, again.size, again.error) == (failed.id, len(content) + 8, "")
    assert len(work(session).sealed) == 1
    assert queue.retry(session.desk, [failed.id]) == 0, "what is sealed stays so"


def test_a_file_that_changed_since_it_was_queued_is_sealed_as_it_is(session: Session, tmp_path: Path):
    (a,) = files(tmp_path / "in", "a")
    drop(session, a)
    a.write_bytes(b"other")
    work(session)
    (row,) = session.vault.exhibits.exhibits()
    assert row.objects[0].stored.size == 5


def test_items_are_canceled_before_and_while_they_are_read(session: Session, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(seal, "_ASK_SECONDS", 0.0)
    paths = files(tmp_path / "in", "a", "b", "c", "d")
    paths[1].write_bytes(os.urandom(9_000_000))
    drop(session, *paths)
    ids = {name(item): item.id for item in queue.items(session.desk)}
    assert queue.cancel(session.desk, [ids["a"]]) == 1

    def act(item: QueueItem) -> None:
        if name(item) == "b":  # b is in hand, c is next, of one batch
            assert queue.cancel(session.desk, [ids["b"], ids["c"]]) == 2

    notes = Notes(on_start=act)
    outcome = work(session, notes)
    assert (len(outcome.sealed), outcome.canceled) == (1, 2)
    assert notes.started_ == ["b", "d"]
    assert states(session) == {"a": "canceled", "b": "canceled", "c": "canceled", "d": "sealed"}
    assert len(list((session.vault.folder / "objects").iterdir())) == 1
    assert queue.retry(session.desk, list(ids.values())) == 3
    assert queue.cancel(session.desk) == 3
    assert work(session).sealed == []
    assert queue.clear_finished(session.desk) == 4


def test_an_item_canceled_after_it_was_read_leaves_no_original(session: Session, tmp_path: Path):
    drop(session, *files(tmp_path / "in", "a", "b"))
    first, _ = queue.items(session.desk)

    def act(item: QueueItem) -> None:
        if name(item) == "b":
            queue.cancel(session.desk, [first.id])

    assert len(work(session, Notes(on_start=act)).sealed) == 1
    assert states(session) == {"a": "canceled", "b": "sealed"}
    assert len(list((session.vault.folder / "objects").iterdir())) == 1


def test_canceling_the_job_leaves_the_rest_waiting(session: Session, tmp_path: Path):
    drop(session, *files(tmp_path / "in", "a", "b", "c"))
    job = Job()
    with pytest.raises(CanceledError):
        work(session, Notes(on_start=lambda item: job.cancel() if name(item) == "b" else None), job)
    assert set(states(session).values()) == {"waiting"}
    assert list((session.vault.folder / "objects").iterdir()) == []
    assert len(work(session).sealed) == 3


def test_a_pause_makes_what_was_read_durable(session: Session, tmp_path: Path):
    drop(session, *files(tmp_path / "in", "a", "b"))
    job, held = Job(), threading.Event()

    def report(stage: str, _done: int, _total: int) -> None:
        if stage == "verify" and not held.is_set():
            job.pause()
            held.set()

    job._report = report
    outcomes: list[queue.QueueOutcome] = []
    worker = threading.Thread(target=lambda: outcomes.append(work(session, job=job)))
    worker.start()
    assert held.wait(30)
    while not list(session.vault.exhibits.exhibits()):
        assert worker.is_alive()
    assert session.vault.queue.counts()[ItemState.SEALED].items == 1
    with refusal("queue.busy", BusyError):
        work(session)
    assert queue.resume_state(session.desk) == queue.ResumeState()
    more = tmp_path / "more"
    drop(session, *files(more, "c"))  # while it holds
    job.resume()
    worker.join(30)
    assert len(outcomes[0].sealed) == 3


def test_single_files_become_durable_soon(session: Session, tmp_path: Path):
    """Every reading of the clock takes a second: a batch of three ends after the second file."""
    drop(session, *files(tmp_path / "in", "a", "b", "c"))
    ticks = iter(range(10_000))
    sizes: list[int] = []

    def act(_item: QueueItem) -> None:
        sizes.append(session.vault.log.size())

    queue.work(session.desk, Job(), watcher=Notes(on_start=act), elapsed=lambda: float(next(ticks)) / 2)
    assert sizes[0] < sizes[-1]


def test_a_crash_is_told_and_nothing_is_lost(session: Session, tmp_path: Path):
    drop(session, *files(tmp_path / "in", "a", "b", "c"))
    with session.vault.transaction():
        taken = session.vault.queue.take(items=2, size=1 << 30, at=session.clock.now())
    folder = session.vault.folder
    session.close()
    with open_session(folder, PASSPHRASE) as again:
        left = queue.resume_state(again.desk)
        assert (left.waiting, left.interrupted, left.since) == (3, 2, taken[0].changed)
        assert queue.resume_state(again.desk).interrupted == 0
        assert len(work(again).sealed) == 3


def test_drafts(session: Session):
    assert queue.load_draft(session.desk, "seal") is None
    queue.save_draft(session.desk, "seal", {"title": "借条", "parties": ["甲"]}, case_number=CASE)
    queue.save_draft(session.desk, "seal", {"title": "借款合同"}, case_number=CASE)
    draft = queue.load_draft(session.desk, "seal")
    assert draft is not None
    assert draft.content == {"title": "借款合同"}
    queue.drop_draft(session.desk, "seal")
    queue.drop_draft(session.desk, "seal")
    assert queue.load_draft(session.desk, "seal") is None
    with session.vault.transaction():
        session.vault.queue.save_draft("bad", "", b"[]", session.clock.now())
    with refusal("malformed.json", MalformedError):
        queue.load_draft(session.desk, "bad")


def test_erasing_a_case_takes_its_rows(session: Session, tmp_path: Path):
    paths = files(tmp_path / "in", "甲的病历.txt", "b")
    drop(session, paths[0])
    work(session)
    drop(session, *paths)
    drop(session, paths[0], request=SealRequest(case_number="另案"))
    queue.save_draft(session.desk, "seal", {"a": 1}, case_number=CASE)
    queue.save_draft(session.desk, "other", {"a": 1})
    session.vault.erase_case(CASE)
    (left,) = queue.items(session.desk)
    assert (left.batch_id, left.state) == (3, ItemState.WAITING)
    assert session.vault.database.rows("SELECT case_number FROM seal_batches") == [("另案",)]
    assert queue.load_draft(session.desk, "seal") is None
    assert queue.load_draft(session.desk, "other") is not None
    with refusal("vault.case_erased", NotFoundError):
        drop(session, *paths)
    with refusal("vault.case_erased", NotFoundError):  # a form that is still open
        queue.save_draft(session.desk, "seal", {"a": 1}, case_number=CASE)
    assert queue.load_draft(session.desk, "seal") is None


def test_a_case_erased_while_its_files_are_read(session: Session, tmp_path: Path):
    drop(session, *files(tmp_path / "in", "a", "b"))
    drop(session, *files(tmp_path / "in2", "c"), request=SealRequest(case_number="另案"))
    outcome = work(
        session, Notes(on_start=lambda item: session.vault.erase_case(CASE) if name(item) == "b" else None)
    )
    assert len(outcome.sealed) == 1
    assert outcome.stopped is None
    assert states(session) == {"c": "sealed"}
    assert audit(session.desk, job=Job()).faults == ()


def test_an_unreadable_request_fails_its_items_only(session: Session, tmp_path: Path):
    drop(session, *files(tmp_path / "in", "a"))
    drop(session, *files(tmp_path / "in", "b"))
    with session.vault.transaction():
        session.vault.database.write("UPDATE seal_batches SET request = x'5b5d' WHERE id = 1")
    notes = Notes()
    outcome = work(session, notes)
    assert (len(outcome.sealed), outcome.failed) == (1, 1)
    assert [item.error for item in notes.finished_] == ["malformed.json", ""]


def test_requests_are_kept_whole():
    request = SealRequest(
        case_number=CASE, court="重庆市渝中区人民法院", cause="借款", parties=("甲", "乙"), title="t", kind=ExhibitKind.COMMUNICATION,
        purpose="p", source={"obtained": "本人提供", "is_original": True}, operator={"name": "张三"},
        witness={"name": "李四"}, interest="无", blinded=True, leaves_only=True, allow_duplicates=True,
    )  # fmt: skip
    plain = SealRequest()
    unset = [
        item.name for item in fields(request) if getattr(request, item.name) == getattr(plain, item.name)
    ]
    assert unset == [], "a field that this test does not see kept"
    for item in (request, plain):
        assert parse_request(encode_request(item)) == item


@pytest.mark.parametrize(
    "change",
    [
        b"[]", b"{}", b"{", encode_request(REQUEST).replace(b'"v":1', b'"v":2'),
        encode_request(REQUEST).replace(b'"title":""', b'"title":1'),
        encode_request(REQUEST).replace(b'"parties":[]', b'"parties":[1]'),
        encode_request(REQUEST).replace(b'"parties":[]', b'"parties":""'),
        encode_request(REQUEST).replace(b'"blinded":false', b'"blinded":0'),
        encode_request(REQUEST).replace(b'"source":{}', b'"source":[]'),
        encode_request(REQUEST).replace(b'"witness":null', b'"witness":[]'),
        encode_request(REQUEST).replace(ExhibitKind.FILE.value.encode(), "无".encode()),
    ],
)  # fmt: skip
def test_other_bytes_are_no_request(change: bytes):
    assert change != encode_request(REQUEST)
    with pytest.raises(MalformedError):
        parse_request(change)

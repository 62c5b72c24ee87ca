"""One vault, several threads: the queue is sealed while others certify, timestamp, append, read, back up and audit.

No thread waits for another longer than a transaction: shown by work that completes while a sealer is held in the middle
of a file, not by clocks. And the log holds: every leaf once, every proof sound.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.leaf import Leaf, LeafType
from evidence_desk.core.queue_ports import ItemState
from evidence_desk.core.rows import StoredObject
from evidence_desk.errors import HostError
from evidence_desk.services import queue
from evidence_desk.services.audit import audit
from evidence_desk.services.certify import certify
from evidence_desk.services.custody import CustodyNote, record
from evidence_desk.services.desk import LeafMaker
from evidence_desk.services.prove import prove
from evidence_desk.services.seal import SealRequest, seal
from evidence_desk.services.timestamp import timestamp
from evidence_desk.vault.backup import backup
from tests.integration.services.test_queue import CASE, Notes, drop, files, work
from tests.unit.vault.rows import put

LIMIT = 120.0
"""Seconds after which threads count as deadlocked."""


def one(session: Session, path: Path, case: str = "案") -> bytes:
    (outcome,) = seal(session.desk, [path], SealRequest(case_number=case), job=Job())
    assert outcome.exhibit is not None, outcome.error
    return outcome.exhibit.leaf_hash


def issue(session: Session, leaf_hash: bytes) -> None:
    row = session.vault.exhibits.exhibit(leaf_hash)
    assert row is not None
    certify(session.desk, [row], session.issuer(), trust=session.trust, job=Job())


def test_others_work_while_a_sealer_is_held_within_a_file(session: Session, tmp_path: Path):
    """Small files are read and wait for their transaction, a large one is half read: nothing is locked meanwhile."""
    first, *small = files(tmp_path / "in", "first", "1", "2", "3")
    leaf_hash = one(session, first)
    large = tmp_path / "large"
    large.write_bytes(os.urandom(6_000_000))
    drop(session, *small, large)
    held, others_done = threading.Event(), threading.Event()

    def report(stage: str, done: int, _total: int) -> None:
        if stage == "encrypt" and done > 2_000_000 and not held.is_set():
            held.set()
            assert others_done.wait(LIMIT)

    with ThreadPoolExecutor(1) as pool:
        sealing = pool.submit(work, session, queue.Unwatched(), Job(report))
        assert held.wait(LIMIT)
        before = session.desk.log.size
        timestamp(session.desk, session.authorities, job=Job())
        issue(session, leaf_hash)
        one(session, files(tmp_path / "more", "other")[0])
        drop(session, *files(tmp_path / "later", "x", "y"))
        queue.cancel(session.desk, [queue.waiting(session.desk)[-1].id])
        backup(session.vault, tmp_path / "copy.edbackup")
        assert audit(session.desk, job=Job()).faults == ()
        assert session.desk.log.size > before
        others_done.set()
        outcome = sealing.result(LIMIT)
    assert len(outcome.sealed) == 5
    assert outcome.stopped is None
    numbers = [row.exhibit_no for row in session.vault.exhibits.exhibits(case_number="案")]
    assert numbers == [f"证据{n}" for n in (1, 2)]
    check(session)


def check(session: Session) -> None:
    """The log holds, no number was given twice, and every exhibit has its proof and its originals."""
    session.desk.forget()
    assert audit(session.desk, job=Job()).faults == ()
    rows = list(session.vault.exhibits.exhibits())
    assert len({(row.case_number, row.exhibit_no) for row in rows}) == len(rows)
    for row in rows[::7]:
        assert prove(session.desk, row).number == row.number
    for row in rows:
        assert all(session.vault.objects.present(item.stored) for item in row.objects)


class Crowd:
    """What threads do at once, again and again until the sealing is done."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.desk, self.folder = session, session.desk, folder
        self.done = threading.Event()
        self.leaf_hash = one(session, files(folder / "first", "first")[0])
        self.paths = files(folder / "in", *(f"{n}" for n in range(300)))

    def seal(self) -> int:
        notes = Notes()
        try:
            for start in range(0, len(self.paths), 50):
                drop(self.session, *self.paths[start : start + 50])
                work(self.session, notes)
        finally:
            self.done.set()
        return sum(item.state is ItemState.SEALED for item in notes.finished_)

    def repeat(self, what: Callable[[int], object]) -> int:
        turn = 0
        while not self.done.is_set() or turn == 0:
            what(turn)
            turn += 1
        return turn

    def note(self, turn: int) -> None:
        note = CustodyNote(exhibit=self.leaf_hash, action="opened", operator="", details={"n": turn})
        record(self.desk, [note])

    def append(self, _turn: int) -> None:
        with self.desk.appending() as appender:
            appender.append([heartbeat(self.session)])

    def read(self, _turn: int) -> None:
        assert all(row.objects for row in self.session.vault.exhibits.exhibits())
        assert self.session.vault.exhibits.next_exhibit_index(CASE) <= self.desk.log.size
        queue.counts(self.desk)
        queue.items(self.desk, 0, 100)

    def prove(self, turn: int) -> None:
        last = list(self.session.vault.exhibits.exhibits())[-1]
        assert prove(self.desk, last).number == last.number
        if turn % 5 == 0:
            assert audit(self.desk, job=Job()).faults == ()

    def same_case(self, turn: int) -> None:
        path = self.folder / f"same-{turn}"
        path.write_bytes(b"%d" % turn)
        one(self.session, path, case=CASE)

    def certify(self, _turn: int) -> None:
        issue(self.session, self.leaf_hash)

    def timestamp(self, _turn: int) -> None:
        timestamp(self.desk, self.session.authorities, job=Job())


def heartbeat(session: Session) -> LeafMaker:
    return lambda seq, at: Leaf(log=session.desk.origin, seq=seq, type=LeafType.HEARTBEAT, at=at)


def test_many_threads_on_one_vault(session: Session, tmp_path: Path):
    crowd = Crowd(session, tmp_path)
    others = (
        crowd.note, crowd.append, crowd.read, crowd.prove, crowd.same_case, crowd.certify, crowd.timestamp,
    )  # fmt: skip
    with ThreadPoolExecutor(1 + len(others)) as pool:
        sealing = pool.submit(crowd.seal)
        turns = [pool.submit(crowd.repeat, what) for what in others]
        assert sealing.result(LIMIT) == 300
        assert min(future.result(LIMIT) for future in turns) >= 1
    check(session)


def test_a_failing_append_leaves_the_log_to_the_others(session: Session, tmp_path: Path):
    """Transactions that fail at their end, beside others that succeed."""
    paths = files(tmp_path / "in", *(f"{n}" for n in range(20)))
    stop = threading.Event()

    def fail() -> None:
        with session.desk.appending() as appender:
            appender.append([heartbeat(session)])
            raise HostError("host.io", what="test", reason="test")

    def fails() -> int:
        turn = 0
        while not stop.is_set() or turn == 0:
            with pytest.raises(HostError):
                fail()
            turn += 1
        return turn

    with ThreadPoolExecutor(1) as pool:
        failing = pool.submit(fails)
        try:
            for path in paths:
                one(session, path)
        finally:
            stop.set()
        assert failing.result(LIMIT) >= 1
    assert len(list(session.vault.exhibits.exhibits())) == 20
    check(session)


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_an_original_that_two_threads_store_outlives_the_batch_that_fails(session: Session, size: int):
    """One thread's batch makes it and fails after another found it there and before that one's rows are written."""
    data, case = os.urandom(size), "案"
    made, found = threading.Event(), threading.Event()

    def fails() -> None:
        with session.vault.objects.batch():
            put(session.vault, data, case)
            made.set()
            assert found.wait(LIMIT)
            raise HostError("host.io", what="test", reason="test")

    def succeeds() -> StoredObject:
        assert made.wait(LIMIT)
        with session.vault.objects.batch() as batch:
            stored = put(session.vault, data, case)
            batch.settle([stored])
            found.set()
            failing.exception(LIMIT)
            return stored

    with ThreadPoolExecutor(2) as pool:
        failing = pool.submit(fails)
        stored = pool.submit(succeeds).result(LIMIT)
        assert isinstance(failing.exception(), HostError)
    assert session.vault.objects.check(stored, case_number=case, job=Job())


def test_settling_removes_what_is_not_kept(session: Session):
    with session.vault.objects.batch() as batch:
        kept, dropped = put(session.vault, b"kept", "案"), put(session.vault, b"dropped", "案")
        batch.settle([kept])
    assert session.vault.objects.present(kept)
    assert not session.vault.objects.present(dropped)

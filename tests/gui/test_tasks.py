"""Work beside the window: answers in the window's thread, owners that are gone, cancellation, closing."""

import sys
import threading
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLabel

from evidence_desk.errors import BugError, CanceledError, UsageError
from ui.tasks import Lane, Tasks


@pytest.fixture
def tasks(qapp, qtbot):
    made = Tasks()
    yield made
    ended: list[bool] = []
    made.close(lambda: ended.append(True))
    qtbot.waitUntil(lambda: bool(ended))


def test_the_answer_comes_in_the_windows_thread(tasks, qtbot):
    owner = QObject()
    got: list[Any] = []
    tasks.run(
        Lane.CPU, lambda _: threading.current_thread().name, owner=owner,
        done=lambda name: got.append((name, threading.current_thread() is threading.main_thread())),
    )  # fmt: skip
    qtbot.waitUntil(lambda: bool(got))
    assert got[0][0].startswith("cpu")
    assert got[0][1]


def test_errors_of_ours_come_as_they_are_and_others_as_bugs(tasks, qtbot, capsys):
    owner = QObject()
    got: list[Any] = []

    def usage(_job):
        raise UsageError("certify.repeated")

    tasks.run(Lane.CPU, usage, owner=owner, done=got.append, failed=got.append)
    tasks.run(Lane.CPU, lambda _: int("x"), owner=owner, done=got.append, failed=got.append)
    qtbot.waitUntil(lambda: len(got) == 2)
    assert {type(error) for error in got} == {UsageError, BugError}


def test_nothing_is_called_once_the_owner_is_gone(tasks, qtbot):
    gate = threading.Event()
    got: list[Any] = []
    owner = QLabel()
    tasks.run(Lane.CPU, lambda _: gate.wait(10), owner=owner, done=got.append)
    owner.deleteLater()
    qtbot.waitSignal(owner.destroyed, timeout=5000)
    qtbot.wait(10)
    gate.set()
    qtbot.waitUntil(lambda: not tasks.running)
    assert got == []


def test_canceling_ends_at_the_next_step_and_before_its_turn(tasks, qtbot):
    owner, started = QObject(), threading.Event()
    got: list[Any] = []

    def long(job):
        started.set()
        while True:
            job.step("x", 0, 1)

    first = tasks.run(Lane.VAULT, long, owner=owner, done=got.append, failed=got.append)
    second = tasks.run(Lane.VAULT, long, owner=owner, done=got.append, failed=got.append)
    assert started.wait(10)
    second.cancel()
    first.cancel()
    qtbot.waitUntil(lambda: len(got) == 2)
    assert all(isinstance(error, CanceledError) for error in got)
    assert not first.active
    assert not second.active


def test_progress_is_told_a_few_times_and_big_numbers_survive(tasks, qtbot):
    owner = QObject()
    steps: list[Any] = []
    done: list[Any] = []

    def work(job):
        for at in range(100_000):
            job.step("hash", at + (1 << 40), 1 << 41)

    tasks.run(Lane.CPU, work, owner=owner, done=done.append, progress=lambda *step: steps.append(step))
    qtbot.waitUntil(lambda: bool(done))
    assert 1 <= len(steps) < 100
    assert steps[-1][0] == "hash"
    assert steps[-1][1] >= 1 << 40
    assert steps[-1][2] == 1 << 41


def test_closing_waits_for_the_workers(qapp, qtbot):
    tasks, owner = Tasks(), QObject()
    ended: list[Any] = []
    left: list[str] = []

    def work(job):
        try:
            while True:
                job.step("x", 0, 1)
        finally:
            left.append("cleaned up")

    tasks.run(Lane.SEAL, work, owner=owner, done=ended.append, failed=lambda _: None)
    tasks.close(lambda: ended.append("closed"))
    qtbot.waitUntil(lambda: "closed" in ended)
    assert left in ([], ["cleaned up"])
    assert not tasks.running


def test_many_tasks_all_answer(tasks, qtbot):
    owner = QObject()
    got: list[Any] = []
    for number in range(500):
        tasks.run(Lane.NET, lambda _, number=number: number, owner=owner, done=got.append)
    qtbot.waitUntil(lambda: len(got) == 500, timeout=20_000)
    assert sorted(got) == list(range(500))


def test_signals_keep_the_references_of_true(qapp):
    """PySide6 6.12.0 dropped one at every emit and aborted Python 3.11 in the end (docs/adr/0012)."""
    tasks = Tasks()
    before = sys.getrefcount(True)
    for _ in range(1000):
        tasks.changed.emit()
    assert sys.getrefcount(True) > before - 500
    tasks.close(lambda: None)

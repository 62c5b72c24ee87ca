"""The vault is locked while something works on it: keys stay until that has ended, and nothing reads a closed vault."""

from __future__ import annotations

import threading

import pytest

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from ui.tasks import Lane
from ui.window import Window


@pytest.mark.parametrize("lane", Lane)
def test_keys_stay_until_the_work_of_any_lane_has_ended(window: Window, qtbot, lane: Lane):
    context, go = window.context, threading.Event()

    def work(session: Session, _job: Job) -> int:
        assert go.wait(20)
        return len(list(session.vault.exhibits.exhibits()))

    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=20_000)
    answers: list[int] = []
    context.desk.run(work, owner=context.desk, done=answers.append, lane=lane)
    context.desk.lock()
    assert context.desk.session is None
    assert context.desk.folder is not None
    go.set()
    qtbot.waitUntil(lambda: answers == [0], timeout=20_000)
    assert context.desk.folder is None

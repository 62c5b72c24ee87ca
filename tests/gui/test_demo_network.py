"""The court network started from the program: real nodes, joined, anchored in, gone with the program."""

import pytest

from evidence_desk.bootstrap.networking import BroughtUp, bring_up
from ui.context import Context

pytestmark = pytest.mark.engine


def test_started_joined_and_stopped(open_context: Context, messages, qtbot):
    done: list[bool] = []
    open_context.demo.start(done=lambda: done.append(True), failed=messages.error)
    assert open_context.demo.starting
    qtbot.waitUntil(lambda: bool(done or messages.errors), timeout=150_000)
    assert not messages.errors
    assert open_context.demo.running
    anchored: list[BroughtUp] = []
    open_context.desk.run(
        lambda session, job: bring_up(session, wait=True, secret=None, job=job),
        owner=open_context.desk, done=anchored.append,
    )  # fmt: skip
    qtbot.waitUntil(lambda: bool(anchored or messages.errors), timeout=60_000)
    assert anchored[0].anchored.waiting == 0
    stopped: list[bool] = []
    open_context.demo.stop(lambda: stopped.append(True))
    qtbot.waitUntil(lambda: bool(stopped), timeout=40_000)
    assert not open_context.demo.running

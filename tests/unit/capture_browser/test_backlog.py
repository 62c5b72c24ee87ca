"""Messages that wait: all come, in order, with the moment they came; a page that never rests is looked at too."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QObject, QTimer

from ui.capture_browser.backlog import Backlog


@pytest.fixture
def taken() -> list[str]:
    return []


@pytest.fixture
def backlog(qtbot, taken):
    assert qtbot is not None  # brings the application
    parent = QObject()
    yield Backlog(lambda text, _moment: taken.append(text), parent)
    parent.deleteLater()


def test_nothing_is_taken_at_once_and_all_in_the_end(backlog, taken, qtbot):
    sent = [str(number) for number in range(5000)]
    for text in sent:
        backlog.add(text)
    assert taken == []
    qtbot.waitUntil(lambda: taken == sent, timeout=20_000)


def test_catching_up_takes_all_now(backlog, taken):
    backlog.add("a")
    backlog.add("b")
    backlog.catch_up()
    assert taken == ["a", "b"]


def test_no_more_than_so_much_waits(backlog, taken):
    backlog.add("x" * (5 << 20))
    assert taken == []
    backlog.add("y" * (5 << 20))
    assert [text[0] for text in taken] == ["x", "y"]


def test_a_page_that_never_rests(backlog, taken, qtbot):
    talker = QTimer()
    talker.timeout.connect(lambda: backlog.add("tick"))
    talker.start(10)
    qtbot.waitUntil(lambda: len(taken) > 0, timeout=20_000)
    talker.stop()


def test_what_comes_while_one_is_taken(qtbot):
    parent, taken = QObject(), []

    def take(text: str, _moment: float) -> None:
        taken.append(text)
        if len(text) < 5:
            talking.add(text + "+")

    talking = Backlog(take, parent)
    talking.add("a")
    qtbot.waitUntil(lambda: taken == ["a", "a+", "a++", "a+++", "a++++"], timeout=20_000)


def test_one_that_fails_takes_no_other_with_it(qtbot):
    parent, taken = QObject(), []

    def take(text: str, _moment: float) -> None:
        if text == "bad":
            raise ValueError(text)
        taken.append(text)

    backlog = Backlog(take, parent)
    with qtbot.captureExceptions() as exceptions:
        for text in ("a", "bad", "b"):
            backlog.add(text)
        qtbot.waitUntil(lambda: taken == ["a", "b"], timeout=20_000)
    assert [type(error) for _, error, _ in exceptions] == [ValueError]


def test_the_moment_is_that_of_coming(qtbot):
    parent, moments = QObject(), []
    backlog = Backlog(lambda _text, moment: moments.append(moment), parent)
    before = time.monotonic()
    backlog.add("a")
    after = time.monotonic()
    qtbot.waitUntil(lambda: len(moments) > 0, timeout=20_000)
    assert before <= moments[0] <= after

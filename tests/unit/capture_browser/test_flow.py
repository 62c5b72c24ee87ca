"""Waiting in the capture browser: values, limits, and time that steps share."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ui.capture_browser.flow import Patience, Reply, begin, pause, within


@pytest.fixture
def told(qtbot: Any) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a story to its end; gives what it returned."""

    def run(story: Coroutine[Any, Any, Any]) -> Any:
        failures: list[BaseException] = []
        result = begin(story, failures.append)
        qtbot.waitUntil(lambda: bool(result.come or failures), timeout=20_000)
        assert failures == []
        return result.value

    return run


def never() -> Reply[Any]:
    return Reply()


def fail(error: BaseException) -> None:
    raise AssertionError from error


def test_a_value_that_came_or_comes(told):
    here, later = never(), never()
    here.give(1)

    async def story() -> Any:
        reply: Reply[int] = begin(answer(), fail)
        return await here, await later, await reply

    async def answer() -> int:
        await pause(1)
        later.give(2)
        later.give(9)
        return 3

    assert told(story()) == (1, 2, 3)


def test_a_value_that_does_not_come(told):
    assert told(within(never(), 1)) is None


def test_a_step_has_its_own_limit(told):
    patience = Patience(60_000)
    assert told(patience.wait(never(), 1)) is None
    assert patience.left > 0


def test_steps_share_their_time(told):
    patience = Patience(5)

    async def story() -> list[Any]:
        return [await patience.wait(never(), 60_000) for _ in range(3)]

    assert told(story()) == [None] * 3
    assert patience.left == 0


def test_what_comes_in_time_is_given(told):
    patience, reply = Patience(60_000), never()
    reply.give("text")
    assert told(patience.wait(reply, 60_000)) == "text"


def test_time_that_is_cut_short_ends_the_step_that_waits(told):
    patience = Patience(60_000)

    async def story() -> Any:
        waiting = begin(patience.wait(never(), 60_000), fail)
        patience.shorten(1)
        return await waiting

    assert told(story()) is None
    assert patience.left == 0


def test_a_failure_is_told(qtbot):
    failures: list[BaseException] = []

    async def story() -> None:
        await pause(1)
        raise RuntimeError("full")

    assert not begin(story(), failures.append).come
    qtbot.waitUntil(lambda: bool(failures))
    assert str(failures[0]) == "full"

"""Long stories told in order: coroutines that wait for Qt's callbacks and timers, in the one thread there is.

QtAsyncio is unusable, and nested event loops let a page in between two steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QTimer

_T = TypeVar("_T")


class Reply(Generic[_T]):
    """Something that comes later; the first value counts, a later one is ignored."""

    def __init__(self) -> None:
        self._value: list[_T] = []
        self._then: list[Callable[[], None]] = []

    @property
    def come(self) -> bool:
        """Whether it is there."""
        return bool(self._value)

    @property
    def value(self) -> _T:
        """The value; only once it has come."""
        return self._value[0]

    def give(self, value: _T) -> None:
        """The value is there; whoever waits goes on."""
        if self._value:
            return
        self._value.append(value)
        waiting, self._then = self._then, []
        for then in waiting:
            then()

    def when_come(self, then: Callable[[], None]) -> None:
        """Call `then` once the value is there, at once when it is."""
        if self._value:
            then()
        else:
            self._then.append(then)

    def __await__(self) -> Generator[Reply[Any], None, _T]:
        """Wait for the value."""
        if not self._value:
            yield self
        return self.value


async def within(reply: Reply[_T], milliseconds: int) -> _T | None:
    """The value, or None when it has not come after so long."""
    either: Reply[_T | None] = Reply()
    reply.when_come(lambda: either.give(reply.value))
    QTimer.singleShot(max(0, milliseconds), lambda: either.give(None))
    return await either


class Patience:
    """Time that several steps share; may be cut shorter while one of them waits."""

    def __init__(self, milliseconds: int) -> None:
        self._ends = time.monotonic() + milliseconds / 1000
        self._over: Reply[bool] = Reply()

    @property
    def left(self) -> int:
        """Milliseconds, 0 when it is over."""
        return 0 if self._over.come else max(0, round((self._ends - time.monotonic()) * 1000))

    def shorten(self, milliseconds: int) -> None:
        """It ends after so long, if it would not before."""
        QTimer.singleShot(max(0, milliseconds), lambda: self._over.give(True))

    async def wait(self, reply: Reply[_T], at_most: int) -> _T | None:
        """The value; None when it has not come after so many milliseconds, or when the time is over."""
        either: Reply[_T | None] = Reply()
        reply.when_come(lambda: either.give(reply.value))
        self._over.when_come(lambda: either.give(None))
        QTimer.singleShot(min(at_most, self.left), lambda: either.give(None))
        return await either


async def pause(milliseconds: int) -> None:
    """Wait."""
    over: Reply[bool] = Reply()
    QTimer.singleShot(max(0, milliseconds), lambda: over.give(True))
    await over


def begin(story: Coroutine[Any, Any, _T], failed: Callable[[BaseException], None]) -> Reply[_T]:
    """Run a coroutine of replies; its result comes to the reply, an exception to `failed`."""
    result: Reply[_T] = Reply()

    def go_on() -> None:
        try:
            awaited = story.send(None)
        except StopIteration as end:
            result.give(end.value)
        except Exception as error:  # noqa: BLE001 - whatever it is, someone has to hear of it
            failed(error)
        else:
            awaited.when_come(go_on)

    go_on()
    return result

"""One thread that waits for many sockets, and a few that do what blocks (names, processes)."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Final

READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE
TICK: Final = 0.25
"""Seconds between two looks at what has waited too long."""
Ready = Callable[[int], None]
"""Called with READ, WRITE or both."""


class Reactor:
    """Sockets and what to call when they are ready. Everything but `call` and `stop` belongs to its thread.

    Args:
        tick: called each `TICK` seconds.
        failed: called with what a callback raised; the reactor ends there.
    """

    def __init__(self, tick: Callable[[], None], failed: Callable[[BaseException], None]) -> None:
        self._tick = tick
        self._failed = failed
        self._selector = selectors.DefaultSelector()
        self._calls: deque[Callable[[], None]] = deque()
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._selector.register(self._woken, READ, self._on_woken)
        self._stopping = False

    def watch(self, source: socket.socket, events: int, ready: Ready) -> None:
        """Have `ready` called for these events from now on, and no others; none for 0."""
        try:
            key = self._selector.get_key(source)
        except KeyError:
            if events:
                self._selector.register(source, events, ready)
            return
        if not events:
            self._selector.unregister(source)
        elif key.events != events or key.data != ready:
            self._selector.modify(source, events, ready)

    def forget(self, source: socket.socket) -> None:
        """No more calls for a socket; before it is closed."""
        with suppress(KeyError, ValueError):
            self._selector.unregister(source)

    def call(self, function: Callable[[], None]) -> None:
        """Have a function called in the reactor's thread; from any thread."""
        self._calls.append(function)
        with suppress(OSError):  # a full buffer wakes it just as well
            self._waker.send(b"\0")

    def stop(self) -> None:
        """Let `run` return; from any thread."""
        self._stopping = True
        with suppress(OSError):
            self._waker.send(b"\0")

    def run(self) -> None:
        """Until `stop`."""
        try:
            due = time.monotonic() + TICK
            while not self._stopping:
                for key, events in self._selector.select(max(0.0, due - time.monotonic())):
                    self._tell(key, events)
                while self._calls:
                    self._calls.popleft()()
                if time.monotonic() >= due:
                    due = time.monotonic() + TICK
                    self._tick()
        except BaseException as error:  # noqa: BLE001 - reported; a thread has nobody to raise to
            self._failed(error)
        finally:
            self._selector.close()
            self._waker.close()
            self._woken.close()

    def _tell(self, key: selectors.SelectorKey, events: int) -> None:
        """Call what waits for a socket, unless a call before it forgot, closed or changed it."""
        current = self._selector.get_map().get(key.fd)
        if current is not None and current.fileobj is key.fileobj and (wanted := events & current.events):
            current.data(wanted)

    def _on_woken(self, _events: int) -> None:
        with suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass


class Workers:
    """Threads for calls that block. They are daemons: a resolver that hangs must not hold the program open.

    Args:
        count: of threads.
        failed: told what a job raised, which none should.
    """

    def __init__(self, count: int, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"capture-worker-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, job: Callable[[], None]) -> None:
        """Have a job done, in order of asking."""
        self._jobs.put(job)

    def stop(self, timeout: float = 0.0) -> None:
        """End the threads after what was submitted, waiting for them so long at most (seconds)."""
        for _ in self._threads:
            self._jobs.put(None)
        due = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, due - time.monotonic()))

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - reported; a thread has nobody to raise to
                self._failed(error)

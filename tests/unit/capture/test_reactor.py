"""The recorder's thread, and its journals."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence_desk.capture.folder import FolderWorkspace
from evidence_desk.capture.reactor import READ, WRITE, Reactor, Workers
from evidence_desk.capture.recording import Journal, StreamRecorder
from evidence_desk.core.capture.stream import HEAD_SIZE, Direction
from evidence_desk.errors import HostError


def run(begin: Callable[[Reactor], None], *, ticks: int = 0) -> list[BaseException]:
    """A reactor until somebody stops it, or for so many ticks."""
    faults: list[BaseException] = []
    left = [ticks]

    def tick() -> None:
        left[0] -= 1
        if not left[0]:
            reactor.stop()

    reactor = Reactor(tick, faults.append)
    begin(reactor)
    reactor.run()
    return faults


def test_a_socket_that_a_call_before_closed_is_not_called():
    """Both are ready in the same round; the first call closes the second's socket, whose number is then taken again."""
    pairs = [socket.socketpair() for _ in range(2)]
    called: list[int] = []
    taken: list[socket.socket] = []

    def begin(reactor: Reactor) -> None:
        def ready(which: int) -> Callable[[int], None]:
            def call(_events: int) -> None:
                called.append(which)
                other = pairs[1 - which][0]
                reactor.forget(other)
                other.close()
                taken.extend(socket.socketpair())  # same descriptor, nothing to read
                reactor.watch(taken[0], READ, lambda _: called.append(99))
                reactor.forget(pairs[which][0])
                reactor.call(reactor.stop)

            return call

        for which, (end, far) in enumerate(pairs):
            far.send(b"x")
            reactor.watch(end, READ, ready(which))

    assert run(begin) == []
    assert len(called) == 1
    for end in (*taken, *(end for pair in pairs for end in pair)):
        end.close()


def test_watching_and_not():
    near, far = socket.socketpair()
    seen: list[int] = []

    def begin(reactor: Reactor) -> None:
        def ready(events: int) -> None:
            seen.append(events)
            reactor.watch(near, 0, ready)
            reactor.watch(near, 0, ready)
            reactor.forget(near)

        far.send(b"x")
        reactor.watch(near, 0, ready)
        reactor.watch(near, READ, ready)
        reactor.watch(near, READ | WRITE, ready)

    with near, far:
        assert run(begin, ticks=1) == []
    assert seen == [READ | WRITE]


def test_what_a_call_raises_ends_it_and_is_told():
    fault = RuntimeError("x")

    def raises() -> None:
        raise fault

    assert run(lambda reactor: reactor.call(raises)) == [fault]


def test_calls_after_the_end_are_harmless():
    kept: list[Reactor] = []
    assert run(kept.append, ticks=1) == []
    kept[0].call(lambda: None)
    kept[0].stop()


def test_workers_do_what_they_are_given_and_end():
    faults: list[BaseException] = []
    workers = Workers(2, faults.append)
    done = threading.Barrier(3)

    def meet() -> None:
        done.wait(20)

    def fail() -> None:
        raise ValueError

    for job in (fail, fail, fail, meet, meet):
        workers.submit(job)
    done.wait(20)
    workers.stop(20)
    assert not [thread for thread in workers._threads if thread.is_alive()]
    assert [type(fault) for fault in faults] == [ValueError] * 3


def test_a_stream_that_is_recorded(tmp_path: Path):
    stream = StreamRecorder(FolderWorkspace(tmp_path / "c"), "stream-000001.bin")
    buffer = memoryview(bytearray(HEAD_SIZE + 10))
    buffer[HEAD_SIZE:] = b"0123456789"
    stream.record(Direction.OUT, 5, buffer, 3)
    stream.record(Direction.IN, 6, buffer, 10)
    assert (stream.digest().sent, stream.digest().received, stream.digest().size) == (
        3,
        10,
        2 * HEAD_SIZE + 13,
    )
    stream.close()
    stream.close()
    with pytest.raises(HostError, match=r"host\.io"):
        stream.record(Direction.OUT, 5, buffer, 3)
    assert stream.digest().sent == 3


class Failing(FolderWorkspace):
    """A disk that is full until it is not."""

    full = True

    def append(self, name: str, data: bytes) -> None:
        if self.full:
            raise HostError("host.disk_full", what=name)
        super().append(name, data)


def test_lines_wait_for_room(tmp_path: Path):
    workspace, told = Failing(tmp_path / "c"), list[HostError]()
    failed = threading.Event()

    def tell(error: HostError) -> None:
        told.append(error)
        failed.set()

    journal = Journal(workspace, tell)
    journal.put("a", b"1\n")
    assert failed.wait(20)
    workspace.full = False
    journal.put("a", b"2\n")
    journal.put("b", b"3\n")
    assert journal.close(20)
    with workspace.open("a") as file:
        assert file.read() == b"1\n2\n"
    assert workspace.names() == ["a", "b"]
    assert {error.code for error in told} == {"host.disk_full"}


def test_lines_that_never_find_room(tmp_path: Path):
    journal = Journal(Failing(tmp_path / "c"), lambda _: None)
    journal.put("a", b"1\n")
    assert not journal.close(20)

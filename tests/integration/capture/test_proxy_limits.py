"""Many, large, slow and endless connections: bounded memory, bounded time, bounded bytes."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from evidence_desk.capture.limits import Limits
from evidence_desk.capture.proxy import LOOPBACK
from evidence_desk.core.capture.connection import Ending, Fate, stream_name
from evidence_desk.core.capture.notice import NoticeKind
from evidence_desk.core.capture.stream import MAX_CHUNK, Direction, StreamReader
from tests.integration.capture.recorders import (
    Names,
    Recorder,
    drained,
    echo,
    recording,
    serving,
    until,
)

MB = 1 << 20
NAMES = Names({"example.com": (LOOPBACK,)})


def endless(end: socket.socket) -> None:
    block = bytes(65536)
    while True:
        end.sendall(block)


def silent(end: socket.socket) -> None:
    while end.recv(100):
        pass


def next_share(recorder: Recorder, parts: int) -> None:
    """Until it is in use."""
    inside = recorder.proxy._recording
    assert inside is not None
    before = inside.share
    recorder.proxy.next_share(parts)
    until(lambda: inside.share is not before)


def closed(recorder: Recorder, count: int) -> None:
    """Until so many connections have come and gone."""
    until(lambda: sum(recorder.proxy.totals.fates.values()) >= count)


def test_a_large_body_is_recorded_whole(tmp_path: Path):
    block = os.urandom(MB)
    digest = hashlib.sha256()

    def send(end: socket.socket) -> None:
        for _ in range(64):
            end.sendall(block)

    for _ in range(64):
        digest.update(block)
    with serving(send) as server, recording(tmp_path, names=NAMES) as recorder:
        got, size = hashlib.sha256(), 0
        with recorder.connect("example.com", server.port) as end:
            while data := end.recv(MB):
                got.update(data)
                size += len(data)
        closed(recorder, 1)
        recorder.proxy.stop()
        assert size == 64 * MB
        assert got.digest() == digest.digest() == recorder.line().received_sha256
        assert recorder.line().received == size
        with recorder.workspace.open(stream_name(1)) as file:
            assert sum(len(chunk.data) for chunk in StreamReader(file)) == size
            assert MAX_CHUNK >= 256 * 1024


def test_a_reader_that_does_not_read_holds_the_server_back(tmp_path: Path):
    """Nothing is kept in memory beyond a chunk a direction; what is recorded is little more than what was taken."""
    with serving(endless) as server, recording(tmp_path, names=NAMES) as recorder:
        tracemalloc.start()
        ends = [recorder.connect("example.com", server.port) for _ in range(8)]
        sizes = [-1]

        def still() -> bool:
            sizes.append(recorder.proxy.totals.received)
            threading.Event().wait(0.2)
            return sizes[-1] == sizes[-2] > 0

        until(still)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * MB
        stopped = recorder.proxy.totals.received
        assert len(ends[0].recv(MB)) > 0
        while recorder.proxy.totals.received == stopped:  # room again: it goes on
            ends[0].recv(MB)
        recorder.proxy.stop(0.0)
        for end in ends:
            end.close()
        assert {line.ending for line in recorder.index()} == {Ending.STOPPED}


def test_an_endless_stream_ends_at_its_limit(tmp_path: Path):
    limits = Limits(stream=3 * MB + 17)
    with serving(endless) as server, recording(tmp_path, names=NAMES, limits=limits) as recorder:
        with recorder.connect("example.com", server.port) as end:
            got = drained(end)
        with recorder.connect("example.com", server.port) as other:  # another one is not touched by it
            assert len(other.recv(1000)) > 0
        closed(recorder, 1)
        recorder.proxy.stop(0.0)
        line = recorder.index()[0]
        assert (line.ending, line.reason) == (Ending.STOPPED, "stream-bytes")
        assert line.received == limits.stream
        assert recorder.way(1, Direction.IN).startswith(got)


def test_what_one_address_takes_leaves_a_share_for_the_next(tmp_path: Path):
    """Both connections of the first take of the same share; what they leave is divided anew."""
    limits = Limits(total=8 * MB)
    with (
        serving(endless) as server,
        serving(echo) as other,
        recording(tmp_path, names=NAMES, limits=limits) as recorder,
    ):
        recorder.proxy.next_share(4)
        beside = recorder.connect("example.com", other.port)
        with recorder.connect("example.com", server.port) as end:
            drained(end)
        beside.sendall(b"more")
        assert drained(beside) == b""
        beside.close()
        assert recorder.refused("example.com", server.port) == 2
        recorder.proxy.next_share(2)
        with recorder.connect("example.com", server.port) as end:
            drained(end)
        closed(recorder, 4)
        recorder.proxy.stop()
        lines = sorted(recorder.index(), key=lambda line: line.number)
        assert [(line.fate, line.reason) for line in lines] == [
            (Fate.OPENED, "page-bytes"), (Fate.OPENED, "page-bytes"), (Fate.REFUSED, "page-bytes"), (Fate.OPENED, "page-bytes")
        ]  # fmt: skip
        assert [line.received for line in lines] == [0, 2 * MB, 0, 3 * MB]
        assert recorder.kinds().count(NoticeKind.LIMIT) == 2
        assert recorder.proxy.failure is None


def test_a_connection_that_is_used_again_counts_to_the_address_that_uses_it(tmp_path: Path):
    def answer(end: socket.socket) -> None:
        while end.recv(100):
            end.sendall(bytes(MB))

    with serving(answer) as server, recording(tmp_path, names=NAMES, limits=Limits(total=8 * MB)) as recorder:
        with recorder.connect("example.com", server.port) as end:
            for parts in (6, 4, 2):
                next_share(recorder, parts)
                end.sendall(b"one")
                left = MB
                while left:
                    data = end.recv(left)
                    assert data
                    left -= len(data)
        closed(recorder, 1)
        recorder.proxy.stop()
        assert recorder.line().received == 3 * MB
        assert recorder.line().ending is Ending.CLOSED


def test_who_asks_before_the_next_address_is_told_waits_for_its_share(tmp_path: Path):
    with (
        serving(endless) as server,
        recording(tmp_path, names=NAMES, limits=Limits(total=4 * MB)) as recorder,
    ):
        recorder.proxy.next_share(4)
        with recorder.connect("example.com", server.port) as end:
            drained(end)
        timer = threading.Timer(0.7, recorder.proxy.next_share, [1])
        timer.start()
        with recorder.connect("example.com", server.port) as end:
            assert len(end.recv(1000)) > 0
        timer.join()
        closed(recorder, 2)
        recorder.proxy.stop()
        assert [line.fate for line in recorder.index()] == [Fate.OPENED, Fate.OPENED]


def test_the_recording_ends_at_the_total(tmp_path: Path):
    limits = Limits(total=2 * MB)
    with (
        serving(endless) as server,
        serving(echo) as other,
        recording(tmp_path, names=NAMES, limits=limits) as recorder,
    ):
        idle = recorder.connect("example.com", other.port)
        with recorder.connect("example.com", server.port) as end:
            drained(end)
        assert drained(idle) == b""
        idle.close()
        until(lambda: NoticeKind.LIMIT in recorder.kinds())
        assert recorder.refused("example.com", server.port) == 2
        recorder.proxy.stop()
        assert [(line.fate, line.reason) for line in recorder.index()] == [
            (Fate.OPENED, "total-bytes"), (Fate.OPENED, "total-bytes"), (Fate.REFUSED, "total-bytes")
        ]  # fmt: skip
        assert sum(line.sent + line.received for line in recorder.index()) == limits.total
        assert recorder.kinds().count(NoticeKind.LIMIT) == 1
        assert recorder.proxy.failure is not None
        assert recorder.proxy.failure.code == "capture.byte_limit"


def test_no_more_connections_than_allowed(tmp_path: Path):
    with serving(echo) as server, recording(tmp_path, names=NAMES, limits=Limits(connections=2)) as recorder:
        for _ in range(2):
            recorder.connect("example.com", server.port).close()
        assert recorder.refused("example.com", server.port) == 2
        assert NoticeKind.LIMIT in recorder.kinds()
        assert recorder.proxy.failure is not None
        assert recorder.proxy.failure.code == "capture.connection_limit"
        closed(recorder, 2)
        recorder.proxy.stop()
        assert [line.number for line in recorder.index()] == [1, 2]


def test_more_at_once_wait_their_turn(tmp_path: Path):
    with serving(echo) as server, recording(tmp_path, names=NAMES, limits=Limits(at_once=3)) as recorder:
        ends = [recorder.connect("example.com", server.port) for _ in range(3)]
        waiting = socket.create_connection((LOOPBACK, recorder.port), timeout=0.5)
        waiting.sendall(b"\5\1\0")
        with pytest.raises(TimeoutError):
            waiting.recv(2)
        ends[0].close()
        waiting.settimeout(20)
        assert waiting.recv(2) == b"\5\0"
        for end in (*ends, waiting):
            end.close()


def test_silence_ends(tmp_path: Path):
    limits = Limits(idle=0.3, half_closed=0.1, handshake=0.3)
    with serving(silent) as server, recording(tmp_path, names=NAMES, limits=limits) as recorder:
        with recorder.connect("example.com", server.port) as end:
            assert drained(end) == b""
        with socket.create_connection((LOOPBACK, recorder.port), timeout=20) as mute:
            assert drained(mute) == b""
        closed(recorder, 1)
        recorder.proxy.stop()
        assert (recorder.line().ending, recorder.line().reason) == (Ending.STOPPED, "idle")
        assert [(item.kind, item.reason) for item in recorder.notices] == [(NoticeKind.MALFORMED, "slow")]


def test_a_server_that_keeps_open_what_the_browser_has_left(tmp_path: Path):
    def stubborn(end: socket.socket) -> None:
        threading.Event().wait(3)
        end.close()

    limits = Limits(half_closed=0.2)
    with serving(stubborn) as server, recording(tmp_path, names=NAMES, limits=limits) as recorder:
        recorder.connect("example.com", server.port).close()
        closed(recorder, 1)
        recorder.proxy.stop()
        assert (recorder.line().ending, recorder.line().reason) == (Ending.STOPPED, "idle")


def test_a_name_that_is_never_answered(tmp_path: Path):
    release = threading.Event()
    names = Names({}, {"mute.example": release})
    with recording(tmp_path, names=names, limits=Limits(resolving=0.2)) as recorder:
        assert recorder.refused("mute.example", 80) == 4
        release.set()
        recorder.proxy.stop()
        assert (recorder.line().fate, recorder.line().reason) == (Fate.UNRESOLVED, "timeout")


def test_a_trickle_is_recorded_as_it_comes(tmp_path: Path):
    said = b"HTTP/1.1 200 OK\r\n\r\n"

    def loris(end: socket.socket) -> None:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in said:
            end.sendall(bytes((byte,)))
            end.recv(1)

    with serving(loris) as server, recording(tmp_path, names=NAMES) as recorder:
        with recorder.connect("example.com", server.port) as end:
            got = b""
            while data := end.recv(100):
                got += data
                with suppress(ConnectionError):
                    end.sendall(b".")
        closed(recorder, 1)
        recorder.proxy.stop()
        assert got == said
        assert len([chunk for chunk in recorder.chunks(1) if chunk.direction is Direction.IN]) == len(said)


@pytest.mark.parametrize(("per", "workers"), [(4, 100), pytest.param(10, 200, marks=pytest.mark.full)])
def test_hundreds_of_connections_at_a_time(tmp_path: Path, per: int, workers: int):
    """Hundreds or thousands in all, each with its own content both ways."""
    with serving(echo) as server, recording(tmp_path, names=NAMES) as recorder:
        wrong: list[object] = []
        gate = threading.Barrier(workers)

        def browse(worker: int) -> None:
            gate.wait(60)
            for turn in range(per):
                said = f"{worker} {turn} ".encode() * 50
                try:
                    with recorder.connect("example.com", server.port) as end:
                        end.sendall(said)
                        end.shutdown(socket.SHUT_WR)
                        if drained(end) != said:
                            wrong.append((worker, turn))
                except (OSError, AssertionError) as error:
                    wrong.append(error)

        threads = [threading.Thread(target=browse, args=(number,)) for number in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        closed(recorder, per * workers)
        recorder.proxy.stop()
        assert wrong == []
        index = recorder.index()
        assert [line.number for line in index] == list(range(1, per * workers + 1))
        assert {line.ending for line in index} == {Ending.CLOSED}
        said = {recorder.way(line.number, Direction.OUT) for line in index}
        assert len(said) == per * workers
        assert all(line.sent_sha256 == line.received_sha256 for line in index)
        totals = recorder.proxy.totals
        assert totals.sent == totals.received == sum(line.sent for line in index)
        assert totals.fates == {Fate.OPENED: per * workers}

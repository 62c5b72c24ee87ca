"""Running digests: each describes a prefix of a stream's file exactly, also while it grows."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from pathlib import Path

from evidence_desk.capture.proxy import LOOPBACK
from evidence_desk.capture.recording import RunningDigest
from evidence_desk.core.capture.stream import Direction, StreamReader
from tests.integration.capture.recorders import (
    Names,
    Recorder,
    drained,
    exactly,
    recording,
    serving,
    until,
)

NAMES = Names({"example.com": (LOOPBACK,)})


def measured(recorder: Recorder, name: str, size: int) -> RunningDigest:
    """What the first `size` bytes of a stream's file hold, read from the disk."""
    hashes = {Direction.OUT: hashlib.sha256(), Direction.IN: hashlib.sha256()}
    counts = {Direction.OUT: 0, Direction.IN: 0}
    with recorder.workspace.open(name) as file, recorder.workspace.spool() as prefix:
        data = file.read(size)
        assert len(data) == size
        prefix.write(data)
        prefix.seek(0)
        reader = StreamReader(prefix)
        for chunk in reader:
            hashes[chunk.direction].update(chunk.data)
            counts[chunk.direction] += len(chunk.data)
        assert not reader.torn
    return RunningDigest(
        size=size, sent=counts[Direction.OUT], received=counts[Direction.IN],
        sent_sha256=hashes[Direction.OUT].digest(), received_sha256=hashes[Direction.IN].digest(),
    )  # fmt: skip


def test_snapshots_agree_with_the_disk_while_bytes_flow(tmp_path: Path):
    block = os.urandom(100_000)

    def both(end: socket.socket) -> None:
        threading.Thread(target=drained, args=(end,), daemon=True).start()
        for _ in range(200):
            end.sendall(block)
        end.shutdown(socket.SHUT_WR)
        drained(end)

    def talk(end: socket.socket) -> None:
        for _ in range(100):
            end.sendall(block)
        end.shutdown(socket.SHUT_WR)

    with serving(both) as server, recording(tmp_path, names=NAMES) as recorder:
        ends = [recorder.connect("example.com", server.port) for _ in range(3)]
        threads = [threading.Thread(target=work, args=(end,)) for end in ends for work in (drained, talk)]
        for thread in threads:
            thread.start()
        snapshots = []
        while any(thread.is_alive() for thread in threads):
            snapshots.append(recorder.proxy.running_digest())
            threading.Event().wait(0.01)
        for end in ends:
            end.close()
        until(lambda: recorder.proxy.totals.open == 0)
        recorder.proxy.stop()
        final = recorder.proxy.running_digest()
        assert len({repr(snapshot) for snapshot in snapshots}) > 1
        for snapshot in [*snapshots[:: max(1, len(snapshots) // 8)], final]:
            assert len(snapshot) == 3
            for name, state in snapshot.items():
                assert state == measured(recorder, name, state.size)
        for name, state in final.items():
            assert state.size == recorder.workspace.size(name)
            assert state.received == 200 * len(block)
            assert state.sent == 100 * len(block)


def greet(end: socket.socket) -> None:
    end.sendall(b"seen")
    drained(end)


def test_it_covers_what_was_forwarded(tmp_path: Path):
    """What the client has seen lies in the file and under the digest."""
    with (
        serving(greet) as server,
        recording(tmp_path, names=NAMES) as recorder,
        recorder.connect("example.com", server.port) as end,
    ):
        assert exactly(end, 4) == b"seen"
        (state,) = recorder.proxy.running_digest().values()
        assert (state.received, state.received_sha256) == (4, hashlib.sha256(b"seen").digest())
        assert recorder.way(1, Direction.IN) == b"seen"

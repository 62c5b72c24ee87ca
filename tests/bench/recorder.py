"""The blind proxy: one large download, and many short connections, beside a relay that only forwards."""

from __future__ import annotations

import os
import select
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from evidence_desk.capture.folder import FolderWorkspace
from evidence_desk.capture.guard import Guard
from evidence_desk.capture.proxy import LOOPBACK, BlindProxy
from tests.bench.report import Figure

MB = 1_000_000
_SERVER = """
import os, socket
listener = socket.create_server(("127.0.0.1", 0), backlog=512)
print(listener.getsockname()[1], flush=True)
block = os.urandom(1 << 20)
while True:
    end, _ = listener.accept()
    left = int(end.recv(20))
    while left:
        left -= end.send(block[:min(left, len(block))])
    end.close()
"""
_CLIENT = """
import socket, sys, time
port, server, size, count = map(int, sys.argv[1:])
buffer = bytearray(1 << 20)
start = time.perf_counter()
for _ in range(count):
    end = socket.create_connection(("127.0.0.1", port))
    if server:
        end.sendall(b"\\5\\1\\0")
        end.recv(2)
        end.sendall(b"\\5\\1\\0\\1\\x7f\\0\\0\\1" + server.to_bytes(2, "big"))
        assert end.recv(10)[1] == 0
    end.sendall(b"%d" % size)
    left = size
    while got := end.recv_into(buffer):
        left -= got
    assert not left
    end.close()
print(time.perf_counter() - start)
"""


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@contextmanager
def _server() -> Iterator[int]:
    with subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def _client(port: int, server: int, size: int, count: int = 1) -> float:
    command = [sys.executable, "-c", _CLIENT, *map(str, (port, server, size, count))]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def _relay(server: int) -> int:
    """Forwards in the same interpreter, and nothing else."""
    listener = socket.create_server((LOOPBACK, 0), backlog=512)

    def run() -> None:
        while True:
            browser, _ = listener.accept()
            other = socket.create_connection((LOOPBACK, server))
            live = [browser, other]
            while live:
                for end in select.select(live, [], [])[0]:
                    data = end.recv(262144)
                    sink = other if end is browser else browser
                    if data:
                        sink.sendall(data)
                    else:
                        sink.shutdown(socket.SHUT_WR)
                        live.remove(end)
            browser.close()
            other.close()

    threading.Thread(target=run, daemon=True).start()
    return int(listener.getsockname()[1])


def recorder(folder: Path, small: bool) -> Iterator[Figure]:
    """1 GB in one connection and 1,000 connections of 10 kB, over loopback."""
    size, count, runs = (64 * MB, 50, 1) if small else (1_000 * MB, 1_000, 3)
    with _server() as server:
        relay = _relay(server)
        speeds, shares, rates = [], [], []
        for _ in range(runs):
            bare = _client(relay, 0, size)
            with _recording(folder) as port:
                began = time.process_time()
                took = _client(port, server, size)
                shares.append(size / MB / (time.process_time() - began))
                speeds.append((size / took / MB, bare / took))
            with _recording(folder) as port:
                rates.append(count / _client(port, server, 10_000, count))
        yield Figure("record one download", statistics.median(speed for speed, _ in speeds), "MB/s", 300,
                     f"{size // MB:,} MB, {statistics.median(ratio for _, ratio in speeds):.2f} of a relay that only forwards;"
                     f" {statistics.median(shares):,.0f} MB a second of CPU", at_least=True)  # fmt: skip
        yield Figure("record short connections", statistics.median(rates), "/s", 100, f"{count:,} of 10 kB, one after the other", at_least=True)  # fmt: skip


@contextmanager
def _recording(folder: Path) -> Iterator[int]:
    place = folder / "capture"
    proxy = BlindProxy(FolderWorkspace(place), Guard(allow_private=True), _Clock())
    port = proxy.start()
    proxy.allow_pid(os.getpid())
    try:
        yield port
    finally:
        proxy.stop()
        assert proxy.failure is None
        shutil.rmtree(place)

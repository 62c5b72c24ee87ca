"""What a recorder writes: streams chunk by chunk, and lines of its journals. Nothing is forwarded before it lies there."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final

from evidence_desk.capture.folder import host_fault, write_whole
from evidence_desk.core.capture.stream import HEAD_SIZE, Direction, put_head
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.errors import HostError

INDEX_NAME: Final = "connections.jsonl"
OPENED_NAME: Final = "opened.jsonl"
"""Connections as they were opened, in lines of the index with ending ``unknown``: what is left when the recorder is killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDigest:
    """State of one stream: digests of exactly the first `sent` and `received` bytes, that lie in its first `size` bytes."""

    size: int
    sent: int
    received: int
    sent_sha256: bytes
    received_sha256: bytes


NOTHING: Final = RunningDigest(
    size=0,
    sent=0,
    received=0,
    sent_sha256=hashlib.sha256().digest(),
    received_sha256=hashlib.sha256().digest(),
)


def short_of_descriptors(error: HostError) -> bool:
    """Whether the process or the system has too many files open for the moment."""
    return error.parameters.get("reason") in {"EMFILE", "ENFILE"}


class StreamRecorder:
    """One stream. Chunks are written by one thread; `digest` may be asked from any.

    Every chunk goes to the system in one call, unbuffered: a killed recorder loses none that was forwarded.
    """

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.name = name
        self._file = workspace.create(name)
        self._descriptor = self._file.fileno()
        self._lock = threading.Lock()
        self._size = 0
        self._counts = {Direction.OUT: 0, Direction.IN: 0}
        self._hashes = {Direction.OUT: hashlib.sha256(), Direction.IN: hashlib.sha256()}

    def record(self, direction: Direction, at: int, buffer: memoryview, length: int) -> None:
        """Write a chunk whose data begin at `HEAD_SIZE` of the buffer; its head is put before them.

        Raises:
            HostError: the disk refused; the stream then ends with the chunk before.
        """
        put_head(buffer, direction, at, length)
        end = HEAD_SIZE + length
        with self._lock:
            try:
                write_whole(self._descriptor, buffer[:end], end=self._size)
            except OSError as error:
                raise host_fault(error, self.name) from error
            self._size += end
            self._counts[direction] += length
            self._hashes[direction].update(buffer[HEAD_SIZE:end])

    def digest(self) -> RunningDigest:
        """Counts and digests of what is recorded now."""
        with self._lock:
            size, sent, received = self._size, self._counts[Direction.OUT], self._counts[Direction.IN]
            out, into = self._hashes[Direction.OUT].copy(), self._hashes[Direction.IN].copy()
        return RunningDigest(
            size=size, sent=sent, received=received, sent_sha256=out.digest(), received_sha256=into.digest()
        )

    def close(self) -> None:
        """No more chunks."""
        with self._lock, suppress(OSError):
            self._descriptor = -1  # the number may be given to another file
            self._file.close()


class Journal:
    """Lines of several files, made durable by a thread of its own, many at a time.

    Args:
        workspace: where the files lie.
        failed: told, in that thread, when the disk refuses; the lines are kept and tried again with the next ones.
    """

    def __init__(self, workspace: Workspace, failed: Callable[[HostError], None]) -> None:
        self._workspace = workspace
        self._failed = failed
        self._queue: SimpleQueue[tuple[str, bytes] | None] = SimpleQueue()
        self._waiting: dict[str, bytes] = {}
        self._thread = threading.Thread(target=self._run, name="capture-journal", daemon=True)
        self._thread.start()

    def put(self, name: str, line: bytes) -> None:
        """Have a line appended; from any thread."""
        self._queue.put((name, line))

    def close(self, timeout: float) -> bool:
        """Write the rest; whether everything lies there."""
        self._queue.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive() and not self._waiting

    def _run(self) -> None:
        more = True
        while more:
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get())
            more = None not in batch
            for item in batch:
                if item is not None:
                    self._waiting[item[0]] = self._waiting.get(item[0], b"") + item[1]
            self._write()

    def _write(self) -> None:
        for name, lines in list(self._waiting.items()):
            try:
                self._workspace.append(name, lines)
            except HostError as error:
                if not short_of_descriptors(error):  # that passes; the lines wait
                    self._failed(error)
            else:
                del self._waiting[name]


class OpenedLines:
    """``opened.jsonl``, written before the first byte of a connection is."""

    def __init__(self, workspace: Workspace) -> None:
        self._file = workspace.create(OPENED_NAME)
        self._size = 0

    def write(self, line: bytes) -> None:
        """One line, handed to the system on return.

        Raises:
            HostError: the disk refused; nothing of the line lies there.
        """
        try:
            write_whole(self._file.fileno(), line, end=self._size)
        except OSError as error:
            raise host_fault(error, OPENED_NAME) from error
        self._size += len(line)

    def close(self) -> None:
        """No more lines."""
        with suppress(OSError):
            self._file.close()

"""SHA-256 and SM3 of a stream in one read: one thread a digest, buffers reused, memory bounded.

Small streams take a path without threads. Must not open files.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable
from typing import BinaryIO, Final, Self

from cryptography.hazmat.primitives import hashes

from evidence_desk.core.digests import DigestPair, PairHasher
from evidence_desk.core.job import Job
from evidence_desk.errors import UnreadableError

BUFFER_SIZE: Final = 1024 * 1024
"""Bytes of one buffer; streams that fit in one are hashed without threads."""
_BUFFERS: Final = 6


class Buffer:
    """A reusable piece of a stream; free again when all its users have released it."""

    def __init__(self) -> None:
        self.data = memoryview(bytearray(BUFFER_SIZE))
        self.length = 0
        self.users = 0


class ParallelHasher:
    """Two hashing threads behind one queue each.

    Use: ``acquire`` a buffer, fill it, ``submit`` it; ``finish`` at the end. As a context manager it always joins
    its threads.
    """

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._sm3 = hashes.Hash(hashes.SM3())
        self._free: queue.SimpleQueue[Buffer] = queue.SimpleQueue()
        for _ in range(_BUFFERS):
            self._free.put(Buffer())
        self._queues: tuple[queue.SimpleQueue[Buffer | None], ...] = (
            queue.SimpleQueue(),
            queue.SimpleQueue(),
        )
        self._lock = threading.Lock()
        self._failure: BaseException | None = None
        updates: tuple[Callable[[memoryview], object], ...] = (self._sha256.update, self._sm3.update)
        self._threads = [
            threading.Thread(target=self._run, args=(todo, update), name="hash", daemon=True)
            for todo, update in zip(self._queues, updates, strict=True)
        ]
        self.size = 0
        for thread in self._threads:
            thread.start()

    def acquire(self) -> Buffer:
        """An unused buffer; waits until the hashers have caught up."""
        return self._free.get()

    def submit(self, buffer: Buffer, *, keep: bool = False) -> None:
        """Hash the first `buffer.length` bytes; with `keep` the caller reads them too and releases later."""
        buffer.users = len(self._queues) + (1 if keep else 0)
        self.size += buffer.length
        for todo in self._queues:
            todo.put(buffer)

    def release(self, buffer: Buffer) -> None:
        """Say that one user is done with a buffer."""
        with self._lock:
            buffer.users -= 1
            unused = buffer.users == 0
        if unused:
            self._free.put(buffer)

    def finish(self) -> tuple[DigestPair, int]:
        """Digests and size of everything submitted."""
        self.close()
        if self._failure is not None:
            raise self._failure
        return DigestPair(sha256=self._sha256.digest(), sm3=self._sm3.finalize()), self.size

    def close(self) -> None:
        """Stop the threads after what is queued; harmless twice."""
        threads, self._threads = self._threads, []
        if threads:
            for todo in self._queues:
                todo.put(None)
            for thread in threads:
                thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _run(self, todo: queue.SimpleQueue[Buffer | None], update: Callable[[memoryview], object]) -> None:
        while (buffer := todo.get()) is not None:
            try:
                if self._failure is None:
                    update(buffer.data[: buffer.length])
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits in finish()
                self._failure = error
            finally:
                self.release(buffer)


class HashingReader:
    """File-like source for age: every byte it hands out is hashed, and the other way round."""

    def __init__(self, source: BinaryIO, hasher: ParallelHasher, *, first: bytes, progress: Progress) -> None:
        self._source = source
        self._hasher = hasher
        self._progress = progress
        self._current: Buffer | None = None
        self._position = 0
        self.error: BaseException | None = None
        self._first = first

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, b"" at the end.

        The caller is a library that turns every exception into its own; `error` keeps the original.
        """
        try:
            buffer = self._current
            if buffer is None or self._position == buffer.length:
                buffer = self._next()
                if buffer is None:
                    return b""
            start = self._position
            end = self._position = min(start + (size if size > 0 else BUFFER_SIZE), buffer.length)
            return bytes(buffer.data[start:end])
        except BaseException as error:
            self.error = error
            raise

    def _next(self) -> Buffer | None:
        if self._current is not None:
            self._hasher.release(self._current)
            self._current = None
        buffer = self._hasher.acquire()
        if self._first:
            buffer.length = len(self._first)
            buffer.data[: buffer.length] = self._first
            self._first = b""
        else:
            buffer.length = fill(self._source, buffer.data)
        if buffer.length == 0:
            return None
        self._hasher.submit(buffer, keep=True)
        self._progress.step(self._hasher.size)
        self._current, self._position = buffer, 0
        return buffer


class HashingWriter:
    """File-like sink for age: hashes what is written and keeps nothing."""

    def __init__(self, hasher: ParallelHasher, *, progress: Progress) -> None:
        self._hasher = hasher
        self._progress = progress
        self._current: Buffer | None = None
        self.error: BaseException | None = None

    def write(self, data: bytes) -> int:
        """Take the next bytes (age hands over 8 KiB at a time)."""
        try:
            view = memoryview(data)
            while view:
                buffer = self._current
                if buffer is None:
                    buffer = self._current = self._hasher.acquire()
                    buffer.length = 0
                start = buffer.length
                end = min(start + len(view), BUFFER_SIZE)
                buffer.data[start:end] = view[: end - start]
                buffer.length = end
                if end == BUFFER_SIZE:
                    self._submit(buffer)
                view = view[end - start :]
        except BaseException as error:
            self.error = error
            raise
        return len(data)

    def flush(self) -> None:
        """Nothing to do: pieces are handed on when full, and the last one by `finish`."""

    def finish(self) -> tuple[DigestPair, int]:
        """Digests and size of everything written."""
        if self._current is not None and self._current.length:
            self._submit(self._current)
        return self._hasher.finish()

    def _submit(self, buffer: Buffer) -> None:
        self._current = None
        self._hasher.submit(buffer)
        self._progress.step(self._hasher.size)


class Progress:
    """Steps of a job in bytes of one stage."""

    def __init__(self, job: Job, stage: str, total: int) -> None:
        self._job = job
        self._stage = stage
        self._total = total

    def step(self, done: int) -> None:
        """Report; CanceledError when the person gave up."""
        self._job.step(self._stage, done, max(done, self._total))


def fill(source: BinaryIO, target: memoryview) -> int:
    """Read until `target` is full or the source ends; returns the bytes read.

    Raises:
        UnreadableError: ``vault.source_unreadable`` when the source fails.
    """
    readinto = getattr(source, "readinto", None)
    done = 0
    try:
        while done < len(target):
            if readinto is not None:
                got = readinto(target[done:])
            else:
                piece = source.read(len(target) - done)
                got = len(piece)
                target[done : done + got] = piece
            if not got:
                break
            done += got
    except OSError as error:
        raise UnreadableError("vault.source_unreadable", reason=type(error).__name__) from error
    return done


def read_start(source: BinaryIO) -> tuple[bytes, bool]:
    """(first bytes of a stream, whether that is all of it); cheap for small files.

    Raises:
        UnreadableError: ``vault.source_unreadable`` when the source fails.
    """
    pieces: list[bytes] = []
    left = BUFFER_SIZE
    try:
        while left and (piece := source.read(left)):
            pieces.append(piece)
            left -= len(piece)
    except OSError as error:
        raise UnreadableError("vault.source_unreadable", reason=type(error).__name__) from error
    return b"".join(pieces), left > 0


def hash_stream(source: BinaryIO, *, job: Job, size: int) -> tuple[DigestPair, int]:
    """Digest pair and size of a stream, read once.

    Args:
        source: read to its end, by `readinto` where it has one.
        job: gets steps of stage ``hash`` in bytes.
        size: expected size in bytes, for progress only.

    Raises:
        UnreadableError: ``vault.source_unreadable``.
        CanceledError: the job was canceled.
    """
    progress = Progress(job, "hash", size)
    first, whole = read_start(source)
    if whole:
        hasher = PairHasher()
        hasher.update(first)
        progress.step(len(first))
        return hasher.digest(), len(first)
    with ParallelHasher() as parallel:
        buffer = parallel.acquire()
        buffer.length = len(first)
        buffer.data[:] = first
        while buffer.length:
            parallel.submit(buffer)
            progress.step(parallel.size)
            buffer = parallel.acquire()
            buffer.length = fill(source, buffer.data)
        return parallel.finish()

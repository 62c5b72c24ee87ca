"""Encrypted originals (`core.ports.ObjectStore`): age files named by an HMAC of their digests.

An object gets its final name only after it was decrypted again from the disk and both digests were found equal.
Failures inside age's callbacks are kept by our own reader and writer, because age hides or drops them.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

import pyrage

from evidence_desk.core.digests import DigestPair, PairHasher
from evidence_desk.core.job import Job
from evidence_desk.core.rows import StoredObject
from evidence_desk.errors import ConfigurationError, IntegrityError, NotFoundError
from evidence_desk.vault import durable
from evidence_desk.vault.faults import host_fault, host_faults
from evidence_desk.vault.hashing import (
    BUFFER_SIZE,
    HashingReader,
    HashingWriter,
    ParallelHasher,
    Progress,
    read_start,
)
from evidence_desk.vault.keybag import CaseKeys, Keybag
from evidence_desk.vault.object_batches import Batch, Batches
from evidence_desk.vault.object_stream import open_decrypted

FOLDER: Final = "objects"
_NAME: Final = re.compile(r"[0-9a-f]{64}\Z")
_SMALL_OVERHEAD: Final = 64 * 1024


class ObjectRepository:
    """The folder ``objects/`` of one vault.

    Args:
        folder: the objects folder.
        keybag: keys by case.
        referenced: which of these names do rows of the database refer to.
        read_only: refuse to store.
    """

    def __init__(
        self,
        folder: Path,
        keybag: Keybag,
        *,
        referenced: Callable[[Iterable[str]], set[str]],
        read_only: bool,
    ) -> None:
        self._folder = folder
        self._keybag = keybag
        self._referenced = referenced
        self._read_only = read_only
        self._batches = Batches(folder, referenced)

    def put(self, source: BinaryIO, *, case_number: str, size: int, job: Job) -> StoredObject:
        """Encrypt a stream while hashing it, re-hash what lies on the disk, make it durable under its name.

        Args:
            source: read to its end, once.
            case_number: whose keys to use; they are made for a new case.
            size: expected size in bytes, for progress only.
            job: gets steps of stages ``encrypt`` and ``verify`` in bytes.

        Raises:
            UnreadableError: ``vault.source_unreadable``.
            IntegrityError: ``vault.object_damaged`` when the disk returned other bytes than were written.
            HostError: disk full, read-only folder.
            NotFoundError: ``vault.case_erased``.
        """
        if self._read_only:
            raise ConfigurationError("vault.read_only")
        keys = self._keybag.keys_for_writing(case_number)
        first, whole = read_start(source)
        if whole:
            return self._put_small(first, keys, job)
        return self._put_large(
            source, first, keys, Progress(job, "encrypt", size), Progress(job, "verify", size)
        )

    def open(self, stored: StoredObject, *, case_number: str) -> BinaryIO:
        """Plain bytes of an original; good only when its end was reached without error.

        Raises:
            NotFoundError: ``vault.case_erased`` or ``vault.case_unknown``.
            IntegrityError: ``vault.object_missing``; while reading ``vault.object_damaged``.
        """
        keys = self._keybag.keys(case_number)
        return open_decrypted(self._path(stored.name), keys.age_identity())

    def present(self, stored: StoredObject) -> bool:
        """Whether there is a file for an original, be it sound or not."""
        return self._path(stored.name).is_file()

    def check(self, stored: StoredObject, *, case_number: str, job: Job) -> bool:
        """Whether the original decrypts to the recorded size and both digests.

        Raises:
            NotFoundError: ``vault.case_erased``: it was deleted on purpose, which is no damage.
            HostError: the disk cannot be read.
        """
        keys = self._keybag.keys(case_number)
        path = self._path(stored.name)
        if not path.is_file():
            return False
        try:
            digests, size = _rehash(path, keys, Progress(job, "verify", stored.size), stored.size)
        except IntegrityError:
            return False
        return size == stored.size and digests.matches(stored.digests)

    def wrap(self, data: bytes, *, case_number: str) -> bytes:
        """An age file that only the keys of a case open, for secrets that travel inside an exhibit.

        Raises:
            NotFoundError: ``vault.case_erased``.
        """
        sink = io.BytesIO()
        _encrypt(io.BytesIO(data), sink, self._keybag.keys_for_writing(case_number))
        return sink.getvalue()

    def unwrap(self, data: bytes, *, case_number: str) -> bytes:
        """Plain bytes of what `wrap` made.

        Raises:
            IntegrityError: ``vault.object_damaged`` when the keys of the case do not open it.
            NotFoundError: ``vault.case_erased`` or ``vault.case_unknown``.
        """
        plain = io.BytesIO()
        _decrypt(io.BytesIO(data), plain, self._keybag.keys(case_number))
        return plain.getvalue()

    def batch(self) -> AbstractContextManager[Batch]:
        """Store many objects with one sync, by `Batch.settle` or at the end of the block.

        It belongs to the calling thread; what other threads store is synced at once. When the block fails, its
        objects that no row refers to are removed. Rows committed within the block, after `settle`, are safe from
        batches of other threads that fail.
        """
        return self._batches.batch()

    def sweep(self) -> int:
        """Remove temporary files and objects that no row refers to; returns how many.

        Only for the holder of the writer's lock, before anything is stored.
        """
        with host_faults(FOLDER):
            names = [path.name for path in self._folder.iterdir()]
            objects = {name for name in names if _NAME.match(name)}
            keep = self._referenced(objects)
            doomed = [
                n for n in names if n.startswith(durable.TEMPORARY_PREFIX) or (n in objects and n not in keep)
            ]
            for name in doomed:
                (self._folder / name).unlink(missing_ok=True)
        return len(doomed)

    def remove(self, names: Iterable[str]) -> None:
        """Delete objects of an erased case."""
        with host_faults(FOLDER):
            for name in names:
                self._path(name).unlink(missing_ok=True)
            durable.sync_folder(self._folder)

    def _put_small(self, data: bytes, keys: CaseKeys, job: Job) -> StoredObject:
        hasher = PairHasher()
        hasher.update(data)
        stored = _stored(keys, hasher.digest(), len(data))
        job.step("encrypt", len(data), len(data))
        if not self._reuse(stored, keys, job):
            sink = io.BytesIO()
            _encrypt(io.BytesIO(data), sink, keys)
            temporary = self._folder / durable.temporary_name()
            with self._removing(temporary):
                with self._writing(temporary) as descriptor:
                    durable.write_all(descriptor, sink.getbuffer())
                    if not self._batches.within:
                        os.fsync(descriptor)
                self._confirm(temporary, stored, keys, Progress(job, "verify", stored.size))
                self._batches.publish(temporary, stored.name)
        return stored

    def _put_large(
        self, source: BinaryIO, first: bytes, keys: CaseKeys, encrypting: Progress, verifying: Progress
    ) -> StoredObject:
        temporary = self._folder / durable.temporary_name()
        with self._removing(temporary):
            with self._writing(temporary) as descriptor:
                sink = _FileSink(descriptor)
                with ParallelHasher() as hasher:
                    reader = HashingReader(source, hasher, first=first, progress=encrypting)
                    _encrypt(reader, sink, keys)
                    digests, size = hasher.finish()
                stored = _stored(keys, digests, size)
                reused = self._reuse(stored, keys, Job())
                if not reused:
                    # The disk writes while we already decrypt; both must succeed before the name is given.
                    with _syncing(descriptor):
                        self._confirm(temporary, stored, keys, verifying)
            if not reused:
                self._batches.publish(temporary, stored.name)
                return stored
        with host_faults(FOLDER):
            temporary.unlink(missing_ok=True)
        return stored

    def _reuse(self, stored: StoredObject, keys: CaseKeys, job: Job) -> bool:
        """Whether the case holds these bytes already, sound; a damaged copy is replaced by the new one."""
        path = self._path(stored.name)
        if not self._batches.held(stored.name):
            return False
        try:
            digests, size = _rehash(path, keys, Progress(job, "verify", stored.size), stored.size)
        except IntegrityError:
            return False
        if size != stored.size or not digests.matches(stored.digests):
            return False
        self._batches.reused(stored.name)
        return True

    def _confirm(self, path: Path, stored: StoredObject, keys: CaseKeys, progress: Progress) -> None:
        digests, size = _rehash(path, keys, progress, stored.size)
        if size != stored.size or not digests.matches(stored.digests):
            raise IntegrityError("vault.object_damaged")

    def _path(self, name: str) -> Path:
        if not _NAME.match(name):
            raise NotFoundError("vault.object_name")
        return self._folder / name

    @contextmanager
    def _writing(self, path: Path) -> Iterator[int]:
        with host_faults(FOLDER):
            descriptor = durable.create_private(path)
        try:
            yield descriptor
        except OSError as error:
            raise host_fault(error, FOLDER) from error
        finally:
            os.close(descriptor)

    @contextmanager
    def _removing(self, path: Path) -> Iterator[None]:
        """Leave no temporary file behind on failure."""
        try:
            yield
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            raise


class _FileSink:
    """Descriptor as age's output; keeps the first failure, which age may drop."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.error: BaseException | None = None

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        if self.error is not None:
            raise self.error
        try:
            durable.write_all(self._descriptor, data)
        except BaseException as error:
            self.error = error
            raise
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


def _encrypt(source: io.BytesIO | HashingReader, sink: io.BytesIO | _FileSink, keys: CaseKeys) -> None:
    try:
        pyrage.encrypt_io(source, sink, [keys.age_identity().to_public()])
    except Exception as error:
        _raise_own(source, sink)
        raise IntegrityError("vault.object_damaged") from error
    _raise_own(source, sink)


def _raise_own(*sides: object) -> None:
    """Raise what happened inside our side of age's callbacks."""
    for side in sides:
        error = getattr(side, "error", None)
        if isinstance(error, OSError):
            raise host_fault(error, FOLDER) from error
        if isinstance(error, BaseException):
            raise error


def _rehash(path: Path, keys: CaseKeys, progress: Progress, size: int) -> tuple[DigestPair, int]:
    """Digests of what an object decrypts to.

    Raises:
        IntegrityError: ``vault.object_damaged`` when it is not a whole age file of this case.
    """
    with host_faults(FOLDER), path.open("rb", buffering=0 if size < BUFFER_SIZE else BUFFER_SIZE) as cipher:
        if size < BUFFER_SIZE:
            plain = io.BytesIO()
            # An object can be no longer than its plain bytes and age's overhead; a longer file is damaged.
            data = cast("io.RawIOBase", cipher).read(size + _SMALL_OVERHEAD) or b""
            _decrypt(io.BytesIO(data), plain, keys)
            content = plain.getvalue()
            progress.step(len(content))
            return DigestPair.of(content), len(content)
        with ParallelHasher() as hasher:
            writer = HashingWriter(hasher, progress=progress)
            _decrypt(cipher, writer, keys)
            return writer.finish()


def _decrypt(cipher: BinaryIO | io.BytesIO, sink: io.BytesIO | HashingWriter, keys: CaseKeys) -> None:
    try:
        pyrage.decrypt_io(cipher, sink, [keys.age_identity()])
    except Exception as error:
        _raise_own(sink)
        raise IntegrityError("vault.object_damaged") from error
    _raise_own(sink)


def object_name(keys: CaseKeys, digests: DigestPair) -> str:
    """File name of an original: HMAC-SHA256 of its digests under the case's name key, hex."""
    return hmac.new(keys.name_key, digests.sha256 + digests.sm3, hashlib.sha256).hexdigest()


def _stored(keys: CaseKeys, digests: DigestPair, size: int) -> StoredObject:
    return StoredObject(name=object_name(keys, digests), size=size, digests=digests)


@contextmanager
def _syncing(descriptor: int) -> Iterator[None]:
    """Sync in a thread during the block; the block ends when both are done."""
    failure: list[OSError] = []

    def sync() -> None:
        try:
            os.fsync(descriptor)
        except OSError as error:
            failure.append(error)

    thread = threading.Thread(target=sync, name="fsync", daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if failure:
        raise failure[0]

"""Originals as they lie on disk: which files a path stands for, opened so that nothing else can slip in.

Symbolic links, devices and pipes are refused, not skipped: an exhibit that silently lacks a file is worse than none.
"""

from __future__ import annotations

import errno
import mimetypes
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from evidence_desk.errors import UnreadableError

MAX_FILES: Final = 100_000
MAX_DEPTH: Final = 64
_READ_ERRORS: Final = frozenset({errno.EACCES, errno.EPERM})
_GONE: Final = frozenset(
    getattr(errno, name)
    for name in (
        "EIO",
        "ENODEV",
        "ENXIO",
        "ESTALE",
        "ENOTCONN",
        "EREMOTEIO",
        "ENOMEDIUM",
        "EHOSTDOWN",
    )
    if hasattr(errno, name)
)
"""What reading gives once a stick was pulled out or a share dropped."""

Refuse = Callable[[Path, UnreadableError], None]
"""Told of a path that cannot be sealed; raises it, or notes it and has the rest gone through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file to seal: where it lies, its name within the exhibit (NFC, ``/``) and the raw bytes of that name."""

    path: Path
    name: str
    raw_name: bytes
    size: int

    @property
    def media_type(self) -> str:
        """Media type guessed from the name; the content is not interpreted."""
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"


def find_sources(path: Path) -> tuple[Source, ...]:
    """Files of one exhibit: the file itself, or everything in a folder in order of raw names.

    Raises:
        UnreadableError: ``input.missing``, ``input.symlink``, ``input.special``, ``input.empty_folder``,
            ``input.too_many``, ``input.too_deep``, ``input.unreadable``, ``input.gone``.
    """
    try:
        info = path.lstat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(info.st_mode):
        sources = tuple(_walk(path, b"", 0, _raise))
        if not sources:
            raise UnreadableError("input.empty_folder", path=display(os.fsencode(path)))
        if len(sources) > MAX_FILES:
            raise UnreadableError("input.too_many", path=display(os.fsencode(path)), limit=MAX_FILES)
        return sources
    return (_source(path, os.fsencode(path.name), info),)


def find_each(path: Path, refuse: Refuse) -> Iterator[Source]:
    """Every file under a path for itself (the path may be a file); what cannot be sealed goes to `refuse`."""
    try:
        info = path.lstat()
        if not stat.S_ISDIR(info.st_mode):
            yield _source(path, os.fsencode(path.name), info)
            return
    except UnreadableError as error:
        refuse(path, error)
        return
    except (OSError, ValueError) as error:
        refuse(path, _unreadable(path, error))
        return
    refused: list[Path] = []

    def note(at: Path, error: UnreadableError) -> None:
        refused.append(at)
        refuse(at, error)

    found = 0
    for source in _walk(path, b"", 0, note):
        found += 1
        yield source
    if not found and not refused:
        refuse(path, UnreadableError("input.empty_folder", path=display(os.fsencode(path))))


def _raise(_path: Path, error: UnreadableError) -> None:
    raise error


def display(raw: bytes) -> str:
    """Name for people: UTF-8 with U+FFFD for what is not, NFC."""
    return unicodedata.normalize("NFC", raw.decode("utf-8", errors="replace"))


@contextmanager
def opened(source: Source) -> Iterator[tuple[BinaryIO, datetime]]:
    """The file as a stream with its modification time; refused when it changed while it was read.

    Raises:
        UnreadableError: ``input.changed`` (size, time or inode differ after reading), ``input.gone`` (its device or
            folder went away meanwhile), ``input.unreadable``.
    """
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        descriptor = os.open(source.path, flags)
    except OSError as error:
        raise _unreadable(source.path, error) from error
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_size != source.size:
            raise UnreadableError("input.changed", path=source.name)
        try:
            yield stream, datetime.fromtimestamp(before.st_mtime_ns // 1_000_000 / 1000, UTC)
        except UnreadableError as error:  # of who reads the stream, and knows no path
            if isinstance(error.__cause__, OSError):
                raise _unreadable(source.path, error.__cause__) from error
            raise
        except OSError as error:
            if error.filename is None and error.errno in _GONE | _READ_ERRORS:
                raise _unreadable(source.path, error) from error
            raise
        _unchanged(source, before, descriptor)


def _unchanged(source: Source, before: os.stat_result, descriptor: int) -> None:
    try:
        after = os.fstat(descriptor)
        at_path = source.path.lstat()
    except OSError as error:
        if error.errno in _GONE or not source.path.parent.exists():
            raise UnreadableError("input.gone", path=source.name, reason=_reason(error)) from error
        raise UnreadableError("input.changed", path=source.name) from error
    if _identity(before) != _identity(after) or _identity(after) != _identity(at_path):
        raise UnreadableError("input.changed", path=source.name)


def _identity(info: os.stat_result) -> tuple[int, ...]:
    return (info.st_size, info.st_mtime_ns, info.st_ino, info.st_dev)


def _walk(folder: Path, prefix: bytes, depth: int, refuse: Refuse) -> Iterator[Source]:
    if depth > MAX_DEPTH:
        refuse(folder, UnreadableError("input.too_deep", path=display(prefix), limit=MAX_DEPTH))
        return
    try:
        with os.scandir(os.fsencode(folder)) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        refuse(folder, _unreadable(folder, error))
        return
    for entry in found:
        name = prefix + b"/" + entry.name if prefix else entry.name
        path = Path(os.fsdecode(entry.path))
        try:
            info = entry.stat(follow_symlinks=False)
            source = None if stat.S_ISDIR(info.st_mode) else _source(path, name, info)
        except OSError as error:
            refuse(path, _unreadable(path, error))
            continue
        except UnreadableError as error:
            refuse(path, error)
            continue
        if source is None:
            yield from _walk(path, name, depth + 1, refuse)
        else:
            yield source


def _source(path: Path, raw_name: bytes, info: os.stat_result) -> Source:
    if stat.S_ISLNK(info.st_mode):
        raise UnreadableError("input.symlink", path=display(raw_name))
    if not stat.S_ISREG(info.st_mode):
        raise UnreadableError("input.special", path=display(raw_name))
    if not os.access(path, os.R_OK):
        raise UnreadableError("input.unreadable", path=display(raw_name), reason="EACCES")
    return Source(path=path, name=display(raw_name), raw_name=raw_name, size=info.st_size)


def _unreadable(path: Path, error: OSError | ValueError) -> UnreadableError:
    shown = display(os.fsencode(path))
    if not isinstance(error, OSError):  # a NUL in it: no file has such a name
        return UnreadableError("input.missing", path=shown, reason=os.strerror(errno.ENOENT))
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UnreadableError("input.missing", path=shown, reason=_reason(error))
    if error.errno in _GONE:
        return UnreadableError("input.gone", path=shown, reason=_reason(error))
    return UnreadableError("input.unreadable", path=shown, reason=_reason(error))


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else type(error).__name__

"""Originals as they lie on disk: which files a path stands for, opened so that nothing else can slip in.

Symbolic links, devices and pipes are refused, not skipped: an exhibit that silently lacks a file is worse than none.
"""

from __future__ import annotations

import mimetypes
import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from evidence_desk.errors import UnreadableError

MAX_FILES: Final = 100_000
MAX_DEPTH: Final = 64


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
            ``input.too_many``, ``input.too_deep``, ``input.unreadable``.
    """
    try:
        info = path.lstat()
    except OSError as error:
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(info.st_mode):
        sources = tuple(_walk(path, b"", 0))
        if not sources:
            raise UnreadableError("input.empty_folder", path=display(os.fsencode(path)))
        if len(sources) > MAX_FILES:
            raise UnreadableError("input.too_many", path=display(os.fsencode(path)), limit=MAX_FILES)
        return sources
    return (_source(path, os.fsencode(path.name), info),)


def display(raw: bytes) -> str:
    """Name for people: UTF-8 with U+FFFD for what is not, NFC."""
    return unicodedata.normalize("NFC", raw.decode("utf-8", errors="replace"))


@contextmanager
def opened(source: Source) -> Iterator[tuple[BinaryIO, datetime]]:
    """The file as a stream with its modification time; refused when it changed while it was read.

    Raises:
        UnreadableError: ``input.changed`` (size, time or inode differ after reading), ``input.unreadable``.
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
        except OSError as error:
            if error.filename is None and error.errno is not None and _is_read_error(error):
                raise _unreadable(source.path, error) from error
            raise
        after = os.fstat(descriptor)
        try:
            at_path = source.path.lstat()
        except OSError as error:
            raise UnreadableError("input.changed", path=source.name) from error
        if _identity(before) != _identity(after) or _identity(after) != _identity(at_path):
            raise UnreadableError("input.changed", path=source.name)


def _identity(info: os.stat_result) -> tuple[int, ...]:
    return (info.st_size, info.st_mtime_ns, info.st_ino, info.st_dev)


def _is_read_error(error: OSError) -> bool:
    return isinstance(error, PermissionError) or error.errno in {5, 116}  # EIO, ESTALE


def _walk(folder: Path, prefix: bytes, depth: int) -> Iterator[Source]:
    if depth > MAX_DEPTH:
        raise UnreadableError("input.too_deep", path=display(prefix), limit=MAX_DEPTH)
    try:
        with os.scandir(os.fsencode(folder)) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            name = prefix + b"/" + entry.name if prefix else entry.name
            info = entry.stat(follow_symlinks=False)
            path = Path(os.fsdecode(entry.path))
            if stat.S_ISDIR(info.st_mode):
                yield from _walk(path, name, depth + 1)
            else:
                yield _source(path, name, info)
    except OSError as error:
        raise _unreadable(folder, error) from error


def _source(path: Path, raw_name: bytes, info: os.stat_result) -> Source:
    if stat.S_ISLNK(info.st_mode):
        raise UnreadableError("input.symlink", path=display(raw_name))
    if not stat.S_ISREG(info.st_mode):
        raise UnreadableError("input.special", path=display(raw_name))
    if not os.access(path, os.R_OK):
        raise UnreadableError("input.unreadable", path=display(raw_name), reason="EACCES")
    return Source(path=path, name=display(raw_name), raw_name=raw_name, size=info.st_size)


def _unreadable(path: Path, error: OSError) -> UnreadableError:
    code = "input.missing" if isinstance(error, FileNotFoundError) else "input.unreadable"
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return UnreadableError(code, path=display(os.fsencode(path)), reason=reason)

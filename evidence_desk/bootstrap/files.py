"""Writing results where the user asked: under a temporary name first, never over an existing file unasked."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from evidence_desk.bootstrap.unfinished import noted, temporary_for
from evidence_desk.errors import HostError, MalformedError, UnreadableError, UsageError


def refuse_existing(path: Path, *, force: bool) -> None:
    """Never over an existing file unasked.

    Raises:
        UsageError: ``output.exists``.
    """
    if path.exists() and not force:
        raise UsageError("output.exists", path=str(path))


@contextmanager
def written(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A stream that becomes `path` when the block ends well; otherwise nothing is left.

    Raises:
        UsageError: ``output.exists``. HostError: ``output.unwritable``, ``host.disk_full``.
    """
    refuse_existing(path, force=force)
    temporary = temporary_for(path)
    with noted(temporary):
        try:
            with temporary.open("xb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise HostError("host.disk_full", what=path.name) from error
            raise HostError("output.unwritable", path=str(path), reason=error.strerror or "") from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def written_folder(path: Path | None) -> Iterator[Path | None]:
    """A folder that becomes `path` (missing or empty before) when the block ends well; otherwise nothing is left.

    Raises:
        UsageError: ``bundle.folder_used``. HostError: ``output.unwritable``.
    """
    if path is None:
        yield None
        return
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError("bundle.folder_used", path=str(path))
    temporary = temporary_for(path)
    with noted(temporary):
        try:
            with _writing(path):
                temporary.mkdir(parents=True)
            yield temporary
            with _writing(path):
                if path.exists():
                    path.rmdir()
                temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HostError("output.unwritable", path=str(path), reason=error.strerror or "") from error


def read_input(path: Path, limit: int) -> bytes:
    """A whole file of bounded size.

    Raises:
        UnreadableError: ``input.missing``, ``input.unreadable``. MalformedError: ``malformed.too_large``.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        code = "input.missing" if isinstance(error, FileNotFoundError) else "input.unreadable"
        raise UnreadableError(code, path=str(path), reason=error.strerror or "") from error
    if len(data) > limit:
        raise MalformedError("malformed.too_large", what=str(path), limit=limit)
    return data

"""Writing results where the user asked: under a temporary name first, never over an existing file unasked."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from evidence_desk.errors import HostError, UsageError

ForceOption = Annotated[bool, typer.Option("--force", help="覆盖已有文件 / replace an existing file")]


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
    temporary = path.with_name(f".{path.name[:80]}.{os.getpid()}.part")
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

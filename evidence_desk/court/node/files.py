"""Files that operators hand to a node and take from it: read with a limit, written once."""

from __future__ import annotations

import os
from pathlib import Path

from evidence_desk.errors import HostError, MalformedError, UnreadableError, UsageError


def read_input(path: Path, limit: int) -> bytes:
    """Bytes of a file of at most `limit` bytes.

    Raises:
        UnreadableError: ``operation.unreadable``.
        MalformedError: ``malformed.too_large``.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UnreadableError("operation.unreadable", path=os.fspath(path)) from error
    if len(data) > limit:
        raise MalformedError("malformed.too_large", what=path.name, limit=limit)
    return data


def write_new(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file that must not be there yet.

    Raises:
        UsageError: ``operation.exists``.
        HostError: ``operation.unwritable``.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
    except FileExistsError as error:
        raise UsageError("operation.exists", path=os.fspath(path)) from error
    except OSError as error:
        raise HostError("operation.unwritable", path=os.fspath(path)) from error

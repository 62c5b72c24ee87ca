"""One capture's folder of named files, while it is recorded and until it is sealed. No implementation.

Names are flat and lower-case, so that they are the same on every system and inside a package.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import BinaryIO, Final, Protocol

from evidence_desk.errors import BugError

MAX_NAME: Final = 64
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?=[a-z0-9])){0,63}\Z")


def is_name(name: str) -> bool:
    """Whether a file of a workspace may be called so: ``[a-z0-9.-]``, at most `MAX_NAME` long, no hidden files."""
    return len(name) <= MAX_NAME and _NAME.match(name) is not None


def check_name(name: str) -> str:
    """`name`, when a file may be called so.

    Raises:
        BugError: ``bug.workspace_name``.
    """
    if not is_name(name):
        raise BugError("bug.workspace_name", name=ascii(name)[:80])
    return name


class Workspace(Protocol):
    """Where a capture's files lie. Safe from several threads, as long as each file has one writer.

    Every method raises HostError ``host.disk_full``, ``host.read_only`` or ``host.io`` when the disk refuses, and
    BugError ``bug.workspace_name`` for a name that is none. Streams that were handed out raise OSError as they do.
    """

    def names(self) -> Sequence[str]:
        """Names of all files, sorted."""
        ...

    def size(self, name: str) -> int:
        """Bytes of a file as it lies there now. NotFoundError ``capture.no_file``."""
        ...

    def open(self, name: str) -> BinaryIO:
        """Read a file from its beginning. NotFoundError ``capture.no_file``."""
        ...

    def create(self, name: str) -> BinaryIO:
        """New empty file to write. BugError ``bug.workspace_exists`` when there is one of this name."""
        ...

    def append(self, name: str, data: bytes) -> None:
        """Add to the end of a file, which is made when missing; durable on return, all of it or nothing."""
        ...

    def replace(self, name: str, data: bytes) -> None:
        """Give a file this content whether or not it exists; durable on return, the old one or the new."""
        ...

    def discard(self, name: str) -> None:
        """Remove a file that can be made again; nothing happens when it is missing."""
        ...

    def spool(self) -> BinaryIO:
        """Anonymous file on the same disk to write and read again; gone when closed."""
        ...

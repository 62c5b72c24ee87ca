"""Closes the debugging port once the observer is connected: Chromium gives it no password.

The listening socket belongs to Chromium inside this process. Shut down, it accepts nobody any more; connections that stand go on.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LISTENING: Final = "0A"


def close_listener(port: int) -> bool:
    """Close our own listening socket on 127.0.0.1:`port`; returns whether nobody can connect there any more.

    Only on Linux; elsewhere nothing is done, and the exposure is told.
    """
    if sys.platform != "linux":
        return False
    for inode in _listening_inodes(port):
        for descriptor in _descriptors(inode):
            try:
                with socket.socket(fileno=os.dup(descriptor)) as copy:
                    copy.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
    return not _listening_inodes(port)


def _listening_inodes(port: int) -> list[str]:
    found = []
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        try:
            lines = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            parts = line.split()
            if parts[3] == _LISTENING and int(parts[1].rpartition(":")[2], 16) == port:
                found.append(parts[9])
    return found


def _descriptors(inode: str) -> Iterator[int]:
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target == f"socket:[{inode}]":
            yield int(entry.name)

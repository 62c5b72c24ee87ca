"""Owners of local TCP connections on Linux: /proc/net/tcp names the inode, /proc/PID/fd who holds it."""

from __future__ import annotations

import errno
import os
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from socket import inet_aton
from threading import Lock
from typing import Final

from evidence_desk.capture.peers import Endpoint, Peer

_ROOT: Final = Path("/proc")
_ATTEMPTS: Final = 3
_PAUSE: Final = 0.005
_SHORT: Final = frozenset({errno.EMFILE, errno.ENFILE})


class LinuxPeers:
    """Looks into /proc; whatever cannot be read there leaves a peer unknown, never ours.

    Descriptors of a sandboxed browser's children are hidden from us: a socket is a stranger's as soon as another process
    is seen to hold it, or another user.
    """

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root
        self._lock = Lock()
        self._allowed: dict[int, int] = {}
        self._last: tuple[int, int] | None = None
        self._user = os.geteuid()

    def allow(self, pid: int) -> None:
        """Let a running process and its descendants in; known by its start time too, since numbers are used again."""
        with self._lock:
            started = self._started(pid)
            if started is not None:
                self._allowed[pid] = started

    def check(self, client: Endpoint, server: Endpoint) -> Peer:
        """Who owns the client's end of an accepted IPv4 connection."""
        try:
            found = self._socket(client, server)
            for _ in range(_ATTEMPTS - 1):  # a table that changes while it is read may lack a row
                if found is not None:
                    break
                time.sleep(_PAUSE)
                found = self._socket(client, server)
            if found is None:
                return Peer.GONE
            inode, user = found
            if user != self._user:
                return Peer.STRANGER
            with self._lock:
                return self._owner(inode)
        except OSError as error:  # without descriptors to look with nobody is let in
            return Peer.GONE if error.errno in _SHORT else Peer.UNKNOWN

    def _owner(self, inode: int) -> Peer:
        last = self._last
        if last is not None and self._started(last[0]) == last[1] and self._holds(last[0], inode):
            return Peer.OURS
        return self._search(inode)

    def _search(self, inode: int) -> Peer:
        hidden = False
        for pid, started in self._tree():
            held = self._holds(pid, inode)
            if held:
                self._last = (pid, started)
                return Peer.OURS
            hidden = hidden or held is None
        if not hidden or any(self._holds(pid, inode) for pid in self._pids()):
            return Peer.STRANGER
        return Peer.UNKNOWN

    def _socket(self, client: Endpoint, server: Endpoint) -> tuple[int, int] | None:
        """(inode, user) of the socket whose own end is `client` and whose other end is `server`."""
        table = (self._root / "net" / "tcp").read_bytes()
        start = table.find(f": {_hex(client)} {_hex(server)} ".encode())
        if start < 0:
            return None
        fields = table[start : table.find(b"\n", start)].split()
        if len(fields) <= 9 or not (fields[7].isdigit() and fields[9].isdigit()) or not int(fields[9]):
            return None
        return int(fields[9]), int(fields[7])

    def _tree(self) -> Iterator[tuple[int, int]]:
        """(pid, start time) of the allowed processes and their descendants."""
        parents: dict[int, list[int]] = {}
        starts: dict[int, int] = {}
        for pid in self._pids():
            if (facts := self._facts(pid)) is not None:
                parents.setdefault(facts[0], []).append(pid)
                starts[pid] = facts[1]
        todo = [pid for pid, started in self._allowed.items() if starts.get(pid) == started]
        seen: set[int] = set()
        while todo:
            pid = todo.pop()
            if pid not in seen:
                seen.add(pid)
                yield pid, starts[pid]
                todo += parents.get(pid, [])

    def _pids(self) -> list[int]:
        names = os.listdir(self._root)  # noqa: PTH208 - a thousand of them
        return [int(name) for name in names if name.isdecimal()]

    def _holds(self, pid: int, inode: int) -> bool | None:
        """Whether a process has the socket open; None when its descriptors are hidden from us."""
        folder = self._root / str(pid) / "fd"
        wanted = f"socket:[{inode}]"
        try:
            descriptors = os.listdir(folder)  # noqa: PTH208
        except FileNotFoundError:
            return False
        except OSError as error:
            _only_hidden(error)
            return None
        for descriptor in descriptors:
            try:
                if os.readlink(f"{folder}/{descriptor}") == wanted:  # noqa: PTH115 - hundreds of them
                    return True
            except FileNotFoundError:
                continue
            except OSError as error:
                _only_hidden(error)
                return None
        return False

    def _started(self, pid: int) -> int | None:
        facts = self._facts(pid)
        return None if facts is None else facts[1]

    def _facts(self, pid: int) -> tuple[int, int] | None:
        """(parent, start time in clock ticks) of a process, proc_pid_stat(5)."""
        try:
            text = (self._root / str(pid) / "stat").read_bytes()
            fields = text[text.rindex(b")") + 2 :].split()
            return int(fields[1]), int(fields[19])
        except (OSError, ValueError, IndexError):
            return None


def _only_hidden(error: OSError) -> None:
    """Pass when we may not look; raise when we cannot."""
    if error.errno in _SHORT:
        raise error


def _hex(endpoint: Endpoint) -> str:
    """As /proc/net/tcp writes it: the address as the number that the processor sees."""
    (number,) = struct.unpack("<I" if sys.byteorder == "little" else ">I", inet_aton(endpoint[0]))
    return f"{number:08X}:{endpoint[1]:04X}"

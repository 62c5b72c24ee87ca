"""Owners of local TCP connections on Windows: GetExtendedTcpTable names the process, Toolhelp32 its parents."""

from __future__ import annotations

import ctypes
import struct
from ctypes import wintypes
from socket import inet_aton
from threading import Lock
from typing import Any, Final

from evidence_desk.capture.peers import Endpoint, Peer

_AF_INET: Final = 2
_TCP_TABLE_OWNER_PID_CONNECTIONS: Final = 4
_TABLE_TOO_SMALL: Final = 122
_SNAPSHOT_PROCESSES: Final = 2
_QUERY_LIMITED: Final = 0x1000
_INVALID_HANDLE: Final = ctypes.c_void_p(-1).value
_ROW: Final = struct.Struct("<IIIIII")
"""MIB_TCPROW_OWNER_PID: state, own address and port, other address and port (network order), process."""


class _ProcessEntry(ctypes.Structure):
    """PROCESSENTRY32W."""

    _fields_ = (
        ("size", wintypes.DWORD), ("usage", wintypes.DWORD), ("pid", wintypes.DWORD),
        ("heap", ctypes.c_size_t), ("module", wintypes.DWORD), ("threads", wintypes.DWORD),
        ("parent", wintypes.DWORD), ("priority", wintypes.LONG), ("flags", wintypes.DWORD),
        ("name", wintypes.WCHAR * 260),
    )  # fmt: skip


class WindowsPeers:
    """Asks the system's tables; what they do not tell leaves a peer unknown, never ours.

    A parent's number may have been given to a younger process: a parent counts only if it is older than its child.
    """

    def __init__(self, system: Tables | None = None) -> None:
        self._system = system or Tables()
        self._lock = Lock()
        self._allowed: dict[int, int] = {}

    def allow(self, pid: int) -> None:
        """Let a running process and its descendants in; known by its start time too."""
        started = self._system.started(pid)
        if started is not None:
            with self._lock:
                self._allowed[pid] = started

    def check(self, client: Endpoint, server: Endpoint) -> Peer:
        """Who owns the client's end of an accepted IPv4 connection."""
        try:
            pid = owner(self._system.connections(), client, server)
            if pid is None:
                return Peer.GONE
            parents = self._system.parents()
        except OSError:
            return Peer.UNKNOWN
        with self._lock:
            allowed = dict(self._allowed)
        return self._descends(pid, parents, allowed)

    def _descends(self, pid: int, parents: dict[int, int], allowed: dict[int, int]) -> Peer:
        seen: set[int] = set()
        started = self._system.started(pid)
        while pid not in seen:
            seen.add(pid)
            if started is None:
                return Peer.UNKNOWN if pid in allowed else Peer.STRANGER
            if allowed.get(pid) == started:
                return Peer.OURS
            parent = parents.get(pid)
            if not parent:
                return Peer.STRANGER
            older = self._system.started(parent)
            if older is None or older > started:
                return Peer.STRANGER
            pid, started = parent, older
        return Peer.STRANGER


def owner(table: bytes, client: Endpoint, server: Endpoint) -> int | None:
    """Process that holds the connection from `client` to `server` in a MIB_TCPTABLE_OWNER_PID."""
    wanted = (*_plain(client), *_plain(server))
    (count,) = struct.unpack_from("<I", table)
    for state, own, own_port, other, other_port, pid in _ROW.iter_unpack(table[4 : 4 + count * _ROW.size]):
        del state
        if (own, _swapped(own_port), other, _swapped(other_port)) == wanted:
            return int(pid) or None
    return None


def _plain(endpoint: Endpoint) -> tuple[int, int]:
    return struct.unpack("<I", inet_aton(endpoint[0]))[0], endpoint[1]


def _swapped(port: int) -> int:
    """A port as the table has it: network order in the low half, the high half undefined."""
    return (port & 0xFF) << 8 | port >> 8 & 0xFF


class Tables:
    """The system's calls; every failure is an OSError."""

    def __init__(self) -> None:
        self._kernel = _library("kernel32")
        self._helper = _library("iphlpapi")
        self._kernel.CreateToolhelp32Snapshot.restype = wintypes.HANDLE
        self._kernel.OpenProcess.restype = wintypes.HANDLE
        for call in (
            self._kernel.Process32FirstW, self._kernel.Process32NextW, self._kernel.GetProcessTimes, self._kernel.CloseHandle
        ):  # fmt: skip
            call.restype = wintypes.BOOL

    def connections(self) -> bytes:
        """MIB_TCPTABLE_OWNER_PID of IPv4 connections."""
        size = wintypes.DWORD(64 * 1024)
        for _ in range(8):  # it may grow between two calls
            buffer = ctypes.create_string_buffer(size.value)
            code = self._helper.GetExtendedTcpTable(
                buffer, ctypes.byref(size), False, _AF_INET, _TCP_TABLE_OWNER_PID_CONNECTIONS, 0
            )
            if code == 0:
                return buffer.raw
            if code != _TABLE_TOO_SMALL:
                break
        raise OSError("GetExtendedTcpTable")

    def parents(self) -> dict[int, int]:
        """Parent of each process."""
        snapshot = self._kernel.CreateToolhelp32Snapshot(_SNAPSHOT_PROCESSES, 0)
        if snapshot in (None, _INVALID_HANDLE):
            raise OSError("CreateToolhelp32Snapshot")
        handle = wintypes.HANDLE(snapshot)
        result: dict[int, int] = {}
        entry = _ProcessEntry()
        entry.size = ctypes.sizeof(_ProcessEntry)
        try:
            more = self._kernel.Process32FirstW(handle, ctypes.byref(entry))
            while more:
                result[int(entry.pid)] = int(entry.parent)
                more = self._kernel.Process32NextW(handle, ctypes.byref(entry))
        finally:
            self._kernel.CloseHandle(handle)
        return result

    def started(self, pid: int) -> int | None:
        """When a process began, in 100 ns since 1601; None when it is gone or hidden from us."""
        process = self._kernel.OpenProcess(_QUERY_LIMITED, False, pid)
        if not process:
            return None
        handle = wintypes.HANDLE(process)
        times = [wintypes.FILETIME() for _ in range(4)]
        try:
            if not self._kernel.GetProcessTimes(handle, *(ctypes.byref(item) for item in times)):
                return None
        finally:
            self._kernel.CloseHandle(handle)
        return int(times[0].dwHighDateTime) << 32 | int(times[0].dwLowDateTime)


def _library(name: str) -> Any:
    return getattr(ctypes, "WinDLL")(name, use_last_error=True)  # noqa: B009 - only Windows has it

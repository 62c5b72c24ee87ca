"""Bounds of one recording."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

_SELECTABLE: Final = 160
"""Connections for which Windows' select() has room: 512 sockets, two a connection."""
_DESCRIPTORS: Final = 3
"""Of a connection: both sockets and its stream."""
_RESERVED: Final = 256
"""Descriptors for the rest of the program."""
_LEAST: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one recording; times in seconds, sizes in bytes.

    Attributes:
        connections: asked for in all, also those that were refused or failed.
        at_once: open or being opened at a time; beyond it new ones wait to be accepted.
        total: bytes in both directions of all connections; the recording ends there.
        stream: the same for one connection, which ends there.
        handshake: to say what it wants, for a client.
        resolving: for the system's resolver.
        attempt: for a connection to an address when there are others to try.
        connecting: the same for the last address.
        addresses: tried of one name.
        idle: without a byte in either direction.
        half_closed: the same when one side has closed.
    """

    connections: int = 20_000
    at_once: int = _SELECTABLE if sys.platform == "win32" else 1_000
    total: int = 8 << 30
    stream: int = 4 << 30
    handshake: float = 10.0
    resolving: float = 20.0
    attempt: float = 4.0
    connecting: float = 20.0
    addresses: int = 8
    idle: float = 300.0
    half_closed: float = 30.0


def descriptors_allow(at_once: int) -> int:
    """How many connections this process has descriptors for at a time, at most `at_once`."""
    if sys.platform == "win32":
        return min(at_once, _SELECTABLE)
    import resource  # noqa: PLC0415 - not on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return at_once
    return min(at_once, max(_LEAST, (soft - _RESERVED) // _DESCRIPTORS))

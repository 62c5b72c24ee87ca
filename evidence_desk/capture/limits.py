"""Bounds of one recording."""

from __future__ import annotations

import sys
from dataclasses import dataclass

_SELECTABLE = 160
"""Connections for which Windows' select() has room: 512 sockets, two a connection."""


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

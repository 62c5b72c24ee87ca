"""Whether a connection to the recorder's port comes from the capture browser, or from another program on this machine."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Protocol

Endpoint = tuple[str, int]


class Peer(StrEnum):
    """Who is at the other end of a local connection."""

    OURS = "ours"
    STRANGER = "stranger"
    GONE = "gone"
    """Nobody holds the other end any more."""
    UNKNOWN = "unknown"
    """This system does not let us see it."""


class Peers(Protocol):
    """Who may use the recorder. Safe from any thread."""

    def allow(self, pid: int) -> None:
        """Let a running process and its descendants in."""
        ...

    def check(self, client: Endpoint, server: Endpoint) -> Peer:
        """Who owns the client's end of an accepted IPv4 connection; never raises."""
        ...


def system_peers() -> Peers:
    """What this system offers to find out."""
    if sys.platform == "win32":
        from evidence_desk.capture.peers_windows import WindowsPeers  # noqa: PLC0415 - no such calls elsewhere

        return WindowsPeers()
    from evidence_desk.capture.peers_linux import LinuxPeers  # noqa: PLC0415

    return LinuxPeers()

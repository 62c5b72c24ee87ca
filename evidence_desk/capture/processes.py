"""What starting and ending a browser's process needs, for capture and replay alike."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys

from evidence_desk.errors import HostError


def end_family(pid: int) -> None:
    """End what a process that led a group of its own left behind: those that render pages may hang and outlive it."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now. HostError ``capture.no_port``."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])
    except OSError as error:
        raise HostError("capture.no_port", reason=type(error).__name__) from error

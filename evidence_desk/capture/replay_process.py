"""Starts the replay browser and hears it; its end, however it comes, is noticed, and nothing of it is left running."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from evidence_desk.capture.processes import end_family, free_port
from evidence_desk.core.capture.replay import (
    MAX_LINE,
    ReplayFailed,
    ReplayMessage,
    ReplayOrder,
    encode_replay,
    parse_replay,
)
from evidence_desk.errors import BugError, ConfigurationError, EvidenceDeskError

_GRACE: Final = 6.0
"""Seconds in which a browser that was told to close may end in order."""
_ERROR_LINES: Final = 100


class ReplayProcess:
    """One replay browser; safe from any thread.

    Args:
        command: how to start it, ``[python, "-m", "ui.capture_replay"]``.
        order: its port is chosen here.
        told: hears its messages, in a thread of this object's own.
        gone: called once, in that thread, when the process has ended.
        environment: variables added to this process's own.
    """

    def __init__(
        self, command: Sequence[str], order: ReplayOrder, *, told: Callable[[ReplayMessage], None],
        gone: Callable[[], None], environment: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._command, self._told, self._gone = tuple(command), told, gone
        self._environment = dict(environment or {})
        self._order = replace(order, debug_port=free_port())
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: deque[str] = deque(maxlen=_ERROR_LINES)
        self._spoke, self._ended = threading.Event(), threading.Event()
        self.first: ReplayMessage | None = None
        """Its first message."""
        self.failure: ReplayFailed | None = None
        """Why it ended, when it said that something was wrong."""
        self.closed = False
        """Whether `close` was asked for."""

    @property
    def errors(self) -> tuple[str, ...]:
        """The last lines of its error stream, for diagnostics."""
        return tuple(self._errors)

    @property
    def status(self) -> int | None:
        """Exit status of the ended process; negative for a signal."""
        return None if self._process is None else self._process.returncode

    def start(self) -> None:
        """Start it and give it its order.

        Raises:
            ConfigurationError: ``capture.browser_missing``.
        """
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env={**os.environ, **self._environment}, close_fds=True, start_new_session=sys.platform != "win32",
            )  # fmt: skip
        except OSError as error:
            raise ConfigurationError("capture.browser_missing", reason=type(error).__name__) from error
        for work in (self._hear, self._hear_errors):
            threading.Thread(target=work, name=f"replay-{work.__name__}", daemon=True).start()
        stdin = self._running().stdin
        with contextlib.suppress(OSError):
            if stdin is not None:
                stdin.write(encode_replay(self._order))
                stdin.flush()

    def opened(self, timeout: float) -> bool:
        """Wait for its first word; False when none came in so many seconds, or it ended without one."""
        self._spoke.wait(timeout)
        return self.first is not None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for its end; False when it has not come within `timeout` seconds."""
        return self._ended.wait(timeout)

    def close(self) -> None:
        """End it, and return when it has ended."""
        process, self.closed = self._running(), True
        if process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                process.stdin.close()
        if not self._ended.wait(_GRACE):
            process.kill()
            self._ended.wait(_GRACE)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise BugError("bug.browser", reason="not started")
        return self._process

    def _hear(self) -> None:
        process = self._running()
        try:
            self._read_messages(process)
        finally:
            process.wait()
            end_family(process.pid)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError, ValueError):
                        stream.close()
            try:
                self._gone()
            finally:
                self._spoke.set()
                self._ended.set()

    def _read_messages(self, process: subprocess.Popen[bytes]) -> None:
        while process.stdout is not None and (line := process.stdout.readline(MAX_LINE)):
            try:
                message = parse_replay(line)
                if isinstance(message, ReplayFailed):
                    self.failure = message
                if self.first is None:
                    self.first = message
                    self._spoke.set()
                self._told(message)
            except EvidenceDeskError:
                process.kill()  # no replay browser talks like this
                return

    def _hear_errors(self) -> None:
        stderr = self._running().stderr
        if stderr is None:
            return
        with stderr:
            while line := stderr.readline(4096):
                self._errors.append(line.decode("utf-8", "replace").rstrip()[:500])

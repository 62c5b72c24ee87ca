"""Drives the capture browser: starts its process, hears its events, notices when it dies or falls silent."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from evidence_desk.capture.awake import TICK, AwakeTime
from evidence_desk.capture.processes import end_family, free_port
from evidence_desk.core.capture.events import Done, Event
from evidence_desk.core.capture.messages import (
    MAX_LINE,
    SILENCE_SECONDS,
    Command,
    Setup,
    Stop,
    encode_message,
    parse_event,
)
from evidence_desk.core.capture.plan import CapturePlan
from evidence_desk.core.capture.ports import BrowserEnd
from evidence_desk.errors import BugError, ConfigurationError, EvidenceDeskError

Watch = Callable[[Event], None]
"""Hears events, in a thread of the driver's own; must not block for long."""

_GRACE: Final = 5.0
"""Seconds that a process may take to end after its last event."""
_START_TIMES: Final = 4
"""So many times the silence is borne before the first word: a cold start reads some 200 MB, at every scanner's pace."""
_PAST_PLAN: Final = 60
"""Seconds beyond `CapturePlan.max_seconds` after which a browser that goes on is killed."""
_ERROR_LINES: Final = 200


class BrowserFate(StrEnum):
    """How the browser's process ended."""

    ORDERLY = "orderly"
    """It said `Done` and went."""
    DIED = "died"
    """It went without a word: killed, or crashed."""
    SILENT = "silent"
    """It said nothing for `SILENCE_SECONDS` and was killed."""
    NONSENSE = "nonsense"
    """It said what no capture browser says, and was killed."""
    KILLED = "killed"
    """`BrowserDriver.kill`."""


_ENDS: Final = {
    BrowserFate.ORDERLY: BrowserEnd.FINISHED,
    BrowserFate.DIED: BrowserEnd.VANISHED,
    BrowserFate.SILENT: BrowserEnd.HUNG,
    BrowserFate.NONSENSE: BrowserEnd.VANISHED,
    BrowserFate.KILLED: BrowserEnd.VANISHED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """How it ended.

    Attributes:
        done: its last event; None when it did not come so far.
        exit_code: of the process; negative for a signal.
        errors: the last lines of its error stream, for diagnostics.
    """

    fate: BrowserFate
    done: Done | None
    exit_code: int
    errors: tuple[str, ...]

    @property
    def end(self) -> BrowserEnd:
        """The same in the words of the port."""
        return _ENDS[self.fate]


class BrowserDriver:
    """One browser for one capture; safe from any thread.

    Args:
        command: how to start it, ``[python, "-m", "ui.capture_browser"]``.
        folder: absolute path of the capture's folder, into which the browser writes.
        tongue: ``zh`` or ``en``, of its window.
        environment: variables added to this process's own.
        silence: seconds without a word after which it counts as hanging; those in which this process was held up itself, by
            a machine asleep or a disk that is slow to write down what was heard, do not count.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, plan: CapturePlan, proxy_port: int, watch: Watch, *,
        tongue: str = "zh", environment: Mapping[str, str] | None = None, silence: float = SILENCE_SECONDS,
    ) -> None:  # fmt: skip
        self._command, self._plan, self._watch = tuple(command), plan, watch
        self._environment, self._silence = dict(environment or {}), silence
        self.debug_port = free_port()
        self._setup = Setup(
            plan=plan, folder=str(folder.absolute()), proxy_port=proxy_port, debug_port=self.debug_port, tongue=tongue
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self._writing = threading.Lock()
        self._awake = AwakeTime(time.monotonic)
        self._heard = 0.0
        """Of `_awake`, when it last said something."""
        self._hearing = self._spoke = False
        self._done: Done | None = None
        self._fate: BrowserFate | None = None
        self._errors: deque[str] = deque(maxlen=_ERROR_LINES)
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()
        self.fault: BaseException | None = None
        """What `watch` raised; the browser was killed for it."""

    @property
    def pid(self) -> int:
        """Process id, for the recorder to let it in."""
        return self._running().pid

    def start(self) -> None:
        """Start the process and give it its order.

        Raises:
            ConfigurationError: ``capture.browser_missing`` when it cannot be started.
        """
        if self._process is not None:
            raise BugError("bug.browser", reason="started twice")
        if '"' in self._setup.folder:  # Chromium's switches could not name it
            raise ConfigurationError("capture.browser_missing", reason="quotation mark in the folder's name")
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env={**os.environ, **self._environment}, close_fds=True, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise ConfigurationError("capture.browser_missing", reason=type(error).__name__) from error
        self._awake = AwakeTime(time.monotonic)
        self.send(self._setup)
        for work in (self._hear, self._hear_errors, self._look_after):
            thread = threading.Thread(target=work, name=f"capture-browser-{work.__name__}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def send(self, command: Command) -> bool:
        """Tell it something; False when it does not hear any more."""
        stdin = self._running().stdin
        if stdin is None:
            return False
        with self._writing:
            try:
                stdin.write(encode_message(command))
                stdin.flush()
            except (OSError, ValueError):
                return False
        return True

    def stop(self) -> bool:
        """Ask it to end in order; False when it does not hear any more."""
        return self.send(Stop())

    def wait(self, timeout: float | None = None) -> Departure | None:
        """How it ended, after all its events were heard; None when it has not within `timeout` seconds."""
        if not self._ended.wait(timeout):
            return None
        return Departure(
            fate=self._fate or BrowserFate.DIED, done=self._done,
            exit_code=self._running().returncode, errors=tuple(self._errors),
        )  # fmt: skip

    def kill(self, fate: BrowserFate = BrowserFate.KILLED) -> None:
        """End it at once; what it wrote stays."""
        process = self._running()
        if process.poll() is None:
            self._fate = self._fate or fate
            process.kill()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise BugError("bug.browser", reason="not started")
        return self._process

    def _hear(self) -> None:
        stdout = self._running().stdout
        while stdout is not None and (line := stdout.readline(MAX_LINE)):
            self._heard, self._hearing, self._spoke = self._awake.now, True, True
            try:
                event = parse_event(line)
            except EvidenceDeskError:
                self._fate = self._fate or BrowserFate.NONSENSE  # whether or not it has ended by now
                self.kill()
                return
            if isinstance(event, Done):
                self._done = event
            try:
                self._watch(event)
            except Exception as error:  # noqa: BLE001 - the capture cannot go on unheard, whatever it is
                self.fault = error
                self.kill()
                return
            self._heard, self._hearing = self._awake.now, False

    def _hear_errors(self) -> None:
        stderr = self._running().stderr
        while stderr is not None and (line := stderr.readline(4096)):
            self._errors.append(line.decode("utf-8", "replace").rstrip()[:500])

    def _look_after(self) -> None:
        process = self._running()
        while process.poll() is None:
            time.sleep(TICK)
            if self._awake.tick() or self._hearing:  # it may have spoken: it has its full time anew
                self._heard = self._awake.now
            quiet = self._awake.now - self._heard
            if quiet > (self._silence if self._spoke else _START_TIMES * self._silence):
                self.kill(BrowserFate.SILENT)
            elif self._done is not None and quiet > _GRACE:
                process.kill()  # all is written; only its own end hangs
            elif self._awake.now > self._plan.max_seconds + _PAST_PLAN:
                self.kill()
        end_family(process.pid)
        for thread in self._threads[:2]:
            thread.join(_GRACE)
        if self._fate is None:
            self._fate = BrowserFate.DIED if self._done is None else BrowserFate.ORDERLY
        self._close()
        self._ended.set()

    def _close(self) -> None:
        process = self._running()
        streams = [process.stdin]
        for stream, thread in zip((process.stdout, process.stderr), self._threads, strict=False):
            if not thread.is_alive():  # closing what a thread reads would wait for it
                streams.append(stream)
        with self._writing:
            for stream in streams:
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()

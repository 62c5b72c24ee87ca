"""The blind proxy: a SOCKS5 server on loopback that stores every connection's bytes as they pass, and decrypts nothing.

It runs in the parent of the capture browser, so that a killed browser loses nothing.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Sequence
from typing import Final

from evidence_desk.capture.guard import Guard
from evidence_desk.capture.limits import Limits
from evidence_desk.capture.peers import Peers, system_peers
from evidence_desk.capture.recorder import Recording, Surroundings, Totals, Watch
from evidence_desk.capture.recording import RunningDigest
from evidence_desk.capture.resolver import Resolver, SystemResolver
from evidence_desk.core.capture.notice import Notice
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.ports import Clock
from evidence_desk.errors import BugError, EvidenceDeskError, HostError

LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 512


def _silent(_notice: Notice) -> None:
    """Nobody watches."""


class BlindProxy:
    """One recording. Start it once, stop it once; safe from any thread.

    Args:
        workspace: gets ``stream-….bin``, ``connections.jsonl``, ``opened.jsonl``, ``lookups.jsonl``,
            ``notices.jsonl``.
        guard: which addresses may be reached.
        clock: for the moments of chunks and lines.
        limits: bounds of the recording.
        resolver: by default the system's.
        peers: who may use it; by default what this system tells. Nobody may before `allow_pid`.
        dns_servers: addresses of DNS servers that are asked too, each name once (they learn the names).
        events: told what is noticed, in the recorder's thread; must return quickly and not raise.
    """

    def __init__(
        self,
        workspace: Workspace,
        guard: Guard,
        clock: Clock,
        limits: Limits | None = None,
        *,
        resolver: Resolver | None = None,
        peers: Peers | None = None,
        dns_servers: Sequence[str] = (),
        events: Watch = _silent,
    ) -> None:
        self._guard = guard
        self._peers = peers or system_peers()
        self._given = Surroundings(
            workspace=workspace, clock=clock, limits=limits or Limits(), resolver=resolver or SystemResolver(clock=clock),
            peers=self._peers, dns_servers=tuple(dns_servers), events=events,
        )  # fmt: skip
        self._recording: Recording | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Lock()
        self._stopped = False

    def start(self) -> int:
        """Listen on a free port of 127.0.0.1, which is returned.

        Raises:
            HostError: ``capture.no_port``, or the disk refused the first file.
        """
        if self._recording is not None:
            raise BugError("bug.recorder", reason="started twice")
        listener = _listen()
        port = int(listener.getsockname()[1])
        try:
            recording = Recording(self._given, self._guard.with_port(port), listener)
        except EvidenceDeskError:
            listener.close()
            raise
        self._recording = recording
        self._thread = threading.Thread(target=recording.reactor.run, name="capture-proxy", daemon=True)
        self._thread.start()
        return port

    def allow_pid(self, pid: int) -> None:
        """Let this running process and its descendants use the proxy."""
        self._peers.allow(pid)

    def forbid_port(self, port: int) -> None:
        """Refuse a port of this machine always: the browser's debug port."""
        recording = self._started()
        recording.reactor.call(lambda: setattr(recording, "guard", recording.guard.with_port(port)))

    def next_share(self, parts: int) -> None:
        """Give what the browser asks for from now on one of so many parts of the bytes that are left, in all.

        Connections on which it sends nothing any more keep the share they have. Before the first call all may take everything.
        """
        recording = self._started()
        recording.reactor.call(lambda: recording.next_share(parts))

    def fail(self, error: EvidenceDeskError) -> None:
        """End the recording because of something that its caller found out; it is noted and becomes `failure`."""
        recording = self._started()

        def end() -> None:
            raise error

        recording.reactor.call(end)

    def stop(self, deadline: float = 5.0) -> None:
        """Accept no more, give open connections up to `deadline` seconds to end, end the rest, write every line.

        What went wrong is told by `failure`.
        """
        recording, thread = self._started(), self._thread
        with self._stopping:
            if self._stopped or thread is None:
                return
            self._stopped = True
            recording.reactor.call(recording.drain)
            if thread.is_alive():
                recording.drained.wait(deadline)
            recording.reactor.call(lambda: recording.end("stopped"))
            recording.reactor.call(recording.reactor.stop)
            thread.join()
            recording.close(max(deadline, 1.0))

    @property
    def failure(self) -> EvidenceDeskError | None:
        """Why the recording cannot go on; None while all is well.

        HostError ``host.disk_full``, ``host.io``…, ``capture.journal_unwritten``; UserError ``capture.byte_limit``,
        ``capture.connection_limit``; BugError ``bug.recorder``.
        """
        return None if self._recording is None else self._recording.failure

    @property
    def totals(self) -> Totals:
        """Counts as they are now."""
        return self._started().totals()

    def running_digest(self) -> dict[str, RunningDigest]:
        """By name of stream, what is recorded of it now; each entry describes a prefix of its file exactly."""
        return self._started().running_digest()

    def _started(self) -> Recording:
        if self._recording is None:
            raise BugError("bug.recorder", reason="not started")
        return self._recording


def _listen() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":  # else another program could take the same port
            listener.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE"), 1)  # noqa: B009
        listener.bind((LOOPBACK, 0))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise HostError("capture.no_port", reason=type(error).__name__) from error
    return listener

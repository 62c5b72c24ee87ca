"""The recording behind a proxy's port: accepts, counts, limits, writes the journals. Runs in the reactor's thread."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from evidence_desk.capture.dns import ask
from evidence_desk.capture.guard import Guard
from evidence_desk.capture.limits import Limits, descriptors_allow
from evidence_desk.capture.link import Link
from evidence_desk.capture.peers import Endpoint, Peer, Peers
from evidence_desk.capture.pump import SHARE_SECONDS, TOTAL_BYTES, Account, Share
from evidence_desk.capture.reactor import READ, Reactor, Workers
from evidence_desk.capture.recording import (
    INDEX_NAME,
    Journal,
    OpenedLines,
    RunningDigest,
    StreamRecorder,
)
from evidence_desk.capture.resolver import Resolver
from evidence_desk.core.capture.connection import Connection, Fate, encode_connection, stream_name
from evidence_desk.core.capture.lookup import LOOKUPS_NAME, Lookup, encode_lookup
from evidence_desk.core.capture.notice import (
    MAX_NOTICES,
    NOTICES_NAME,
    Notice,
    NoticeKind,
    encode_notice,
)
from evidence_desk.core.capture.stream import Direction
from evidence_desk.core.capture.workspace import Workspace
from evidence_desk.core.moment import format_moment
from evidence_desk.core.ports import Clock
from evidence_desk.errors import BugError, EvidenceDeskError, HostError, UserError

_AT_ONCE: Final = 64
"""Accepted in one go, so that a flood does not hold up those that are open."""
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_JUMP: Final = timedelta(seconds=1)
_NAME_THREADS: Final = 16
_PEER_THREADS: Final = 2
_DNS_THREADS: Final = 4


Watch = Callable[[Notice], None]
"""Called in the recorder's thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts of a recording: connections asked for by their fate, those open now, bytes each way."""

    asked: int
    open: int
    fates: Mapping[Fate, int]
    sent: int
    received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a recording is given from outside."""

    workspace: Workspace
    clock: Clock
    limits: Limits
    resolver: Resolver
    peers: Peers
    dns_servers: Sequence[str]
    events: Watch


class Recording:
    """One recording, from the first connection to the last line. Methods without a note belong to the reactor's thread."""

    def __init__(self, given: Surroundings, guard: Guard, listener: socket.socket) -> None:
        self._given = given
        self.guard = guard
        self.limits = replace(given.limits, at_once=descriptors_allow(given.limits.at_once))
        self.clock = given.clock
        self.account = Account(given.limits.total)
        self.share = Share(given.limits.total)
        self.failure: EvidenceDeskError | None = None
        self.drained = threading.Event()
        self._listener = listener
        self._opened = OpenedLines(given.workspace)
        self._journal = Journal(given.workspace, self._on_thread_failed)
        self.reactor = Reactor(self._on_tick, self._on_failed)
        self._names = Workers(_NAME_THREADS, self._on_thread_failed)
        self._identities = Workers(_PEER_THREADS, self._on_thread_failed)
        self._independent = Workers(_DNS_THREADS if given.dns_servers else 0, self._on_thread_failed)
        self._links: set[Link] = set()
        self._streams: dict[str, StreamRecorder | RunningDigest] = {}
        self._lock = threading.Lock()
        self._hosts: set[str] = set()
        self._fates: Counter[Fate] = Counter()
        self._asked = 0
        self._noticed = 0
        self._draining = False
        self._said: set[str] = set()
        self._between = self._now()
        self.reactor.watch(listener, READ, self._on_accept)

    # --- any thread -----------------------------------------------------------------------------------------

    def totals(self) -> Totals:
        """Counts as they are now; any thread."""
        with self._lock:
            is_open = sum(isinstance(item, StreamRecorder) for item in self._streams.values())
            return Totals(
                asked=self._asked, open=is_open, fates=dict(self._fates),
                sent=self.account.counts[Direction.OUT], received=self.account.counts[Direction.IN],
            )  # fmt: skip

    def running_digest(self) -> dict[str, RunningDigest]:
        """State of each stream; any thread."""
        with self._lock:
            streams = list(self._streams.items())
        return {name: item.digest() if isinstance(item, StreamRecorder) else item for name, item in streams}

    def next_share(self, parts: int) -> None:
        """What the browser asks for from now on may take one of so many parts of what is left, in all."""
        self.share = Share(self.account.left // parts)
        for link in tuple(self._links):
            link.take_part(self.share, time.monotonic() - SHARE_SECONDS)

    def drain(self) -> None:
        """Accept no more; `drained` is set when nothing is open."""
        self._draining = True
        self._accept_no_more()
        self._when_drained()

    def end(self, reason: str) -> None:
        """End whatever is open."""
        self._accept_no_more()
        for link in tuple(self._links):
            link.stop(reason)
        self.drained.set()

    def close(self, timeout: float) -> None:
        """Write what is left, after the reactor's thread has ended; the caller's thread."""
        self._identities.stop()
        self._names.stop()
        self._independent.stop(timeout)
        if not self._journal.close(timeout) and self.failure is None:
            self.failure = HostError("capture.journal_unwritten")
        self._opened.close()

    # --- what links need ------------------------------------------------------------------------------------

    def number(self) -> int | None:
        """Next number, None when no more may be asked for."""
        if self._asked >= self.limits.connections:
            self._limit("connections", UserError("capture.connection_limit", limit=self.limits.connections))
            return None
        self._asked += 1
        return self._asked

    def identify(self, client: Endpoint, done: Callable[[Peer], None]) -> None:
        """Find out who a client is."""
        server = self._listener.getsockname()

        def job() -> None:
            peer = self._given.peers.check(client, server)
            self.reactor.call(lambda: done(peer))

        self._identities.submit(job)

    def resolve(self, host: str, port: int, done: Callable[[Lookup], None]) -> None:
        """Ask for the addresses of a name, and the independent servers the first time."""

        def job() -> None:
            lookup = self._given.resolver.resolve(host, port)
            self._journal.put(LOOKUPS_NAME, encode_lookup(lookup))
            self.reactor.call(lambda: done(lookup))

        self._names.submit(job)
        if host not in self._hosts and len(self._hosts) < self.limits.connections:
            self._hosts.add(host)
            for server in self._given.dns_servers:
                for kind in ("A", "AAAA"):
                    self._independent.submit(partial(self._ask, host, kind, server))

    def opened(self, connection: Connection) -> StreamRecorder:
        """Note that a connection is open, and begin its stream."""
        stream = StreamRecorder(self._given.workspace, stream_name(connection.number))
        self._opened.write(encode_connection(connection))
        with self._lock:
            self._streams[stream.name] = stream
        return stream

    def finished(self, link: Link, connection: Connection | None) -> None:
        """A link is over."""
        self._links.discard(link)
        with self._lock:
            if link.stream is not None:
                self._streams[link.stream.name] = link.stream.digest()
            if connection is not None:
                self._fates[connection.fate] += 1
        if connection is not None:
            self._journal.put(INDEX_NAME, encode_connection(connection))
        self._accept_again()
        self._when_drained()

    def notice(
        self, kind: NoticeKind, reason: str, *, number: int = 0, host: str = "", port: int = 0
    ) -> None:
        """Note something, and tell whoever watches."""
        at = format_moment(self.clock.now())
        notice = Notice(at=at, kind=kind, reason=reason, number=number, host=host, port=port)
        self._noticed += 1
        if self._noticed <= MAX_NOTICES:
            self._journal.put(NOTICES_NAME, encode_notice(notice))
        try:
            self._given.events(notice)
        except Exception:
            if self.failure is None:
                raise  # it ends the recording; while that is under way there is no more to end

    # --- accepting ------------------------------------------------------------------------------------------

    def _on_accept(self, _events: int) -> None:
        for _ in range(_AT_ONCE):
            if len(self._links) >= self.limits.at_once:
                self.reactor.forget(self._listener)  # the rest waits in the system's queue
                return
            try:
                client, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError as error:
                if error.errno not in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                    raise
                self.reactor.forget(self._listener)
                return
            client.setblocking(False)
            self._links.add(Link(self, client, (peer[0], peer[1])))

    def _accept_again(self) -> None:
        if not self._draining and len(self._links) < self.limits.at_once:
            self.reactor.watch(self._listener, READ, self._on_accept)

    def _accept_no_more(self) -> None:
        self._draining = True
        self.reactor.forget(self._listener)
        with suppress(OSError):
            self._listener.close()

    def _when_drained(self) -> None:
        if self._draining and not self._links:
            self.drained.set()

    # --- time and trouble -----------------------------------------------------------------------------------

    def _on_tick(self) -> None:
        if self.account.left <= 0:
            self._limit(TOTAL_BYTES, UserError("capture.byte_limit", limit=self.limits.total))
            for link in tuple(self._links):
                link.stop(TOTAL_BYTES)
        moment = time.monotonic()
        for link in tuple(self._links):
            link.look(moment)
        self._accept_again()
        between = self._now()
        if abs(between - self._between) > _JUMP:
            jump = (between - self._between) // timedelta(milliseconds=1)
            self.notice(NoticeKind.CLOCK_JUMP, str(jump))
            self._between = between

    def _now(self) -> timedelta:
        """How far the desk's clock is from the machine's steady one."""
        return self.clock.now() - _START - timedelta(seconds=time.monotonic())

    def _limit(self, reason: str, error: EvidenceDeskError) -> None:
        if reason not in self._said:
            self._said.add(reason)
            self.failure = self.failure or error
            self.notice(NoticeKind.LIMIT, reason)

    def _ask(self, host: str, kind: str, server: str) -> None:
        self._journal.put(LOOKUPS_NAME, encode_lookup(ask(host, kind, server, clock=self.clock)))

    def _on_thread_failed(self, error: BaseException) -> None:
        """Told by another thread: the journal's, a worker's."""

        def stop() -> None:
            raise error

        self.reactor.call(stop)

    def _on_failed(self, error: BaseException) -> None:
        """What could not be recorded is not forwarded either: everything ends."""
        if isinstance(error, EvidenceDeskError):
            self.failure = error
        else:
            self.failure = BugError("bug.recorder", reason=f"{type(error).__name__}: {str(error)[:200]}")
            self.failure.__cause__ = error
        self.end("failed")
        with suppress(Exception):
            self.notice(NoticeKind.FAILED, self.failure.code)

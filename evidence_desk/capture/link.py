"""One connection that a client of the recorder asked for, from its greeting to the line of the index."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from ipaddress import ip_address
from typing import Final, Protocol

from evidence_desk.capture import socks
from evidence_desk.capture.dialing import Dialed, Dialer, Failure
from evidence_desk.capture.guard import Guard, Refusal
from evidence_desk.capture.limits import Limits
from evidence_desk.capture.peers import Endpoint, Peer
from evidence_desk.capture.pump import (
    PAGE_BYTES,
    SHARE_SECONDS,
    STREAM_BYTES,
    TOTAL_BYTES,
    Account,
    Pump,
    Share,
)
from evidence_desk.capture.reactor import READ, Reactor
from evidence_desk.capture.recording import NOTHING, StreamRecorder, short_of_descriptors
from evidence_desk.capture.socks import Reply
from evidence_desk.core.capture.connection import Connection, Ending, Fate
from evidence_desk.core.capture.lookup import Lookup, Outcome
from evidence_desk.core.capture.notice import NoticeKind
from evidence_desk.core.moment import format_moment
from evidence_desk.core.ports import Clock
from evidence_desk.errors import HostError, MalformedError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MAX_HELD: Final = 4096
"""Bytes of a client before it is served."""
_STRANGERS_TIME: Final = 1.0
"""Seconds for another process to say what it wants, so that it can be recorded."""


class Recorder(Protocol):
    """What a link needs from the recorder that accepted it."""

    reactor: Reactor
    account: Account
    share: Share
    limits: Limits
    clock: Clock
    guard: Guard

    def number(self) -> int | None:
        """Next number, None when no more may be asked for."""
        ...

    def identify(self, client: Endpoint, done: Callable[[Peer], None]) -> None:
        """Find out who a client is."""
        ...

    def resolve(self, host: str, port: int, done: Callable[[Lookup], None]) -> None:
        """Ask for the addresses of a name."""
        ...

    def opened(self, connection: Connection) -> StreamRecorder:
        """Note that a connection is open, and begin its stream."""
        ...

    def finished(self, link: Link, connection: Connection | None) -> None:
        """A link is over; None when it never came to ask for anything."""
        ...

    def notice(
        self, kind: NoticeKind, reason: str, *, number: int = 0, host: str = "", port: int = 0
    ) -> None:
        """Note something, and tell whoever watches."""
        ...


class _Step(Enum):
    GREETING = auto()
    REQUEST = auto()
    WAITING = auto()
    """For the peer's identity or the resolver."""
    CONNECTING = auto()
    OPEN = auto()
    OVER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    number: int
    host: str
    port: int
    at: str


class Link:
    """One client of the recorder. Everything runs in the reactor's thread."""

    def __init__(self, recorder: Recorder, client: socket.socket, peer: Endpoint) -> None:
        self._recorder = recorder
        self._client = client
        self._step = _Step.GREETING
        self._held = bytearray()
        self._peer: Peer | None = None
        self._asked: _Asked | None = None
        self._answers: tuple[str, ...] = ()
        self._stream: StreamRecorder | None = None
        self._opening: Connection | None = None
        self._pump: Pump | None = None
        self._admitted = False
        self._due = time.monotonic() + recorder.limits.handshake
        self._dialer = Dialer(
            recorder.reactor, recorder.limits, lambda: recorder.guard, passed_over=self._on_passed_over, done=self._on_dialed
        )  # fmt: skip
        recorder.identify(peer, self._on_identified)
        recorder.reactor.watch(client, READ, self._on_client)

    # --- asking ---------------------------------------------------------------------------------------------

    def _on_client(self, _events: int) -> None:
        try:
            data = self._client.recv(_MAX_HELD - len(self._held))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._gone()
            return
        self._held += data
        if self._step in {_Step.WAITING, _Step.CONNECTING}:
            if len(self._held) == _MAX_HELD:  # it goes on when it is served
                self._recorder.reactor.watch(self._client, 0, self._on_client)
            return
        try:
            self._parse()
        except MalformedError as error:
            reason = str(error.parameters["reason"])
            self._recorder.notice(NoticeKind.MALFORMED, reason)
            if self._step is _Step.REQUEST:
                self._say(Reply.ADDRESS_NOT_SUPPORTED if reason == "address_type" else Reply.FAILURE)
            self._over(None)

    def _parse(self) -> None:
        if self._step is _Step.GREETING and (greeting := socks.parse_greeting(bytes(self._held))) is not None:
            del self._held[: greeting.size]
            if socks.NO_AUTHENTICATION not in greeting.methods:
                self._send(socks.NO_METHOD)
                raise MalformedError("malformed.socks", reason="methods")
            self._send(socks.METHOD_CHOSEN)
            self._step = _Step.REQUEST
        if self._step is _Step.REQUEST and (request := socks.parse_request(bytes(self._held))) is not None:
            del self._held[: request.size]
            self._ask(request)

    def _ask(self, request: socks.Request) -> None:
        number = self._recorder.number()
        if number is None:
            self._say(Reply.NOT_ALLOWED)
            self._over(None)
            return
        self._asked = _Asked(
            number=number, host=request.host, port=request.port, at=format_moment(self._recorder.clock.now())
        )
        self._step = _Step.WAITING
        if request.command != socks.CONNECT:
            self._fail(Fate.REFUSED, "command", Reply.COMMAND_NOT_SUPPORTED)
        elif self._peer is not None:
            self._admit()

    def _on_identified(self, peer: Peer) -> None:
        self._peer = peer
        if self._step is _Step.WAITING:
            self._admit()
        elif peer is not Peer.OURS:
            self._due = min(self._due, time.monotonic() + _STRANGERS_TIME)

    def _admit(self) -> None:
        """The client is known and has asked."""
        asked = self._known()
        if self._peer is Peer.STRANGER:
            self._fail(Fate.STRANGER, "other-process", Reply.NOT_ALLOWED)
            return
        if self._peer is Peer.GONE:
            self._fail(Fate.REFUSED, "peer-gone", Reply.NOT_ALLOWED)
            return
        if self._recorder.account.left <= 0:
            self._fail(Fate.REFUSED, TOTAL_BYTES, Reply.NOT_ALLOWED)
            return
        if self._recorder.share.left <= 0:
            self._due = time.monotonic() + SHARE_SECONDS
            return
        self._admitted = True
        if self._peer is Peer.UNKNOWN:
            self._notice(NoticeKind.PEER_UNKNOWN, "")
        refusal = self._recorder.guard.refuses_name(asked.host) or (None if asked.port else Refusal.SPELLING)
        if refusal is not None:
            self._fail(Fate.REFUSED, refusal.value, Reply.NOT_ALLOWED)
            return
        if (literal := _literal(asked.host)) is not None:
            self._begin([literal])
            return
        self._due = time.monotonic() + self._recorder.limits.resolving
        self._recorder.resolve(asked.host, asked.port, self._on_resolved)

    def _on_resolved(self, lookup: Lookup) -> None:
        if self._step is not _Step.WAITING:
            return
        if lookup.outcome is not Outcome.ANSWERED:
            reason = lookup.reason or lookup.outcome.value
            self._fail(Fate.UNRESOLVED, reason, Reply.HOST_UNREACHABLE)
            return
        self._answers = lookup.answers
        self._begin(lookup.answers)

    # --- opening --------------------------------------------------------------------------------------------

    def _begin(self, addresses: Sequence[str]) -> None:
        self._step = _Step.CONNECTING
        self._dialer.dial(addresses, self._known().port)

    def _on_passed_over(self, refusal: Refusal, address: str) -> None:
        self._notice(NoticeKind.ANSWER_REFUSED, f"{refusal.value} {address}")

    def _on_dialed(self, result: Dialed | Failure) -> None:
        if isinstance(result, Failure):
            self._fail(result.fate, result.reason, result.reply)
        else:
            self._open(result.server, result.own)

    def _open(self, server: socket.socket, own: tuple[str, int]) -> None:
        opening = self._line(Fate.OPENED, Ending.UNKNOWN, local=_endpoint(own[0], own[1]))
        try:
            self._stream = self._recorder.opened(opening)
        except HostError as error:
            server.close()
            if not short_of_descriptors(error):
                raise
            self._fail(Fate.REFUSED, "descriptors", Reply.FAILURE)
            return
        self._opening = opening
        self._step = _Step.OPEN
        self._recorder.reactor.forget(self._client)
        for end in (self._client, server):
            with suppress(OSError):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pump = Pump(
            self._recorder.reactor, self._recorder.account, self._stream, browser=self._client, server=server,
            limit=self._recorder.limits.stream, share=lambda: self._recorder.share, now=self._now,
            ended=self._on_ended,
        )  # fmt: skip
        self._send(socks.encode_reply(Reply.SUCCEEDED, *own))
        if self._step is _Step.OPEN:
            self._pump.start(bytes(self._held))

    # --- ending ---------------------------------------------------------------------------------------------

    @property
    def stream(self) -> StreamRecorder | None:
        """Its stream, once it is open."""
        return self._stream

    def take_part(self, share: Share, since: float) -> None:
        """Count to a new share, if the browser has sent something since a moment."""
        if self._pump is not None and self._pump.asked >= since:
            self._pump.share = share

    def look(self, now: float) -> None:
        """End what has waited too long."""
        limits = self._recorder.limits
        if self._pump is not None:
            idle = limits.half_closed if self._pump.half_closed else limits.idle
            if now - self._pump.moved > idle:
                self._pump.end(Ending.STOPPED, "idle")
        elif self._step is _Step.CONNECTING:
            self._dialer.look(now)
        elif self._waits_for_share and self._recorder.share.left > 0:
            self._admit()
        elif now > self._due:
            self._late()

    @property
    def _waits_for_share(self) -> bool:
        return self._step is _Step.WAITING and self._peer is not None and not self._admitted

    def stop(self, reason: str) -> None:
        """The recording ends."""
        if self._pump is not None:
            self._pump.end(Ending.STOPPED, reason)
        elif self._asked is None:
            self._over(None)
        else:
            self._fail(Fate.UNREACHABLE, reason, Reply.FAILURE)

    def _late(self) -> None:
        match self._step:
            case _Step.GREETING | _Step.REQUEST:
                stranger = self._peer is Peer.STRANGER
                kind = NoticeKind.STRANGER if stranger else NoticeKind.MALFORMED
                self._recorder.notice(kind, "slow")
                self._over(None)
            case _Step.WAITING if self._waits_for_share:
                self._fail(Fate.REFUSED, PAGE_BYTES, Reply.NOT_ALLOWED)
            case _Step.WAITING:
                self._fail(Fate.UNRESOLVED, "timeout", Reply.HOST_UNREACHABLE)
            case _Step.CONNECTING | _Step.OPEN | _Step.OVER:
                pass

    def _gone(self) -> None:
        """The client closed before it was served."""
        if self._asked is None:
            self._over(None)
        else:
            self._fail(Fate.UNREACHABLE, "abandoned", Reply.FAILURE)

    def _fail(self, fate: Fate, reason: str, reply: Reply) -> None:
        if self._step is _Step.OVER:
            return
        self._say(reply)
        if fate is not Fate.UNREACHABLE or reason != "abandoned":
            self._notice(NoticeKind(fate.value), reason)
        self._over(self._line(fate, None, reason=reason, closed=True))

    def _on_ended(self, ending: Ending, reason: str | None) -> None:
        """Told by the pump."""
        share = None if self._pump is None else self._pump.share
        if reason == STREAM_BYTES:
            self._notice(NoticeKind.LIMIT, reason)
        elif reason == PAGE_BYTES and share is not None and not share.told:
            share.told = True
            self._notice(NoticeKind.LIMIT, reason)
        self._over(self._line(Fate.OPENED, ending, reason=reason, closed=True))

    def _over(self, connection: Connection | None) -> None:
        if self._step is _Step.OVER:
            return
        self._step = _Step.OVER
        self._dialer.drop()
        self._recorder.reactor.forget(self._client)
        with suppress(OSError):
            self._client.close()
        if self._stream is not None:
            self._stream.close()
        self._recorder.finished(self, connection)

    # --- saying ---------------------------------------------------------------------------------------------

    def _known(self) -> _Asked:
        assert self._asked is not None  # noqa: S101 - steps after the request only
        return self._asked

    def _line(
        self, fate: Fate, ending: Ending | None, *, reason: str | None = None, local: str | None = None, closed: bool = False
    ) -> Connection:  # fmt: skip
        asked = self._known()
        opened = self._opening
        digest = NOTHING if self._stream is None else self._stream.digest()
        moment = format_moment(self._recorder.clock.now())
        return Connection(
            number=asked.number, host=asked.host, port=asked.port, answers=self._answers, address=self._dialer.address,
            local=local if opened is None else opened.local, fate=fate, reason=reason,
            opened_at=asked.at, closed_at=moment if closed and opened is not None else None, ending=ending,
            sent=digest.sent, received=digest.received,
            sent_sha256=digest.sent_sha256, received_sha256=digest.received_sha256,
        )  # fmt: skip

    def _notice(self, kind: NoticeKind, reason: str) -> None:
        asked = self._known()
        self._recorder.notice(kind, reason, number=asked.number, host=asked.host, port=asked.port)

    def _say(self, reply: Reply) -> None:
        self._send(socks.encode_reply(reply))

    def _send(self, data: bytes) -> None:
        """A few bytes to a client that has sent as little; what does not fit its empty buffer it does not want."""
        with suppress(OSError):
            self._client.send(data)

    def _now(self) -> int:
        return (self._recorder.clock.now() - _EPOCH) // _MICROSECOND


def _literal(host: str) -> str | None:
    """The address that a host is in its usual spelling; others are the resolver's to read."""
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

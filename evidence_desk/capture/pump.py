"""Bytes of one connection both ways: read, recorded, then forwarded. What a slow side has not taken holds the other back."""

from __future__ import annotations

import errno
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from evidence_desk.capture.reactor import READ, WRITE, Reactor
from evidence_desk.capture.recording import StreamRecorder
from evidence_desk.core.capture.connection import Ending
from evidence_desk.core.capture.stream import HEAD_SIZE, Direction

CHUNK: Final = 256 * 1024
SMALL_CHUNK: Final = 16 * 1024
PENDING_BUDGET: Final = 32 << 20
"""Bytes waiting in all pumps together; beyond it only small chunks are read."""
TOTAL_BYTES: Final = "total-bytes"
PAGE_BYTES: Final = "page-bytes"
STREAM_BYTES: Final = "stream-bytes"
"""Reasons for which a connection ends, or is refused: bytes of all, of one address of a list, of one connection."""
SHARE_SECONDS: Final = 2.0
"""How much sooner the browser may begin to visit an address than that it has left the one before is heard here."""
ABORT: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""struct linger that makes closing a reset."""


class Share:
    """What the connections of one address of a list may take together. Belongs to the reactor's thread."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.told = False
        """Whether it was said that it is spent."""


class Account:
    """What all pumps of a recorder share: buffer, counts, budget. Belongs to the reactor's thread."""

    def __init__(self, total: int) -> None:
        self.buffer = memoryview(bytearray(HEAD_SIZE + CHUNK))
        self.left = total
        self.pending = 0
        self.counts = {Direction.OUT: 0, Direction.IN: 0}

    def room(self) -> int:
        """How much may be read at once."""
        return SMALL_CHUNK if self.pending > PENDING_BUDGET else CHUNK


@dataclass(slots=True)
class _Way:
    """One direction: `source` reads, `sink` takes."""

    direction: Direction
    source: socket.socket
    sink: socket.socket
    names: tuple[str, str]
    pending: memoryview = field(default_factory=lambda: memoryview(b""))
    ended: bool = False
    """The source will send no more."""
    shut: bool = False
    """And the sink was told so."""


class Pump:
    """Relay of one open connection.

    Args:
        reactor: in whose thread everything here runs.
        account: shared by all pumps.
        recorder: takes every chunk before it is forwarded; HostError goes up through the reactor's callback.
        limit: bytes in both directions, at which it ends.
        share: that of now. Bytes are taken from the one of the time when the browser last sent something; it ends when that is
            spent.
        now: microseconds of the Unix epoch.
        ended: told once.
    """

    def __init__(
        self,
        reactor: Reactor,
        account: Account,
        recorder: StreamRecorder,
        *,
        browser: socket.socket,
        server: socket.socket,
        limit: int,
        share: Callable[[], Share],
        now: Callable[[], int],
        ended: Callable[[Ending, str | None], None],
    ) -> None:
        self._reactor = reactor
        self._account = account
        self._recorder = recorder
        self._left = limit
        self._share_now = share
        self.share = share()
        self._now = now
        self._ended = ended
        self._out = _Way(Direction.OUT, browser, server, ("browser", "server"))
        self._in = _Way(Direction.IN, server, browser, ("server", "browser"))
        self._over = False
        self.moved = self.asked = time.monotonic()
        """When a byte last went in or out; when the browser last sent one."""

    @property
    def half_closed(self) -> bool:
        """Whether one side has said that it will send no more."""
        return self._out.ended or self._in.ended

    def start(self, early: bytes) -> None:
        """Begin; `early` is what the browser sent before it was told that it may."""
        if early:
            self._account.buffer[HEAD_SIZE : HEAD_SIZE + len(early)] = early
            self._take(self._out, len(early))
        self._watch()

    def end(self, ending: Ending, reason: str | None) -> None:
        """Let go of both sockets, by a reset unless both sides have closed."""
        if self._over:
            return
        self._over = True
        self._account.pending -= len(self._out.pending) + len(self._in.pending)
        for end in (self._out.source, self._in.source):
            self._reactor.forget(end)
            with suppress(OSError):
                if ending is not Ending.CLOSED or reason:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
                end.close()
        self._ended(ending, reason)

    def _on_browser(self, events: int) -> None:
        self._on_ready(events, self._out, self._in)

    def _on_server(self, events: int) -> None:
        self._on_ready(events, self._in, self._out)

    def _on_ready(self, events: int, reads: _Way, writes: _Way) -> None:
        """One socket is ready: it is the source of `reads` and the sink of `writes`."""
        if events & WRITE and not self._over:
            self._flush(writes)
        if events & READ and not self._over and not reads.ended and not reads.pending:
            self._read(reads)
        if not self._over:
            if self._out.shut and self._in.shut:
                self.end(Ending.CLOSED, None)
            else:
                self._watch()

    def _read(self, way: _Way) -> None:
        room = min(self._account.room(), self._left, self.share.left, self._account.left)
        if room <= 0:
            self.end(Ending.STOPPED, self._spent())
            return
        try:
            length = way.source.recv_into(self._account.buffer[HEAD_SIZE:], room)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._broken(way.names[0], error)
            return
        if length:
            self._take(way, length)
        else:
            way.ended = True
            self._shut(way)

    def _spent(self) -> str:
        if self._account.left <= 0:
            return TOTAL_BYTES
        return PAGE_BYTES if self.share.left <= 0 else STREAM_BYTES

    def _take(self, way: _Way, length: int) -> None:
        """Record what lies in the buffer, then forward it."""
        buffer = self._account.buffer
        self._recorder.record(way.direction, self._now(), buffer, length)
        self._left -= length
        if way is self._out:
            self.share, self.asked = self._share_now(), time.monotonic()
        self.share.left -= length
        self._account.left -= length
        self._account.counts[way.direction] += length
        self.moved = time.monotonic()
        sent = self._send(way, buffer[HEAD_SIZE : HEAD_SIZE + length])
        if sent is not None and sent < length:
            way.pending = memoryview(bytes(buffer[HEAD_SIZE + sent : HEAD_SIZE + length]))
            self._account.pending += length - sent

    def _flush(self, way: _Way) -> None:
        if not way.pending:
            return
        sent = self._send(way, way.pending)
        if sent:
            way.pending = way.pending[sent:]
            self._account.pending -= sent
            self.moved = time.monotonic()
            if way.ended:
                self._shut(way)

    def _send(self, way: _Way, data: memoryview) -> int | None:
        """Bytes that the sink took, None when it is gone."""
        try:
            return way.sink.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._broken(way.names[1], error)
            return None

    def _shut(self, way: _Way) -> None:
        """Pass on the end of a direction, after the last byte."""
        if not way.pending and not way.shut:
            way.shut = True
            with suppress(OSError):  # it may have gone already, which reading will tell
                way.sink.shutdown(socket.SHUT_WR)

    def _broken(self, side: str, error: OSError) -> None:
        if (self._out if side == "browser" else self._in).ended:  # it has said so before, and takes no more
            self.end(Ending.CLOSED, f"{side}-left")
            return
        self.end(Ending.RESET, f"{side}:{errno.errorcode.get(error.errno or 0, 'unknown')}")

    def _watch(self) -> None:
        if self._over:
            return
        for reads, writes, ready in (
            (self._out, self._in, self._on_browser),
            (self._in, self._out, self._on_server),
        ):
            wants = (0 if reads.ended or reads.pending else READ) | (WRITE if writes.pending else 0)
            self._reactor.watch(reads.source, wants, ready)

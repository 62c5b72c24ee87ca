"""A small strict SNTP client (RFC 4330, RFC 5905 §7.3): one question over UDP, everything of the answer is checked.

NTP here is not authenticated: an answer is a comparison, no proof of time.
"""

from __future__ import annotations

import secrets
import socket
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from evidence_desk.capture.environment.machine import fault_name
from evidence_desk.errors import MalformedError, RemoteError

PORT: Final = 123
TIMEOUT_S: Final = 4.0
_PACKET: Final = struct.Struct(">BBbbiI4sQQQQ")
_ERA0: Final = datetime(1900, 1, 1, tzinfo=UTC)
_ERA1: Final = datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC)
_CLIENT: Final = (4 << 3) | 3
"""Leap 0, version 4, mode 3."""
_MAX_DISTANCE_MS: Final = 1_000
"""Root distance above which a server is not synchronized well enough (RFC 5905 MAXDIST is 1 s)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A checked answer.

    Attributes:
        offset_ms: our clock minus the server's. uncertainty_ms: half the round trip and the server's root distance.
        here: the answer came from this very machine and says nothing about its clock.
        packet: the answer's bytes.
    """

    offset_ms: int
    uncertainty_ms: int
    stratum: int
    address: str
    here: bool
    packet: bytes


def question(cookie: int) -> bytes:
    """A request; the transmit timestamp is random, so that only the server asked can answer it."""
    return _PACKET.pack(_CLIENT, 0, 0, 0, 0, 0, b"\0" * 4, 0, 0, 0, cookie)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The fields of a server's packet that matter."""

    stratum: int
    distance_ms: int
    received: datetime
    transmitted: datetime


def read_reply(packet: bytes, cookie: int) -> Reply:
    """Check a server's packet against the question.

    Raises:
        MalformedError: ``malformed.sntp`` with the rule that is broken (RFC 4330 §5).
    """
    if len(packet) < _PACKET.size:
        raise _bad("short")
    first, stratum, _, _, delay, dispersion, reference, _, origin, received, transmitted = (
        _PACKET.unpack_from(packet)
    )
    if first & 7 != 4 or not 3 <= first >> 3 & 7 <= 4:
        raise _bad("mode")
    if origin != cookie:
        raise _bad("origin")
    if stratum == 0:
        raise _bad(f"kiss {reference.decode('ascii', 'replace').strip(chr(0))}")
    if first >> 6 == 3 or stratum > 15 or received == 0 or transmitted == 0:
        raise _bad("unsynchronized")
    distance = abs(delay) * 1000 / 65536 / 2 + dispersion * 1000 / 65536
    if distance > _MAX_DISTANCE_MS:
        raise _bad("distance")
    came, went = moment(received), moment(transmitted)
    if went < came:
        raise _bad("order")
    return Reply(stratum=stratum, distance_ms=round(distance), received=came, transmitted=went)


def moment(stamp: int) -> datetime:
    """Moment of a 64-bit NTP timestamp; without the top bit it lies in era 1 (RFC 4330 §3)."""
    base = _ERA0 if stamp >> 63 else _ERA1
    return base + timedelta(seconds=stamp >> 32, microseconds=(stamp & 0xFFFFFFFF) * 1_000_000 >> 32)


def ask(host: str, port: int = PORT, *, timeout: float = TIMEOUT_S) -> Answer:
    """Ask a server for the time.

    Raises:
        RemoteError: ``environment.ntp`` when it is not found or silent.
        MalformedError: ``malformed.sntp``.
    """
    cookie = secrets.randbits(63) | 1 << 63
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as channel:
            channel.settimeout(timeout)
            channel.connect(place)  # answers from elsewhere are dropped by the system
            sent, tick = datetime.now(UTC), time.monotonic()
            channel.send(question(cookie))
            packet = channel.recv(512)
            elapsed = timedelta(seconds=time.monotonic() - tick)
            address, here = str(place[0]), channel.getsockname()[0] == channel.getpeername()[0]
    except OSError as error:
        raise RemoteError("environment.ntp", server=host, reason=fault_name(error)) from error
    reply = read_reply(packet, cookie)
    offset, uncertainty = difference(reply, sent, elapsed)
    return Answer(
        offset_ms=offset,
        uncertainty_ms=uncertainty,
        stratum=reply.stratum,
        address=address,
        here=here,
        packet=packet,
    )


def difference(reply: Reply, sent: datetime, elapsed: timedelta) -> tuple[int, int]:
    """(our clock minus the server's, uncertainty) in milliseconds; `elapsed` is the round trip by the monotonic clock."""
    back = sent + elapsed
    offset = ((sent - reply.received) + (back - reply.transmitted)) / 2
    travel = elapsed - (reply.transmitted - reply.received)
    uncertainty = max(travel, timedelta(0)) / 2 + timedelta(milliseconds=reply.distance_ms)
    return round(offset / timedelta(milliseconds=1)), round(uncertainty / timedelta(milliseconds=1))


def _bad(reason: str) -> MalformedError:
    return MalformedError("malformed.sntp", reason=reason)

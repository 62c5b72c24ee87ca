"""The recorded streams as a packet capture for Wireshark (draft-ietf-opsawg-pcapng): payloads as recorded, headers made up.

The recorder sees bytes of connections, not packets: addresses, ports and times are the recorded ones; handshakes, sequence
numbers, windows, the cut into segments and the endings are synthesized, and the file says so in its first block.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import BinaryIO, Final

from evidence_desk.core.capture.connection import Connection, Ending, Fate
from evidence_desk.core.capture.stream import Chunk, Direction
from evidence_desk.core.moment import parse_moment

COMMENT: Final = (
    "Payloads, addresses, ports and times are as recorded by a SOCKS proxy on the capturing machine. IP and TCP headers, "
    "handshakes, segmentation and endings are synthesized. 载荷、地址、端口、时间为实录；IP/TCP 报头、握手、分段与结束报文系合成。"
)
SEGMENT: Final = 61_440
"""Most bytes of one segment: a few large ones rather than many small ones, as none was seen."""
_LINKTYPE_RAW: Final = 101
_TLS_KEY_LOG: Final = 0x544C534B
_FIN, _SYN, _RST, _PSH, _ACK = 1, 2, 4, 8, 16
_M32: Final = 0xFFFFFFFF
_UNKNOWN_LOCAL: Final = IPv4Address("192.0.2.1")
_UNKNOWN_REMOTE: Final = IPv4Address("192.0.2.2")
"""Addresses for documentation (RFC 5737), where the recorder was killed before it noted the real ones."""

_PACKET: Final = struct.Struct("<IIIIIII")
"""Enhanced Packet Block up to its data."""
_STEP: Final = 4096
Address = IPv4Address | IPv6Address
Packet = tuple[int, bytes]
"""Moment in microseconds, IP packet."""


def write_pcapng(
    out: BinaryIO, connections: Iterable[tuple[Connection, Iterable[Chunk]]], secrets: bytes | None = None
) -> int:
    """Write all opened connections by time; number of packets. Chunks are asked for when their connection's turn comes.

    Args:
        out: a binary file.
        connections: each with its chunks (`StreamReader`, or a generator that opens the stream at its first chunk).
        secrets: TLS key log to put into the file; it opens the cookies to whoever holds the file.
    """
    out.write(_section_header())
    out.write(_block(1, struct.pack("<HHI", _LINKTYPE_RAW, 0, 0) + _option(9, b"\x06") + _option(0, b"")))
    if secrets is not None:
        out.write(_block(10, struct.pack("<II", _TLS_KEY_LOG, len(secrets)) + _padded(secrets)))
    count = 0
    for at, packet in _merged(connections):
        size, padding = len(packet), bytes(-len(packet) % 4)
        whole = _PACKET.size + size + len(padding) + 4
        head = _PACKET.pack(6, whole, 0, at >> 32, at & _M32, size, size)
        out.write(b"".join((head, packet, padding, struct.pack("<I", whole))))
        count += 1
    return count


def _section_header() -> bytes:
    options = _option(1, COMMENT.encode()) + _option(4, b"Evidence Desk") + _option(0, b"")
    return _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _merged(connections: Iterable[tuple[Connection, Iterable[Chunk]]]) -> Iterator[Packet]:
    """Packets of all connections by time; a connection is begun only when it has opened."""
    waiting = sorted(
        ((_moment(connection.opened_at), connection.number, connection, chunks)
         for connection, chunks in connections if connection.fate is Fate.OPENED),
        key=lambda item: item[:2], reverse=True,
    )  # fmt: skip
    running: list[tuple[int, int, bytes, Iterator[Packet]]] = []
    while waiting or running:
        if waiting and (not running or waiting[-1][0] <= running[0][0]):
            _, number, connection, chunks = waiting.pop()
            _push(running, number, _packets(connection, chunks))
            continue
        at, number, packet, rest = heapq.heappop(running)
        yield at, packet
        _push(running, number, rest)


def _push(
    running: list[tuple[int, int, bytes, Iterator[Packet]]], number: int, rest: Iterator[Packet]
) -> None:
    first = next(rest, None)
    if first is not None:
        heapq.heappush(running, (first[0], number, first[1], rest))


def _packets(connection: Connection, chunks: Iterable[Chunk]) -> Iterator[Packet]:
    flow = _flow(connection)
    opened = last = _moment(connection.opened_at)
    yield opened, flow.packet(Direction.OUT, _SYN)
    yield opened, flow.packet(Direction.IN, _SYN | _ACK)
    yield opened, flow.packet(Direction.OUT, _ACK)
    for chunk in chunks:
        last = max(last, chunk.at)  # the clock may have been set back; a stream has one order
        for start in range(0, len(chunk.data), SEGMENT):
            yield last, flow.packet(chunk.direction, _PSH | _ACK, chunk.data[start : start + SEGMENT])
    closed = last if connection.closed_at is None else max(last, _moment(connection.closed_at))
    match connection.ending:
        case Ending.CLOSED:
            yield closed, flow.packet(Direction.OUT, _FIN | _ACK)
            yield closed, flow.packet(Direction.IN, _FIN | _ACK)
            yield closed, flow.packet(Direction.OUT, _ACK)
        case Ending.RESET:
            yield closed, flow.packet(Direction.IN, _RST | _ACK)
        case _:
            pass


@dataclass(slots=True, kw_only=True)
class _Flow:
    """Both ends of a connection: (address, port), and the next sequence number of each direction."""

    local: tuple[Address, int]
    remote: tuple[Address, int]
    next: dict[Direction, int]
    count: int = 0

    def packet(self, direction: Direction, flags: int, data: bytes = b"") -> bytes:
        """IP packet with this TCP segment (RFC 9293 §3.1)."""
        other = Direction.IN if direction is Direction.OUT else Direction.OUT
        source, target = (
            (self.local, self.remote) if direction is Direction.OUT else (self.remote, self.local)
        )
        options = b"\x02\x04\xff\xd7\x01\x03\x03\x0e" if flags & _SYN else b""  # MSS 65,495, window scale 14
        head = struct.pack(
            ">HHIIBBHHH", source[1], target[1], self.next[direction], self.next[other] if flags & _ACK else 0,
            (20 + len(options)) << 2, flags, 0xFFFF, 0, 0,
        )  # fmt: skip
        head += options
        size = len(head) + len(data)
        fixed = (
            source[0].packed + target[0].packed + struct.pack(">HH", 6, size) + head
        )  # an even number of bytes
        head = head[:16] + struct.pack(">H", _checksum(fixed, data)) + head[18:]
        self.next[direction] = (self.next[direction] + len(data) + bool(flags & (_SYN | _FIN))) & _M32
        self.count = (self.count + 1) & 0xFFFF
        return b"".join((self._ip_header(source[0], target[0], size), head, data))

    def _ip_header(self, source: Address, target: Address, size: int) -> bytes:
        if isinstance(source, IPv6Address):
            return struct.pack(">IHBB", 6 << 28, size, 6, 64) + source.packed + target.packed  # RFC 8200 §3
        ends = source.packed + target.packed
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, self.count, 0x4000, 64, 6, 0)  # RFC 791 §3.1
        return head[:10] + struct.pack(">H", _checksum(head + ends)) + ends


def _checksum(*parts: bytes) -> int:
    """Internet checksum (RFC 1071) of parts that have, but for the last, an even number of bytes each."""
    total = sum(map(_words, parts))
    return ~(total % 0xFFFF or (0xFFFF if total else 0)) & 0xFFFF


def _words(data: bytes) -> int:
    """A number that is, modulo 65,535, the sum of the 16-bit words; 0 only when all of them are.

    2^16 ≡ 1 modulo 65,535, so that the bytes as one number leave the same rest as the sum of its words. Numbers of some
    kilobytes are added quickest. Read backwards a sum has its two bytes exchanged (RFC 1071 §2 B), and an odd byte at the end
    is followed by a zero by itself.
    """
    view, total = memoryview(data), 0
    for start in range(0, len(view), _STEP):
        total += int.from_bytes(view[start : start + _STEP], "little")
    rest = total % 0xFFFF or (0xFFFF if total else 0)
    return rest >> 8 | (rest & 0xFF) << 8


def _flow(connection: Connection) -> _Flow:
    local, port = _ends(connection.local)
    remote = _address(connection.address)
    if local is None or remote is None or local.version != remote.version:
        local, remote = _UNKNOWN_LOCAL, remote if isinstance(remote, IPv4Address) else _UNKNOWN_REMOTE
    # Numbers differ from connection to connection, so that a port used again is not taken for a retransmission.
    first = connection.number * 0x9E3779B1 & _M32
    return _Flow(
        local=(local, port or 1024 + connection.number % 64_000), remote=(remote, connection.port & 0xFFFF),
        next={Direction.OUT: first, Direction.IN: first ^ 0x5A5A5A5A},
    )  # fmt: skip


def _ends(text: str | None) -> tuple[Address | None, int]:
    address, _, port = (text or "").rpartition(":")
    number = int(port) if port.isascii() and port.isdecimal() and len(port) <= 5 else 0
    return _address(address), number if number <= 0xFFFF else 0


def _address(text: str | None) -> Address | None:
    try:
        return ip_address((text or "").strip("[]").partition("%")[0])
    except ValueError:
        return None


def _moment(text: str) -> int:
    """Microseconds of the Unix epoch."""
    moment = parse_moment(text, what="connections")
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond

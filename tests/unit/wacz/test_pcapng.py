"""Packets byte by byte; that Wireshark reads them is tested with Wireshark."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from evidence_desk.core.capture.connection import Connection, Ending, Fate
from evidence_desk.core.capture.stream import Chunk, Direction
from evidence_desk.wacz.pcapng import COMMENT, SEGMENT, write_pcapng
from tests.unit.wacz.tls_recording import AT, connection

OUT, IN = Direction.OUT, Direction.IN


def capture(*connections: tuple[Connection, tuple[Chunk, ...]], secrets: bytes | None = None) -> bytes:
    out = io.BytesIO()
    count = write_pcapng(out, connections, secrets)
    assert count == len(packets(out.getvalue()))
    return out.getvalue()


def blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        kind, size = struct.unpack_from("<II", data)
        assert size % 4 == 0
        assert data[size - 4 : size] == struct.pack("<I", size)
        yield kind, data[8 : size - 4]
        data = data[size:]


def packets(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    for kind, body in blocks(data):
        if kind == 6:
            _, high, low, size, original = struct.unpack_from("<IIIII", body)
            assert size == original
            found.append((high << 32 | low, body[20 : 20 + size]))
    return found


def sum_of_words(data: bytes) -> int:
    """RFC 1071 by the letter."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def segment(packet: bytes) -> bytes:
    """TCP segment of a packet whose checksums are right."""
    if packet[0] >> 4 == 4:
        assert sum_of_words(packet[:20]) == 0xFFFF
        assert struct.unpack(">H", packet[2:4])[0] == len(packet)
        ends, rest = packet[12:20], packet[20:]
    else:
        assert struct.unpack(">H", packet[4:6])[0] == len(packet) - 40
        ends, rest = packet[8:40], packet[40:]
    assert sum_of_words(ends + struct.pack(">HH", 6, len(rest)) + rest) == 0xFFFF
    return rest


def chunk(way: Direction, data: bytes, at: int = AT) -> Chunk:
    return Chunk(direction=way, at=at, data=data)


def test_the_file_says_what_is_made_up() -> None:
    first, second = list(blocks(capture()))
    assert first[0] == 0x0A0D0D0A
    assert COMMENT.encode() in first[1]
    assert second[0] == 1
    assert struct.unpack_from("<H", second[1])[0] == 101


def test_secrets_only_when_given() -> None:
    assert [kind for kind, _ in blocks(capture(secrets=b"CLIENT_RANDOM 00 11\n"))] == [0x0A0D0D0A, 1, 10]
    assert [kind for kind, _ in blocks(capture())] == [0x0A0D0D0A, 1]


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("ending", list(Ending))
def test_a_conversation(ending: Ending, *, six: bool) -> None:
    data = b"x" * (SEGMENT + 1)
    chunks = (chunk(OUT, b"ask"), chunk(IN, data, AT + 7), chunk(OUT, b"more", AT + 9))
    ends: dict[str, Any] = {"address": "2001:db8::7", "local": "[2001:db8::4]:40001"} if six else {}
    found = packets(capture((connection(1, chunks, ending=ending, **ends), chunks)))
    sequence: dict[bytes, int] = {}
    sent: dict[bytes, bytes] = {}
    for _, packet in found:
        assert (packet[0] >> 4 == 6) is six
        tcp = segment(packet)
        way, seq, ack, offset, flags = tcp[:4], *struct.unpack(">IIBB", tcp[4:14])
        payload = tcp[offset >> 4 << 2 :]
        assert seq == sequence.get(way, seq)
        if flags & 16:
            assert ack == sequence[tcp[2:4] + tcp[:2]]
        sequence[way] = (seq + len(payload) + bool(flags & 3)) % 2**32
        sent[way] = sent.get(way, b"") + payload
    assert list(sent.values()) == [b"askmore", data]
    flags = [segment(packet)[13] for _, packet in found]
    assert flags[:3] == [2, 18, 16]
    assert flags[7:] == {Ending.CLOSED: [17, 17, 16], Ending.RESET: [20]}.get(ending, [])
    assert [at for at, _ in found[3:7]] == [AT, AT + 7, AT + 7, AT + 9]


def test_connections_that_never_opened_have_no_packets() -> None:
    closed: dict[str, Any] = {"address": None, "local": None, "closed_at": None, "ending": None}
    assert (
        packets(
            capture(*((connection(1, fate=fate, **closed), ()) for fate in Fate if fate is not Fate.OPENED))
        )
        == []
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"address": None},
        {"local": None},
        {"local": "198.51.100.4"},
        {"local": "nonsense:99999999"},
        {"address": "2001:db8::7"},
        {"address": "fe80::1%eth0", "local": "[fe80::2%eth0]:1"},
        {"address": "::ffff:203.0.113.7"},
    ],
)
def test_addresses_that_are_not_known_or_do_not_fit(changes: dict[str, object]) -> None:
    chunks = (chunk(OUT, b"ask"),)
    found = packets(capture((connection(1, chunks, **changes), chunks)))
    assert [segment(packet)[-3:] for _, packet in found][3] == b"ask"


def test_odd_lengths_and_sums_of_zero() -> None:
    for data in (b"\0", b"\xff\xff", b"\xff" * 65_000, bytes(1), b"\xfe\xff\x01"):
        chunks = (chunk(OUT, data), chunk(IN, data))
        for _, packet in packets(capture((connection(1, chunks), chunks))):
            segment(packet)

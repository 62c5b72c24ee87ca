"""Owners of connections on Windows, over tables as the system gives them; the calls themselves run there only."""

from __future__ import annotations

import socket
import struct

import pytest

from evidence_desk.capture.peers import Peer
from evidence_desk.capture.peers_windows import WindowsPeers, owner

CLIENT, SERVER = ("127.0.0.1", 50000), ("127.0.0.1", 1080)
Row = tuple[tuple[str, int], tuple[str, int], int]


def table(*rows: Row, junk: int = 0xABCD) -> bytes:
    """MIB_TCPTABLE_OWNER_PID: ports in network order in the low half, the high half undefined."""

    def port(number: int) -> bytes:
        return struct.pack(">H", number) + struct.pack("<H", junk)

    body = b"".join(
        struct.pack("<I", 5) + socket.inet_aton(own[0]) + port(own[1]) + socket.inet_aton(other[0]) + port(other[1]) + struct.pack("<I", pid)
        for own, other, pid in rows
    )  # fmt: skip
    return struct.pack("<I", len(rows)) + body + bytes(100)


class Tables:
    """What the system would say."""

    def __init__(self, rows: bytes, parents: dict[int, int], starts: dict[int, int]) -> None:
        self._rows, self._parents, self._starts = rows, parents, starts
        self.deaf = False

    def connections(self) -> bytes:
        if self.deaf:
            raise OSError("GetExtendedTcpTable")
        return self._rows

    def parents(self) -> dict[int, int]:
        return self._parents

    def started(self, pid: int) -> int | None:
        return self._starts.get(pid)


def check(pid: int, parents: dict[int, int], starts: dict[int, int], allowed: int) -> Peer:
    tables = Tables(table((CLIENT, SERVER, pid)), parents, starts)
    peers = WindowsPeers(tables)  # type: ignore[arg-type]
    peers.allow(allowed)
    return peers.check(CLIENT, SERVER)


def test_rows():
    rows = table(
        (SERVER, CLIENT, 1),
        (("127.0.0.2", 50000), SERVER, 2),
        (CLIENT, ("127.0.0.1", 1081), 3),
        (CLIENT, SERVER, 4),
    )
    assert owner(rows, CLIENT, SERVER) == 4
    assert owner(rows, SERVER, CLIENT) == 1
    assert owner(table(), CLIENT, SERVER) is None
    assert owner(table((CLIENT, SERVER, 0)), CLIENT, SERVER) is None


@pytest.mark.parametrize(
    ("pid", "parents", "starts", "expected"),
    [
        (10, {10: 1}, {10: 5}, Peer.OURS),
        (30, {30: 20, 20: 10, 10: 1}, {10: 5, 20: 6, 30: 7}, Peer.OURS),
        (30, {30: 20, 20: 1}, {10: 5, 20: 6, 30: 7}, Peer.STRANGER),
        (30, {30: 10}, {10: 9, 30: 7}, Peer.STRANGER),  # the parent is younger: the number is used again
        (30, {30: 20, 20: 10}, {10: 5, 30: 7}, Peer.STRANGER),  # the parent is gone
        (30, {30: 20, 20: 30}, {10: 5, 20: 7, 30: 7}, Peer.STRANGER),
        (30, {30: 0}, {10: 5, 30: 7}, Peer.STRANGER),
        (30, {}, {10: 5}, Peer.STRANGER),
    ],
)  # fmt: skip
def test_descent(pid: int, parents: dict[int, int], starts: dict[int, int], expected: Peer):
    assert check(pid, parents, starts, allowed=10) is expected


def test_what_cannot_be_seen():
    tables = Tables(table((CLIENT, SERVER, 10)), {10: 1}, {10: 5})
    peers = WindowsPeers(tables)  # type: ignore[arg-type]
    peers.allow(10)
    tables.deaf = True
    assert peers.check(CLIENT, SERVER) is Peer.UNKNOWN
    tables.deaf = False
    tables._starts.clear()
    assert peers.check(CLIENT, SERVER) is Peer.UNKNOWN
    assert peers.check(("127.0.0.1", 1), SERVER) is Peer.GONE

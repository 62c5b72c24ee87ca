"""Owners of connections, from a /proc of the test's own."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from evidence_desk.capture.peers import Peer
from evidence_desk.capture.peers_linux import LinuxPeers

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or sys.byteorder != "little", reason="Linux, little endian"
)
CLIENT, SERVER = ("127.0.0.1", 50000), ("127.0.0.1", 1080)
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


class Proc:
    """A small /proc."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "net").mkdir(parents=True)
        self.rows([(CLIENT, SERVER, 777)])

    def rows(self, rows: list[tuple[tuple[str, int], tuple[str, int], int]], user: int | None = None) -> None:
        def text(end: tuple[str, int]) -> str:
            return f"{int.from_bytes(socket.inet_aton(end[0]), 'little'):08X}:{end[1]:04X}"

        lines = [
            f"{number:4}: {text(own)} {text(other)} 01 00000000:00000000 00:00000000 00000000  {os.geteuid() if user is None else user}        0 {inode} 1 x\n"
            for number, (own, other, inode) in enumerate(rows)
        ]
        (self.root / "net" / "tcp").write_text(HEAD + "".join(lines))

    def process(
        self, pid: int, parent: int, started: int = 100, inodes: tuple[int, ...] = (), name: str = "a b) c"
    ) -> None:
        folder = self.root / str(pid)
        (folder / "fd").mkdir(parents=True)
        facts = " ".join(["S", str(parent), *["0"] * 17, str(started), "0"])
        (folder / "stat").write_text(f"{pid} ({name}) {facts}\n")
        for number, inode in enumerate(inodes):
            (folder / "fd" / str(number)).symlink_to(f"socket:[{inode}]")


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    return Proc(tmp_path / "proc")


def check(proc: Proc, *allowed: int) -> Peer:
    peers = LinuxPeers(proc.root)
    for pid in allowed:
        peers.allow(pid)
    return peers.check(CLIENT, SERVER)


def test_the_process_and_its_descendants(proc: Proc):
    proc.process(10, 1)
    proc.process(20, 10)
    proc.process(30, 20, inodes=(5, 777))
    assert check(proc, 10) is Peer.OURS
    assert check(proc, 30) is Peer.OURS
    assert check(proc, 20, 99) is Peer.OURS


def test_somebody_else(proc: Proc):
    proc.process(10, 1, inodes=(778,))
    proc.process(20, 1, inodes=(777,))
    assert check(proc, 10) is Peer.STRANGER
    assert check(proc) is Peer.STRANGER
    assert check(proc, 4711) is Peer.STRANGER


def test_a_number_that_is_used_again(proc: Proc):
    proc.process(10, 1, started=100)
    peers = LinuxPeers(proc.root)
    peers.allow(10)
    proc.process(11, 10, inodes=(777,))
    assert peers.check(CLIENT, SERVER) is Peer.OURS
    for pid in (10, 11):
        (proc.root / str(pid) / "stat").write_text(f"{pid} (x) S 1 " + "0 " * 17 + "200 0\n")
    assert peers.check(CLIENT, SERVER) is Peer.STRANGER


def test_a_connection_that_is_gone(proc: Proc):
    proc.process(10, 1, inodes=(777,))
    for rows in ([], [(SERVER, CLIENT, 777)], [(CLIENT, ("127.0.0.1", 1081), 777)], [(CLIENT, SERVER, 0)]):
        proc.rows(rows)
        assert check(proc, 10) is Peer.GONE


def test_it_looks_for_both_ends(proc: Proc):
    proc.process(10, 1, inodes=(777,))
    proc.rows([(SERVER, CLIENT, 1), (("127.0.0.2", 50000), SERVER, 2), (CLIENT, SERVER, 777)])
    assert check(proc, 10) is Peer.OURS


@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() == 0, reason="nothing is hidden from root")
def test_hidden_descriptors_leave_it_unknown(proc: Proc):
    proc.process(10, 1)
    (proc.root / "10" / "fd").chmod(0)
    assert check(proc, 10) is Peer.UNKNOWN


def test_descriptors_that_are_none_leave_it_unknown(proc: Proc):
    proc.process(10, 1)
    (proc.root / "10" / "fd" / "0").write_bytes(b"no link")
    assert check(proc, 10) is Peer.UNKNOWN


def test_what_another_process_is_seen_to_hold_is_a_stranger_s_though_some_are_hidden(proc: Proc):
    proc.process(10, 1)
    (proc.root / "10" / "fd" / "0").write_bytes(b"no link")
    proc.process(20, 1, inodes=(777,))
    assert check(proc, 10) is Peer.STRANGER


def test_a_socket_of_another_user_is_a_stranger_s(proc: Proc):
    proc.process(10, 1, inodes=(777,))
    proc.rows([(CLIENT, SERVER, 777)], user=os.geteuid() + 1)
    assert check(proc, 10) is Peer.STRANGER


@pytest.mark.parametrize("row", ["0 x", "a 0 777", "0 0 x", "0 0"])
def test_rows_that_are_none(proc: Proc, row: str):
    table = proc.root / "net" / "tcp"
    start = table.read_text().partition("00000000  ")[0]
    table.write_text(f"{start}00000000  {row}\n")
    assert check(proc, 10) is Peer.GONE


def test_no_table(proc: Proc):
    (proc.root / "net" / "tcp").unlink()
    assert check(proc, 10) is Peer.UNKNOWN


def test_facts_that_are_none(proc: Proc):
    proc.process(10, 1, inodes=(777,))
    for text in ("", "10 (x)", "10 (x) S", "10 (x) S a " + "0 " * 20):
        (proc.root / "10" / "stat").write_text(text)
        assert check(proc, 10) is Peer.STRANGER


def test_the_real_one():
    """This very process, by the system's /proc."""
    peers = LinuxPeers()
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as end,
    ):
        accepted, client = listener.accept()
        with accepted:
            assert peers.check(client, listener.getsockname()) is Peer.STRANGER
            peers.allow(os.getpid())
            assert peers.check(client, listener.getsockname()) is Peer.OURS
            assert peers.check(client, listener.getsockname()) is Peer.OURS
            end.close()
            assert peers.check(client, listener.getsockname()) is Peer.GONE

"""Who may use the recorder: the capture browser's processes, found by the system's own tables."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from evidence_desk.capture.peers import Endpoint, Peer
from evidence_desk.capture.proxy import LOOPBACK
from evidence_desk.core.capture.connection import Fate
from evidence_desk.core.capture.notice import NoticeKind
from tests.integration.capture.recorders import Names, echo, recording, serving, until

pytestmark = pytest.mark.skipif(sys.platform not in {"linux", "win32"}, reason="no way to know")
NAMES = Names({"example.com": (LOOPBACK,)})
CLIENT = """
import socket, sys
end = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
end.sendall(b"\\5\\1\\0")
end.recv(2)
end.sendall(b"\\5\\1\\0\\3\\x0bexample.com" + int(sys.argv[2]).to_bytes(2, "big"))
print(end.recv(22)[1])
"""
PARENT = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', *sys.argv[1:]]).returncode)"


def client(*arguments: object) -> int:
    """Reply code that another process gets."""
    command = [sys.executable, "-c", *map(str, arguments)]
    return int(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)


def test_nobody_is_served_before_somebody_is_allowed(tmp_path: Path):
    with serving(echo) as server, recording(tmp_path, names=NAMES, allow=False) as recorder:
        assert recorder.refused("example.com", server.port) == 2
        recorder.proxy.stop()
        line = recorder.line()
        assert (line.fate, line.reason, line.host) == (Fate.STRANGER, "other-process", "example.com")
        assert line.ending is None
        assert server.accepted == 0
        assert recorder.kinds() == [NoticeKind.STRANGER]
        assert recorder.workspace.names() == ["connections.jsonl", "notices.jsonl", "opened.jsonl"]


def test_another_process_is_a_stranger(tmp_path: Path):
    with serving(echo) as server, recording(tmp_path, names=NAMES, allow=False) as recorder:
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as browser:
            recorder.proxy.allow_pid(browser.pid)
            assert client(CLIENT, recorder.port, server.port) == 2
            assert recorder.refused("example.com", server.port) == 2
            browser.communicate(b"\n")
        assert server.accepted == 0
        recorder.proxy.stop()
        assert [line.fate for line in recorder.index()] == [Fate.STRANGER, Fate.STRANGER]


def test_descendants_of_the_allowed_process_are_served(tmp_path: Path):
    with serving(echo) as server, recording(tmp_path, names=NAMES) as recorder:
        assert client(CLIENT, recorder.port, server.port) == 0
        assert client(PARENT, CLIENT, recorder.port, server.port) == 0
        assert recorder.kinds() == []


def test_a_stranger_that_says_nothing_is_told_and_let_go(tmp_path: Path):
    with recording(tmp_path, names=NAMES, allow=False) as recorder:
        with socket.create_connection((LOOPBACK, recorder.port), timeout=20) as end:
            assert end.recv(1) == b""
        until(lambda: recorder.kinds() == [NoticeKind.STRANGER])


class Blind:
    """A system that does not let us look."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def allow(self, pid: int) -> None:
        assert pid == os.getpid()

    def check(self, client: Endpoint, server: Endpoint) -> Peer:
        assert client[0] == server[0] == LOOPBACK
        return self._peer


def test_an_unknown_peer_is_served_and_told(tmp_path: Path):
    with serving(echo) as server, recording(tmp_path, names=NAMES, peers=Blind(Peer.UNKNOWN)) as recorder:
        recorder.connect("example.com", server.port).close()
        until(lambda: recorder.kinds() == [NoticeKind.PEER_UNKNOWN])


def test_a_peer_that_is_gone_is_not_served(tmp_path: Path):
    with serving(echo) as server, recording(tmp_path, names=NAMES, peers=Blind(Peer.GONE)) as recorder:
        assert recorder.refused("example.com", server.port) == 2
        recorder.proxy.stop()
        assert (recorder.line().fate, recorder.line().reason) == (Fate.REFUSED, "peer-gone")
        assert server.accepted == 0

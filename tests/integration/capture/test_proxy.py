"""Connections through the blind proxy: what servers and clients exchange is what lies in the streams, byte for byte."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from evidence_desk.capture.guard import Guard
from evidence_desk.capture.limits import Limits
from evidence_desk.capture.proxy import LOOPBACK
from evidence_desk.core.capture.connection import Ending, Fate
from evidence_desk.core.capture.lookup import Outcome
from evidence_desk.core.capture.notice import NoticeKind
from evidence_desk.core.capture.stream import Direction
from tests.integration.capture.recorders import (
    Names,
    drained,
    echo,
    exactly,
    recording,
    reset,
    serving,
    until,
)

ROOT = Path(__file__).parents[3]
NAMES = Names({"example.com": (LOOPBACK,)})


def test_both_directions_are_recorded_and_forwarded(tmp_path: Path):
    said = os.urandom(300_000)
    with serving(echo) as server, recording(tmp_path, names=NAMES) as recorder:
        with recorder.connect("example.com", server.port) as end:
            got: list[bytes] = []
            reader = threading.Thread(target=lambda: got.append(drained(end)))
            reader.start()
            end.sendall(said)
            end.shutdown(socket.SHUT_WR)
            reader.join()
        until(lambda: recorder.proxy.totals.open == 0)
        recorder.proxy.stop()
        assert got == [said]
        assert recorder.way(1, Direction.OUT) == recorder.way(1, Direction.IN) == said
        line = recorder.line()
        assert (line.number, line.host, line.port) == (1, "example.com", server.port)
        assert (line.answers, line.address) == ((LOOPBACK,), LOOPBACK)
        assert line.local is not None
        assert line.local.startswith("127.0.0.1:")
        assert (line.fate, line.ending, line.reason) == (Fate.OPENED, Ending.CLOSED, None)
        assert line.sent == line.received == len(said)
        assert line.sent_sha256 == line.received_sha256 == hashlib.sha256(said).digest()
        assert line.closed_at is not None
        assert line.opened_at <= line.closed_at
        moments = [chunk.at for chunk in recorder.chunks(1)]
        assert moments == sorted(moments)
        assert [item.outcome for item in recorder.lookups()] == [Outcome.ANSWERED]
        assert recorder.notices == []
        assert recorder.proxy.failure is None


def test_a_server_that_speaks_first_and_a_client_that_never_does(tmp_path: Path):
    def greet(end: socket.socket) -> None:
        end.sendall(b"220 welcome\r\n")

    with serving(greet) as server, recording(tmp_path, names=NAMES) as recorder:
        with recorder.connect("example.com", server.port) as end:
            assert drained(end) == b"220 welcome\r\n"
        until(lambda: recorder.proxy.totals.open == 0)
        recorder.proxy.stop()
        assert recorder.line().sent == 0
        assert recorder.way(1, Direction.IN) == b"220 welcome\r\n"


def test_the_server_may_end_first_and_hear_the_rest(tmp_path: Path):
    heard: list[bytes] = []

    def half(end: socket.socket) -> None:
        end.sendall(b"that is all")
        end.shutdown(socket.SHUT_WR)
        heard.append(drained(end))

    with serving(half) as server, recording(tmp_path, names=NAMES) as recorder:
        with recorder.connect("example.com", server.port) as end:
            assert drained(end) == b"that is all"
            end.sendall(b"and this is mine")
        assert server.over.wait(20)
        until(lambda: recorder.proxy.totals.open == 0)
        recorder.proxy.stop()
        assert heard == [b"and this is mine"]
        assert recorder.line().ending is Ending.CLOSED


def test_what_is_sent_before_the_reply_comes_is_not_lost(tmp_path: Path):
    release = threading.Event()
    names = Names({"slow.example": (LOOPBACK,)}, {"slow.example": release})
    with serving(echo) as server, recording(tmp_path, names=names) as recorder:
        with socket.create_connection((LOOPBACK, recorder.port), timeout=20) as end:
            host = b"slow.example"
            end.sendall(b"\5\1\0" + b"\5\1\0\3" + bytes((len(host),)) + host + server.port.to_bytes(2, "big"))
            end.sendall(b"early" * 3_000)  # more than it keeps before it serves
            until(lambda: names.asked == ["slow.example"])
            release.set()
            end.shutdown(socket.SHUT_WR)
            reply = drained(end)
        assert reply[:2] == b"\5\0"
        assert reply[2:5] == b"\5\0\0"
        assert reply[12:] == b"early" * 3_000
        until(lambda: recorder.proxy.totals.open == 0)
        recorder.proxy.stop()
        assert recorder.way(1, Direction.OUT) == b"early" * 3_000


def test_a_reset_by_the_server_is_passed_on(tmp_path: Path):
    def rude(end: socket.socket) -> None:
        end.recv(100)
        end.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        end.recv(100)
        reset(end)

    with serving(rude) as server, recording(tmp_path, names=NAMES) as recorder:
        with recorder.connect("example.com", server.port) as end:
            end.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert end.recv(100).endswith(b"half")
            end.sendall(b"more")
            with pytest.raises(ConnectionResetError):
                end.recv(100)
        until(lambda: recorder.proxy.totals.open == 0)
        recorder.proxy.stop()
        line = recorder.line()
        assert (line.ending, line.reason) == (Ending.RESET, "server:ECONNRESET")
        assert recorder.way(1, Direction.IN).endswith(b"half")


def test_a_reset_by_the_browser_is_passed_on(tmp_path: Path):
    faults: list[OSError] = []

    def wait(end: socket.socket) -> None:
        end.sendall(b"hello")
        try:
            end.recv(100)
        except OSError as error:
            faults.append(error)

    with serving(wait) as server, recording(tmp_path, names=NAMES) as recorder:
        end = recorder.connect("example.com", server.port)
        assert exactly(end, 5) == b"hello"
        reset(end)
        assert server.over.wait(20)
        until(lambda: recorder.proxy.totals.open == 0)
        recorder.proxy.stop()
        assert [type(error) for error in faults] == [ConnectionResetError]
        assert (recorder.line().ending, recorder.line().reason) == (Ending.RESET, "browser:ECONNRESET")


def test_a_browser_that_leaves_first_is_no_reset(tmp_path: Path):
    left = threading.Event()

    def late(end: socket.socket) -> None:
        assert end.recv(100) == b""
        left.wait(20)
        end.sendall(b"one more thing")
        while end.send(b"and another"):
            pass

    with serving(late) as server, recording(tmp_path, names=NAMES) as recorder:
        recorder.connect("example.com", server.port).close()
        left.set()
        until(lambda: recorder.proxy.totals.open == 0 and recorder.proxy.totals.asked == 1)
        recorder.proxy.stop()
        line = recorder.line()
        assert (line.ending, line.reason) == (Ending.CLOSED, "browser-left")
        assert line.received == len(recorder.way(1, Direction.IN)) > 0


def test_addresses_are_tried_in_order(tmp_path: Path):
    with serving(echo) as server:
        dead = socket.create_server((LOOPBACK, 0))
        dead.close()
        names = Names({"two.example": ("127.0.0.2", LOOPBACK), "none.example": ("127.0.0.2", "127.0.0.3")})
        with recording(tmp_path, names=names) as recorder:
            with recorder.connect("two.example", server.port) as end:
                end.sendall(b"x")
                assert exactly(end, 1) == b"x"
            assert recorder.refused("none.example", server.port) == 5
            until(lambda: recorder.proxy.totals.open == 0)
            recorder.proxy.stop()
            first, second = recorder.index()
            assert (first.answers, first.address) == (("127.0.0.2", LOOPBACK), LOOPBACK)
            assert (second.fate, second.reason) == (Fate.UNREACHABLE, "ECONNREFUSED")
            assert second.closed_at is None
            assert second.ending is None
            assert recorder.kinds() == [NoticeKind.UNREACHABLE]


def test_an_address_that_is_silent_gives_way_to_the_next(tmp_path: Path):
    silent = socket.socket()
    silent.bind(("127.0.0.2", 0))
    port = silent.getsockname()[1]
    silent.listen(0)
    fillers = [socket.socket() for _ in range(4)]  # a full queue answers no more
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.2", port))
    good = socket.create_server((LOOPBACK, port))
    names = Names({"both.example": ("127.0.0.2", LOOPBACK), "silent.example": ("127.0.0.2",)})
    limits = Limits(attempt=0.3, connecting=0.6)
    try:
        with recording(tmp_path, names=names, limits=limits) as recorder:
            end = recorder.connect("both.example", port)
            end.close()
            assert recorder.refused("silent.example", port) == 4
            recorder.proxy.stop(0.2)
            first, second = recorder.index()
            assert (first.fate, first.address) == (Fate.OPENED, LOOPBACK)
            assert (second.fate, second.reason) == (Fate.UNREACHABLE, "timeout")
    finally:
        for item in (silent, good, *fillers):
            item.close()


def test_over_ipv6(tmp_path: Path):
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6")
    with listener, recording(tmp_path, names=Names()) as recorder:
        with recorder.connect("::1", listener.getsockname()[1]) as end:
            server, _ = listener.accept()
            with server:
                server.sendall(b"six")
                assert exactly(end, 3) == b"six"
        until(lambda: recorder.proxy.totals.open == 0)
        recorder.proxy.stop()
        line = recorder.line()
        assert (line.address, line.answers) == ("::1", ())
        assert str(line.local).startswith("[::1]:")


def test_addresses_in_binary(tmp_path: Path):
    with serving(echo) as server, recording(tmp_path, names=Names()) as recorder:
        port = server.port.to_bytes(2, "big")
        with socket.create_connection((LOOPBACK, recorder.port), timeout=20) as end:
            end.sendall(b"\5\2\0\2\5\1\0\1\x7f\0\0\1" + port)
            assert exactly(end, 2) == b"\5\0"
            assert exactly(end, 10)[:4] == b"\5\0\0\1"
        mapped = bytes(10) + b"\xff\xff\x7f\0\0\1"
        with socket.create_connection((LOOPBACK, recorder.port), timeout=20) as end:
            end.sendall(b"\5\1\0\5\1\0\4" + mapped + port)
            assert exactly(end, 2) == b"\5\0"
            assert exactly(end, 4)[:3] == b"\5\0\0"


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"\4\1\0\x50\x7f\0\0\1\0", b""),
        (b"GET / HTTP/1.1\r\n\r\n", b""),
        (b"\5\0", b""),
        (b"\5\1\2", b"\5\xff"),
        (b"\5\1\0\5\1\1\1\x7f\0\0\1\0\x50", b"\5\0\5\1"),
        (b"\5\1\0\5\1\0\2\x7f\0\0\1\0\x50", b"\5\0\5\x08"),
        (b"\5\1\0\5\1\0\3\0\0\x50", b"\5\0\5\1"),
        (b"\5\1\0\5\2\0\1\x7f\0\0\1\0\x50", b"\5\0\5\7"),
        (b"\5\1\0\5\3\0\1\x7f\0\0\1\0\x50", b"\5\0\5\7"),
        (b"\5\1\0\5\1\0\1\x7f\0\0\1\0\0", b"\5\0\5\2"),
    ],
)
def test_what_is_no_request_is_answered_as_rfc_1928_says(tmp_path: Path, sent: bytes, answer: bytes):
    with recording(tmp_path, names=Names()) as recorder:
        with socket.create_connection((LOOPBACK, recorder.port), timeout=20) as end:
            end.sendall(sent)
            assert drained(end)[:4] == answer
        until(lambda: bool(recorder.notices))
        assert set(recorder.kinds()) <= {NoticeKind.MALFORMED, NoticeKind.REFUSED}


def test_a_request_byte_by_byte(tmp_path: Path):
    with serving(echo) as server, recording(tmp_path, names=NAMES) as recorder:
        host = b"example.com"
        with socket.create_connection((LOOPBACK, recorder.port), timeout=20) as end:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"\5\1\0\5\1\0\3" + bytes((len(host),)) + host + server.port.to_bytes(2, "big"):
                end.send(bytes((byte,)))
            assert exactly(end, 12)[:4] == b"\5\0\5\0"


def test_unknown_names_are_lines_too(tmp_path: Path):
    with recording(tmp_path, names=Names()) as recorder:
        assert recorder.refused("nowhere.example", 443) == 4
        recorder.proxy.stop()
        line = recorder.line()
        assert (line.fate, line.reason, line.ending) == (Fate.UNRESOLVED, "unknown-name", None)
        assert recorder.workspace.names() == [
            "connections.jsonl",
            "lookups.jsonl",
            "notices.jsonl",
            "opened.jsonl",
        ]


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("127.0.0.1", "loopback"), ("localhost", "local-name"), ("sub.LOCALHOST.", "local-name"), ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"), ("rebound.example", "loopback"), ("10.1.2.3", "private"),
        ("169.254.169.254", "metadata"), ("0.0.0.0", "unspecified"),
    ],
)  # fmt: skip
def test_this_machine_is_not_reached(tmp_path: Path, host: str, reason: str):
    names = Names({"rebound.example": (LOOPBACK,)})
    with serving(echo) as server, recording(tmp_path, names=names, guard=Guard()) as recorder:
        assert recorder.refused(host, server.port) == 2
        recorder.proxy.stop()
        assert (recorder.line().fate, recorder.line().reason) == (Fate.REFUSED, reason)
        assert server.accepted == 0
        assert recorder.workspace.names() == [
            name for name in ("connections.jsonl", "lookups.jsonl", "notices.jsonl", "opened.jsonl")
            if name != "lookups.jsonl" or host == "rebound.example"
        ]  # fmt: skip


@pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "0177.0.0.1", "127.1", "0x7f000001", "127.0.0.1."])
def test_odd_spellings_end_at_the_guard(tmp_path: Path, host: str):
    """With the system's own resolver, which reads them as addresses or not at all."""
    with serving(echo) as server, recording(tmp_path, guard=Guard()) as recorder:
        assert recorder.refused(host, server.port) in {2, 4}
        recorder.proxy.stop()
        line = recorder.line()
        assert (line.fate, line.reason) == (Fate.REFUSED, "loopback") or line.fate is Fate.UNRESOLVED
        assert server.accepted == 0


def test_own_ports_are_refused_though_private_is_allowed(tmp_path: Path):
    with serving(echo) as server, recording(tmp_path, names=Names({"me.example": (LOOPBACK,)})) as recorder:
        for host in (LOOPBACK, "127.0.0.2", "::ffff:127.0.0.1", "me.example"):
            assert recorder.refused(host, recorder.port) == 2
        recorder.connect(LOOPBACK, server.port).close()
        recorder.proxy.forbid_port(server.port)
        assert recorder.refused(LOOPBACK, server.port) == 2
        recorder.proxy.stop()
        assert [line.reason for line in recorder.index()].count("own-port") == 5
        assert server.accepted == 1


def test_each_refused_answer_of_several_is_told(tmp_path: Path):
    names = Names({"mixed.example": ("10.0.0.1", LOOPBACK)})
    with recording(tmp_path, names=names, guard=Guard()) as recorder:
        assert recorder.refused("mixed.example", 443) == 2
        assert recorder.kinds() == [NoticeKind.ANSWER_REFUSED, NoticeKind.ANSWER_REFUSED, NoticeKind.REFUSED]
        assert [item.reason for item in recorder.notices] == [
            "private 10.0.0.1",
            "loopback 127.0.0.1",
            "loopback",
        ]


def test_it_starts_and_stops_once(tmp_path: Path):
    with recording(tmp_path) as recorder:
        recorder.proxy.stop()
        recorder.proxy.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((LOOPBACK, recorder.port))
        assert recorder.proxy.totals.asked == 0
        assert not [
            thread for thread in threading.enumerate() if thread.name in {"capture-proxy", "capture-journal"}
        ]


def test_stop_ends_what_is_open(tmp_path: Path):
    with serving(echo) as server, recording(tmp_path, names=NAMES) as recorder:
        end = recorder.connect("example.com", server.port)
        end.sendall(b"hello")
        assert exactly(end, 5) == b"hello"
        recorder.proxy.stop(0.1)
        with end, pytest.raises(ConnectionResetError):
            end.recv(1)
        line = recorder.line()
        assert (line.ending, line.reason, line.sent) == (Ending.STOPPED, "stopped", 5)


def test_a_browser_that_gives_up_while_a_name_is_asked_for(tmp_path: Path):
    release = threading.Event()
    names = Names({"slow.example": (LOOPBACK,)}, {"slow.example": release})
    with serving(echo) as server, recording(tmp_path, names=names) as recorder:
        with socket.create_connection((LOOPBACK, recorder.port), timeout=20) as end:
            end.sendall(b"\5\1\0\5\1\0\3\x0cslow.example" + server.port.to_bytes(2, "big"))
            until(lambda: names.asked == ["slow.example"])
        until(lambda: recorder.proxy.totals.fates == {Fate.UNREACHABLE: 1})
        release.set()
        recorder.proxy.stop()
        assert (recorder.line().fate, recorder.line().reason) == (Fate.UNREACHABLE, "abandoned")
        assert server.accepted == 0
        assert recorder.notices == []


OWN_ADDRESS = """
import os, sys
from pathlib import Path
from tests.integration.capture.recorders import Names, echo, recording, serving
from evidence_desk.capture.guard import Guard
with serving(echo, "9.9.9.9") as server:
    for number, guard in enumerate((Guard(), Guard(allow_private=True), Guard(allow_private=True, ports=frozenset({server.port})))):
        (Path(sys.argv[1]) / str(number)).mkdir()
        with recording(Path(sys.argv[1]) / str(number), names=Names({"public.example": ("9.9.9.9",)}), guard=guard) as recorder:
            end, code = recorder.ask("public.example", server.port)
            end.close()
            recorder.proxy.stop(0)
            line = recorder.line()
            print(code, line.fate.value, line.reason if code else "")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="network namespaces of Linux")
def test_a_public_address_of_this_machine_is_this_machine(tmp_path: Path):
    """In a network of its own, where 9.9.9.9 is ours."""
    script = 'ip link set lo up && ip addr add 9.9.9.9/32 dev lo && exec "$@"'
    if subprocess.run(
        ["unshare", "-n", "sh", "-c", script, "sh", "true"], capture_output=True, check=False
    ).returncode:
        pytest.skip("no right to make a network")
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", script, "sh", sys.executable, "-c", OWN_ADDRESS, str(tmp_path)],
        capture_output=True, check=True, timeout=120, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["2 refused own-address", "0 opened ", "2 refused own-port"]


def test_stop_while_a_name_is_being_asked_for(tmp_path: Path):
    release = threading.Event()
    names = Names({"slow.example": (LOOPBACK,)}, {"slow.example": release})
    with recording(tmp_path, names=names) as recorder:
        asking = threading.Thread(target=recorder.refused, args=("slow.example", 80))
        asking.start()
        until(lambda: names.asked == ["slow.example"])
        recorder.proxy.stop(0.1)
        asking.join()
        release.set()
        assert (recorder.line().fate, recorder.line().reason) == (Fate.UNREACHABLE, "stopped")

"""Lookups of a recording: the system's answers, and those of independent servers over real sockets."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from evidence_desk.capture.dns import ask
from evidence_desk.capture.proxy import LOOPBACK
from evidence_desk.capture.resolver import SystemResolver
from evidence_desk.core.capture.lookup import Outcome
from tests.integration.capture.recorders import Names, WallClock, echo, exactly, recording, serving

CLOCK = WallClock()
Reply = Callable[[bytes], list[bytes]]
"""Datagrams, or messages over TCP, for a question."""


def answer(
    question: bytes, records: bytes = b"", count: int = 0, flags: int = 0x8180, identity: int | None = None
) -> bytes:
    end = question.index(b"\0", 12) + 5
    number = struct.unpack_from(">H", question)[0] if identity is None else identity
    return struct.pack(">HHHHHH", number, flags, 1, count, 0, 0) + question[12:end] + records


def address(text: str, ttl: int = 300) -> bytes:
    kind, data = (28, socket.inet_pton(socket.AF_INET6, text)) if ":" in text else (1, socket.inet_aton(text))
    return b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def one_port(*, tcp: bool) -> tuple[socket.socket, socket.socket | None]:
    """UDP, and TCP at the same number, which may be taken."""
    for _ in range(50):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((LOOPBACK, 0))
        try:
            return udp, socket.create_server((LOOPBACK, udp.getsockname()[1])) if tcp else None
        except OSError:
            udp.close()
    raise AssertionError


@contextmanager
def name_server(over_udp: Reply, over_tcp: Reply | None = None) -> Iterator[int]:
    udp, tcp = one_port(tcp=over_tcp is not None)
    with udp:
        port = udp.getsockname()[1]
        udp.settimeout(0.05)
        over = threading.Event()

        def run() -> None:
            while not over.is_set():
                try:
                    question, client = udp.recvfrom(4096)
                except TimeoutError:
                    continue
                for message in over_udp(question):
                    udp.sendto(message, client)

        def run_tcp() -> None:
            assert tcp is not None
            assert over_tcp is not None
            end, _ = tcp.accept()
            with end:
                question = exactly(end, int.from_bytes(exactly(end, 2), "big"))
                for message in over_tcp(question):
                    end.sendall(message)

        threads = [threading.Thread(target=run)]
        if tcp is not None:
            threads.append(threading.Thread(target=run_tcp, daemon=True))
        for thread in threads:
            thread.start()
        try:
            yield port
        finally:
            over.set()
            threads[0].join()
            if tcp is not None:
                tcp.close()


def test_an_answer_with_its_message():
    reply = answer
    with name_server(lambda q: [reply(q, address("192.0.2.7") + address("192.0.2.8", 60), 2)]) as port:
        lookup = ask("Example.com", "A", LOOPBACK, clock=CLOCK, port=port)
    assert (lookup.outcome, lookup.answers, lookup.ttl) == (Outcome.ANSWERED, ("192.0.2.7", "192.0.2.8"), 60)
    assert (lookup.transport, lookup.server, lookup.kind) == ("udp", f"{LOOPBACK}:{port}", "A")
    assert lookup.message is not None
    assert lookup.message.endswith(b"\xc0\x00\x02\x08")
    assert lookup.microseconds >= 0


def test_ipv6_addresses():
    with name_server(lambda q: [answer(q, address("2001:db8::7"), 1)]) as port:
        assert ask("example.com", "AAAA", LOOPBACK, clock=CLOCK, port=port).answers == ("2001:db8::7",)


def test_forged_datagrams_are_passed_over():
    def reply(question: bytes) -> list[bytes]:
        number = struct.unpack_from(">H", question)[0]
        forged = answer(question, address("203.0.113.1"), 1, identity=number ^ 1)
        return [b"", b"\0", forged, question, answer(question, address("192.0.2.7"), 1)]

    with name_server(reply) as port:
        assert ask("example.com", "A", LOOPBACK, clock=CLOCK, port=port).answers == ("192.0.2.7",)


def test_nothing_but_forged_datagrams():
    with name_server(lambda _q: [b"\xff" * 12]) as port:
        lookup = ask("example.com", "A", LOOPBACK, clock=CLOCK, port=port, patience=0.1)
    assert (lookup.outcome, lookup.reason, lookup.message) == (Outcome.MALFORMED, "header", b"\xff" * 12)


def test_a_silent_server():
    with name_server(lambda _q: []) as port:
        lookup = ask("example.com", "A", LOOPBACK, clock=CLOCK, port=port, patience=0.1)
    assert (lookup.outcome, lookup.answers, lookup.message) == (Outcome.TIMEOUT, (), None)
    assert lookup.microseconds >= 200_000


def test_no_server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOOPBACK, 0))
        port = taken.getsockname()[1]
    lookup = ask("example.com", "A", LOOPBACK, clock=CLOCK, port=port, patience=0.3)
    assert (lookup.outcome, lookup.reason) == (Outcome.UNREACHABLE, "ECONNREFUSED")


def test_no_such_name_and_a_server_that_fails():
    for code, outcome, reason in (
        (3, Outcome.UNKNOWN_NAME, "NXDOMAIN"),
        (2, Outcome.FAILED, "SERVFAIL"),
        (5, Outcome.FAILED, "REFUSED"),
    ):
        with name_server(lambda q, code=code: [answer(q, flags=0x8180 | code)]) as port:  # type: ignore[misc]
            lookup = ask("example.com", "A", LOOPBACK, clock=CLOCK, port=port)
        assert (lookup.outcome, lookup.reason) == (outcome, reason)


def test_no_address_of_this_kind():
    with name_server(lambda q: [answer(q)]) as port:
        assert ask("example.com", "AAAA", LOOPBACK, clock=CLOCK, port=port).outcome is Outcome.EMPTY


def test_what_is_cut_short_is_asked_for_over_tcp():
    many = [f"192.0.2.{number}" for number in range(200)]

    def whole(question: bytes) -> list[bytes]:
        message = answer(question, b"".join(map(address, many)), len(many))
        framed = len(message).to_bytes(2, "big") + message
        return [framed[:1], framed[1:100], framed[100:]]

    with name_server(lambda q: [answer(q, flags=0x8380)], whole) as port:
        lookup = ask("example.com", "A", LOOPBACK, clock=CLOCK, port=port)
    assert (lookup.transport, lookup.answers) == ("tcp", tuple(many))


def test_tcp_that_ends_early_or_never():
    with name_server(lambda q: [answer(q, flags=0x8380)], lambda _q: [b"\0\x40short"]) as port:
        lookup = ask("example.com", "A", LOOPBACK, clock=CLOCK, port=port)
    assert (lookup.transport, lookup.outcome, lookup.reason) == ("tcp", Outcome.MALFORMED, "short")


def test_a_name_that_is_none_and_a_server_that_is_none():
    assert ask("a..b", "A", LOOPBACK, clock=CLOCK, patience=0.1).outcome is Outcome.MALFORMED
    assert ask("例子", "A", LOOPBACK, clock=CLOCK, patience=0.1).outcome is Outcome.MALFORMED
    assert ask("example.com", "A", "no address", clock=CLOCK, patience=0.1).outcome is Outcome.UNREACHABLE


def test_the_system_s_resolver():
    resolver = SystemResolver(clock=CLOCK)
    found = resolver.resolve("localhost", 80)
    assert found.outcome is Outcome.ANSWERED
    assert set(found.answers) <= {"127.0.0.1", "::1"}
    assert (found.kind, found.server, found.transport) == ("system", None, "system")
    assert datetime.now(UTC).isoformat()[:4] == found.asked_at[:4]
    missing = resolver.resolve("no-such-host.invalid", 80)
    assert missing.outcome in {Outcome.UNKNOWN_NAME, Outcome.FAILED, Outcome.EMPTY}
    assert missing.reason is not None
    assert missing.reason.startswith("EAI_")
    for bad in ("a" * 300, "\0", "x" * 64 + ".example", "．"):
        assert resolver.resolve(bad, 80).outcome is not Outcome.ANSWERED


def test_independent_servers_are_asked_once_a_name(tmp_path: Path):
    """On a port where nobody answers: that too is in the record, and holds nothing up."""
    names = Names({"example.com": (LOOPBACK,), "example.org": (LOOPBACK,)})
    with (
        serving(echo) as server,
        recording(tmp_path, names=names, dns_servers=("127.0.0.53", "192.0.2.1")) as recorder,
    ):
        for host in ("example.com", "example.com", "example.org"):
            recorder.connect(host, server.port).close()
        recorder.proxy.stop(10.0)
        lookups = recorder.lookups()
    assert [item.host for item in lookups if item.server is None] == [
        "example.com",
        "example.com",
        "example.org",
    ]
    independent = [(item.host, item.kind, item.server) for item in lookups if item.server is not None]
    assert sorted(independent) == sorted(
        (host, kind, server)
        for host in ("example.com", "example.org")
        for kind in ("A", "AAAA")
        for server in ("127.0.0.53:53", "192.0.2.1:53")
    )
    assert {item.outcome for item in lookups if item.server is not None} <= {
        Outcome.UNREACHABLE, Outcome.TIMEOUT, Outcome.FAILED, Outcome.UNKNOWN_NAME, Outcome.ANSWERED, Outcome.EMPTY
    }  # fmt: skip

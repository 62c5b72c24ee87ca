"""Connecting: the guard is asked before and after, and has the last word."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from evidence_desk.capture.dialing import Dialed, Dialer, Failure
from evidence_desk.capture.guard import Guard, Refusal
from evidence_desk.capture.limits import Limits
from evidence_desk.capture.reactor import Reactor
from evidence_desk.capture.socks import Reply
from evidence_desk.core.capture.connection import Fate

OPEN = Guard(allow_private=True)


def dial(
    addresses: list[str], port: int, guard: Callable[[], Guard] = lambda: OPEN, limits: Limits | None = None
) -> tuple[Dialed | Failure, list[tuple[Refusal, str]], Dialer]:
    results: list[Dialed | Failure] = []
    passed: list[tuple[Refusal, str]] = []
    faults: list[BaseException] = []

    def done(result: Dialed | Failure) -> None:
        results.append(result)
        reactor.stop()

    reactor = Reactor(lambda: dialer.look(float("inf")), faults.append)
    dialer = Dialer(
        reactor,
        limits or Limits(),
        guard,
        passed_over=lambda why, address: passed.append((why, address)),
        done=done,
    )
    dialer.dial(addresses, port)
    reactor.run()
    assert faults == []
    (result,) = results
    return result, passed, dialer


@contextmanager
def listening(address: str = "127.0.0.1") -> Iterator[socket.socket]:
    with socket.create_server((address, 0)) as listener:
        listener.settimeout(5)
        yield listener


def test_a_connection():
    with listening() as listener:
        port = listener.getsockname()[1]
        result, passed, dialer = dial(["127.0.0.2", "127.0.0.1", "127.0.0.3"], port)
        assert isinstance(result, Dialed)
        with result.server:
            end, client = listener.accept()
            end.close()
            assert result.own == client
        assert (dialer.address, passed) == ("127.0.0.1", [])


def test_the_guard_is_asked_again_when_it_is_connected():
    """A port that was forbidden meanwhile: the connection is broken off before a byte has passed."""
    guards = [OPEN]
    with listening() as listener:
        port = listener.getsockname()[1]

        def guard() -> Guard:
            return guards.pop() if guards else OPEN.with_port(port)

        result, _, _ = dial(["127.0.0.1"], port, guard)
        assert result == Failure(fate=Fate.REFUSED, reason="own-port", reply=Reply.NOT_ALLOWED)
        end, _ = listener.accept()
        with end, pytest.raises(ConnectionResetError):
            end.recv(1)


def test_what_is_refused_is_passed_over():
    with listening() as listener:
        port = listener.getsockname()[1]
        result, passed, dialer = dial(["169.254.169.254", "0.0.0.0", "127.0.0.1"], port)
        assert isinstance(result, Dialed)
        result.server.close()
        assert passed == [(Refusal.METADATA, "169.254.169.254"), (Refusal.UNSPECIFIED, "0.0.0.0")]
        assert dialer.address == "127.0.0.1"


def test_an_address_that_was_tried_tells_more_than_a_refusal():
    with listening() as listener:
        port = listener.getsockname()[1]
    result, _, _ = dial(["0.0.0.0", "127.0.0.1", "169.254.169.254"], port)
    assert result == Failure(fate=Fate.UNREACHABLE, reason="ECONNREFUSED", reply=Reply.CONNECTION_REFUSED)


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [([], "no-address"), (["fe80::1%no-such-link"], None), (["127.0.0.1", "127.0.0.1"], "ECONNREFUSED")],
)
def test_nothing_to_connect_to(addresses: list[str], reason: str | None):
    with listening() as listener:
        port = listener.getsockname()[1]
    result, _, _ = dial(addresses, port)
    assert isinstance(result, Failure)
    assert result.fate is Fate.UNREACHABLE
    assert result.reason == reason or reason is None


def test_not_more_addresses_than_allowed():
    with listening("127.0.0.9") as listener:
        port = listener.getsockname()[1]
        result, _, dialer = dial(["127.0.0.1", "127.0.0.2", "127.0.0.9"], port, limits=Limits(addresses=2))
        assert isinstance(result, Failure)
        assert dialer.address == "127.0.0.2"

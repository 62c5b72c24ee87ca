"""The SNTP client: packets by the RFC, hostile packets, and a real server on this machine."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.capture.environment.sntp import Reply, ask, difference, moment, question, read_reply
from evidence_desk.errors import MalformedError, RemoteError

COOKIE = 0x83AA7E8012345678
NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
ERA = datetime(1900, 1, 1, tzinfo=UTC)


def stamp(at: datetime) -> int:
    return (((at - ERA) // timedelta(microseconds=1)) << 32) // 1_000_000


def packet(**changes: object) -> bytes:
    fields = {
        "first": 4 << 3 | 4, "stratum": 2, "poll": 6, "precision": -20, "delay": 655, "dispersion": 328, "reference": b"GPS\0",
        "at": stamp(NOW), "origin": COOKIE, "received": stamp(NOW), "transmitted": stamp(NOW + timedelta(milliseconds=1)),
    } | changes  # fmt: skip
    return struct.pack(">BBbbiI4sQQQQ", *fields.values())


def test_a_request_tells_nothing_but_the_cookie():
    request = question(COOKIE)
    assert len(request) == 48
    assert request[0] == 0x23
    assert request[1:40] == bytes(39)
    assert request[40:] == COOKIE.to_bytes(8, "big")


def test_a_good_answer():
    reply = read_reply(packet(), COOKIE)
    assert (reply.stratum, reply.distance_ms) == (2, 10)
    assert abs(reply.received - NOW) < timedelta(microseconds=2)
    assert read_reply(packet() + b"extension", COOKIE) == reply
    assert read_reply(packet(first=3 << 3 | 4), COOKIE) == reply


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"first": 4 << 3 | 3}, "mode"), ({"first": 4 << 3 | 5}, "mode"), ({"first": 2 << 3 | 4}, "mode"),
        ({"origin": COOKIE + 1}, "origin"), ({"stratum": 0, "reference": b"RATE"}, "kiss RATE"),
        ({"first": 3 << 6 | 4 << 3 | 4}, "unsynchronized"), ({"stratum": 16}, "unsynchronized"),
        ({"received": 0}, "unsynchronized"), ({"transmitted": 0}, "unsynchronized"), ({"dispersion": 65536 * 2}, "distance"),
        ({"delay": -65536 * 3}, "distance"), ({"transmitted": stamp(NOW - timedelta(seconds=1))}, "order"),
    ],
)  # fmt: skip
def test_other_answers_are_refused(changes, rule):
    with pytest.raises(MalformedError) as caught:
        read_reply(packet(**changes), COOKIE)
    assert caught.value.parameters == {"reason": rule}


@given(st.binary(max_size=80))
def test_foreign_bytes_only_raise_our_error(data):
    with pytest.raises(MalformedError):
        read_reply(data, COOKIE)


def test_timestamps_of_both_eras():
    assert moment(1 << 63).year == 1968
    assert moment(0xFFFFFFFF00000000) == datetime(2036, 2, 7, 6, 28, 15, tzinfo=UTC)
    assert moment(0) == datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC)
    assert moment(1 << 31) == datetime(2036, 2, 7, 6, 28, 16, 500_000, tzinfo=UTC)


def test_the_difference_and_its_uncertainty():
    reply = Reply(stratum=1, distance_ms=3, received=NOW, transmitted=NOW + timedelta(milliseconds=10))
    # ours is 5 s ahead; 40 ms there, 40 ms back, 10 ms in the server
    sent = NOW + timedelta(seconds=5) - timedelta(milliseconds=40)
    assert difference(reply, sent, timedelta(milliseconds=90)) == (5_000, 43)
    assert difference(reply, sent, timedelta(milliseconds=5))[1] == 3


@contextmanager
def server(answer: Callable[[bytes], bytes | None]) -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.bind(("127.0.0.1", 0))

        def serve() -> None:
            request, place = channel.recvfrom(512)
            told = answer(request)
            if told is not None:
                channel.sendto(told, place)

        thread = threading.Thread(target=serve)
        thread.start()
        yield channel.getsockname()[1]
        thread.join()


def test_a_server_on_this_machine_answers_and_is_known_as_such():
    def answer(request: bytes) -> bytes:
        now = stamp(datetime.now(UTC) - timedelta(hours=1))
        return packet(origin=int.from_bytes(request[40:], "big"), received=now, transmitted=now)

    with server(answer) as port:
        found = ask("127.0.0.1", port)
    assert found.here
    assert abs(found.offset_ms - 3_600_000) < 2_000
    assert (found.stratum, found.address, len(found.packet)) == (2, "127.0.0.1", 48)


def test_an_answer_to_another_question_is_refused():
    with server(lambda _: packet()) as port, pytest.raises(MalformedError):
        ask("127.0.0.1", port)


def test_a_silent_server_and_an_unknown_one():
    with server(lambda _: None) as port, pytest.raises(RemoteError) as caught:
        ask("127.0.0.1", port, timeout=0.05)
    assert caught.value.parameters["reason"] == "TimeoutError"
    with pytest.raises(RemoteError):
        ask("no-such-host.invalid")

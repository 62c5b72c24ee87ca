"""The clock guard and its SNTP source: a doubt stops the authority, silence does not pass for agreement."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from evidence_desk.errors import HostError, RemoteError
from tsa.authority.clock_guard import ClockGuard, steady
from tsa.authority.sntp import SntpSource

START = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Hands:
    """Wall clock and steady clock that a test moves, together or apart."""

    def __init__(self) -> None:
        self.wall = START
        self.steady = 100.0

    def now(self) -> datetime:
        return self.wall

    def run(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


def make(hands: Hands, **options) -> ClockGuard:
    return ClockGuard(hands, tolerance=SECOND, steady_clock=lambda: hands.steady, **options)


def refused(guard: ClockGuard) -> str:
    with pytest.raises(HostError) as caught:
        guard.now()
    return caught.value.code


def test_steady_running_is_believed():
    hands = Hands()
    guard = make(hands)
    for _ in range(100):
        hands.run(37)
        assert guard.now() == hands.wall


@pytest.mark.parametrize("step", [1.1, -1.1, 86400, -86400])
def test_a_step_stops_for_good(step):
    hands = Hands()
    guard = make(hands)
    hands.run(5)
    hands.wall += timedelta(seconds=step)
    assert refused(guard) == "authority.clock_jumped"
    hands.wall -= timedelta(seconds=step)
    assert refused(guard) == "authority.clock_jumped"


def test_difference_within_the_accuracy_is_accepted():
    hands = Hands()
    guard = make(hands)
    hands.wall += SECOND
    assert guard.now() == hands.wall


def test_slow_drift_over_days_is_not_a_jump():
    hands = Hands()
    guard = make(hands)
    for _ in range(24 * 6):
        hands.run(601)
        hands.wall += timedelta(milliseconds=60)  # 100 ppm, corrected by the system bit by bit
        assert guard.now() == hands.wall


def test_clock_behind_the_newest_token():
    hands = Hands()
    assert refused(make(hands, not_before=START + timedelta(seconds=30))) == "authority.clock_went_back"
    assert make(hands, not_before=START + SECOND).now() == START


def test_agreeing_source():
    hands = Hands()
    asked = []

    def source() -> datetime:
        asked.append(hands.steady)
        hands.run(0.4)
        return hands.wall - timedelta(seconds=0.2)

    guard = make(hands, sources={"a": source})
    for _ in range(10):
        hands.run(30)
        guard.now()
    assert len(asked) == 5


@pytest.mark.parametrize("apart", [1.2, -1.2])
def test_disagreeing_source_stops_for_good(apart):
    hands = Hands()
    wrong = [True]
    guard = make(hands, sources={"a": lambda: hands.wall + timedelta(seconds=apart) * wrong[0]})
    assert refused(guard) == "authority.clock_sources_disagree"
    wrong[0] = False
    assert refused(guard) == "authority.clock_sources_disagree"


def test_silent_source_stops_until_it_answers():
    hands = Hands()
    silent = [True]

    def source() -> datetime:
        if silent[0]:
            raise RemoteError("authority.clock_source_silent", source="a")
        return hands.wall

    guard = make(hands, sources={"a": source})
    assert refused(guard) == "authority.clock_source_silent"
    silent[0] = False
    assert guard.now() == START


def test_real_steady_clock_goes_on():
    first = steady()
    assert steady() >= first


NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)


def ntp(moment: datetime) -> bytes:
    seconds = int((moment - NTP_EPOCH).total_seconds())
    return (seconds % (1 << 32)).to_bytes(4, "big") + (moment.microsecond * (1 << 32) // 1_000_000).to_bytes(
        4, "big"
    )


@contextmanager
def ntp_server(reply: Callable[[bytes], bytes | None]) -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)

        def work() -> None:
            try:
                query, address = server.recvfrom(100)
            except OSError:
                return
            answer = reply(query)
            if answer is not None:
                server.sendto(answer, address)

        thread = threading.Thread(target=work)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def packet(query: bytes, moment: datetime, *, first: int = 0x24, stratum: int = 2) -> bytes:
    return bytes([first, stratum]) + bytes(22) + query[40:48] + bytes(8) + ntp(moment)


@pytest.mark.parametrize("moment", [START, START.replace(year=2040, microsecond=500_000)])
def test_sntp_reads_the_time(moment):
    with ntp_server(lambda query: packet(query, moment)) as port:
        assert abs(SntpSource("127.0.0.1", port)() - moment) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: None,
        lambda _: b"",
        lambda query: packet(query, START)[:47],
        lambda _: packet(bytes(48), START),
        lambda query: packet(query, START, first=0xE4),
        lambda query: packet(query, START, first=0x23),
        lambda query: packet(query, START, stratum=0),
        lambda query: packet(query, START, stratum=16),
        lambda query: packet(query, START)[:40] + bytes(8),
    ],
    ids=["silent", "empty", "short", "cookie", "leap", "mode", "stratum0", "stratum16", "zero"],
)
def test_sntp_that_says_nothing_usable(reply):
    with ntp_server(reply) as port, pytest.raises(RemoteError, match="clock_source_silent"):
        SntpSource("127.0.0.1", port, seconds=0.3)()


def test_sntp_unknown_host():
    with pytest.raises(RemoteError):
        SntpSource("no-such-host.invalid", seconds=0.3)()

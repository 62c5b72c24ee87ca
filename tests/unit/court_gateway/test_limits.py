import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_desk.court.node.gateway.door import cost
from evidence_desk.court.node.gateway.limits import CLIENTS, Places, RateLimit, client_key
from evidence_desk.errors import BusyError


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_rate():
    clock = Time()
    limit = RateLimit(2, 4, clock)
    assert [limit.take("192.0.2.1") for _ in range(5)] == [0, 0, 0, 0, 1]
    clock.now += 0.5
    assert [limit.take("192.0.2.1") for _ in range(2)] == [0, 1]
    clock.now += 1_000
    assert [limit.take("192.0.2.1") for _ in range(5)] == [0, 0, 0, 0, 1], "no more than a burst is saved up"


def test_clients_do_not_share():
    limit = RateLimit(1, 1, Time())
    assert limit.take("192.0.2.1") == 0
    assert limit.take("192.0.2.1") == 1
    assert limit.take("192.0.2.2") == 0
    assert limit.take("2001:db8::1") == 0
    assert limit.take("2001:db8::2") == 1, "one network, one client"
    assert limit.take("2001:db8:0:1::2") == 0


def test_a_costly_request_waits_longer_and_is_never_impossible():
    limit = RateLimit(2, 10, Time())
    assert limit.take("a", 10) == 0
    assert limit.take("a", 10) == 5
    assert RateLimit(1, 3, Time()).take("a", 20) == 0


def test_a_clock_that_goes_back_gives_nothing():
    clock = Time()
    limit = RateLimit(1, 1, clock)
    limit.take("a")
    clock.now = -100.0
    assert limit.take("a") == 1


def test_memory_is_bounded():
    limit = RateLimit(1, 1, Time())
    assert limit.take("first") == 0
    for number in range(CLIENTS):
        limit.take(f"client {number}")
    assert len(limit._buckets) == CLIENTS
    assert limit.take("first") == 0, "forgotten"


@given(st.text(max_size=80))
def test_any_name_of_a_client(name):
    assert client_key(client_key(name)) == client_key(name)


@pytest.mark.parametrize(
    ("name", "key"),
    [("::ffff:192.0.2.7", "192.0.2.7"), ("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "2001:db8::"), ("", "")],
)
def test_one_client_has_one_key(name, key):
    assert client_key(name) == key


def test_places_are_given_back():
    places = Places(1)
    with places, pytest.raises(BusyError), places:
        pass
    with pytest.raises(RuntimeError), places:
        raise RuntimeError
    with places:
        pass


def test_what_makes_work_costs_more():
    assert cost("/v1/network") == cost("/portal/static/app.js") == 1
    assert cost("/v1/lookup/" + "0" * 64) > 1
    assert cost("/v1/registrations") > cost("/v1/keybags/desk.a.evidence/x") > cost("/v1/leaves/x") > 1

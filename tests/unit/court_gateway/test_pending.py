"""Requests for registration that wait: nobody's fill the place of others."""

from pathlib import Path

import pytest

from evidence_desk.court.node.gateway.index import GatewayIndex
from evidence_desk.court.node.gateway.pending import Limits, Pending
from evidence_desk.court.protocol.transactions import parse_transaction
from tests.unit.court_node.chain import CHAIN, FAR, Desk

LIMITS = Limits(total=8, client=5, key=2)


class Place:
    """A gateway's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = path / "registrations"
        self.open()

    def open(self) -> None:
        self.index = GatewayIndex(self.path / "index.db", CHAIN)
        self.pending = Pending(self.folder, self.index, CHAIN, LIMITS)

    def again(self) -> None:
        self.index.close()
        self.open()

    def keep(self, desk: Desk, client: str = "192.0.2.1", height: int = 1, expires: int = FAR) -> str:
        data = desk.sign(desk.registration(), expires)
        transaction = parse_transaction(data, chain_id=CHAIN)
        self.pending.keep(transaction, data, client=client, height=height)
        name = transaction.id.hex()
        assert (self.folder / f"{name}.tx").read_bytes() == data, "a new one is always kept"
        return name

    def kept(self) -> set[str]:
        names = {file.stem for file in self.folder.iterdir()}
        assert names == {row.id for row in self.index.pending()}
        return names


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    yield made
    made.index.close()


def test_an_honest_desk_outlasts_a_flood(place):
    honest = [place.keep(Desk(name=f"honest {number}"), f"198.51.100.{number}") for number in range(3)]
    for number in range(50):
        place.keep(Desk(name=f"spam {number}"), "192.0.2.1" if number % 2 else "192.0.2.2")
    late = place.keep(Desk(name="late"), "198.51.100.9")
    kept = place.kept()
    assert {*honest, late} <= kept
    assert len(kept) == LIMITS.total


def test_one_client_pushes_out_its_own_oldest(place):
    names = [place.keep(Desk(name=f"{number}")) for number in range(7)]
    assert place.kept() == set(names[2:])


def test_one_key_pushes_out_its_own_oldest_from_whatever_address(place):
    other = place.keep(Desk(name="other"), "192.0.2.0")
    names = [place.keep(Desk(), f"192.0.2.{number}", expires=FAR + number) for number in range(4)]
    assert place.kept() == {other, *names[2:]}


def test_what_has_expired_is_dropped(place):
    old = place.keep(Desk(name="old"), expires=10)
    place.keep(Desk(name="last"), height=10)
    assert old in place.kept(), "it counts up to its height"
    place.keep(Desk(name="unknown height"), height=0)
    assert old in place.kept()
    place.keep(Desk(name="next"), height=11)
    assert old not in place.kept()


def test_the_same_request_again_takes_no_second_place(place):
    first = place.keep(Desk(name="first"))
    names = [place.keep(Desk(name=f"{number}")) for number in range(4)]
    for _ in range(3):
        place.keep(Desk(name="first"), "203.0.113.1")
    assert place.kept() == {first, *names}


def test_whose_they_are_is_known_after_a_restart(place):
    honest = place.keep(Desk(name="honest"), "198.51.100.1")
    for number in range(20):
        place.keep(Desk(name=f"spam {number}"), f"192.0.2.{number % 2}")
        place.again()
    assert honest in place.kept()
    assert len(place.kept()) == LIMITS.total


def test_files_that_operators_took_away_or_put_there(place):
    gone = place.keep(Desk(name="gone"))
    (place.folder / f"{gone}.tx").unlink()
    data = Desk(name="brought").sign(Desk(name="brought").registration(), 10)
    brought = parse_transaction(data, chain_id=CHAIN).id.hex()
    (place.folder / f"{brought}.tx").write_bytes(data)
    (place.folder / "notes.tx").write_bytes(b"of the operator")
    place.again()
    new = place.keep(Desk(name="new"))
    assert {row.id for row in place.index.pending()} == {brought, new}
    place.keep(Desk(name="newer"), height=11)
    assert {row.client for row in place.index.pending()} == {"192.0.2.1"}
    assert not (place.folder / f"{brought}.tx").exists()
    assert (place.folder / "notes.tx").exists()

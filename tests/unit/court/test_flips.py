"""No byte of a court part is free: flip any bit and it no longer passes."""

import random
from dataclasses import replace

import pytest

from evidence_desk.core.leaf import LeafType
from evidence_desk.core.verdict import Status
from evidence_desk.court.protocol.part import CourtEvent, parse_court_part
from evidence_desk.court.protocol.registry import DeskStatus
from evidence_desk.errors import MalformedError
from tests.unit.court.network import (
    World,
    digest,
    event_leaf,
    judge,
    make_header,
    nodes,
    signed,
    timed,
    trust,
)

OLD, NEW = nodes(*range(4)), nodes(1, 2, 3, 4)


def full_part() -> bytes:
    """With everything in it: history, absent and nil votes, an event, a later state."""
    event = CourtEvent(leaf=event_leaf(LeafType.CORRECTION_NOTED), height=20)
    world = World(validators=NEW, events=(event,), lookups=20, size=9, index=4)
    later = replace(
        world.entry, status=DeskStatus.REVOKED, status_since=90, suspect_from=80, size=30, root=digest(30)
    )
    current = World(validators=NEW, events=(event,), lookups=20, size=9, index=4, height=100, entry=later)
    change = signed(make_header(10, OLD, following=NEW), OLD, nil=(2,), round_=3)
    return world.part(history=[timed(change)], current=current).encode()


def passes(data: bytes) -> bool:
    try:
        part = parse_court_part(data)
    except MalformedError:
        return False
    return judge(part, trust=trust(OLD)).status is Status.PASSED


def check(data: bytes, places: list[tuple[int, int]]) -> None:
    survivors = []
    for at, bit in places:
        flipped = bytearray(data)
        flipped[at] ^= 1 << bit
        if passes(bytes(flipped)):
            survivors.append((at, bit, data[max(0, at - 40) : at + 10]))
    assert survivors == []


def test_no_sampled_flip_passes():
    data = full_part()
    assert passes(data)
    choose = random.Random(20261121)
    check(data, [(choose.randrange(len(data)), choose.randrange(8)) for _ in range(1500)])


@pytest.mark.full
def test_no_flip_passes():
    data = full_part()
    check(data, [(at, bit) for at in range(len(data)) for bit in range(8)])


def test_no_truncation_or_addition_passes():
    data = full_part()
    for other in (data[:-1], data + b" ", b" " + data, data + data, b"", data.replace(b":", b": ", 1)):
        assert not passes(other)

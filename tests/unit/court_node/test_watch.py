"""When an engine counts as stuck: ahead of it others decide, and it does not move. Never in a partition or at rest."""

from __future__ import annotations

import asyncio

import pytest

from evidence_desk.court.node import watch
from evidence_desk.court.node.watch import Sight, fallen_behind, read_sight


def state(own: object, *neighbors: object) -> dict[str, object]:
    return {
        "round_state": {"height": own},
        "peers": [{"peer_state": {"round_state": {"height": height}}} for height in neighbors],
    }


def test_what_the_engine_says():
    assert read_sight(state("6", "7", "6")) == Sight(own=6, ahead=7)
    assert read_sight(state("6")) == Sight(own=6, ahead=0)
    wrongs: tuple[dict[str, object], ...] = (
        {},
        state(None),
        state("x"),
        state("6", None),
        {"peers": [], "round_state": []},
    )
    for wrong in wrongs:
        assert read_sight(wrong) is None


def stuck(sights: list[Sight | None], monkeypatch: pytest.MonkeyPatch) -> int | None:
    """After how many looks, of those given, it is said to be stuck; the last one is seen for ever."""
    seen = 0

    async def look(_url: str) -> Sight | None:
        nonlocal seen
        seen += 1
        return sights[min(seen, len(sights)) - 1]

    async def limited() -> None:
        await asyncio.wait_for(fallen_behind("http://127.0.0.1:1"), 0.3)

    monkeypatch.setattr(watch, "_look", look)
    monkeypatch.setattr(watch, "_PERIOD", 0)
    monkeypatch.setattr(watch, "_PATIENCE", -1)
    try:
        asyncio.run(limited())
    except TimeoutError:
        return None
    return seen


BEHIND, LATER, LEVEL = Sight(own=6, ahead=9), Sight(own=7, ahead=9), Sight(own=6, ahead=6)


@pytest.mark.parametrize(
    ("sights", "expected"),
    [
        ([BEHIND, BEHIND], 2),
        ([LEVEL], None),
        ([Sight(own=6, ahead=0)], None),
        ([None], None),
        ([BEHIND, LATER, LATER], 3),
        ([BEHIND, None, BEHIND, BEHIND], 4),
        ([BEHIND, LEVEL, BEHIND, BEHIND], 3),
    ],
)
def test_when_it_is_stuck(sights, expected, monkeypatch):
    assert stuck(sights, monkeypatch) == expected


def test_patience(monkeypatch):
    """Once behind is not yet stuck."""

    async def look(_url: str) -> Sight | None:
        return BEHIND

    monkeypatch.setattr(watch, "_look", look)
    monkeypatch.setattr(watch, "_PERIOD", 0.001)

    async def wait() -> None:
        await asyncio.wait_for(fallen_behind("x"), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(wait())

"""Requests for the same copy that overlap, and what a search for a family costs who asks."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from evidence_desk.core.digests import sha256
from evidence_desk.court.node.gateway.index import GatewayIndex
from evidence_desk.court.node.gateway.keybags import Keybags
from evidence_desk.court.protocol.keybag_request import KeybagAction, KeybagRequest, make_keybag_request
from evidence_desk.errors import BusyError, HostError, PermissionDeniedError
from tests.unit.court_node.chain import CHAIN, Desk

DESK = Desk()
FAMILY = DESK.origin.rpartition("/")[0]


class Entries:
    """Answers about desks; each waits until it is let go."""

    def __init__(self, *entries: Desk, successors: dict[str, str] | None = None) -> None:
        self.entries = {desk.origin: desk for desk in entries}
        self.successors = successors or {}
        self.asked: list[str] = []
        self.waiting: list[asyncio.Event] = []
        self.held = False

    async def desk(self, origin: str) -> Any:
        self.asked.append(origin)
        if self.held:
            self.waiting.append(asyncio.Event())
            await self.waiting[-1].wait()
        desk = self.entries.get(origin)
        entry = desk and SimpleNamespace(keys=desk.keys, successor=self.successors.get(origin, ""))
        return SimpleNamespace(entry=entry)


@pytest.fixture
def opened(tmp_path):
    indexes: list[GatewayIndex] = []

    def make(answers: Entries) -> Keybags:
        indexes.append(GatewayIndex(tmp_path / "index.db", CHAIN))
        return Keybags(tmp_path / "keybags", indexes[-1], answers, CHAIN)  # type: ignore[arg-type]

    yield make
    for index in indexes:
        index.close()


def header(action: KeybagAction, body: bytes = b"", at: datetime | None = None) -> str:
    request = KeybagRequest(
        action=action, chain_id=CHAIN, family=FAMILY, at=at or datetime.now(UTC), body=sha256(body),
        key=DESK.signer.ed25519_public,
    )  # fmt: skip
    return make_keybag_request(request, DESK.signer.sign_ed25519).header()


def free(_: int) -> None:
    return


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("newer", [KeybagAction.PUT, KeybagAction.DELETE])
def test_the_older_of_two_that_overlap_never_wins(opened, tmp_path, order, newer):
    """Both have begun before either is done; whichever is answered first."""
    answers = Entries(DESK)
    keybags = opened(answers)
    old_at = datetime.now(UTC) - timedelta(seconds=2)
    new_at = old_at + timedelta(seconds=1)

    async def race() -> None:
        answers.held = True
        older = asyncio.create_task(
            keybags.put(FAMILY, header(KeybagAction.PUT, b"old", old_at), b"old", free)
        )
        newest = asyncio.create_task(
            keybags.put(FAMILY, header(KeybagAction.PUT, b"new", new_at), b"new", free)
            if newer is KeybagAction.PUT
            else keybags.delete(FAMILY, header(KeybagAction.DELETE, at=new_at), free)
        )
        await asyncio.sleep(0)
        tasks = (older, newest)
        for index in order:
            answers.waiting[index].set()
            with suppress(PermissionDeniedError):
                await tasks[index]
        if order[0] == 1:
            assert isinstance(older.exception(), PermissionDeniedError)
        assert newest.exception() is None

    asyncio.run(race())
    kept = [file.read_bytes() for file in (tmp_path / "keybags").glob("*")]
    assert kept == ([b"new"] if newer is KeybagAction.PUT else [])


def test_a_copy_that_cannot_be_written_lets_no_older_one_follow(opened, tmp_path):
    keybags = opened(Entries(DESK))
    now = datetime.now(UTC)
    (tmp_path / "keybags").write_bytes(b"no folder")
    with pytest.raises(HostError):
        asyncio.run(keybags.put(FAMILY, header(KeybagAction.PUT, b"new", now), b"new", free))
    (tmp_path / "keybags").unlink()
    old = header(KeybagAction.PUT, b"old", now - timedelta(seconds=1))
    with pytest.raises(PermissionDeniedError) as refused:
        asyncio.run(keybags.put(FAMILY, old, b"old", free))
    assert refused.value.code == "keybag_request.replayed"


def purse(tokens: int) -> Callable[[int], None]:
    left = tokens

    def charge(count: int) -> None:
        nonlocal left
        if left < count:
            raise BusyError("api.too_many", seconds=1)
        left -= count

    return charge


def test_every_look_up_after_the_first_is_paid_for_before_it_is_made(opened):
    answers = Entries()
    with pytest.raises(BusyError):
        asyncio.run(opened(answers).get(FAMILY, header(KeybagAction.GET), purse(5)))
    assert answers.asked == [f"{FAMILY}/{epoch}" for epoch in range(1, 7)]


def test_a_log_that_follows_is_paid_for_too(opened):
    second = Desk(epoch=2)
    answers = Entries(DESK, second, successors={DESK.origin: second.origin})
    keybags = opened(answers)
    with pytest.raises(BusyError):
        asyncio.run(keybags.put(FAMILY, header(KeybagAction.PUT, b"x"), b"x", purse(0)))
    assert answers.asked == [DESK.origin]
    asyncio.run(keybags.put(FAMILY, header(KeybagAction.PUT, b"x"), b"x", purse(1)))
    assert asyncio.run(keybags.get(FAMILY, header(KeybagAction.GET), purse(1))) == b"x"


def test_a_desk_with_one_log_pays_nothing_more(opened):
    keybags = opened(Entries(DESK))
    asyncio.run(keybags.put(FAMILY, header(KeybagAction.PUT, b"x"), b"x", purse(0)))
    assert asyncio.run(keybags.get(FAMILY, header(KeybagAction.GET), purse(0))) == b"x"


def test_an_unknown_family_ends(opened):
    answers = Entries()
    with pytest.raises(PermissionDeniedError) as refused:
        asyncio.run(opened(answers).get(FAMILY, header(KeybagAction.GET), free))
    assert refused.value.code == "api.keybag_family"
    assert len(answers.asked) == 64

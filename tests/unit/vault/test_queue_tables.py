"""The tables of the queue against a model of them; and that nothing of an erased case is left in the file."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from evidence_desk.core.queue_ports import ItemState, NewItem, Outcome, StateCount
from evidence_desk.errors import IntegrityError
from evidence_desk.vault.database import Database
from evidence_desk.vault.migrations import migrate
from evidence_desk.vault.queue_tables import QueueRepository
from tests.unit.vault.rows import CASE, StandingClock, seal

CLOCK = StandingClock()
OPEN = {ItemState.WAITING, ItemState.WORKING}
IDS = st.sets(st.integers(1, 40)).map(sorted)


@dataclass
class Item:
    batch_id: int
    path: bytes
    size: int
    state: ItemState
    error: str = ""


class Queue(RuleBasedStateMachine):
    """Every operation in any order; the model is a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database.create(Path(self.folder.name) / "queue.db", bytes(32))
        migrate(self.database)
        self.database.rows("PRAGMA foreign_keys = OFF")  # leaf hashes of no exhibits
        self.queue = QueueRepository(self.database)
        self.items: dict[int, Item] = {}
        self.cases: dict[int, str] = {}
        self.made = 0

    def teardown(self) -> None:
        self.database.close()
        self.folder.cleanup()

    @rule(case=st.sampled_from("甲乙"), sizes=st.lists(st.integers(0, 50), max_size=6), wrong=st.booleans())
    def add(self, case: str, sizes: list[int], wrong: bool) -> None:
        new = [
            NewItem(path=b"/%d" % (self.made + n), size=size, files=1, error="input.missing" if wrong else "")
            for n, size in enumerate(sizes, 1)
        ]
        with self.database.transaction():
            batch = self.queue.add_batch(case, b"{}", new, CLOCK.now())
        self.cases[batch.id] = case
        state = ItemState.FAILED if wrong else ItemState.WAITING
        for item in new:
            self.made += 1
            self.items[self.made] = Item(batch.id, item.path, item.size, state, item.error)

    @rule(most=st.integers(1, 5), size=st.integers(1, 100))
    def take(self, most: int, size: int) -> None:
        expected: list[int] = []
        for number, item in self.items.items():
            if item.state is not ItemState.WAITING:
                continue
            if len(expected) == most or sum(self.items[n].size for n in expected) >= size:
                break
            if expected and item.batch_id != self.items[expected[0]].batch_id:
                break
            expected.append(number)
        with self.database.transaction():
            taken = self.queue.take(items=most, size=size, at=CLOCK.now())
        assert [item.id for item in taken] == expected
        for number in expected:
            self.items[number].state = ItemState.WORKING

    @rule()
    def release(self) -> None:
        working = [item for item in self.items.values() if item.state is ItemState.WORKING]
        with self.database.transaction():
            count, since = self.queue.release(CLOCK.now())
        assert count == len(working)
        assert (since is None) == (not working)
        for item in working:
            item.state = ItemState.WAITING

    @rule(ids=IDS, state=st.sampled_from([ItemState.SEALED, ItemState.DUPLICATE, ItemState.FAILED]))
    def finish(self, ids: list[int], state: ItemState) -> None:
        error = "x.y" if state is ItemState.FAILED else ""
        leaf_hash = None if error else bytes(32)
        with self.database.transaction():
            self.queue.finish(
                [Outcome(id=n, state=state, error=error, leaf_hash=leaf_hash) for n in ids], CLOCK.now()
            )
        for number in ids:
            if number in self.items:
                self.items[number].state, self.items[number].error = state, error

    @rule(ids=IDS)
    def reopen(self, ids: list[int]) -> None:
        before = {ItemState.FAILED, ItemState.CANCELED, ItemState.DUPLICATE}
        self.moved(ids, before, ItemState.WAITING, self.queue.reopen)

    @rule(ids=IDS)
    def cancel(self, ids: list[int]) -> None:
        self.moved(ids, OPEN, ItemState.CANCELED, self.queue.cancel)

    def moved(self, ids, before, after, action) -> None:
        with self.database.transaction():
            count = action(ids, CLOCK.now())
        met = [self.items[n] for n in ids if n in self.items and self.items[n].state in before]
        assert count == len(met)
        for item in met:
            item.state, item.error = after, ""

    @rule(states=st.sets(st.sampled_from(ItemState), min_size=1))
    def clear(self, states: set[ItemState]) -> None:
        with self.database.transaction():
            count = self.queue.clear(sorted(states))
        gone = [number for number, item in self.items.items() if item.state in states]
        assert count == len(gone)
        for number in gone:
            del self.items[number]

    @rule(case=st.sampled_from("甲乙"))
    def erase(self, case: str) -> None:
        with self.database.transaction():
            self.queue.erase_rows(case)
        self.items = {n: item for n, item in self.items.items() if self.cases[item.batch_id] != case}

    @invariant()
    def same(self) -> None:
        found = self.queue.items(limit=-1)
        assert {
            item.id: Item(item.batch_id, item.path, item.size, item.state, item.error) for item in found
        } == self.items
        assert [item.id for item in found] == sorted(self.items)
        for state, count in self.queue.counts().items():
            own = [item.size for item in self.items.values() if item.state is state]
            assert count == StateCount(items=len(own), bytes=sum(own))
            page = self.queue.items(offset=1, limit=2, states=[state])
            assert [item.id for item in page] == [n for n, item in self.items.items() if item.state is state][
                1:3
            ]
        for case in "甲乙":
            assert self.queue.open_paths(case) == {
                item.path
                for item in self.items.values()
                if item.state in OPEN and self.cases[item.batch_id] == case
            }


TestQueue = Queue.TestCase
TestQueue.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize("deleted_by", ["erasing", "clearing first", "finishing first"])
def test_nothing_of_an_erased_case_is_left_in_the_file(vault, deleted_by):
    """Looked for in the decrypted pages, those that are free included."""
    mark = "不能留下的名字".encode()
    seal(vault, b"x")
    vault.erase_case("另案")
    now = vault.clock.now()
    with vault.transaction():
        items = [NewItem(path=b"/home/%d/" % n + mark * 20, size=1, files=1) for n in range(300)]
        vault.queue.add_batch(CASE, b'{"title":"' + mark + b'"}', items, now)
        vault.queue.save_draft("seal", CASE, b'{"title":"' + mark * 10 + b'"}', now)
    assert mark in plain(vault)
    with vault.transaction():
        if deleted_by == "finishing first":
            vault.queue.cancel([item.id for item in vault.queue.items()], now + timedelta(seconds=1))
        if deleted_by == "clearing first":
            vault.queue.cancel([item.id for item in vault.queue.items()], now)
            vault.queue.clear([ItemState.CANCELED])
            vault.queue.save_draft("seal", CASE, b"{}", now)
    vault.erase_case(CASE)
    assert mark not in plain(vault)


def plain(vault) -> bytes:
    """Plain bytes of all pages, free ones included (SQLCipher 4: AES-256-CBC, 80 bytes a page for IV and MAC)."""
    vault.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    data = (vault.folder / "vault.db").read_bytes()
    key, pages = vault.key.subkey("vault.db"), list[bytes]()
    for start in range(0, len(data), 4096):
        page = data[start : start + 4096]
        cipher = Cipher(algorithms.AES(key), modes.CBC(page[-80:-64])).decryptor()
        pages.append(cipher.update(page[0 if start else 16 : -80]))  # the first begins with the salt
    return b"".join(pages)


def test_states_cannot_contradict_themselves(vault):
    with vault.transaction():
        vault.queue.add_batch(CASE, b"{}", [NewItem(path=b"/a")], vault.clock.now())
    for outcome in (
        Outcome(id=1, state=ItemState.SEALED),
        Outcome(id=1, state=ItemState.FAILED),
        Outcome(id=1, state=ItemState.SEALED, leaf_hash=bytes(32)),
        Outcome(id=1, state=ItemState.CANCELED, error="x.y"),
    ):
        with pytest.raises(IntegrityError, match=r"vault\.constraint"), vault.transaction():
            vault.queue.finish([outcome], vault.clock.now())

"""Memory of signatures that held: a transaction is judged on its way in and again in its block, for the same price once.

Only what is a pure function of its key may be asked, so that remembering or forgetting changes no outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from evidence_desk.court.protocol.transactions import ClosedTransaction, Transaction

CAPACITY: Final = 20_000


class Seen:
    """The newest keys whose check succeeded."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._keys: dict[Hashable, None] = {}

    def holds(self, key: Hashable, check: Callable[[], bool]) -> bool:
        """Outcome of `check`, which depends on nothing but `key`; successes are remembered."""
        if key in self._keys:
            return True
        if not check():
            return False
        self._keys[key] = None
        if len(self._keys) > self._capacity:
            del self._keys[next(iter(self._keys))]
        return True


MEMORY: Final = 32 * 1024 * 1024
"""Bytes of transactions whose content is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A transaction in its canonical form whose signatures hold: its ID, all but the payload, and all of it."""

    number: bytes
    closed: ClosedTransaction
    transaction: Transaction


class Memory:
    """The newest opened transactions by the digest of their bytes, so that a block reads nothing anew."""

    def __init__(self, limit: int = MEMORY) -> None:
        self._limit = limit
        self._size = 0
        self._held: dict[bytes, tuple[int, Opened]] = {}

    def get(self, digest: bytes) -> Opened | None:
        """What was remembered."""
        found = self._held.get(digest)
        return None if found is None else found[1]

    def put(self, digest: bytes, size: int, opened: Opened) -> None:
        """Remember; the oldest are forgotten beyond the limit."""
        if digest in self._held:
            return
        self._held[digest] = (size, opened)
        self._size += size
        while self._size > self._limit:
            oldest = next(iter(self._held))
            self._size -= self._held.pop(oldest)[0]

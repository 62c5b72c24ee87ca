"""Memory of signatures that held: a transaction is judged on its way in and again in its block, for the same price once.

Only what is a pure function of its key may be asked, so that remembering or forgetting changes no outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final

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

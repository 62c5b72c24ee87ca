"""The port of the state's store, the overlay that collects a block's changes, and a store in memory.

State is rows of bytes by (space, key). Heights and hashes are rows too, so that a commit is one set of changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

Row = tuple[str, bytes]
"""Space and key of a row."""
Changes = Mapping[Row, bytes]
"""New values; rows are replaced, never deleted."""

META: Final = "meta"
"""Space of height, application hash and rules."""
TRANSACTIONS: Final = "transactions"
"""Space: ID of an executed transaction → height. The engine forgets what it committed; we must not."""


class Reader(Protocol):
    """Read access to state."""

    def get(self, space: str, key: bytes) -> bytes | None:
        """Value of a row, None when there is none."""
        ...


class StateStore(Reader, Protocol):
    """Committed state."""

    def scan(self, space: str) -> Iterator[tuple[bytes, bytes]]:
        """All rows of a space in order of their keys."""
        ...

    def between(self, space: str, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """The first rows with start ≤ key < stop in order of their keys, at most `limit`."""
        ...

    def commit(self, changes: Changes) -> None:
        """Make all changes durable, or none.

        Raises:
            HostError: the disk refuses; nothing is changed then.
        """
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class Overlay:
    """Changes over a reader. A transaction gets an overlay of its own, which is merged only when it is accepted."""

    def __init__(self, below: Reader) -> None:
        self._below = below
        self.changes: dict[Row, bytes] = {}

    def get(self, space: str, key: bytes) -> bytes | None:
        """Newest value of a row."""
        value = self.changes.get((space, key))
        return self._below.get(space, key) if value is None else value

    def set(self, space: str, key: bytes, value: bytes) -> None:
        """Change a row."""
        self.changes[space, key] = value

    def merge(self, above: Overlay) -> None:
        """Take over the changes of an overlay that lies over this one."""
        self.changes.update(above.changes)


class MemoryStore:
    """A store for tests and for executing a chain again."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[bytes, bytes]] = {}

    def get(self, space: str, key: bytes) -> bytes | None:
        """Value of a row."""
        return self._rows.get(space, {}).get(key)

    def scan(self, space: str) -> Iterator[tuple[bytes, bytes]]:
        """Rows in order."""
        yield from sorted(self._rows.get(space, {}).items())

    def between(self, space: str, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Some rows in order."""
        return [(key, value) for key, value in self.scan(space) if start <= key < stop][:limit]

    def commit(self, changes: Changes) -> None:
        """Take over changes."""
        for (space, key), value in changes.items():
            self._rows.setdefault(space, {})[key] = value

    def close(self) -> None:
        """Nothing to let go of."""

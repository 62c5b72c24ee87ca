"""The queue of files to seal and the drafts of forms: their rows, and the port that keeps them. See ``ports``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class ItemState(StrEnum):
    """Where an item of the queue is."""

    WAITING = "waiting"
    WORKING = "working"
    SEALED = "sealed"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """A path to be queued; with an `error` it is in the queue as failed.

    Attributes:
        path: raw bytes of the absolute path (`os.fsencode`).
        size: bytes of all its files; `files`: how many there are.
        error: code, "" for none; `parameters`: its facts.
    """

    path: bytes
    size: int = 0
    files: int = 0
    error: str = ""
    parameters: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItem:
    """One path in the queue; it becomes one exhibit.

    Attributes:
        state: ``working`` says that it is among those taken up, up to a batch of small files at once.
        error: code, "" unless failed; `parameters`: its facts.
        leaf_hash: of the exhibit it became, or (duplicate) of the one that has the same files already.
        number: evidence number of that exhibit, "" for none.
        changed: when it came into this state.
    """

    id: int
    batch_id: int
    path: bytes
    size: int
    files: int
    state: ItemState
    error: str = ""
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    leaf_hash: bytes | None = None
    number: str = ""
    changed: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueBatch:
    """What was said once about a number of items; `request` is canonical JSON."""

    id: int
    case_number: str
    request: bytes
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCount:
    """How many items are in one state, and the bytes of their files."""

    items: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an item."""

    id: int
    state: ItemState
    error: str = ""
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    leaf_hash: bytes | None = None


class QueueStore(Protocol):
    """Queue and drafts. Writes happen only inside `Store.transaction`."""

    def add_batch(
        self, case_number: str, request: bytes, items: Sequence[NewItem], at: datetime
    ) -> QueueBatch:
        """Queue items under one request, in order."""
        ...

    def batch(self, batch_id: int) -> QueueBatch | None:
        """One batch."""
        ...

    def open_paths(self, case_number: str) -> set[bytes]:
        """Paths that wait or are being worked on for a case."""
        ...

    def items(
        self,
        *,
        offset: int = 0,
        limit: int = 1000,
        states: Sequence[ItemState] = (),
        batch_id: int | None = None,
    ) -> Sequence[QueueItem]:
        """Items in order, those in `states` when given."""
        ...

    def items_by_id(self, ids: Sequence[int]) -> Sequence[QueueItem]:
        """These items, in order; those that are gone are left out."""
        ...

    def state(self, item_id: int) -> ItemState | None:
        """State of an item; None when it is gone."""
        ...

    def counts(self) -> Mapping[ItemState, StateCount]:
        """Items and bytes of every state."""
        ...

    def take(self, *, items: int, size: int, at: datetime) -> Sequence[QueueItem]:
        """The next waiting items of one batch, now working: at most so many, and no more after `size` bytes are reached."""
        ...

    def release(self, at: datetime) -> tuple[int, datetime | None]:
        """All working items wait again; (how many, since when the first of them was worked on)."""
        ...

    def finish(self, outcomes: Sequence[Outcome], at: datetime) -> None:
        """Note what became of items."""
        ...

    def reopen(self, ids: Sequence[int], at: datetime) -> int:
        """Those of `ids` that failed, were canceled or are duplicates wait again; how many."""
        ...

    def measure(self, sizes: Mapping[int, tuple[int, int]]) -> None:
        """Note (bytes, files) of items, by id."""
        ...

    def move(self, ids: Sequence[int], batch_id: int) -> None:
        """Put items under another batch."""
        ...

    def cancel(self, ids: Sequence[int], at: datetime) -> int:
        """Those of `ids` that wait or are being worked on are canceled; how many."""
        ...

    def clear(self, states: Sequence[ItemState]) -> int:
        """Delete the items in these states, and batches without any left; how many items."""
        ...

    def save_draft(self, name: str, case_number: str, content: bytes, at: datetime) -> None:
        """Keep the content of a form."""
        ...

    def draft(self, name: str) -> tuple[bytes, datetime] | None:
        """(content, when it was saved)."""
        ...

    def drop_draft(self, name: str) -> None:
        """Delete a draft, if any."""
        ...

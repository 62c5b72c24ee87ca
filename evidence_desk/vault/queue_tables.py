"""The tables of queue and drafts (`core.queue_ports.QueueStore`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, cast

from evidence_desk.core.canonical import JSON, decode, encode
from evidence_desk.core.queue_ports import ItemState, NewItem, Outcome, QueueBatch, QueueItem, StateCount
from evidence_desk.vault.database import Database, Row, Value, parse_time, time_text

_ITEM: Final = (
    "SELECT i.id, i.batch_id, i.path, i.size, i.files, i.state, i.error, i.parameters, i.leaf_hash, e.number, i.changed "
    "FROM seal_items i LEFT JOIN exhibits e ON e.leaf_hash = i.leaf_hash"
)
_AT_ONCE: Final = 500
_MAX_PARAMETERS: Final = 1024 * 1024
_ERASE: Final = (
    "DELETE FROM seal_items WHERE batch_id IN (SELECT id FROM seal_batches WHERE case_number = ?)",
    "DELETE FROM seal_items WHERE leaf_hash IN (SELECT leaf_hash FROM exhibits WHERE case_number = ?)",
    "DELETE FROM seal_batches WHERE case_number = ?",
    "DELETE FROM drafts WHERE case_number = ?",
)


class QueueRepository:
    """Batches, items, drafts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_batch(
        self, case_number: str, request: bytes, items: Sequence[NewItem], at: datetime
    ) -> QueueBatch:
        """Queue items under one request, in order."""
        moment = time_text(at)
        batch_id = self._database.write(
            "INSERT INTO seal_batches (case_number, request, created) VALUES (?, ?, ?)",
            (case_number, request, moment),
        )
        self._database.write_many(
            "INSERT INTO seal_items (batch_id, path, size, files, state, error, parameters, changed) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    batch_id,
                    item.path,
                    item.size,
                    item.files,
                    ItemState.FAILED if item.error else ItemState.WAITING,
                    item.error or None,
                    encode(dict(item.parameters)) if item.error else None,
                    moment,
                )
                for item in items
            ),
        )
        return QueueBatch(id=batch_id, case_number=case_number, request=request, created=parse_time(moment))

    def batch(self, batch_id: int) -> QueueBatch | None:
        """One batch."""
        row = self._database.row(
            "SELECT id, case_number, request, created FROM seal_batches WHERE id = ?", (batch_id,)
        )
        if row is None:
            return None
        return QueueBatch(id=row[0], case_number=row[1], request=row[2], created=parse_time(row[3]))

    def open_paths(self, case_number: str) -> set[bytes]:
        """Paths that wait or are being worked on for a case."""
        rows = self._database.rows(
            "SELECT i.path FROM seal_items i JOIN seal_batches b ON b.id = i.batch_id "
            "WHERE i.state IN ('waiting', 'working') AND b.case_number = ?",
            (case_number,),
        )
        return {row[0] for row in rows}

    def items(
        self,
        *,
        offset: int = 0,
        limit: int = 1000,
        states: Sequence[ItemState] = (),
        batch_id: int | None = None,
    ) -> Sequence[QueueItem]:
        """Items in order, those in `states` when given."""
        conditions, parameters = ["1"], list[Value]()
        if states:
            conditions.append(f"i.state IN ({_marks(states)})")
            parameters += states
        if batch_id is not None:
            conditions.append("i.batch_id = ?")
            parameters.append(batch_id)
        return self._items(
            f"WHERE {' AND '.join(conditions)} ORDER BY i.id LIMIT ? OFFSET ?", (*parameters, limit, offset)
        )

    def items_by_id(self, ids: Sequence[int]) -> Sequence[QueueItem]:
        """These items, in order; those that are gone are left out."""
        return [
            item
            for part in _parts(sorted(set(ids)))
            for item in self._items(f"WHERE i.id IN ({_marks(part)}) ORDER BY i.id", part)
        ]

    def state(self, item_id: int) -> ItemState | None:
        """State of an item; None when it is gone."""
        row = self._database.row("SELECT state FROM seal_items WHERE id = ?", (item_id,))
        return None if row is None else ItemState(row[0])

    def counts(self) -> Mapping[ItemState, StateCount]:
        """Items and bytes of every state."""
        rows = self._database.rows("SELECT state, count(*), sum(size) FROM seal_items GROUP BY state")
        found = {ItemState(row[0]): StateCount(items=row[1], bytes=row[2]) for row in rows}
        return {state: found.get(state, StateCount()) for state in ItemState}

    def take(self, *, items: int, size: int, at: datetime) -> Sequence[QueueItem]:
        """The next waiting items of one batch, now working."""
        found = self._items("WHERE i.state = 'waiting' ORDER BY i.id LIMIT ?", (items,))
        taken, total = list[QueueItem](), 0
        for item in found:
            if item.batch_id != found[0].batch_id or total >= size:
                break
            taken.append(item)
            total += item.size
        self._move([item.id for item in taken], ("waiting",), "working", at)
        return self.items_by_id([item.id for item in taken])

    def release(self, at: datetime) -> tuple[int, datetime | None]:
        """All working items wait again; (how many, since when the first of them was worked on)."""
        row = self._database.row("SELECT count(*), min(changed) FROM seal_items WHERE state = 'working'")
        if row is None or not row[0]:
            return 0, None
        self._database.write(
            "UPDATE seal_items SET state = 'waiting', changed = ? WHERE state = 'working'", (time_text(at),)
        )
        return int(row[0]), parse_time(row[1])

    def finish(self, outcomes: Sequence[Outcome], at: datetime) -> None:
        """Note what became of items; one that was erased meanwhile stays gone."""
        moment = time_text(at)
        self._database.write_many(
            "UPDATE seal_items SET state = ?, error = ?, parameters = ?, leaf_hash = ?, changed = ? WHERE id = ?",
            (
                (
                    outcome.state,
                    outcome.error or None,
                    encode(dict(outcome.parameters)) if outcome.error else None,
                    outcome.leaf_hash,
                    moment,
                    outcome.id,
                )
                for outcome in outcomes
            ),
        )

    def reopen(self, ids: Sequence[int], at: datetime) -> int:
        """Those of `ids` that failed, were canceled or are duplicates wait again; how many."""
        return self._move(ids, ("failed", "canceled", "duplicate"), "waiting", at)

    def measure(self, sizes: Mapping[int, tuple[int, int]]) -> None:
        """Note (bytes, files) of items, by id."""
        self._database.write_many(
            "UPDATE seal_items SET size = ?, files = ? WHERE id = ?",
            ((size, files, item) for item, (size, files) in sizes.items()),
        )

    def move(self, ids: Sequence[int], batch_id: int) -> None:
        """Put items under another batch."""
        self._database.write_many(
            "UPDATE seal_items SET batch_id = ? WHERE id = ?", ((batch_id, item) for item in ids)
        )

    def cancel(self, ids: Sequence[int], at: datetime) -> int:
        """Those of `ids` that wait or are being worked on are canceled; how many."""
        return self._move(ids, ("waiting", "working"), "canceled", at)

    def clear(self, states: Sequence[ItemState]) -> int:
        """Delete the items in these states, and batches without any left; how many items."""
        removed = self._database.change(f"DELETE FROM seal_items WHERE state IN ({_marks(states)})", states)  # noqa: S608
        self._database.write("DELETE FROM seal_batches WHERE id NOT IN (SELECT batch_id FROM seal_items)")
        return removed

    def erase_rows(self, case_number: str) -> None:
        """Delete what queue and drafts tell of a case; inside a transaction."""
        for sql in _ERASE:
            self._database.write(sql, (case_number,))

    def save_draft(self, name: str, case_number: str, content: bytes, at: datetime) -> None:
        """Keep the content of a form."""
        self._database.write(
            "INSERT INTO drafts (name, case_number, content, saved) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE "
            "SET case_number = excluded.case_number, content = excluded.content, saved = excluded.saved",
            (name, case_number, content, time_text(at)),
        )

    def draft(self, name: str) -> tuple[bytes, datetime] | None:
        """(content, when it was saved)."""
        row = self._database.row("SELECT content, saved FROM drafts WHERE name = ?", (name,))
        return None if row is None else (row[0], parse_time(row[1]))

    def drop_draft(self, name: str) -> None:
        """Delete a draft, if any."""
        self._database.write("DELETE FROM drafts WHERE name = ?", (name,))

    def _move(self, ids: Sequence[int], before: Sequence[str], after: str, at: datetime) -> int:
        return sum(
            self._database.change(
                "UPDATE seal_items SET state = ?, error = NULL, parameters = NULL, leaf_hash = NULL, changed = ? "  # noqa: S608
                f"WHERE id IN ({_marks(part)}) AND state IN ({_marks(before)})",
                (after, time_text(at), *part, *before),
            )
            for part in _parts(ids)
        )

    def _items(self, rest: str, parameters: Sequence[Value]) -> list[QueueItem]:
        return [_item(row) for row in self._database.rows(f"{_ITEM} {rest}", parameters)]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))


def _item(row: Row) -> QueueItem:
    parameters: JSON = {} if row[7] is None else decode(row[7], what="seal_items", limit=_MAX_PARAMETERS)
    return QueueItem(
        id=row[0],
        batch_id=row[1],
        path=row[2],
        size=row[3],
        files=row[4],
        state=ItemState(row[5]),
        error=row[6] or "",
        parameters=cast("dict[str, str | int]", parameters),
        leaf_hash=row[8],
        number=row[9] or "",
        changed=parse_time(row[10]),
    )

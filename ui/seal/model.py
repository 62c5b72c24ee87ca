"""The queue as a table: file, size, state, what became of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt

from evidence_desk.core.queue_ports import ItemState, QueueItem
from evidence_desk.errors import UnreadableError
from evidence_desk.services.sources import display
from ui.context import Context
from ui.plain import plain, tip
from ui.widgets.table import Index, RowsModel
from ui.words import file_size

ITEM_ROLE: Final = Qt.ItemDataRole.UserRole + 1
PART_ROLE: Final = Qt.ItemDataRole.UserRole + 2


class Column(IntEnum):
    """Columns of the table."""

    FILE = 0
    SIZE = 1
    STATE = 2
    OUTCOME = 3


_TITLES: Final = (
    "ui_seal.column.file",
    "ui_seal.column.size",
    "ui_seal.column.state",
    "ui_seal.column.outcome",
)


class QueueModel(RowsModel[QueueItem]):
    """All items of the queue in its order; changed items replace their rows."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, _TITLES)
        self._places: dict[int, int] = {}
        self._current: tuple[int, float] = (0, 0.0)

    # --- content ----------------------------------------------------------------------------------------------

    def reset(self, rows: Sequence[QueueItem]) -> None:
        """Show these."""
        self._places = {item.id: place for place, item in enumerate(rows)}
        super().reset(rows)

    def update(self, items: Sequence[QueueItem]) -> None:
        """Replace the rows of these items; those not shown are left out. One signal for all."""
        rows = [row for item in items if (row := self._places.get(item.id)) is not None]
        for item in items:
            row = self._places.get(item.id)
            if row is not None:
                self._rows[row] = item
        if rows:
            self.dataChanged.emit(self.index(min(rows), 0), self.index(max(rows), len(Column) - 1))

    def show_progress(self, item_id: int, part: float) -> None:
        """The item in hand (0 for none) and how much of it is done."""
        before, self._current = self._current, (item_id, part)
        for touched in {before[0], item_id}:
            row = self._places.get(touched)
            if row is not None:
                self.dataChanged.emit(self.index(row, Column.STATE), self.index(row, Column.OUTCOME))

    @property
    def items(self) -> Sequence[QueueItem]:
        """All, in order."""
        return self._rows

    # --- Qt ---------------------------------------------------------------------------------------------------

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words of a cell; the item itself by `ITEM_ROLE`."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        item = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(item, Column(index.column()))
            case Qt.ItemDataRole.ToolTipRole:
                return tip(self._tip(item, Column(index.column())))
            case Qt.ItemDataRole.AccessibleDescriptionRole:
                return plain(self._tip(item, Column(index.column())))
            case _ if role == ITEM_ROLE:
                return item
            case _ if role == PART_ROLE:
                return self._part(item)
            case Qt.ItemDataRole.TextAlignmentRole if index.column() == Column.SIZE:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _part(self, item: QueueItem) -> float | None:
        return self._current[1] if item.id == self._current[0] else None

    def _text(self, item: QueueItem, column: Column) -> str:
        say = self._context.tongue.say
        match column:
            case Column.FILE:
                return plain(display(os.fsencode(Path(os.fsdecode(item.path)).name)))
            case Column.SIZE:
                return file_size(item.size) if item.files else ""
            case Column.STATE:
                return say(f"queue.state.{item.state.value}")
            case Column.OUTCOME:
                return self._outcome(item)

    def _outcome(self, item: QueueItem) -> str:
        if item.state is ItemState.FAILED and item.error:
            return self._context.tongue.error(UnreadableError(item.error, **item.parameters))[0]
        if item.number:
            return item.number
        part = self._part(item)
        return "" if part is None else f"{int(part * 100)}%"

    def _tip(self, item: QueueItem, column: Column) -> str:
        if column is Column.OUTCOME and item.state is ItemState.FAILED and item.error:
            return "\n".join(self._context.tongue.error(UnreadableError(item.error, **item.parameters)))
        return display(item.path)

"""Exhibits of a case with check boxes, read in pages; states by icon, word and color."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from functools import partial
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.browse_ports import ExhibitQuery, ExhibitStates, ExhibitSummary, Order
from evidence_desk.core.job import Job
from evidence_desk.services import browse
from ui.context import Context
from ui.look import fonts, icons, tokens
from ui.plain import plain
from ui.tasks import Lane

Index = QModelIndex | QPersistentModelIndex
_PAGE: Final = 500


class Column(IntEnum):
    """Columns of the table."""

    EXHIBIT = 0
    NUMBER = 1
    TIME = 2
    COURT = 3
    CERTIFICATE = 4


_TITLES: Final = (
    "ui_certify.column.exhibit",
    "ui_certify.column.number",
    "ui_certify.column.time",
    "ui_certify.column.court",
    "ui_certify.column.certificate",
)
_STATES: Final = {
    Column.TIME: ("timestamped", "ui_certify.state.time", "ui_certify.state.no_time"),
    Column.COURT: ("anchored", "ui_certify.state.court", "ui_certify.state.no_court"),
    Column.CERTIFICATE: ("certified", "ui_certify.state.certified", "ui_certify.state.not_certified"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Part of what a query finds."""

    total: int
    rows: tuple[ExhibitSummary, ...]


class ExhibitModel(QAbstractTableModel):
    """What a query finds, in the order of registration; checked exhibits stay checked while others are looked for.

    Signals: `checked_changed` when other exhibits are checked; `counted` when the number of those found is known.
    """

    checked_changed = Signal()
    counted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._query = ExhibitQuery(case_number="", archived=None, erased=False, order=Order.OLDEST)
        self._rows: list[ExhibitSummary] = []
        self._total = 0
        self._generation = 0
        self._loading = False
        self._checked: dict[bytes, None] = {}
        context.tongue.changed.connect(self._on_changed)
        context.look.changed.connect(self._on_changed)

    # --- content ----------------------------------------------------------------------------------------------

    @property
    def query(self) -> ExhibitQuery:
        """What is looked for."""
        return self._query

    @property
    def total(self) -> int:
        """How many exhibits there are."""
        return self._total

    @property
    def checked(self) -> list[bytes]:
        """Leaf hashes of what is checked."""
        return list(self._checked)

    def show_case(self, number: str) -> None:
        """Exhibits of another case; nothing is checked."""
        self._checked.clear()
        self._query = replace(self._query, case_number=number, text="")
        self.reload()
        self.checked_changed.emit()

    def look_for(self, text: str, *, uncertified: bool) -> None:
        """Only exhibits with these words, or not yet certified."""
        states = ExhibitStates(certified=False if uncertified else None)
        self._query = replace(self._query, text=text, states=states)
        self.reload()

    def reload(self) -> None:
        """Read anew from the beginning; the rows stay until the new ones are there."""
        self._generation += 1
        self._loading = False
        self._read(0)

    def check(self, leaves: Sequence[bytes], *, on: bool = True) -> None:
        """Check exhibits, shown or not."""
        for leaf in leaves:
            if on:
                self._checked[leaf] = None
            else:
                self._checked.pop(leaf, None)
        self._touch(Column.EXHIBIT)
        self.checked_changed.emit()

    def clear_checked(self) -> None:
        """Check nothing."""
        self._checked.clear()
        self._touch(Column.EXHIBIT)
        self.checked_changed.emit()

    def row(self, at: int) -> ExhibitSummary:
        """One exhibit."""
        return self._rows[at]

    # --- Qt ---------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's default
        """Rows read so far."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Columns."""
        return 0 if parent.isValid() else len(Column)

    def canFetchMore(self, parent: Index) -> bool:
        """Whether there are rows not read yet."""
        return not parent.isValid() and not self._loading and len(self._rows) < self._total

    def fetchMore(self, parent: Index) -> None:
        """Read the next rows beside the window."""
        if self.canFetchMore(parent):
            self._read(len(self._rows))

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles of the columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._context.tongue.say(_TITLES[section])
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """The first column has the box."""
        given = super().flags(index)
        return given | Qt.ItemFlag.ItemIsUserCheckable if index.column() == Column.EXHIBIT else given

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words, icons and colors of a cell."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], Column(index.column())
        if column in _STATES:
            return self._state(row, column, role)
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return row.number if column is Column.NUMBER else _name(row)
            case Qt.ItemDataRole.CheckStateRole if column is Column.EXHIBIT:
                on = row.leaf_hash in self._checked
                return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
            case Qt.ItemDataRole.AccessibleTextRole if column is Column.EXHIBIT:
                return self._spoken(row)
            case Qt.ItemDataRole.FontRole if column is Column.NUMBER:
                return fonts.mono(tokens.SMALL)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Check or uncheck."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid() or index.column() != Column.EXHIBIT:
            return False
        leaf = self._rows[index.row()].leaf_hash
        if Qt.CheckState(value) is Qt.CheckState.Checked:
            self._checked[leaf] = None
        else:
            self._checked.pop(leaf, None)
        self.dataChanged.emit(index, index)
        self.checked_changed.emit()
        return True

    def toggle(self, rows: Sequence[int]) -> None:
        """Check these rows, or uncheck them when all are checked."""
        leaves = [self._rows[at].leaf_hash for at in rows]
        if leaves:
            self.check(leaves, on=not all(leaf in self._checked for leaf in leaves))

    # --- inside -----------------------------------------------------------------------------------------------

    def _state(self, row: ExhibitSummary, column: Column, role: int) -> Any:
        name, yes, no = _STATES[column]
        moment: datetime | None = getattr(row, name)
        color = "passed" if moment is not None else "secondary"
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._context.tongue.say(no if moment is None else yes)
            case Qt.ItemDataRole.DecorationRole:
                sign = "circle-check" if moment is not None else "circle"
                return icons.cached_pixmap(sign, getattr(self._context.look.colors, color), tokens.L, 2.0)
            case Qt.ItemDataRole.ForegroundRole:
                return QColor(getattr(self._context.look.colors, color))
        return None

    def words_of(self, column: Column) -> list[str]:
        """Everything that a column of states can say, its title included."""
        _, yes, no = _STATES[column]
        return [self._context.tongue.say(code) for code in (yes, no, _TITLES[column])]

    def _spoken(self, row: ExhibitSummary) -> str:
        say = self._context.tongue.say
        mark = "ui_certify.checked" if row.leaf_hash in self._checked else "ui_certify.unchecked"
        return f"{_name(row)} {say(mark)}"

    def _read(self, offset: int) -> None:
        if self._context.desk.session is None:
            return
        query, generation = self._query, self._generation
        limit = _PAGE if offset else min(max(_PAGE, len(self._rows)), browse.MAX_PAGE)
        self._loading = True

        def work(session: Session, _job: Job) -> Found:
            return Found(
                total=browse.count(session.desk, query),
                rows=tuple(browse.page(session.desk, query, offset, limit)),
            )

        self._context.desk.run(
            work, owner=self, done=partial(self._on_read, generation, offset), lane=Lane.READ
        )  # fmt: skip

    def _on_read(self, generation: int, offset: int, found: Found) -> None:
        if generation != self._generation:
            return
        self._loading = False
        self._total = max(found.total, 0)
        if offset == 0 and [row.leaf_hash for row in found.rows] == [row.leaf_hash for row in self._rows]:
            self._rows = list(found.rows)  # others in state alone: the place in the list stays
            self._on_changed()
        elif offset == 0:
            self.beginResetModel()
            self._rows = list(found.rows)
            self.endResetModel()
        elif found.rows and offset == len(self._rows):
            self.beginInsertRows(QModelIndex(), offset, offset + len(found.rows) - 1)
            self._rows += found.rows
            self.endInsertRows()
        if not found.rows:
            self._total = len(self._rows)  # fewer than counted: changed meanwhile
        self.counted.emit()

    def _touch(self, column: Column) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, column), self.index(len(self._rows) - 1, column))

    def _on_changed(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(Column) - 1))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)


def _name(row: ExhibitSummary) -> str:
    return plain(f"{row.exhibit_no}  {row.title}".strip()) or row.number

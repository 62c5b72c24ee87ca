"""Tables: one look, read only, whole rows; and the part of their models that is the same for all that hold their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

from PySide6.QtCore import QAbstractItemModel, QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from ui.context import Context

ROW: Final = 36
Index = QModelIndex | QPersistentModelIndex
R = TypeVar("R")


class RowsModel(QAbstractTableModel, Generic[R]):
    """A table model over a list; cells are the subclass's, by `data`. Titles are codes and follow the language."""

    def __init__(self, context: Context, titles: Sequence[str]) -> None:
        super().__init__()
        self._context = context
        self._titles = tuple(titles)
        self._rows: list[R] = []
        context.tongue.changed.connect(self._on_changed)
        context.look.changed.connect(self._on_changed)

    def reset(self, rows: Sequence[R]) -> None:
        """Show these."""
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def row(self, at: int) -> R:
        """One of them."""
        return self._rows[at]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's default
        """Rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Columns."""
        return 0 if parent.isValid() else len(self._titles)

    def multiData(self, index: Index, span: Any) -> None:
        """All roles of a cell at once: a turn of the interpreter a cell and not seven, while other threads are at work."""
        for at in range(len(span)):  # QModelRoleDataSpan: a sequence, which its declaration does not say
            role = span[at]
            value = self.data(index, role.role())
            if value is None:
                role.clearData()
            else:
                role.setData(value)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles of the columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._context.tongue.say(self._titles[section])
        return None

    def _on_changed(self) -> None:
        """Everything is said and painted anew."""
        last = len(self._titles) - 1
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, last))
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, last)


def plain_table(context: Context, model: QAbstractItemModel, name: str) -> QTableView:
    """A table with an accessible name (a code)."""
    table = QTableView()
    set_up_table(table, context, model, name)
    return table


def set_up_table(table: QTableView, context: Context, model: QAbstractItemModel, name: str) -> None:
    """Give a table its model, its accessible name (a code) and the look of all tables."""
    table.setModel(model)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setMinimumHeight(3 * ROW)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(ROW)
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    context.tongue.bind(table, table.setAccessibleName, name)

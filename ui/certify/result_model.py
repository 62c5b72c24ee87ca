"""Certificates of a run: number, how many exhibits, where saved or why not issued."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QColor

from ui.certify.issuing import Issue, Issued, Refused
from ui.context import Context
from ui.look import fonts, icons, tokens
from ui.widgets.table import Index, RowsModel


class ResultColumn(IntEnum):
    """Columns of the table."""

    NUMBER = 0
    EXHIBITS = 1
    OUTCOME = 2


_TITLES = ("ui_certify.column.certificate_no", "ui_certify.column.exhibits", "ui_certify.column.outcome")


class ResultModel(RowsModel[Issued | Refused]):
    """Issued ones in their order, refused ones behind them."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, _TITLES)

    def add(self, rows: Sequence[Issued]) -> None:
        """Add some just issued."""
        if rows:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
            self._rows += rows
            self.endInsertRows()

    def show_issue(self, outcome: Issue) -> None:
        """Everything that came of a run."""
        self.reset((*outcome.refused, *outcome.issued))

    def issued(self, rows: Sequence[int]) -> list[Issued]:
        """Issued ones among these rows; of all rows when there are none."""
        found = [self._rows[at] for at in rows] if rows else self._rows
        return [item for item in found if isinstance(item, Issued)]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words of a cell."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        item, column = self._rows[index.row()], ResultColumn(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(item, column)
            case Qt.ItemDataRole.ToolTipRole if isinstance(item, Refused):
                return "\n".join(self._context.tongue.error(item.error))
            case Qt.ItemDataRole.ToolTipRole:
                return self._text(item, column)
            case Qt.ItemDataRole.FontRole if column is ResultColumn.NUMBER:
                return fonts.mono()
            case Qt.ItemDataRole.DecorationRole if column is ResultColumn.NUMBER:
                sign, color = (
                    ("circle-check", "passed") if isinstance(item, Issued) else ("circle-x", "failed")
                )
                return icons.cached_pixmap(sign, getattr(self._context.look.colors, color), tokens.L, 2.0)
            case Qt.ItemDataRole.ForegroundRole if isinstance(item, Refused):
                return QColor(self._context.look.colors.failed)
        return None

    def _text(self, item: Issued | Refused, column: ResultColumn) -> str:
        say = self._context.tongue.say
        if isinstance(item, Refused):
            match column:
                case ResultColumn.NUMBER:
                    return say("ui_certify.not_issued")
                case ResultColumn.EXHIBITS:
                    return item.exhibits
                case ResultColumn.OUTCOME:
                    return self._context.tongue.error(item.error)[0]
        match column:
            case ResultColumn.NUMBER:
                return item.number
            case ResultColumn.EXHIBITS:
                return str(item.exhibits)
            case ResultColumn.OUTCOME:
                if item.confirmed_by:
                    return say("ui_certify.saved.confirmed", name=item.path.name, second=item.confirmed_by)
                return say("ui_certify.saved", name=item.path.name)

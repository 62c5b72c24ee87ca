"""The table of exhibits: how its cells are drawn, which columns there is room for, and what is selected in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionHeader,
    QStyleOptionViewItem,
    QTableView,
)

from evidence_desk.services.browse import ExhibitSummary
from ui.cases.entries import draw_icon, ground
from ui.cases.exhibits import LINE_ROLE, STATES, Column, ExhibitModel
from ui.cases.finding import Chosen
from ui.context import Context
from ui.look import fonts, tokens

Index = QModelIndex | QPersistentModelIndex
_ROW: Final = 56
_LINE: Final = 20
_ICON: Final = 14
_FIRST_ROW: Final = 2
"""States in the first line of the cell; the others stand below."""
_NAME: Final = 210
_WIDTHS: Final = {Column.NO: 76, Column.KIND: 150, Column.TIME: 104, Column.TAGS: 128}
_LEAVING: Final = (Column.TAGS, Column.TIME, Column.KIND, Column.NO)
"""Which columns go first where there is no room."""


class ExhibitDelegate(QStyledItemDelegate):
    """Draws two lines a cell: name and number, kind and size, day and hour; states as icons with words."""

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Rows of one height."""
        return QSize(super().sizeHint(option, index).width(), _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a cell."""
        ground(painter, option)
        rect = option.rect.adjusted(tokens.S, tokens.S, -tokens.S, -tokens.S)
        line, column = index.data(LINE_ROLE), Column(index.column())
        painter.save()
        if not isinstance(line, ExhibitSummary):
            painter.setPen(QColor(self._context.look.colors.secondary))
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, str(index.data()))
        elif column is Column.STATES:
            self._states(painter, rect, index)
        else:
            self._texts(painter, option, rect, line, column, str(index.data()))
        painter.restore()

    def _texts(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        rect: QRect,
        line: ExhibitSummary,
        column: Column,
        text: str,
    ) -> None:
        first, _, second = text.partition("\n")
        if column is Column.NAME:
            second = line.number
        elif column is Column.TIME:
            first, _, second = text.partition(" ")
        secondary = QColor(self._context.look.colors.secondary)
        whole = not second
        main = column in {Column.NO, Column.NAME} and not line.erased
        painter.setPen(option.palette.color(QPalette.ColorRole.Text) if main else secondary)
        painter.setFont(fonts.sans() if main else fonts.sans(tokens.SMALL))
        _write(painter, rect if whole else _half(rect, 0), first)
        if not whole:
            painter.setPen(secondary)
            painter.setFont(fonts.mono(tokens.SMALL) if column is Column.NAME else fonts.sans(tokens.SMALL))
            _write(painter, _half(rect, 1), second)

    def _states(self, painter: QPainter, rect: QRect, index: Index) -> None:
        model = index.model()
        line = index.data(LINE_ROLE)
        if not isinstance(model, ExhibitModel) or not isinstance(line, ExhibitSummary):
            return
        painter.setFont(fonts.sans(tokens.SMALL))
        metrics = painter.fontMetrics()
        states = model.states(line)
        for number, part in enumerate((states[:_FIRST_ROW], states[_FIRST_ROW:])):
            place = _half(rect, number)
            left = place.left()
            for word, reached in part:
                role = "passed" if reached else "undetermined"
                color = getattr(self._context.look.colors, role)
                top = place.top() + (place.height() - _ICON) // 2
                draw_icon(painter, "circle-check" if reached else "circle", color, left, top, _ICON)
                painter.setPen(QColor(color))
                left += _ICON + tokens.XS
                painter.drawText(
                    QRect(left, place.top(), rect.right() - left, place.height()),
                    Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, word,
                )  # fmt: skip
                left += metrics.horizontalAdvance(word) + tokens.S


def _half(rect: QRect, number: int) -> QRect:
    return QRect(rect.left(), rect.top() + number * _LINE, rect.width(), _LINE)


def _write(painter: QPainter, rect: QRect, text: str) -> None:
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


class _Header(QHeaderView):
    """Draws its sections itself: Qt would ask of every row of the list whether it is selected, at every paint."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)

    def paintSection(self, painter: QPainter, rect: QRect, logical: int) -> None:
        """Draw one title."""
        option = QStyleOptionHeader()
        self.initStyleOption(option)
        option.rect = rect
        option.section = logical
        option.textAlignment = self.defaultAlignment()
        option.text = str(self.model().headerData(logical, self.orientation()))
        painter.save()
        self.style().drawControl(QStyle.ControlElement.CE_Header, option, painter, self)
        painter.restore()


class ExhibitTable(QTableView):
    """See the module.

    Signals: `current_changed` (row), `chosen_changed`, `open_asked`, `menu_asked` (global position).
    """

    current_changed = Signal(int)
    chosen_changed = Signal()
    open_asked = Signal()
    menu_asked = Signal(object)

    def __init__(self, context: Context, model: ExhibitModel) -> None:
        super().__init__()
        self._context, self._exhibits = context, model
        self.setModel(model)
        self.setItemDelegate(ExhibitDelegate(context, self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._headers()
        context.tongue.bind(self, self.setAccessibleName, "ui_cases.list")
        context.tongue.bind(self, self.setAccessibleDescription, "ui_cases.list.help")
        context.tongue.follow(self, self._fit)
        selection = self.selectionModel()
        selection.selectionChanged.connect(lambda *_: self.chosen_changed.emit())
        selection.currentRowChanged.connect(lambda index, _: self.current_changed.emit(index.row()))
        self.activated.connect(lambda _: self.open_asked.emit())
        self.doubleClicked.connect(lambda _: self.open_asked.emit())
        self.customContextMenuRequested.connect(self._on_menu)

    def _headers(self) -> None:
        self.setHorizontalHeader(_Header())
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setDefaultSectionSize(_ROW)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        columns.setHighlightSections(False)
        columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        columns.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)

    # --- what is selected ---------------------------------------------------------------------------------------

    @property
    def chosen(self) -> Chosen:
        """The selected rows, as ranges."""
        selection = self.selectionModel().selection()
        parts = [selection.at(at) for at in range(selection.size())]
        spans = sorted((part.top(), part.bottom()) for part in parts)
        merged: list[tuple[int, int]] = []
        for first, last in spans:
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        return Chosen(query=self._exhibits.query, ranges=tuple(merged))

    @property
    def row(self) -> int:
        """The current row, -1 for none."""
        return self.currentIndex().row()

    def stand_on(self, row: int) -> None:
        """Make a row the current and only selected one, in sight."""
        index = self._exhibits.index(row, Column.NAME)
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag
            # whatever keys are held down: the view's own ways would add to the selection then
            self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
            self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def select(self, rows: Sequence[int]) -> None:
        """Select these rows; the current one stays."""
        selection = QItemSelection()
        for row in rows:
            selection.select(self._exhibits.index(row, 0), self._exhibits.index(row, len(Column) - 1))
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _on_menu(self, place: QPoint) -> None:
        self.menu_asked.emit(self.viewport().mapToGlobal(place))

    # --- room ---------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the columns there is room for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        states = self._states_width()
        left = self.viewport().width() - states - _NAME - sum(_WIDTHS.values())
        for column in _LEAVING:
            short = left < 0
            if short:
                left += _WIDTHS[column]
            self.setColumnHidden(column, short)
        for column, width in _WIDTHS.items():
            self.setColumnWidth(column, width)
        self.setColumnWidth(Column.STATES, states)
        current = self.currentIndex()
        if current.isValid() and self.isColumnHidden(
            current.column()
        ):  # arrow keys do nothing in a hidden column
            index = self._exhibits.index(current.row(), Column.NAME)
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)

    def _states_width(self) -> int:
        """Of the longest words that may stand in a line."""
        metrics, say = QFontMetrics(fonts.sans(tokens.SMALL)), self._context.tongue.say
        both = [
            max(metrics.horizontalAdvance(say(f"ui_cases.state.{name}.{end}")) for end in ("yes", "no"))
            for name in STATES
        ]
        parts = (both[:_FIRST_ROW], both[_FIRST_ROW:])
        return max(sum(part) + len(part) * (_ICON + tokens.XS + tokens.S) for part in parts) + tokens.L

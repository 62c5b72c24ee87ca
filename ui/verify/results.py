"""The results as a list: icon, word and color of each; files dropped on one are its originals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from evidence_desk.services.examination import Examination, Row
from ui.context import Context
from ui.look import fonts, icons, tokens
from ui.verify.asking import Answered, Request
from ui.verify.sayings import Sign, answer_of, name_of, result_sign
from ui.widgets.panels import paths_of

Index = QModelIndex | QPersistentModelIndex
SIGN: Final = Qt.ItemDataRole.UserRole
NAME: Final = Qt.ItemDataRole.UserRole + 1
_ROOT: Final = QModelIndex()


@dataclass(eq=False, slots=True)
class Entry:
    """One result; `key` is what makes a later answer to the same question take its place."""

    key: str
    request: Request
    examination: Examination
    rows: tuple[Row, ...]


def key_of(answered: Answered) -> str:
    """The same file, text, code or picture has the same key."""
    subject = answered.examination.subject
    if subject.path is not None:
        return f"path:{subject.path}"
    if subject.code is not None:
        return f"code:{subject.code.encode()}"
    return f"text:{subject.text}" if subject.text else f"picture:{answered.request.picture_key}"


class ResultModel(QAbstractListModel):
    """Results in the order in which they came."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.entries: list[Entry] = []
        self._places: dict[str, int] = {}
        for signal in (context.tongue.changed, context.look.changed):
            signal.connect(self._on_said_anew)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Number of results."""
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Name and word; `SIGN` and `NAME` for drawing."""
        if not index.isValid() or not 0 <= index.row() < len(self.entries):
            return None
        done, tongue = self.entries[index.row()].examination, self._context.tongue
        name, sign = name_of(done, tongue), result_sign(done)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return f"{name} · {tongue.say(sign.code)}"
            case Qt.ItemDataRole.AccessibleTextRole:
                return tongue.say("ui_verify.row", name=name, status=tongue.say(sign.code))
            case Qt.ItemDataRole.ToolTipRole:
                return f"{name}\n{answer_of(done, tongue).text}"
            case _:
                return {int(SIGN): sign, int(NAME): name}.get(int(role))

    def put(self, answered: Sequence[Answered]) -> int:
        """Take answers in, each in the place of an earlier one to the same question; returns the first one's row."""
        fresh: dict[str, Entry] = {}
        for item in answered:
            key = key_of(item)
            entry = Entry(key=key, request=item.request, examination=item.examination, rows=item.rows)
            row = self.row_of(key)
            if row < 0:
                fresh[key] = entry
            else:
                self.entries[row] = entry
                self.dataChanged.emit(self.index(row), self.index(row))
        if fresh:
            start = len(self.entries)
            self.beginInsertRows(QModelIndex(), start, start + len(fresh) - 1)
            self.entries += fresh.values()
            self._places |= {key: start + number for number, key in enumerate(fresh)}
            self.endInsertRows()
        return self.row_of(key_of(answered[0])) if answered else -1

    def row_of(self, key: str) -> int:
        """Row of a result, -1 when it is not there."""
        return self._places.get(key, -1)

    def clear(self) -> None:
        """Forget all."""
        self.beginResetModel()
        self.entries, self._places = [], {}
        self.endResetModel()

    def remove(self, entries: Iterable[Entry]) -> None:
        """Forget some."""
        for entry in list(entries):
            row = self.row_of(entry.key)
            if row >= 0:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self.entries[row]
                self._places = {item.key: at for at, item in enumerate(self.entries)}
                self.endRemoveRows()

    def _on_said_anew(self) -> None:
        if self.entries:
            self.dataChanged.emit(self.index(0), self.index(len(self.entries) - 1))


class _Drawn(QStyledItemDelegate):
    """Two lines: the name, and the outcome by icon and word in its color."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Two lines of text and air."""
        del option, index
        return QSize(160, 60)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one result."""
        sign = index.data(SIGN)
        if not isinstance(sign, Sign):
            return
        painter.save()
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        colors = self._context.look.colors
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, colors.selected)
            painter.fillRect(QRect(area.left(), area.top(), 4, area.height()), colors.accent)
        inner = area.adjusted(tokens.M, tokens.S, -tokens.S, -tokens.S)
        font = fonts.sans(bold=bool(state & QStyle.StateFlag.State_Selected))
        name = QFontMetrics(font).elidedText(
            str(index.data(NAME)), Qt.TextElideMode.ElideMiddle, inner.width()
        )
        painter.setFont(font)
        painter.setPen(colors.text)
        painter.drawText(
            QRect(inner.left(), inner.top(), inner.width(), 22), Qt.AlignmentFlag.AlignVCenter, name
        )
        color, ratio = getattr(colors, sign.role), painter.device().devicePixelRatioF()
        picture = icons.pixmap(sign.icon, color, size=tokens.L, ratio=ratio)
        painter.drawPixmap(inner.left(), inner.top() + 26, picture)
        painter.setFont(fonts.sans(tokens.SMALL, bold=True))
        painter.setPen(color)
        word = QRect(inner.left() + tokens.L + tokens.XS, inner.top() + 24, inner.width() - tokens.XL, 20)
        painter.drawText(word, Qt.AlignmentFlag.AlignVCenter, self._context.tongue.say(sign.code))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(colors.focus)
            painter.drawRect(area.adjusted(0, 0, -1, -1))
        painter.restore()


class ResultList(QListView):
    """Signals: `chosen` (Entry or None); `given` (Entry, paths) for files dropped on a result; `removed` (Entry)."""

    chosen = Signal(object)
    given = Signal(object, object)
    removed = Signal(object)

    def __init__(self, context: Context, model: ResultModel) -> None:
        super().__init__()
        self._results = model
        self.setModel(model)
        self._drawn = _Drawn(context)
        self.setItemDelegate(self._drawn)
        self.setUniformItemSizes(True)
        self.setAcceptDrops(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        context.tongue.bind(self, self.setAccessibleName, "ui_verify.list")
        self.selectionModel().currentChanged.connect(self._on_current)
        model.dataChanged.connect(self._on_data)
        for signal in (context.tongue.changed, context.look.changed):
            signal.connect(self.viewport().update)

    @property
    def entry(self) -> Entry | None:
        """The chosen result."""
        row = self.currentIndex().row()
        return self._results.entries[row] if 0 <= row < len(self._results.entries) else None

    def choose(self, row: int) -> None:
        """Choose a result; told again when it was chosen already, its answer may be another."""
        if self.currentIndex().row() == row:
            self.chosen.emit(self.entry)
        else:
            self.setCurrentIndex(self._results.index(row))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete takes a result off the list."""
        entry = self.entry
        if event.key() == Qt.Key.Key_Delete and entry is not None:
            self.removed.emit(entry)
            return
        super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files."""
        if paths_of(event.mimeData()):
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Show which result they would go to."""
        index = self.indexAt(event.position().toPoint())
        if index.isValid():
            self.setCurrentIndex(index)
        event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Files belong to the result under them; beside all, they are something new."""
        index = self.indexAt(event.position().toPoint())
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        entry = self._results.entries[index.row()] if index.isValid() else None
        self.given.emit(entry, paths_of(event.mimeData()))

    def _on_current(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        self.chosen.emit(self.entry)

    def _on_data(self, _first: QModelIndex, _last: QModelIndex) -> None:
        self.viewport().update()

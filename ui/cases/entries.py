"""Short lists of entries of a few lines each: cases, files, links, certificates, custody, notes. One model, one delegate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from ui.context import Context
from ui.look import fonts, icons, tokens
from ui.plain import tip

Index = QModelIndex | QPersistentModelIndex
ENTRY_ROLE: Final = Qt.ItemDataRole.UserRole + 1
_FIRST: Final = 20
_NEXT: Final = 18
"""Heights of the first line and of the others."""
_ANY: Final = 16_777_215
"""Qt's own largest size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one row shows.

    Attributes:
        lines: the first stands out; they are shown as they are, cut at the edge.
        icon, role: of the picture before them and its color; empty for none.
        item: what the row is about.
    """

    lines: tuple[str, ...]
    icon: str = ""
    role: str = "secondary"
    item: object = None


class EntryModel(QAbstractListModel):
    """All entries in order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []

    @property
    def entries(self) -> Sequence[Entry]:
        """All, in order."""
        return self._entries

    def show(self, entries: Sequence[Entry]) -> None:
        """Show these."""
        self.beginResetModel()
        self._entries = list(entries)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's default
        """Rows."""
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The first line; all of them for tooltips and screen readers; the entry by `ENTRY_ROLE`."""
        if not index.isValid() or index.row() >= len(self._entries):
            return None
        entry = self._entries[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.lines[0]
            case Qt.ItemDataRole.AccessibleTextRole:
                return "\n".join(entry.lines)
            case Qt.ItemDataRole.ToolTipRole:
                return tip("\n".join(entry.lines))
            case _ if role == ENTRY_ROLE:
                return entry
        return None


class EntryDelegate(QStyledItemDelegate):
    """Draws an entry: picture, first line, the others below in the secondary color."""

    def __init__(self, context: Context, parent: QObject, lines: int) -> None:
        super().__init__(parent)
        self._context = context
        self._height = _FIRST + (lines - 1) * _NEXT + 2 * tokens.S

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Rows of one height."""
        del option, index
        return QSize(tokens.RAIL, self._height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        entry = index.data(ENTRY_ROLE)
        if not isinstance(entry, Entry):
            return
        ground(painter, option)
        rect = option.rect.adjusted(tokens.M, tokens.S, -tokens.S, -tokens.S)
        if entry.icon:
            color = getattr(self._context.look.colors, entry.role)
            draw_icon(painter, entry.icon, color, rect.left(), rect.top() + (_FIRST - tokens.L) // 2)
            rect.setLeft(rect.left() + tokens.L + tokens.S)
        painter.save()
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        painter.setFont(fonts.sans(bold=True))
        _line(painter, QRect(rect.left(), rect.top(), rect.width(), _FIRST), entry.lines[0])
        painter.setPen(QColor(self._context.look.colors.secondary))
        painter.setFont(fonts.sans(tokens.SMALL))
        for number, text in enumerate(entry.lines[1:]):
            top = rect.top() + _FIRST + number * _NEXT
            _line(painter, QRect(rect.left(), top, rect.width(), _NEXT), text)
        painter.restore()


def ground(painter: QPainter, option: QStyleOptionViewItem) -> None:
    """Selection and hover, as the style draws them."""
    style = option.widget.style() if option.widget is not None else QApplication.style()
    style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)


def draw_icon(painter: QPainter, name: str, color: str, left: int, top: int, size: int = tokens.L) -> None:
    """An icon, sharp on this screen."""
    device = painter.device()
    ratio = device.devicePixelRatio() if device is not None else 1.0
    painter.drawPixmap(left, top, icons.cached_pixmap(name, color, size, ratio))


def _line(painter: QPainter, rect: QRect, text: str) -> None:
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


class EntryList(QListView):
    """A list of entries with its name for screen readers.

    `chosen` is called with what the current row is about whenever that changes, `opened` when Enter is pressed on it.
    """

    def __init__(
        self,
        context: Context,
        code: str,
        *,
        lines: int,
        chosen: Callable[[object], None] | None = None,
        opened: Callable[[object], None] | None = None,
    ) -> None:
        super().__init__()
        self.entries = EntryModel(self)
        self.setModel(self.entries)
        self.setItemDelegate(EntryDelegate(context, self, lines))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        context.tongue.bind(self, self.setAccessibleName, code)
        self._chosen, self._opened = chosen, opened
        self.selectionModel().currentChanged.connect(self._on_current)
        self.activated.connect(self._on_opened)
        context.look.changed.connect(self._on_look)

    def sizeHint(self) -> QSize:
        """Two rows: what there is room for beyond that comes from the layout."""
        return QSize(tokens.RAIL, self._height_of(2))

    def minimumSizeHint(self) -> QSize:
        """One row."""
        return QSize(tokens.RAIL, self._height_of(1))

    def _height_of(self, rows: int) -> int:
        row = self.itemDelegate().sizeHint(QStyleOptionViewItem(), QModelIndex()).height()
        return rows * row + 2 * self.frameWidth() + tokens.S

    def show_entries(self, entries: Sequence[Entry], *, current: object = None) -> None:
        """Show these, standing on the entry about `current` (compared), else on the first; `chosen` is told."""
        self.entries.show(entries)
        rows = (row for row, entry in enumerate(entries) if entry.item == current)
        row = next(rows, 0)
        if entries:
            self.setCurrentIndex(self.entries.index(row))
        elif self._chosen is not None:
            self._chosen(None)

    def fit(self, most: int) -> None:
        """Take no more room than the entries need, as long as they are at most so many."""
        count = len(self.entries.entries)
        self.setMaximumHeight(self._height_of(max(1, count)) if count <= most else _ANY)

    @property
    def current(self) -> object:
        """What the current row is about; None when there is none."""
        entry = self.currentIndex().data(ENTRY_ROLE)
        return entry.item if isinstance(entry, Entry) else None

    def _on_current(self, index: QModelIndex, _before: QModelIndex) -> None:
        entry = index.data(ENTRY_ROLE)
        if self._chosen is not None and isinstance(entry, Entry):
            self._chosen(entry.item)

    def _on_opened(self, index: QModelIndex) -> None:
        entry = index.data(ENTRY_ROLE)
        if self._opened is not None and isinstance(entry, Entry):
            self._opened(entry.item)

    def _on_look(self) -> None:
        self.viewport().update()

"""A layout that puts widgets side by side and begins a new row where there is no room."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

from ui.look import tokens


class FlowLayout(QLayout):
    """See the module."""

    def __init__(self, parent: QWidget | None = None, *, trailing: int = 0) -> None:
        """`trailing`: so many items at the end stand at the right of the last row."""
        super().__init__(parent)
        self._trailing = trailing
        self._items: list[QLayoutItem] = []
        self._heights: dict[int, int] = {}  # by width: Qt asks a hundred times for one change of a label
        self._least: QSize | None = None
        self.setContentsMargins(QMargins(0, 0, 0, 0))
        self.setSpacing(tokens.S)

    def addItem(self, item: QLayoutItem) -> None:
        """Add an item at the end."""
        self._items.append(item)
        self.invalidate()

    def invalidate(self) -> None:
        """Something in it has another size now."""
        self._heights.clear()
        self._least = None
        super().invalidate()

    def count(self) -> int:
        """Items."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        """One item."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Take an item out."""
        self.invalidate()
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """None."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """Less width, more rows."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height of all rows."""
        height = self._heights.get(width)
        if height is None:
            height = self._heights[width] = self._arrange(QRect(0, 0, width, 0), place=False)
        return height

    def setGeometry(self, rect: QRect) -> None:
        """Place all items."""
        super().setGeometry(rect)
        self._arrange(rect, place=True)

    def sizeHint(self) -> QSize:
        """As small as can be."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        """The largest item."""
        if self._least is None:
            size = QSize(0, 0)
            for item in self._items:
                size = size.expandedTo(item.minimumSize())
            self._least = size
        return QSize(self._least)

    def _arrange(self, rect: QRect, *, place: bool) -> int:
        top = rect.top()
        last = set(map(id, self._items[len(self._items) - self._trailing :])) if self._trailing else set()
        for row in self._rows(rect.width()):
            left, height = rect.left(), max(size.height() for _, size in row)
            used = sum(size.width() for _, size in row) + self.spacing() * (len(row) - 1)
            free = rect.width() - used
            for item, size in row:
                if id(item) in last:
                    left, free = left + free, 0
                if place:
                    item.setGeometry(QRect(QPoint(left, top + (height - size.height()) // 2), size))
                left += size.width() + self.spacing()
            top += height + self.spacing()
        return max(0, top - rect.top() - self.spacing())

    def _rows(self, room: int) -> Iterator[list[tuple[QLayoutItem, QSize]]]:
        row: list[tuple[QLayoutItem, QSize]] = []
        used = 0
        for item in self._items:
            if item.isEmpty():
                continue
            size = item.sizeHint()
            size.setWidth(min(size.width(), room))
            if row and used + size.width() > room:
                yield row
                row, used = [], 0
            row.append((item, size))
            used += size.width() + self.spacing()
        if row:
            yield row

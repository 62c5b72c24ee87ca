"""Draws state and progress of a queue item: icon, word and color together, and a bar while it is in hand."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from evidence_desk.core.queue_ports import ItemState, QueueItem
from ui.context import Context
from ui.look import fonts, icons, tokens
from ui.seal.model import ITEM_ROLE, PART_ROLE, Column

SIGNS: Final = {
    ItemState.WAITING: ("clock", "secondary"),
    ItemState.WORKING: ("refresh-cw", "accent"),
    ItemState.SEALED: ("circle-check", "passed"),
    ItemState.DUPLICATE: ("files", "warning"),
    ItemState.FAILED: ("circle-x", "failed"),
    ItemState.CANCELED: ("ban", "secondary"),
}
_ROW: Final = 36
_BAR: Final = 6


class QueueDelegate(QStyledItemDelegate):
    """See the module."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Rows of one height."""
        return QSize(super().sizeHint(option, index).width(), _ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw a cell."""
        item = index.data(ITEM_ROLE)
        column = Column(index.column())
        if not isinstance(item, QueueItem) or column not in {Column.STATE, Column.OUTCOME}:
            super().paint(painter, option, index)
            return
        self._ground(painter, option)
        if column is Column.STATE:
            self._state(painter, option, item, str(index.data()))
        else:
            self._outcome(painter, option, index, item)

    def _ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        style = option.widget.style() if option.widget is not None else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)

    def _state(self, painter: QPainter, option: QStyleOptionViewItem, item: QueueItem, text: str) -> None:
        name, role = SIGNS[item.state]
        color = getattr(self._context.look.colors, role)
        rect = option.rect.adjusted(tokens.S, 0, -tokens.XS, 0)
        side = tokens.L
        top = rect.top() + (rect.height() - side) // 2
        ratio = painter.device().devicePixelRatio() if painter.device() is not None else 1.0
        painter.drawPixmap(rect.left(), top, icons.cached_pixmap(name, color, side, ratio))
        painter.save()
        painter.setPen(QColor(color))
        painter.drawText(
            rect.adjusted(side + tokens.S, 0, 0, 0),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            text,
        )
        painter.restore()

    def _outcome(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
        item: QueueItem,
    ) -> None:
        colors = self._context.look.colors
        rect = option.rect.adjusted(tokens.S, 0, -tokens.S, 0)
        part = index.data(PART_ROLE)
        painter.save()
        if isinstance(part, float) and item.state is ItemState.WORKING:
            bar = QRectF(rect.left(), rect.center().y() - _BAR / 2, rect.width() - 52, _BAR)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.raised))
            painter.drawRoundedRect(bar, _BAR / 2, _BAR / 2)
            painter.setBrush(QColor(colors.accent))
            painter.drawRoundedRect(
                QRectF(bar.left(), bar.top(), bar.width() * part, _BAR), _BAR / 2, _BAR / 2
            )
            rect.setLeft(rect.right() - 44)
        if item.number:
            painter.setFont(fonts.mono())
        painter.setPen(
            QColor(colors.failed)
            if item.state is ItemState.FAILED
            else option.palette.color(QPalette.ColorRole.Text)
        )
        text = painter.fontMetrics().elidedText(str(index.data()), Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.restore()

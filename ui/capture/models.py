"""Models of the page's tables: pages of the capture in hand, what happened, all captures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from evidence_desk.core.capture.events import Event, PageState
from ui.capture.sayings import PAGES, result_sign, say_event
from ui.capture.work import Listed
from ui.context import Context
from ui.plain import plain, tip
from ui.widgets.table import Index, RowsModel
from ui.words import local_time

_WAITING: Final = ("clock", "secondary")
_NOW: Final = ("refresh-cw", "accent")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLine:
    """An address or snapshot; `state` is None while it waits, `current` while it is loaded."""

    number: int
    url: str
    state: PageState | None
    current: bool = False


class PagesModel(RowsModel[PageLine]):
    """Pages with their state."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, ("ui_capture.column.state", "ui_capture.column.page"))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Cells."""
        row = self.row(index.row())
        icon, color = _NOW if row.current else _WAITING if row.state is None else PAGES[row.state]
        word = "now" if row.current else "waiting" if row.state is None else row.state.value
        match role, index.column():
            case ((Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole), 0):
                return self._context.tongue.say(f"ui_capture.page.{word}")
            case Qt.ItemDataRole.DecorationRole, 0:
                return self._context.look.icon(icon, color)
            case Qt.ItemDataRole.ForegroundRole, 0:
                return QColor(getattr(self._context.look.colors, color))
            case ((Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole), 1):
                return f"{row.number}. {plain(row.url)}"
            case Qt.ItemDataRole.ToolTipRole, 1:
                return tip(row.url)
        return None


class EventsModel(RowsModel[Event]):
    """What happened, newest last."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, ("ui_capture.column.event",))

    def add(self, events: list[Event]) -> None:
        """Further events."""
        if events:
            first = len(self._rows)
            self.beginInsertRows(self.index(-1, -1), first, first + len(events) - 1)
            self._rows += events
            self.endInsertRows()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Cells."""
        if role not in _SHOWN:
            return None
        said = say_event(self._context.tongue, self.row(index.row()))
        match role:
            case Qt.ItemDataRole.DecorationRole:
                return self._context.look.icon(said.icon, said.role)
            case Qt.ItemDataRole.ForegroundRole:
                return QColor(getattr(self._context.look.colors, said.role))
            case Qt.ItemDataRole.ToolTipRole:
                return tip(said.text)
        return said.text


_SHOWN: Final = frozenset(
    {
        Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.DecorationRole,
        Qt.ItemDataRole.ForegroundRole, Qt.ItemDataRole.ToolTipRole,
    }
)  # fmt: skip


class CapturesModel(RowsModel[Listed]):
    """All captures, newest first; failed and abandoned ones too."""

    def __init__(self, context: Context) -> None:
        titles = ("started", "outcome", "address", "case", "number")
        super().__init__(context, [f"ui_capture.column.{name}" for name in titles])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Cells."""
        row, column = self.row(index.row()), index.column()
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return self._text(row, column)
        icon, color, _ = result_sign(row.row.state, row.row.result, cut=row.cut)
        match role:
            case Qt.ItemDataRole.DecorationRole if column == 1:
                return self._context.look.icon(icon, color)
            case Qt.ItemDataRole.ForegroundRole if column == 1:
                return QColor(getattr(self._context.look.colors, color))
            case Qt.ItemDataRole.ToolTipRole if column == 2:
                return tip("\n".join(row.urls))
        return None

    def _text(self, row: Listed, column: int) -> str:
        say = self._context.tongue.say
        match column:
            case 0:
                return local_time(row.row.started)
            case 1:
                return say(result_sign(row.row.state, row.row.result, cut=row.cut)[2])
            case 2:
                first = plain(row.urls[0]) if row.urls else say("ui_capture.by_person")
                return (
                    say("ui_capture.and_more", url=first, count=len(row.urls)) if len(row.urls) > 1 else first
                )
            case 3:
                return plain(row.row.case_number)
        return "" if row.exhibit is None else row.exhibit.number

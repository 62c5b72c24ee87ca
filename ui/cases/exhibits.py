"""The list of exhibits as a table of any length: the model holds the count and a bounded number of pages.

No cell is fetched by itself. Pages are fetched one at a time, the one painted last first; what was scrolled past is dropped.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError, EvidenceDeskError
from evidence_desk.services import browse
from evidence_desk.services.browse import ExhibitQuery, ExhibitSummary
from ui.cases.asking import ask
from ui.cases.finding import place_of
from ui.context import Context
from ui.plain import plain, tip
from ui.tasks import Running
from ui.words import file_size, local_time

Index = QModelIndex | QPersistentModelIndex
LINE_ROLE: Final = Qt.ItemDataRole.UserRole + 1
PAGE: Final = 100
KEPT: Final = 24
"""Pages that are kept: 2,400 lines, many times what a screen shows."""
WANTED: Final = 4
"""Pages that wait to be fetched; a screen shows two at most."""
STATES: Final = ("registered", "logged", "timestamped", "anchored", "certified")
_PLACEHOLDER: Final = "…"


class Column(IntEnum):
    """Columns of the table."""

    NO = 0
    NAME = 1
    KIND = 2
    STATES = 3
    TIME = 4
    TAGS = 5


@dataclass(frozen=True, slots=True)
class _Answer:
    """To a query: how many there are, the page that is shown first, and the row to stand on."""

    total: int
    number: int
    lines: Sequence[ExhibitSummary]
    row: int | None


class ExhibitModel(QAbstractTableModel):
    """See the module.

    Signals: `answered` (total, row to stand on or None, whether rows may be other ones than before), `filled` the number
    of a page that came, `failed` the error of a query.
    """

    answered = Signal(int, object, bool)
    filled = Signal(int)

    def __init__(self, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.query = ExhibitQuery()
        self._total = 0
        self._pages: OrderedDict[int, Sequence[ExhibitSummary]] = OrderedDict()
        self._stale: set[int] = set()
        self._wanted: deque[int] = deque(maxlen=WANTED)
        self._asking: Running[_Answer] | None = None
        self._fetching = False
        self._round = 0
        self._broken = False
        self._pump = QTimer(self, singleShot=True, interval=0)
        self._pump.timeout.connect(self._on_pump)
        context.tongue.changed.connect(self._on_language)

    # --- queries ----------------------------------------------------------------------------------------------

    def show(self, query: ExhibitQuery, *, stand_on: bytes | None = None) -> None:
        """Show what a query finds; the list before stays until the answer is there."""
        self._ask(query, stand_on, 0, keep=False)

    def refresh(self, *, stand_on: bytes | None, row: int) -> None:
        """Ask the same query again: something may have changed. Rows stay where they are when it did not."""
        self._ask(self.query, stand_on, row, keep=True)

    def _ask(self, query: ExhibitQuery, leaf: bytes | None, hint: int, *, keep: bool) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._round += 1
        self.query, self._broken = query, False
        this, same = self._round, keep

        def work(session: Session, job: Job) -> _Answer:
            total = browse.count(session.desk, query)
            job.step("browse", 0, 0)
            row = None if leaf is None else place_of(session.desk, query, leaf, hint=hint)
            number = (row or 0) // PAGE
            return _Answer(total, number, browse.page(session.desk, query, number * PAGE, PAGE), row)

        def done(answer: _Answer) -> None:
            if this == self._round:
                self._asking = None
                self._take(answer, hint if same and leaf is not None else None, keep=same)

        def failed(error: EvidenceDeskError) -> None:
            if this == self._round and not isinstance(error, CanceledError):
                self._asking, self._broken = None, True
                self._context.tasks.on_unhandled(error)

        self._asking = ask(self._context, self, work, done, failed)

    def _take(self, answer: _Answer, row: int | None, *, keep: bool) -> None:
        same = keep and answer.total == self._total and (row is None or answer.row == row)
        if same:
            self._stale = set(self._pages)
            moved = self._put(answer.number, answer.lines)
            self._emit_rows(0, self._total - 1)
            self.answered.emit(self._total, answer.row, moved)
            return
        self.beginResetModel()
        self._total = answer.total
        self._pages.clear()
        self._stale.clear()
        self._wanted.clear()
        self._pages[answer.number] = answer.lines
        self.endResetModel()
        self.answered.emit(self._total, answer.row, True)

    # --- pages ------------------------------------------------------------------------------------------------

    def line(self, row: int) -> ExhibitSummary | None:
        """A row when its page is here; else None, and the page is fetched."""
        number, at = divmod(row, PAGE)
        lines = self._pages.get(number)
        if lines is None or number in self._stale:
            self._want(number)
        if lines is None:
            return None
        self._pages.move_to_end(number)
        return lines[at] if at < len(lines) else None

    def held(self, row: int) -> ExhibitSummary | None:
        """A row when its page is here; nothing is fetched."""
        number, at = divmod(row, PAGE)
        lines = self._pages.get(number, ())
        return lines[at] if at < len(lines) else None

    @property
    def pages_held(self) -> int:
        """Pages in memory."""
        return len(self._pages)

    def _want(self, number: int) -> None:
        if number in self._wanted:
            self._wanted.remove(number)
        self._wanted.append(number)
        if not self._fetching and not self._pump.isActive():
            self._pump.start()

    def _on_pump(self) -> None:
        if self._fetching or self._broken or not self._wanted:
            return
        number, this, query = self._wanted.pop(), self._round, self.query

        def done(lines: Sequence[ExhibitSummary]) -> None:
            self._fetching = False
            if this == self._round:
                moved = self._put(number, lines)
                self._emit_rows(number * PAGE, min((number + 1) * PAGE, self._total) - 1)
                self.filled.emit(number)
                if moved:
                    self.answered.emit(self._total, None, True)
            self._pump.start()

        def failed(error: EvidenceDeskError) -> None:
            self._fetching = False
            if this == self._round:
                self._broken = True  # asked again by the next query, not by every paint
                self._context.tasks.on_unhandled(error)

        def work(session: Session, _job: Job) -> Sequence[ExhibitSummary]:
            return browse.page(session.desk, query, number * PAGE, PAGE)

        self._fetching = ask(self._context, self, work, done, failed) is not None

    def _put(self, number: int, lines: Sequence[ExhibitSummary]) -> bool:
        """Keep a page; whether it holds other exhibits than the one it replaces."""
        before = self._pages.get(number)
        self._stale.discard(number)
        self._pages[number] = lines
        self._pages.move_to_end(number)
        while len(self._pages) > KEPT:
            dropped, _ = self._pages.popitem(last=False)
            self._stale.discard(dropped)
        return before is not None and [item.leaf_hash for item in before] != [
            item.leaf_hash for item in lines
        ]

    def _emit_rows(self, first: int, last: int) -> None:
        if first <= last:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(Column) - 1))

    # --- Qt ---------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's default
        """Rows."""
        return 0 if parent.isValid() else self._total

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Columns."""
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles of the columns."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._context.tongue.say(f"ui_cases.column.{Column(section).name.lower()}")
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words of a cell; the line itself by `LINE_ROLE`."""
        if not index.isValid() or index.row() >= self._total:
            return None
        column = Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                line = self.line(index.row())
                if line is None:
                    return _PLACEHOLDER if column is Column.NAME else ""
                return self._text(line, column)
            case Qt.ItemDataRole.ToolTipRole:
                line = self.held(index.row())
                return None if line is None else self._tip(line, column)
            case _ if role == LINE_ROLE:
                return self.line(index.row())
        return None

    def states(self, line: ExhibitSummary) -> tuple[tuple[str, bool], ...]:
        """Each state in words, and whether it is reached."""
        say = self._context.tongue.say
        reached = {name: getattr(line, name) is not None for name in STATES}
        return tuple(
            (say(f"ui_cases.state.{name}.{'yes' if on else 'no'}"), on) for name, on in reached.items()
        )

    def _text(self, line: ExhibitSummary, column: Column) -> str:
        match column:
            case Column.NO:
                return plain(line.exhibit_no)
            case Column.NAME:
                return self._context.tongue.say("ui_cases.erased.title") if line.erased else plain(line.title)
            case Column.KIND:
                return self._kind(line)
            case Column.STATES:
                return self._context.tongue.say("ui_cases.comma").join(word for word, _ in self.states(line))
            case Column.TIME:
                return local_time(line.registered)
            case Column.TAGS:
                return "  ".join(plain(tag) for tag in line.tags)

    def _kind(self, line: ExhibitSummary) -> str:
        say = self._context.tongue.say
        code = f"ui_cases.kind.{line.kind}"
        kind = say(code) if self._context.tongue.has(code) else plain(line.kind)
        if line.erased:
            return kind
        return f"{kind}\n{say('ui_cases.files', count=line.files, size=file_size(line.size))}"

    def _tip(self, line: ExhibitSummary, column: Column) -> str:
        match column:
            case Column.NAME:
                return tip(f"{line.title}\n{line.number}\n{line.case_number}")
            case Column.STATES:
                say = self._context.tongue.say
                shown = (
                    say("ui_cases.state.at", state=word, at=local_time(getattr(line, name))) if on else word
                    for name, (word, on) in zip(STATES, self.states(line), strict=True)
                )
                return tip("\n".join(shown))
            case _:
                return tip(self._text(line, column))

    def _on_language(self) -> None:
        self._emit_rows(0, self._total - 1)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)

"""The page itself: cases, their exhibits, one exhibit; laid out for the room there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.services import browse
from evidence_desk.services.browse import ExhibitQuery, Order
from ui.cases.asking import ask
from ui.cases.bars import UndoBar, WorkBar
from ui.cases.cases import WIDTH, CaseHead, CaseLine, CaseList, case_lines
from ui.cases.deeds import Deeds
from ui.cases.detail import DetailPane
from ui.cases.exhibits import ExhibitModel
from ui.cases.filters import FilterBar
from ui.cases.finding import Chosen, place_of
from ui.cases.menus import Menus
from ui.cases.table import ExhibitTable
from ui.context import Context
from ui.keys import install_keys
from ui.look import tokens
from ui.page import Page, PageName
from ui.widgets.buttons import button
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import words
from ui.widgets.panels import EmptyState

_WIDE: Final = 1280
"""Room, in logical pixels, for cases, list and detail beside one another; below `_NARROW` for one of them."""
_NARROW: Final = 720
_LOW: Final = 500
_LIST_PART: Final = 0.52
_FOLLOW_MS: Final = 120
_MOST_SHOWN: Final = 200
"""Exhibits that another page may have selected here at once."""


@dataclass(frozen=True, slots=True)
class _Overall:
    lines: Sequence[CaseLine]
    tags: Mapping[str, int]


class CasesPage(Page):
    """See the module."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, PageName.CASES)
        self.model = ExhibitModel(context, self)
        self.cases, self.head, self.filters = CaseList(context), CaseHead(context), FilterBar(context)
        self.told, self.work = UndoBar(context), WorkBar(context)
        self.deeds = Deeds(context, self.work, self.told)
        self.table = ExhibitTable(context, self.model)
        self._detail: DetailPane | None = None
        self.empty = EmptyState(context, "folder-open", "ui_cases.empty")
        self.empty.deeds.addWidget(
            button(
                context,
                "ui_cases.empty.do",
                lambda: self.wanted.emit(PageName.SEAL, None),
                icon="stamp",
                main=True,
            )
        )
        self.nothing = EmptyState(context, "search", "ui_cases.nothing")
        self.nothing.deeds.addWidget(button(context, "ui_cases.filters.clear", self.filters.reset))
        self.found = words(context, role="secondary")
        self._stand_on: bytes | None = None
        self._also: Sequence[bytes] = ()
        self._open = False
        self._mode: tuple[bool, bool] | None = None
        self._follow = QTimer(self, singleShot=True, interval=_FOLLOW_MS)
        self._follow.timeout.connect(self._on_follow)
        self._lay_out()
        self.menus = Menus(context, self, self)
        self._foot_buttons()
        self._connect()
        self._shortcuts()
        context.tongue.follow(self, self._say)
        self._arrange()
        self._read()
        self._ask()

    # --- the frame's --------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Cases and exhibits may have come."""
        self._refresh()

    def show_item(self, item: object) -> None:
        """A leaf hash or a list of them: select and show it; a case number: choose the case."""
        if isinstance(item, str):
            self._with_cases(lambda: self._show_case(item))
        elif isinstance(item, bytes):
            self._with_cases(lambda: self._find([item]))
        elif isinstance(item, list | tuple):
            leaves = [leaf for leaf in item if isinstance(leaf, bytes)][:_MOST_SHOWN]
            if leaves:
                self._with_cases(lambda: self._find(leaves))

    # --- building -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        for bar in (self.told, self.work):
            self.body.addWidget(bar)
        self.body.setSpacing(tokens.M)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(tokens.L)
        self.splitter.setStyleSheet("QSplitter::handle { background: transparent; }")
        self._middle = QWidget()
        column = QVBoxLayout(self._middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.S)
        column.addWidget(self.head)
        column.addWidget(self.filters)
        column.addWidget(self.table, 1)
        column.addWidget(self.nothing, 1)
        column.addWidget(self.found)
        self._foot = FlowLayout()
        column.addLayout(self._foot)
        for widget in (self.cases, self._middle):
            self.splitter.addWidget(widget)
        for at, stretch in enumerate((0, 3)):
            self.splitter.setStretchFactor(at, stretch)
        self._top_box = QWidget()
        self._top = QVBoxLayout(self._top_box)
        self._top.setContentsMargins(0, 0, 0, 0)
        self.body.addWidget(self._top_box)
        self.body.addWidget(self.splitter, 1)
        self.body.addWidget(self.empty, 1)
        self.nothing.hide()
        self.empty.hide()

    def _foot_buttons(self) -> None:
        context, menus = self.context, self.menus
        self.head.deeds.addWidget(menus.case_button)
        self.open = button(context, "ui_cases.do.open", self.open_detail, icon="eye")
        self.recheck = button(context, "ui_cases.do.recheck", menus.recheck, icon="refresh-cw")
        self.export = button(context, "ui_cases.do.export", menus.export, icon="package")
        self.certify = button(context, "ui_cases.do.certify", menus.certify, icon="badge-check", main=True)
        for widget in (self.certify, self.open, menus.papers_button, self.recheck, self.export):
            self._foot.addWidget(widget)

    def _connect(self) -> None:
        self.model.answered.connect(self._on_answered)
        self.model.filled.connect(lambda _: self._on_current())
        self.filters.changed.connect(self._ask)
        self.cases.chosen.connect(lambda _: self._on_case())
        self.cases.archived_toggled.connect(lambda _: self._ask())
        self.table.current_changed.connect(lambda _: self._on_current())
        self.table.chosen_changed.connect(self._say)
        self.table.open_asked.connect(self.open_detail)
        self.table.menu_asked.connect(self._on_menu)
        self.deeds.certify_asked.connect(lambda leaves: self.wanted.emit(PageName.CERTIFY, leaves))
        self.context.desk.changed.connect(self._refresh)

    def _shortcuts(self) -> None:
        install_keys(
            self,
            {
                "Ctrl+F": self._on_search,
                "F5": self._refresh,
                "Ctrl+Z": self.told.undo,
                "Esc": self._on_escape,
            },
        )

    # --- reading ------------------------------------------------------------------------------------------------

    def _read(self, then: Callable[[], None] | None = None) -> None:
        """Cases and tags."""

        def work(session: Session, job: Job) -> _Overall:
            return _Overall(case_lines(session, job), browse.tags(session.desk))

        def done(found: _Overall) -> None:
            self.cases.set_lines(found.lines)
            self.filters.set_tags(found.tags)
            self._on_lines()
            if then is not None:
                then()

        ask(self.context, self, work, done)

    def _with_cases(self, then: Callable[[], None]) -> None:
        """After the cases were read: what is asked for may have come just now."""
        self._read(then)

    def _query(self) -> ExhibitQuery:
        archived = None if self.cases.number is not None or self.cases.archived.isChecked() else False
        return self.filters.query(ExhibitQuery(case_number=self.cases.number, archived=archived))

    def _ask(self) -> None:
        self.model.show(self._query(), stand_on=self._stand_on)

    def _refresh(self) -> None:
        """Something may have changed."""
        if self.context.desk.session is None:
            return
        self._read()
        line = self.model.held(self.table.row)
        self.model.refresh(stand_on=None if line is None else line.leaf_hash, row=max(0, self.table.row))
        if self._detail is not None:
            self._detail.refresh()

    def _find(self, leaves: Sequence[bytes]) -> None:
        """Choose the case of the first and stand on it; the others of the case are selected with it."""

        def work(session: Session, _job: Job) -> str | None:
            rows = [session.vault.exhibits.exhibit(leaf) for leaf in leaves]
            numbers = {row.case_number for row in rows if row is not None}
            return next(iter(numbers)) if len(numbers) == 1 else None

        def done(case: str | None) -> None:
            self._stand_on, self._also = leaves[0], leaves
            self.filters.blockSignals(True)  # one question, not two
            self.filters.reset()
            self.filters.set_order(Order.NEWEST)
            self.filters.blockSignals(False)
            self.cases.blockSignals(True)
            self.cases.choose(case)
            self.cases.blockSignals(False)
            self._on_case()
            self._show_detail(leaves[0])

        ask(self.context, self, work, done)

    # --- choosing -----------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> Chosen:
        """The selected exhibits."""
        return self.table.chosen

    @property
    def chosen_or_all(self) -> Chosen:
        """The selected exhibits, or all that are listed when none is."""
        chosen, total = self.table.chosen, self.model.rowCount()
        return (
            chosen if chosen.ranges or not total else Chosen(query=self.model.query, ranges=((0, total - 1),))
        )

    @property
    def case_number(self) -> str | None:
        """The chosen case."""
        return self.cases.number

    @property
    def follows(self) -> bool:
        """Whether the details are about to follow the list."""
        return self._follow.isActive()

    @property
    def detail(self) -> DetailPane:
        """The details; made when they are first wanted, as so many widgets take their time."""
        if self._detail is None:
            self._detail = DetailPane(self.context, self.deeds, self.told)
            self._detail.hide()
            self._detail.closed.connect(self.close_detail)
            self._detail.verify_asked.connect(lambda number: self.wanted.emit(PageName.VERIFY, number))
            self._detail.exhibit_asked.connect(lambda leaf: self._find([leaf]))
            self.splitter.addWidget(self._detail)
            self.splitter.setStretchFactor(self.splitter.count() - 1, 2)
        return self._detail

    def open_detail(self) -> None:
        """Show the current exhibit beside the list, and follow the list from then on."""
        line = self.model.held(self.table.row)
        if line is not None:
            self._show_detail(line.leaf_hash)

    def close_detail(self) -> None:
        """Put it away; the list has the keyboard again."""
        self._open = False
        self.detail.hide()
        self._arrange()
        self.table.setFocus()

    def _show_detail(self, leaf: bytes) -> None:
        self._open = True
        self.detail.show()
        self._arrange()
        self.detail.show_exhibit(leaf)

    def _show_case(self, number: str) -> None:
        if self.cases.line_of(number) is not None:
            self.cases.choose(number)

    def _on_case(self) -> None:
        self._on_lines()
        self._ask()

    def _on_lines(self) -> None:
        """Cases were read, or another one was chosen."""
        line = self.cases.line
        self.head.show_case(line)
        self.menus.show_case(line)
        none = not self.cases.any
        self.empty.setVisible(none)
        self.splitter.setVisible(not none)
        self._top_box.setVisible(not none)

    def _on_answered(self, total: int, row: int | None, moved: bool) -> None:
        if moved:
            self.table.clearSelection()
        if row is not None and (moved or self._stand_on is not None):
            self.table.stand_on(row)
        self._stand_on = None
        self.nothing.setVisible(total == 0)
        self.table.setVisible(total > 0)
        if len(self._also) > 1:
            self._select(self._also)
        self._also = ()
        self._say()

    def _select(self, leaves: Sequence[bytes]) -> None:
        """Select the rows of these exhibits, as far as they are listed."""
        query = self.model.query

        def work(session: Session, job: Job) -> list[int]:
            places: list[int | None] = []
            for leaf in leaves:
                job.step("browse", len(places), len(leaves))
                places.append(place_of(session.desk, query, leaf))
            return [place for place in places if place is not None]

        def done(rows: list[int]) -> None:
            if query == self.model.query:
                self.table.select(rows)

        ask(self.context, self, work, done)

    def _on_menu(self, place: QPoint) -> None:
        self.menus.rows.popup(place)

    def _on_current(self) -> None:
        if self._open:
            self._follow.start()

    def _on_follow(self) -> None:
        line = self.model.held(self.table.row)
        if self._open and line is not None and line.leaf_hash != self.detail.leaf:
            self.detail.show_exhibit(line.leaf_hash)

    def _on_search(self) -> None:
        if not self._middle.isVisible():
            self.close_detail()
        self.filters.text.setFocus()
        self.filters.text.selectAll()

    def _on_escape(self) -> None:
        if self._open:
            self.close_detail()
        elif self.filters.active:
            self.filters.reset()

    # --- words and room -----------------------------------------------------------------------------------------

    def _say(self) -> None:
        say, total, chosen = self.context.tongue.say, self.model.rowCount(), self.table.chosen.count
        code = "ui_cases.found.filtered" if self.filters.active else "ui_cases.found"
        parts = [say(code, count=f"{total:,}")]
        if chosen:
            parts.append(say("ui_cases.found.chosen", count=f"{chosen:,}"))
        self.found.setText("　".join(parts))
        for widget in (self.certify, self.export, self.recheck, self.open):
            widget.setEnabled(chosen > 0)
        self.menus.papers_button.setEnabled(total > 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out anew for the room there is."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        width = self.width() - 2 * tokens.XL
        narrow, wide = width < _NARROW, width >= _WIDE
        beside = wide or (not narrow and not self._open)
        if beside and self.splitter.indexOf(self.cases) < 0:
            self.splitter.insertWidget(0, self.cases)
        elif not beside and self.splitter.indexOf(self.cases) >= 0:
            self._top.addWidget(self.cases)
        self.cases.set_narrow(not beside)
        self.head.set_low(self.height() < _LOW)
        self.cases.setVisible(not (narrow and self._open))
        self._middle.setVisible(not (narrow and self._open))
        self.open.setVisible(not self._open)
        mode = (beside, self._open)
        if mode != self._mode:  # else the handles stay where they were put
            self._mode = mode
            left = WIDTH if beside else 0
            rest = max(0, width - left)
            sizes = [round(rest * _LIST_PART), round(rest * (1 - _LIST_PART))] if self._open else [rest, 0]
            self.splitter.setSizes([left, *sizes] if beside else sizes)

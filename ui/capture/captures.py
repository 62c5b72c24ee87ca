"""All captures of the vault, newest first: failed, abandoned and cut short ones too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHeaderView, QStackedWidget, QTableView, QVBoxLayout, QWidget

from ui.capture.models import CapturesModel
from ui.capture.replays import replays_of
from ui.capture.work import CaptureWork, Listed
from ui.context import Context
from ui.look import tokens
from ui.widgets.buttons import button
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import words
from ui.widgets.panels import EmptyState
from ui.widgets.table import plain_table

_WIDTHS: Final = ((0, 160), (1, 190), (3, 120), (4, 230))
"""Of columns; an evidence number is never cut short."""


class CapturesPanel(QWidget):
    """Signals: `view_asked` and `case_asked` (leaf hash of the exhibit)."""

    view_asked = Signal(object)
    case_asked = Signal(object)

    def __init__(self, context: Context, work: CaptureWork) -> None:
        super().__init__()
        self._context, self._work = context, work
        self._replays = replays_of(context)
        self.model = CapturesModel(context)
        self.table = plain_table(context, self.model, "ui_capture.list")
        self.table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # addresses of one site begin alike
        header = self.table.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        for at, width in _WIDTHS:
            self.table.setColumnWidth(at, width)
        self.view = button(context, "ui_capture.view", self._on_view, icon="eye")
        self.replay = button(context, "ui_capture.replay", self._on_replay, icon="play")
        self.case = button(context, "ui_seal.show", self._on_case, icon="folder-open")
        self.recover = button(context, "ui_capture.recover", self._on_recover, icon="stamp")
        self.give_up = button(context, "ui_capture.give_up", self._on_give_up, icon="trash-2", danger=True)
        row = FlowLayout()
        for widget in (self.view, self.replay, self.case, self.recover, self.give_up):
            row.addWidget(widget)
        self._stack = QStackedWidget()
        self._stack.addWidget(EmptyState(context, "globe", "ui_capture.none"))
        self._stack.addWidget(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, tokens.M, 0, 0)
        column.setSpacing(tokens.M)
        column.addWidget(self._stack, 1)
        column.addWidget(words(context, "ui_capture.list.note", role="secondary"))
        column.addLayout(row)
        selection = self.table.selectionModel()
        if selection is not None:
            selection.selectionChanged.connect(lambda *_: self.say())
        self.table.doubleClicked.connect(lambda _: self._on_view())
        self._replays.changed.connect(self.say)
        work.listed.connect(self.show_rows)
        work.changed.connect(self.say)
        self.show_rows(work.rows)

    def show_rows(self, rows: Sequence[Listed]) -> None:
        """Show these; the choice stays."""
        chosen = self.chosen
        self.model.reset(rows)
        self._stack.setCurrentIndex(1 if rows else 0)
        for at, row in enumerate(rows):
            if chosen is not None and row.row.id == chosen.row.id:
                self.table.selectRow(at)
        self.say()

    @property
    def chosen(self) -> Listed | None:
        """The capture chosen."""
        selection = self.table.selectionModel()
        rows = [] if selection is None else selection.selectedRows()
        return self.model.row(rows[0].row()) if rows else None

    def say(self) -> None:
        """Which deeds are possible."""
        chosen = self.chosen
        sealed = chosen is not None and chosen.exhibit is not None and not chosen.exhibit.erased
        cut = chosen is not None and chosen.cut
        for widget in (self.view, self.case):
            widget.setEnabled(sealed)
        leaf = None if chosen is None or chosen.exhibit is None else chosen.exhibit.leaf_hash
        self.replay.setEnabled(sealed and leaf is not None and not self._replays.busy(leaf))
        self.recover.setEnabled(cut and not self._work.running)
        self.give_up.setEnabled(cut and not self._work.running)

    def _on_view(self) -> None:
        chosen = self.chosen
        if chosen is not None and chosen.exhibit is not None and self.view.isEnabled():
            self.view_asked.emit(chosen.exhibit.leaf_hash)

    def _on_replay(self) -> None:
        chosen = self.chosen
        if chosen is not None and chosen.exhibit is not None:
            self._replays.open(chosen.exhibit.leaf_hash)

    def _on_case(self) -> None:
        chosen = self.chosen
        if chosen is not None and chosen.exhibit is not None:
            self.case_asked.emit(chosen.exhibit.leaf_hash)

    def _on_recover(self) -> None:
        chosen = self.chosen
        if chosen is not None and chosen.cut:
            self._work.recover(chosen.row.id)

    def _on_give_up(self) -> None:
        chosen = self.chosen
        if chosen is not None and chosen.cut:
            ask_give_up(self._context, self._work, chosen.row.id)


def ask_give_up(context: Context, work: CaptureWork, capture: bytes) -> None:
    """Abandon a capture that was cut short, once it is confirmed."""
    context.messages.confirm(
        "ui_capture.give_up.ask", action="ui_capture.give_up", accepted=lambda: work.give_up(capture), dangerous=True
    )  # fmt: skip

"""A capture in hand: where it is, what it has, what happened, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QTableView, QVBoxLayout, QWidget

from evidence_desk.core.capture.environment import Reason
from evidence_desk.core.capture.events import Event, PageState, Snapped, Visited
from ui.capture.feed import Now, Stage
from ui.capture.models import EventsModel, PageLine, PagesModel
from ui.capture.work import CaptureWork
from ui.context import Context
from ui.look import fonts, tokens
from ui.widgets.buttons import button
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import IconLabel, words
from ui.widgets.panels import Banner, Card
from ui.widgets.table import plain_table
from ui.words import duration, file_size

_FIGURES: Final = ("elapsed", "connections", "bytes", "marks")
_STATE: Final = 130
_STRETCH: Final = (2, 3)


class RunningPanel(QWidget):
    """See the module."""

    def __init__(self, context: Context, work: CaptureWork) -> None:
        super().__init__()
        self._context, self._work = context, work
        self.title = words(context, role="heading")
        self.steps = {stage: IconLabel(context) for stage in Stage}
        self.figures = {name: QLabel() for name in _FIGURES}
        self.pages, self.events = PagesModel(context), EventsModel(context)
        self.page_table = plain_table(context, self.pages, "ui_capture.pages")
        self.event_table = plain_table(context, self.events, "ui_capture.events")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.M)
        column.addWidget(self._head())
        self.trouble = Banner(context)
        self._troubled: Reason | None = None
        column.addWidget(self.trouble)
        column.addWidget(self._lists(), 1)
        self.note = words(context, role="secondary")
        column.addWidget(self.note)
        column.addLayout(self._foot())
        work.progressed.connect(self._say)
        work.told.connect(self._on_told)
        work.changed.connect(self.show_work)
        context.tongue.follow(self, self._say)

    def _head(self) -> Card:
        card = Card()
        card.body.setContentsMargins(tokens.L, tokens.M, tokens.L, tokens.M)
        card.body.setSpacing(tokens.S)
        card.body.addWidget(self.title)
        steps = FlowLayout()
        steps.setSpacing(tokens.L)
        for label in self.steps.values():
            steps.addWidget(label)
        card.body.addLayout(steps)
        row = FlowLayout()
        row.setSpacing(tokens.XXL)
        for name, value in self.figures.items():
            row.addWidget(self._figure(name, value))
        card.body.addLayout(row)
        return card

    def _figure(self, name: str, value: QLabel) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        caption = words(self._context, f"ui_capture.figure.{name}", role="secondary")
        caption.setWordWrap(False)
        value.setFont(fonts.mono(tokens.TITLE))
        value.setTextFormat(Qt.TextFormat.PlainText)
        column.addWidget(caption)
        column.addWidget(value)
        return box

    def _lists(self) -> QSplitter:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        for table, column in ((self.page_table, 1), (self.event_table, 0)):
            table.horizontalHeader().setSectionResizeMode(column, table.horizontalHeader().ResizeMode.Stretch)
            table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
            split.addWidget(table)
        self.page_table.setColumnWidth(0, _STATE)
        self.page_table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # addresses of one site begin alike
        for at, share in enumerate(_STRETCH):
            split.setStretchFactor(at, share)
        return split

    def _foot(self) -> QHBoxLayout:
        context = self._context
        self.snapshot = button(context, "ui_capture.snapshot", self._work.snapshot, icon="camera")
        self.abandon = button(context, "ui_capture.abandon", self._on_abandon, icon="trash-2", danger=True)
        self.finish = button(context, "ui_capture.finish", self._on_finish, icon="circle-check", main=True)
        row = QHBoxLayout()
        for widget in (self.snapshot, self.abandon):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.finish)
        return row

    # --- what is shown --------------------------------------------------------------------------------------------

    def show_work(self) -> None:
        """Show the capture in hand from its beginning."""
        self.events.reset(self._work.events)
        self._say()

    def _on_told(self, events: list[Event]) -> None:
        bar = self.event_table.verticalScrollBar()
        end = bar.value() >= bar.maximum()
        self.events.add(events)
        if end:
            self.event_table.scrollToBottom()

    def _say(self) -> None:
        work, say = self._work, self._context.tongue.say
        if not work.running:
            return
        now, order = work.now, work.order
        interactive = order is not None and order.interactive
        title = "recovering" if order is None else "interactive" if interactive else "automatic"
        self.title.setText(say(f"ui_capture.running.{title}"))
        self._say_steps(now)
        self.figures["elapsed"].setText(duration(work.seconds))
        self.figures["connections"].setText(str(now.connections))
        self.figures["bytes"].setText(file_size(now.size))
        self.figures["marks"].setText(say("ui_capture.marks", marks=now.marks, tokens=now.tokens))
        self._say_pages(work.events)
        recording = now.stage is Stage.RECORD and not work.stopping
        self.snapshot.setVisible(interactive)
        self.snapshot.setEnabled(recording)
        self.finish.setVisible(order is not None)
        self.finish.setEnabled(recording)
        self.finish.setText(say("ui_capture.finish.person" if interactive else "ui_capture.finish"))
        self.abandon.setVisible(order is not None)
        self.abandon.setEnabled(now.stage <= Stage.RECORD and not work.stopping)
        note = "stopping" if work.stopping and now.stage is Stage.RECORD else now.stage.name.lower()
        self.note.setText(say(f"ui_capture.note.{note}"))
        self._say_trouble(now.trouble)

    def _say_trouble(self, reason: Reason | None) -> None:
        """Why it could not go on is told at once: room can be made while the rest is put away."""
        self.trouble.setVisible(reason is not None)
        if reason is not None:
            self.note.setText(self._context.tongue.say(f"{reason.code}.advice", **reason.parameters))
            if reason != self._troubled:
                self.trouble.set("failed", "circle-x", reason.code, **reason.parameters)
        self._troubled = reason

    def _say_steps(self, now: Now) -> None:
        for stage, label in self.steps.items():
            code, facts = f"ui_capture.step.{stage.name.lower()}", {}
            if stage < now.stage:
                icon, role = "circle-check", "passed"
            elif stage > now.stage:
                icon, role = "circle", "secondary"
            else:
                icon, role = "refresh-cw", "accent"
                if now.part is not None and stage in {Stage.READ, Stage.SEAL}:
                    code, facts = f"{code}.part", {"percent": int(now.part * 100)}
            label.set(icon, role, code, **facts)

    def _say_pages(self, events: Sequence[Event]) -> None:
        lines = page_lines(self._work, events)
        if lines != [self.pages.row(at) for at in range(self.pages.rowCount())]:
            self.pages.reset(lines)

    # --- deeds ----------------------------------------------------------------------------------------------------

    def _on_finish(self) -> None:
        if self._work.order is not None and self._work.order.interactive:
            self._work.finish()
            return
        self._context.messages.confirm(
            "ui_capture.finish.ask", action="ui_capture.finish", accepted=self._work.finish
        )

    def _on_abandon(self) -> None:
        begun = self._work.now.stage > Stage.LOOK
        self._context.messages.confirm(
            "ui_capture.abandon.ask" if begun else "ui_capture.abandon.early", action="ui_capture.abandon",
            accepted=self._work.abandon, dangerous=True,
        )  # fmt: skip


def page_lines(work: CaptureWork, events: Sequence[Event]) -> list[PageLine]:
    """Addresses of the order with what became of them; snapshots where a person browses."""
    order = work.order
    if order is None:
        return []
    if order.interactive:
        return [
            PageLine(
                number=item.number,
                url=item.url,
                state=PageState.PARTIAL if item.missing else PageState.LOADED,
            )
            for item in events
            if isinstance(item, Snapped)
        ]
    visits = {item.number: item.state for item in events if isinstance(item, Visited)}
    current = len(visits) + 1 if work.now.stage is Stage.RECORD else 0
    return [
        PageLine(number=number, url=url, state=visits.get(number), current=number == current)
        for number, url in enumerate(order.urls, 1)
    ]

"""What narrows the list: words, and below them kind, state, tags and days. Says when any of it changed, a moment after the last key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from PySide6.QtCore import QDate, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QDateEdit,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from evidence_desk.core.certificate.printed import BEIJING
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.services.browse import LOGGED_ONLY, ExhibitQuery, ExhibitStates, Order
from ui.context import Context
from ui.look import tokens
from ui.plain import plain
from ui.widgets.buttons import button
from ui.widgets.flow import FlowLayout

_WAIT_MS: Final = 150
_MAX_TEXT: Final = 200
_STATES: Final = (
    ("any", ExhibitStates()),
    ("logged_only", LOGGED_ONLY),
    ("timestamped", ExhibitStates(timestamped=True)),
    ("not_timestamped", ExhibitStates(timestamped=False)),
    ("anchored", ExhibitStates(anchored=True)),
    ("not_anchored", ExhibitStates(anchored=False)),
    ("certified", ExhibitStates(certified=True)),
    ("not_certified", ExhibitStates(certified=False)),
)
_NO_DAY: Final = QDate(1999, 12, 31)
"""Stands for no limit; no electronic evidence of ours is older."""


class FilterBar(QWidget):
    """See the module. `changed` when the list has to be asked anew."""

    changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._tags: dict[str, QAction] = {}
        self._silent = False
        self.text = QLineEdit(maxLength=_MAX_TEXT, clearButtonEnabled=True)
        self.text.addAction(
            context.look.icon("search", "secondary"), QLineEdit.ActionPosition.LeadingPosition
        )
        self.kind, self.state, self.order = QComboBox(), QComboBox(), QComboBox()
        self.since, self.until = QDateEdit(), QDateEdit()
        self.tags, self.menu = QPushButton(), QMenu(self)
        self.more = button(context, "ui_cases.filters", lambda: None, icon="list-filter")
        self.more.setCheckable(True)
        self.clear = button(context, "ui_cases.filters.clear", self.reset, flat=True)
        self._lay_out()
        self._name()
        self._timer = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._timer.timeout.connect(self.changed)
        self._connect()
        context.tongue.follow(self, self._say)
        self._mark()

    # --- what is asked ------------------------------------------------------------------------------------------

    def query(self, base: ExhibitQuery) -> ExhibitQuery:
        """`base` with what is chosen here."""
        kind = self.kind.currentData()
        return replace(
            base,
            text=self.text.text(),
            tags=self.chosen_tags,
            kinds=(kind,) if kind else (),
            states=_STATES[max(0, self.state.currentIndex())][1],
            registered_from=_midnight(self.since.date()),
            registered_to=_midnight(self.until.date(), days=1),
            order=Order(self.order.currentData() or Order.NEWEST.value),
        )

    @property
    def active(self) -> int:
        """How many things narrow the list."""
        return sum(
            (
                bool(self.text.text().strip()), self.kind.currentIndex() > 0, self.state.currentIndex() > 0,
                bool(self.chosen_tags), self.since.date() != _NO_DAY, self.until.date() != _NO_DAY,
            )
        )  # fmt: skip

    @property
    def pending(self) -> bool:
        """Whether a change is about to be told."""
        return self._timer.isActive()

    @property
    def chosen_tags(self) -> tuple[str, ...]:
        """Tags that exhibits must have."""
        return tuple(tag for tag, action in self._tags.items() if action.isChecked())

    def reset(self) -> None:
        """Narrow by nothing; told at once."""
        self._silent = True
        self.text.clear()
        self.kind.setCurrentIndex(0)
        self.state.setCurrentIndex(0)
        for day in (self.since, self.until):
            day.setDate(_NO_DAY)
        for action in self._tags.values():
            action.setChecked(False)
        self._silent = False
        self._timer.stop()
        self._mark()
        self.changed.emit()

    def set_tags(self, tags: Mapping[str, int]) -> None:
        """Tags to choose from, with the number of exhibits of each; what is chosen stays chosen."""
        chosen = set(self.chosen_tags)
        self.menu.clear()
        self._tags = {}
        for tag, count in tags.items():
            action = QAction(f"{plain(tag).replace('&', '&&')}  ({count})", self.menu, checkable=True)
            action.setChecked(tag in chosen)
            action.toggled.connect(self._on_changed)
            self.menu.addAction(action)
            self._tags[tag] = action
        self._mark()

    def set_order(self, order: Order) -> None:
        """Choose an order."""
        self.order.setCurrentIndex(self.order.findData(order.value))

    # --- building -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.S)
        row = QHBoxLayout()
        row.setSpacing(tokens.S)
        row.addWidget(self.text, 1)
        row.addWidget(self.more)
        row.addWidget(self.order)
        column.addLayout(row)
        self.box = QWidget()
        flow = FlowLayout(self.box)
        self.tags.setMenu(self.menu)
        for day in (self.since, self.until):
            day.setCalendarPopup(True)
            day.setMinimumDate(_NO_DAY)
            day.setDate(_NO_DAY)
            day.setDisplayFormat("yyyy-MM-dd")
            day.setMinimumWidth(132)
        for widget in (self.kind, self.state, self.tags, self.since, self.until, self.clear):
            flow.addWidget(widget)
        column.addWidget(self.box)
        self.box.hide()

    def _name(self) -> None:
        bind = self._context.tongue.bind
        for widget, name in (
            (self.text, "search"), (self.kind, "filter.kind"), (self.state, "filter.state"), (self.order, "order"),
            (self.since, "filter.since"), (self.until, "filter.until"), (self.tags, "filter.tags"),
        ):  # fmt: skip
            bind(widget, widget.setAccessibleName, f"ui_cases.{name}")
            bind(widget, widget.setToolTip, f"ui_cases.{name}")
        bind(self.text, self.text.setPlaceholderText, "ui_cases.search.hint")

    def _connect(self) -> None:
        self.text.textChanged.connect(self._on_changed)
        for combo in (self.kind, self.state, self.order):
            combo.currentIndexChanged.connect(self._on_changed)
        for day in (self.since, self.until):
            day.dateChanged.connect(self._on_changed)
        self.more.toggled.connect(self.box.setVisible)

    def _on_changed(self) -> None:
        if not self._silent:
            self._mark()
            self._timer.start()

    def _mark(self) -> None:
        say, chosen = self._context.tongue.say, self.chosen_tags
        folded = self.active - bool(self.text.text().strip())
        self.more.setText(say("ui_cases.filters.active", count=folded) if folded else say("ui_cases.filters"))
        text = "、".join(plain(tag, 12) for tag in chosen[:2]) if chosen else say("ui_cases.filter.tags.any")
        self.tags.setText(text.replace("&", "&&"))
        self.tags.setEnabled(bool(self._tags))
        self.clear.setEnabled(self.active > 0)

    def _say(self) -> None:
        say = self._context.tongue.say
        self._silent = True
        _fill(
            self.kind,
            [
                ("", say("ui_cases.filter.kind.any")),
                *((item.value, say(f"ui_cases.kind.{item.value}")) for item in ExhibitKind),
            ],
        )
        _fill(self.state, [(name, say(f"ui_cases.filter.state.{name}")) for name, _ in _STATES])
        _fill(self.order, [(item.value, say(f"ui_cases.order.{item.value}")) for item in Order])
        self.since.setSpecialValueText(say("ui_cases.filter.since.any"))
        self.until.setSpecialValueText(say("ui_cases.filter.until.any"))
        self._silent = False
        self._mark()


def _fill(combo: QComboBox, items: list[tuple[str, str]]) -> None:
    at = max(0, combo.currentIndex())
    combo.clear()
    for value, text in items:
        combo.addItem(text, value)
    combo.setCurrentIndex(at)


def _midnight(day: QDate, *, days: int = 0) -> datetime | None:
    """First moment of a day in Beijing, so many days later; None for no limit."""
    if day == _NO_DAY:
        return None
    return datetime(day.year(), day.month(), day.day(), tzinfo=BEIJING) + timedelta(days=days)

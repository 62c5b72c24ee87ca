"""The rows of the status page: an area's facts, each by icon, word and color, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from evidence_desk.bootstrap.health import Area, Fact, Level
from ui.context import Context
from ui.look import tokens
from ui.widgets.labels import IconLabel, words
from ui.widgets.panels import Card, clear
from ui.words import file_size, local_time

SIGNS = {
    Level.RIGHT: ("circle-check", "passed"),
    Level.WORK: ("clock", "warning"),
    Level.WRONG: ("circle-x", "failed"),
    Level.UNKNOWN: ("circle-question-mark", "undetermined"),
}


class AreaCard(Card):
    """All facts of one area, and its buttons."""

    def __init__(self, context: Context, area: Area, buttons: Sequence[QWidget]) -> None:
        super().__init__()
        self._context = context
        head = QHBoxLayout()
        head.addWidget(words(context, f"ui_status.area.{area.value}", role="heading"), 1)
        for button in buttons:
            head.addWidget(button)
        self.body.addLayout(head)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(tokens.S)
        self.body.addLayout(self._rows)
        self.facts: tuple[Fact, ...] = ()

    def show_facts(self, facts: Sequence[Fact]) -> None:
        """Show these in the place of those before."""
        clear(self._rows)
        self.facts = tuple(facts)
        for fact in facts:
            self._rows.addWidget(FactRow(self._context, fact))


class FactRow(QWidget):
    """One fact."""

    def __init__(self, context: Context, fact: Fact) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.M)
        sign = IconLabel(context)
        sign.set(*SIGNS[fact.level], f"ui_status.state.{fact.level.value}")
        sign.setMinimumWidth(120)
        row.addWidget(sign)
        column = QVBoxLayout()
        column.setSpacing(2)
        sentence = words(context)
        context.tongue.bind(sentence, sentence.setText, fact.code, **_told(fact))
        column.addWidget(sentence)
        error = fact.error
        if error is not None:
            told = words(context, role="secondary")
            context.tongue.follow(told, lambda: told.setText(context.tongue.error(error)[0]))
            column.addWidget(told)
        if context.tongue.has(f"{fact.code}.advice"):
            column.addWidget(words(context, f"{fact.code}.advice", role="secondary"))
        row.addLayout(column, 1)
        if fact.demo:
            mark = IconLabel(context)
            mark.set("triangle-alert", "warning", "ui_status.demo")
            column.addWidget(mark, 0, Qt.AlignmentFlag.AlignLeft)


def _told(fact: Fact) -> dict[str, str | int]:
    """The facts as people read them: moments in Beijing time, free space in the unit of other sizes."""
    told = dict(fact.facts)
    for name in ("at", "time"):
        if name in told:
            told[name] = local_time(datetime.fromisoformat(str(told[name])))
    if fact.area is Area.DISK and "free" in told:
        told["free"] = file_size(int(str(told["free"]).removesuffix(" MiB")) << 20)
    return told

"""The first tab of an exhibit: what identifies it, how far it has come, what people stated, its tags."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from evidence_desk.core.moment import format_moment
from evidence_desk.services.annotate import MAX_TAG
from ui.cases.exhibits import STATES
from ui.cases.facts import Facts
from ui.context import Context
from ui.look import tokens
from ui.plain import LONG, lines, plain
from ui.widgets.buttons import button
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import DigestLabel, IconLabel, words
from ui.words import local_time

_STATED: Final = ("purpose", "obtained", "from_whom", "medium", "operator")


class Overview(QWidget):
    """See the module. `tag_added` and `tag_removed` have a tag."""

    tag_added = Signal(str)
    tag_removed = Signal(str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._facts: Facts | None = None
        self.number, self.leaf = DigestLabel(context), DigestLabel(context)
        self.entry, self.case = words(context), words(context)
        self.states = {name: (IconLabel(context), words(context, role="secondary")) for name in STATES}
        self.stated = {name: words(context) for name in _STATED}
        self._titles: dict[str, QLabel] = {}
        self.tag_box = QWidget()
        self._chips = FlowLayout(self.tag_box)
        self.tag = QLineEdit(maxLength=4 * MAX_TAG)
        self._lay_out()
        context.look.changed.connect(self._show_tags)

    def show_facts(self, facts: Facts) -> None:
        """Show an exhibit; again when the language changes."""
        say, row = self._context.tongue.say, facts.row
        self._facts = facts
        self.number.set(row.number)
        self.leaf.set(row.leaf_hash.hex())
        self.entry.setText(say("ui_cases.entry", seq=row.seq, origin=row.origin))
        self.case.setText(plain(row.case_number))
        for name, (label, told) in self.states.items():
            self._show_state(name, label, told, getattr(row, name), facts)
        for name in _STATED:
            text = "\n".join(lines(facts.stated.get(name, ""), LONG)).strip()
            self.stated[name].setText(text)
            for widget in (self.stated[name], self._titles[name]):
                widget.setVisible(bool(text))
        self._stated_box.setVisible(bool(facts.stated))
        self.tag.setEnabled(not row.erased)
        self.add.setEnabled(not row.erased)
        self._show_tags()

    # --- building -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        context = self._context
        column = QVBoxLayout(self)
        column.setContentsMargins(0, tokens.M, tokens.S, tokens.M)
        column.setSpacing(tokens.M)
        column.addWidget(words(context, "ui_cases.states", role="heading"))
        states = QGridLayout()
        states.setVerticalSpacing(tokens.XS)
        states.setColumnStretch(1, 1)
        for at, (label, told) in enumerate(self.states.values()):
            told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            states.addWidget(label, at, 0)
            states.addWidget(told, at, 1)
        column.addLayout(states)
        column.addWidget(words(context, "ui_cases.identity", role="heading"))
        column.addLayout(
            self._pairs(
                (("number", self.number), ("leaf", self.leaf), ("logged_at", self.entry), ("case", self.case))
            )
        )
        self._stated_box = QWidget()
        stated = QVBoxLayout(self._stated_box)
        stated.setContentsMargins(0, 0, 0, 0)
        stated.setSpacing(tokens.S)
        stated.addWidget(words(context, "ui_cases.stated", role="heading"))
        stated.addWidget(words(context, "ui_cases.stated.note", role="secondary"))
        stated.addLayout(self._pairs(tuple((name, self.stated[name]) for name in _STATED)))
        column.addWidget(self._stated_box)
        column.addWidget(words(context, "ui_cases.tags", role="heading"))
        column.addWidget(self.tag_box)
        row = QHBoxLayout()
        context.tongue.bind(self.tag, self.tag.setPlaceholderText, "ui_cases.tag.hint")
        context.tongue.bind(self.tag, self.tag.setAccessibleName, "ui_cases.tag.hint")
        self.tag.returnPressed.connect(self._on_add)
        self.add = button(context, "ui_cases.tag.add", self._on_add, icon="tag")
        row.addWidget(self.tag, 1)
        row.addWidget(self.add)
        column.addLayout(row)
        column.addStretch(1)

    def _pairs(self, pairs: tuple[tuple[str, QWidget], ...]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(tokens.M)
        grid.setVerticalSpacing(tokens.S)
        grid.setColumnStretch(1, 1)
        for at, (name, widget) in enumerate(pairs):
            title = words(self._context, f"ui_cases.field.{name}", role="secondary")
            title.setWordWrap(False)
            self._titles[name] = title
            if isinstance(widget, QLabel):
                widget.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(title, at, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(widget, at, 1)
        return grid

    # --- parts --------------------------------------------------------------------------------------------------

    def _show_state(
        self, name: str, label: IconLabel, told: QLabel, at: datetime | None, facts: Facts
    ) -> None:
        reached = at is not None
        label.set(
            "circle-check" if reached else "circle", "passed" if reached else "undetermined",
            f"ui_cases.state.{name}.{'yes' if reached else 'no'}",
        )  # fmt: skip
        parts = [local_time(at)] if at is not None else []
        say = self._context.tongue.say
        if name == "timestamped" and facts.stamp is not None:
            parts.append(plain(facts.stamp.tsa))
            parts += [say("ui.demo")] if facts.stamp.demo else []
        if name == "anchored" and facts.anchoring is not None:
            parts.append(
                say("ui_cases.anchor", chain=plain(facts.anchoring.chain), height=facts.anchoring.height)
            )
            parts += [say("ui.demo")] if facts.anchoring.demo else []
        told.setText("　".join(parts))
        told.setToolTip("" if at is None else say("ui_cases.utc", at=format_moment(at)))

    def _show_tags(self) -> None:
        facts = self._facts
        if facts is None:
            return
        while (item := self._chips.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for tag in facts.tags:
            self._chips.addWidget(self._chip(tag))
        self.tag_box.setVisible(bool(facts.tags))

    def _chip(self, tag: str) -> QPushButton:
        chip = QPushButton(plain(tag).replace("&", "&&"))
        chip.setIcon(self._context.look.icon("x", "secondary"))
        chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        name = self._context.tongue.say("ui_cases.tag.remove", tag=plain(tag))
        chip.setAccessibleName(name)
        chip.setToolTip(name)
        chip.clicked.connect(lambda _checked=False: self.tag_removed.emit(tag))
        return chip

    def _on_add(self) -> None:
        if self.tag.text().strip():
            self.tag_added.emit(self.tag.text())
            self.tag.clear()

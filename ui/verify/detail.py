"""One result in full: the answer, what must be known beside it, a row for each dimension, and what is not proven."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from evidence_desk.core.verdict import Dimension, Status
from evidence_desk.services.examination import Examination, Row
from evidence_desk.verify.answer import Result
from evidence_desk.verify.files import InputKind
from ui.context import Context
from ui.look import tokens
from ui.page import scrolled
from ui.verify.parts import Notice, Tile, line, panel, text
from ui.verify.results import Entry
from ui.verify.rows import DimensionRow
from ui.verify.sayings import (
    REVOKED,
    advice,
    answer_of,
    dimension,
    is_revoked,
    name_of,
    result_sign,
    say,
    status_sign,
    times_of,
)
from ui.verify.sections import DetailsCard, limits_card, look_up_card, originals_card
from ui.widgets.buttons import button
from ui.widgets.labels import words

_TONES = {"accent": "neutral"}
_WIDE_FROM = 620
_ALL = len(Dimension)


class DetailView(QWidget):
    """The result in the chosen entry, and the wishes of who reads it as signals with what they are about."""

    given = Signal(object, object)
    choose_originals = Signal(object)
    save = Signal(object)
    print_ = Signal(object)
    copy = Signal(object)
    again = Signal(object)
    look_into = Signal(object)
    choose_trust = Signal()
    choose_network = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.entry: Entry | None = None
        self._opened: set[object] = set()
        self._wide = True
        self._tile, self._columns = 0, _ALL
        self.before: QWidget | None = None
        """Whatever has the keyboard before the result."""
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(tokens.S)
        self._column = QVBoxLayout()
        self.area = scrolled(QWidget())
        outer.addWidget(self.area, 1)
        outer.addLayout(self._foot())
        self.rows: dict[Dimension, DimensionRow] = {}
        self.notices: list[Notice] = []
        for signal in (context.tongue.changed, context.look.changed):
            signal.connect(self._show_anew)

    def show_entry(self, entry: Entry | None) -> None:
        """Show a result; None for nothing."""
        other = self.entry is None or entry is None or entry.key != self.entry.key
        if other:
            self._opened.clear()
        place = 0 if other else self.area.verticalScrollBar().value()
        self.entry = entry
        self._fill()
        self.area.verticalScrollBar().setValue(place)

    # --- parts ------------------------------------------------------------------------------------------------

    def _foot(self) -> QVBoxLayout:
        """What this does not prove, in a line that never scrolls away, and what can be done with the answer."""
        context = self._context
        foot = QVBoxLayout()
        foot.setSpacing(tokens.S)
        self.short_limits = words(context, "ui_verify.limits.short", role="secondary")
        foot.addWidget(self.short_limits)
        row = QHBoxLayout()
        row.setSpacing(tokens.S)
        self.save_button = button(
            context, "ui_verify.save", lambda: self._tell(self.save), icon="save", main=True
        )
        self.print_button = button(
            context, "ui_verify.print", lambda: self._tell(self.print_), icon="printer"
        )
        self.copy_button = button(context, "ui_verify.copy", lambda: self._tell(self.copy), icon="copy")
        self.again_button = button(
            context, "ui_verify.again", lambda: self._tell(self.again), icon="refresh-cw"
        )
        self.look_button = button(context, "ui_capture.view", lambda: self._tell(self.look_into), icon="eye")
        self.look_button.hide()
        row.addWidget(self.save_button)
        for item in (self.look_button, self.print_button, self.copy_button):
            row.addWidget(item)
        row.addStretch(1)
        row.addWidget(self.again_button)
        foot.addLayout(row)
        return foot

    def _tell(self, signal: SignalInstance) -> None:
        if self.entry is not None:
            signal.emit(self.entry)

    def _show_anew(self) -> None:
        if self.entry is not None:
            self.show_entry(self.entry)

    def _fill(self) -> None:
        """All anew in one widget: one that is filled while it is shown is laid out too late."""
        content = QWidget()
        content.setObjectName("scrolled")
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, tokens.M, 0)
        self._column.setSpacing(tokens.M)
        self.rows, self.notices = {}, []
        if self.entry is not None:
            done = self.entry.examination
            self._tell_all(self.entry)
            for item in (self.save_button, self.print_button):
                item.setEnabled(done.result is not Result.INPUT)
            self.short_limits.setVisible(done.error is None)
            self.look_button.setVisible(_is_capture(done))
        focus = self.area.focusWidget() is not None and self.area.isAncestorOf(self.area.focusWidget())
        self.area.setWidget(content)
        self._order(content)
        if focus and self.notices:
            self.notices[0].setFocus()

    def _order(self, content: QWidget) -> None:
        """By the keyboard through the result from the top, then to what can be done with it."""
        stops = [
            item for item in content.findChildren(QWidget) if item.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]
        stops += [self.save_button, self.look_button, self.print_button, self.copy_button, self.again_button]
        before = self.before
        for item in stops:
            if before is not None:
                QWidget.setTabOrder(before, item)
            before = item

    def _tell_all(self, entry: Entry) -> None:
        done = entry.examination
        self._column.addWidget(self._head(done))
        self._answer(done, entry.rows)
        if done.verdict.findings:
            self._column.addWidget(self._dimensions(entry.rows, whole=done.kind is not None))
        if done.kind is not None and done.subject.path is not None:
            self._column.addWidget(
                originals_card(
                    self._context, done,
                    given=lambda paths: self.given.emit(self.entry, paths),
                    choose=lambda: self.choose_originals.emit(self.entry),
                )
            )  # fmt: skip
        if done.looked_up:
            self._column.addWidget(
                look_up_card(
                    self._context, done, choose_trust=self.choose_trust.emit, choose_network=self.choose_network.emit
                )
            )  # fmt: skip
        if done.error is None:
            self._column.addWidget(limits_card(self._context, done))
        details = DetailsCard(self._context, done, opened="details" in self._opened)
        details.handle.toggled.connect(lambda opened: self._remember("details", opened))
        self._column.addWidget(details)
        self._column.addStretch(1)

    def _head(self, done: Examination) -> QWidget:
        tongue = self._context.tongue
        widget = QWidget()
        column = QVBoxLayout(widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(text(name_of(done, tongue), role="heading"))
        kind = "other" if done.subject.path is not None else "asked"
        parts = [tongue.say(f"ui_verify.kind.{kind if done.kind is None else done.kind.value}")]
        if done.size is not None:
            parts.append(tongue.say("ui_verify.bytes", size=f"{done.size:,}"))
        if done.number and done.number != name_of(done, tongue):
            parts.append(done.number)
        column.addWidget(text(" · ".join(parts), role="secondary"))
        return widget

    def _answer(self, done: Examination, rows: Sequence[Row]) -> None:
        """Revoked before anything else; then the sentence; then what must be known beside it."""
        tongue = self._context.tongue
        sign, headed = result_sign(done), answer_of(done, tongue)
        body = "\n".join((headed.text, *times_of(done, tongue)))
        told_so = done.answer.said.code == "examination.answer.revoked"
        if is_revoked(done) and not told_so:
            said = [
                say(tongue, item.code, item.parameters)
                for item in done.verdict.findings
                if item.code in REVOKED
            ]
            self._notice("failed", "ban", said[0], head=tongue.say("ui_verify.result.revoked"))
            plain = Status(done.result.value) if done.result.value in set(Status) else Status.UNDETERMINED
            icon = {Status.PASSED: "circle-check", Status.FAILED: "circle-x"}.get(
                plain, "circle-question-mark"
            )
            self._notice(plain.value, icon, body, head=headed.head)
        else:
            self._notice(_TONES.get(sign.role, sign.role), sign.icon, body, head=headed.head)
        if done.error is not None:
            then = advice(tongue, done.error)
            if then:
                self._column.addWidget(text(then))
        if done.verdict.findings and done.kind is not None:
            self._column.addWidget(self._overview(rows))
        caveats = [say(tongue, item.code, item.parameters) for item in done.verdict.caveats]
        if caveats:
            self._notice("warning", "triangle-alert", "\n".join(caveats))
        for note in done.notes:
            self._notice("neutral", "info", say(tongue, note.code, note.parameters))

    def _notice(self, tone: str, icon: str, said: str, *, head: str = "") -> None:
        notice = Notice(self._context, tone, icon, said, head=head)
        self.notices.append(notice)
        self._column.addWidget(notice)

    def _overview(self, rows: Sequence[Row]) -> QWidget:
        """All dimensions at a glance; a click goes to its row. The keyboard goes to the rows themselves."""
        card = QFrame()
        card.setProperty("card", True)
        grid = QGridLayout(card)
        grid.setContentsMargins(tokens.S, tokens.XS, tokens.S, tokens.XS)
        grid.setSpacing(tokens.XS)
        tiles = [
            Tile(self._context, dimension(row.dimension, self._context.tongue), status_sign(row.status))
            for row in rows
        ]
        self._tile = max(tile.needed for tile in tiles)
        self._columns = self._columns_for(self.width())
        for number, (row, tile) in enumerate(zip(rows, tiles, strict=True)):
            tile.clicked.connect(lambda _checked=False, name=row.dimension: self._go_to(name))
            grid.addWidget(tile, *divmod(number, self._columns))
        return card

    def _columns_for(self, width: int) -> int:
        room = width - tokens.XXL - 2 * tokens.S  # scroll bar, margins
        return _ALL if _ALL * (self._tile + tokens.XS) <= room else (_ALL + 1) // 2

    def _go_to(self, name: Dimension) -> None:
        row = self.rows.get(name)
        if row is not None:
            self.area.ensureWidgetVisible(row)
            row.handle.setFocus()
            row.handle.setChecked(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other columns where there is other room."""
        super().resizeEvent(event)
        wide = self.width() >= _WIDE_FROM
        if wide != self._wide or self._columns != self._columns_for(self.width()):
            self._wide = wide
            self._show_anew()

    def _dimensions(self, rows: Sequence[Row], *, whole: bool) -> QWidget:
        """All seven for evidence; of look-ups those with findings, the others named in one line."""
        tongue = self._context.tongue
        card, column = panel()
        column.setContentsMargins(tokens.L, tokens.S, tokens.L, tokens.S)
        column.setSpacing(tokens.S)
        shown = [row for row in rows if row.findings or whole]
        for number, row in enumerate(shown):
            if number:
                column.addWidget(line())
            column.addWidget(self._row(row))
        others = [dimension(row.dimension, tongue) for row in rows if row not in shown]
        if others:
            column.addWidget(line())
            names = tongue.say("verdict.comma").join(others)
            column.addWidget(text(tongue.say("ui_verify.unexamined", names=names), role="secondary"))
        return card

    def _row(self, row: Row) -> DimensionRow:
        made = DimensionRow(self._context, row, opened=row.dimension in self._opened, wide=self._wide)
        made.toggled.connect(lambda opened, name=row.dimension: self._remember(name, opened))
        self.rows[row.dimension] = made
        return made

    def _remember(self, name: object, opened: bool) -> None:
        (self._opened.add if opened else self._opened.discard)(name)


def _is_capture(done: Examination) -> bool:
    """Whether it is a capture by itself: judged as one, or known here as an original and named so."""
    path = done.subject.path
    return path is not None and (done.kind is InputKind.CAPTURE or path.suffix.lower() == ".wacz")


def originals_of(entry: Entry, more: list[Path]) -> tuple[Path, ...]:
    """Originals named so far and further ones, each once."""
    return tuple(dict.fromkeys((*entry.request.originals, *more)))

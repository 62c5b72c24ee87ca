"""Differences between browser and record, the action log, the checks of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout

from evidence_desk.core.capture.actions import Action, ActionChain
from evidence_desk.core.capture.environment import EnvironmentReport, Item, Outcome, When
from evidence_desk.core.job import Job
from evidence_desk.core.moment import parse_moment
from evidence_desk.services.capture_view import CLEANLINESS, CaptureView
from evidence_desk.wacz.differences import Comparison, Difference
from ui.capture.sayings import say_event, say_reason
from ui.capture.view.paper import show_paper
from ui.capture.view.saving import save_file
from ui.capture.view.tab import TextPane, ViewTab, list_of, on_choice, split
from ui.context import Context
from ui.plain import plain, tip
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.table import Index, RowsModel
from ui.words import local_time

OUTCOMES: Final = {
    Outcome.PASS: ("circle-check", "passed"),
    Outcome.WARN: ("triangle-alert", "warning"),
    Outcome.FAIL: ("circle-x", "failed"),
    Outcome.UNCHECKED: ("circle-question-mark", "undetermined"),
}
_RAW: Final = 20_000


class DifferenceModel(RowsModel[Difference]):
    """Differences; those that contradict each other first."""

    def __init__(self, context: Context) -> None:
        super().__init__(
            context,
            [f"ui_capture.column.{name}" for name in ("reason", "method", "address", "ours", "theirs")],
        )

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Cells."""
        row, column = self.row(index.row()), index.column()
        wrong = row.reason.contradicts
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                reason = self._context.tongue.say(f"difference.{row.reason.value}")
                return (reason, plain(row.method, 20), plain(row.url), plain(row.ours or "—", 80), plain(row.theirs or "—", 80))[column]  # fmt: skip
            case Qt.ItemDataRole.DecorationRole if column == 0:
                return self._context.look.icon(
                    "triangle-alert" if wrong else "info", "warning" if wrong else "secondary"
                )
            case Qt.ItemDataRole.ToolTipRole if column == 0:
                return tip(self._context.tongue.say(f"difference.{row.reason.value}"))
            case Qt.ItemDataRole.ToolTipRole if column == 2:
                return tip(row.url)
        return None


class DifferencesTab(ViewTab[Comparison | None]):
    """See the module."""

    def __init__(self, context: Context, view: CaptureView) -> None:
        super().__init__(context, view)
        self.summary = words(context)
        self.model = DifferenceModel(context)
        self.table = list_of(
            context, self.model, "ui_capture.view.differences", 2, {0: 330, 1: 70, 3: 100, 4: 100}
        )
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # addresses of one site begin alike
        self.one = words(context)
        self.one.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.column.addWidget(self.summary)
        self.column.addWidget(words(context, "ui_capture.view.differences.note", role="secondary"))
        self.column.addWidget(self.table, 1)
        self.column.addWidget(self.one)
        self.column.addStretch()
        on_choice(self.table, lambda _: self._say())
        context.tongue.follow(self, self._say)

    def read(self, job: Job) -> Comparison | None:
        """The comparison."""
        del job
        return self.view.differences()

    def show_found(self, found: Comparison | None) -> None:
        """Show it."""
        if found is None:
            self._context.tongue.bind(self.summary, self.summary.setText, "ui_capture.view.left_out")
            return
        self._context.tongue.bind(
            self.summary, self.summary.setText, "ui_capture.view.compared", requests=found.requests,
            exchanges=found.exchanges, matched=found.matched, equal=found.equal + found.text,
            differences=len(found.differences), contradictions=len(found.contradictions),
        )  # fmt: skip
        self.model.reset(sorted(found.differences, key=lambda item: not item.reason.contradicts))
        self.table.setVisible(bool(found.differences))
        if found.differences:
            self.table.selectRow(0)

    def _say(self) -> None:
        """The difference chosen, in full."""
        at = self.table.currentIndex().row()
        if not 0 <= at < self.model.rowCount():
            self.one.setText("")
            return
        item = self.model.row(at)
        reason = self._context.tongue.say(f"difference.{item.reason.value}")
        self.one.setText(f"{plain(item.method, 20)} {plain(item.url, 1000)}\n{reason}")


class ActionModel(RowsModel[Action]):
    """The action log."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, [f"ui_capture.column.{name}" for name in ("line", "moment", "event")])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Cells."""
        row, column = self.row(index.row()), index.column()
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            if column == 2:
                return say_event(self._context.tongue, row.event).text
            return str(row.number) if column == 0 else local_time(parse_moment(row.at, what="actions"))
        if column != 2:
            return None
        said = say_event(self._context.tongue, row.event)
        match role:
            case Qt.ItemDataRole.DecorationRole:
                return self._context.look.icon(said.icon, said.role)
            case Qt.ItemDataRole.ToolTipRole:
                return tip(said.text)
        return None


class ActionsTab(ViewTab[ActionChain | None]):
    """See the module."""

    def __init__(self, context: Context, view: CaptureView) -> None:
        super().__init__(context, view)
        self.state = words(context)
        self.model = ActionModel(context)
        self.table = list_of(context, self.model, "ui_capture.view.actions", 2, {0: 60, 1: 190})
        self.column.addWidget(self.state)
        self.column.addWidget(self.table, 1)

    def read(self, job: Job) -> ActionChain | None:
        """The log."""
        del job
        return self.view.actions()

    def show_found(self, found: ActionChain | None) -> None:
        """Show it."""
        bind, label = self._context.tongue.bind, self.state
        if found is None:
            bind(label, label.setText, "ui_capture.view.left_out")
            return
        self.model.reset(found.actions)
        if found.broken is not None:
            bind(label, label.setText, "ui_capture.view.chain.broken", line=found.broken)
        elif found.head != self.view.manifest.head:
            bind(label, label.setText, "ui_capture.view.chain.other")
        else:
            bind(label, label.setText, "ui_capture.view.chain.right", count=len(found.actions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One check before and after."""

    before: Item
    after: Item | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Both reports, as far as they were made."""

    before: EnvironmentReport | None
    after: EnvironmentReport | None


class CheckModel(RowsModel[Checked]):
    """Checks with their outcomes."""

    def __init__(self, context: Context) -> None:
        super().__init__(
            context, [f"ui_capture.column.{name}" for name in ("check", "before", "after", "why")]
        )

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Cells."""
        row, column = self.row(index.row()), index.column()
        item = row.before if column == 1 else row.after if column == 2 else None
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._text(row, column)
            case Qt.ItemDataRole.DecorationRole if item is not None:
                icon, color = OUTCOMES[item.outcome]
                return self._context.look.icon(icon, color)
            case Qt.ItemDataRole.ForegroundRole if item is not None:
                return QColor(getattr(self._context.look.colors, OUTCOMES[item.outcome][1]))
        return None

    def _text(self, row: Checked, column: int) -> str:
        say = self._context.tongue.say
        match column:
            case 0:
                return say(f"environment.item.{row.before.check.value}")
            case 3:
                last = (
                    row.after
                    if row.after is not None and row.after.outcome is not row.before.outcome
                    else row.before
                )
                return " ".join(say_reason(self._context.tongue, reason) for reason in last.reasons)
        item = row.before if column == 1 else row.after
        return "—" if item is None else say(f"environment.outcome.{item.outcome.value}")


class EnvironmentTab(ViewTab[Reports]):
    """See the module."""

    def __init__(self, context: Context, view: CaptureView) -> None:
        super().__init__(context, view)
        self._shown: Checked | None = None
        self.model = CheckModel(context)
        self.table = list_of(context, self.model, "ui_capture.view.environment", 3, {0: 220, 1: 120, 2: 120})
        self.text = TextPane(context, "ui_capture.view.raw")
        row = QHBoxLayout()
        row.addWidget(words(context, "ui_capture.view.environment.note", role="secondary"), 1)
        self.paper = button(context, "ui_capture.view.paper", self._on_paper, icon="file-text")
        self.save = button(context, "ui_capture.view.paper.save", self._on_save, icon="save")
        for widget in (self.paper, self.save):
            widget.setEnabled(CLEANLINESS in view.files)
            row.addWidget(widget)
        self.column.addLayout(row)
        self.column.addWidget(split(self.table, self.text, shares=(3, 2)), 1)
        on_choice(self.table, self._on_chosen)
        context.tongue.follow(self, self._say)

    def read(self, job: Job) -> Reports:
        """Both reports."""
        del job
        return Reports(before=self.view.environment(When.BEFORE), after=self.view.environment(When.AFTER))

    def show_found(self, found: Reports) -> None:
        """Show them beside each other."""
        before, after = found.before, found.after
        if before is None:
            self._context.tongue.bind(self.told, self.told.setText, "ui_capture.view.left_out")
            self.told.show()
            return
        self.model.reset(
            [
                Checked(before=item, after=None if after is None else after.item(item.check))
                for item in before.items
            ]
        )
        if before.items:
            self.table.selectRow(0)

    def _on_chosen(self, at: int) -> None:
        self._shown = self.model.row(at)
        self._say()

    def _say(self) -> None:
        if self._shown is None:
            return
        say = self._context.tongue.say
        lines: list[str] = []
        for name, item in (("before", self._shown.before), ("after", self._shown.after)):
            if item is None:
                continue
            lines.append(say(f"ui_capture.view.when.{name}"))
            lines += [f"  {say_reason(self._context.tongue, reason)}" for reason in item.reasons]
            lines += _raws(item)
            lines.append("")
        self.text.setPlainText("\n".join(lines)[:_RAW])

    def _on_paper(self) -> None:
        def done(pdf: bytes) -> None:
            show_paper(self._context, self, pdf)

        self.ask(lambda _job: self.view.cleanliness(), done)

    def _on_save(self) -> None:
        save_file(self._context, self, self.view, CLEANLINESS)


def _raws(item: Item) -> Sequence[str]:
    lines: list[str] = []
    for raw in item.raws:
        lines.append(f"  $ {plain(raw.ran)}")
        lines += [
            f"    {plain(line, 400)}" for line in raw.kept.decode("utf-8", "replace").splitlines()[:200]
        ]
    return lines

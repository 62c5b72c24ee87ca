"""The list of cases, and the facts of the one chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.services import browse
from evidence_desk.services.browse import CaseSummary
from ui.cases.entries import Entry, EntryList
from ui.context import Context
from ui.look import tokens
from ui.plain import plain
from ui.widgets.labels import IconLabel, words
from ui.words import local_time

WIDTH: Final = 232
_PARTIES: Final = "；"


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case of the list, and whether only its leaves go to the network (仅哈希)."""

    case: CaseSummary
    leaves_only: bool


def case_lines(session: Session, _job: Job) -> Sequence[CaseLine]:
    """All cases, newest first."""
    bare = {row.number for row in session.vault.exhibits.cases() if row.leaves_only}
    return [CaseLine(item, item.number in bare) for item in reversed(browse.case_summaries(session.desk))]


class CaseList(QWidget):
    """Cases in a list, or in a combo where there is little room; archived ones only when asked for.

    `chosen` has the number of a case, or None for all of them.
    """

    chosen = Signal(object)
    archived_toggled = Signal(bool)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._lines: Sequence[CaseLine] = ()
        self._number: str | None = None
        self._filling = False
        self.list = EntryList(context, "ui_cases.cases", lines=3, chosen=self._on_chosen)
        self.combo = QComboBox()
        context.tongue.bind(self.combo, self.combo.setAccessibleName, "ui_cases.cases")
        self.combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.archived = QCheckBox()
        context.tongue.bind(self.archived, self.archived.setText, "ui_cases.archived.show")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(tokens.S)
        self._row = QHBoxLayout()
        self._row.addWidget(self.combo, 1)
        self._row.addWidget(self.archived)
        self._column.addWidget(self.list, 1)
        self._column.addLayout(self._row)
        self.combo.currentIndexChanged.connect(self._on_combo)
        self.archived.toggled.connect(self._on_archived)
        context.tongue.follow(self, self._show)
        self.set_narrow(False)

    # --- what is shown ------------------------------------------------------------------------------------------

    def set_narrow(self, narrow: bool) -> None:
        """A combo in one row, or the list."""
        self.list.setVisible(not narrow)
        self.combo.setVisible(narrow)
        self.setMinimumWidth(0 if narrow else WIDTH)
        self.setMaximumWidth(16_777_215 if narrow else WIDTH)
        self.setSizePolicy(
            QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed if narrow else QSizePolicy.Policy.Expanding
        )

    def set_lines(self, lines: Sequence[CaseLine]) -> None:
        """Show these; the chosen one stays chosen unless it is no longer shown."""
        before, self._lines = self._number, lines
        self._show()
        if self._number != before:
            self.chosen.emit(self._number)

    def choose(self, number: str | None) -> None:
        """Choose a case; one that is archived is shown from then on."""
        line = self.line_of(number)
        if line is not None and line.case.archived is not None and not self.archived.isChecked():
            self.archived.setChecked(True)
        self._number = number
        self._show()
        self.chosen.emit(number)

    @property
    def number(self) -> str | None:
        """The chosen case, None for all."""
        return self._number

    @property
    def any(self) -> bool:
        """Whether there is any case at all, be it archived."""
        return bool(self._lines)

    @property
    def line(self) -> CaseLine | None:
        """The chosen case's line."""
        return self.line_of(self._number)

    def line_of(self, number: str | None) -> CaseLine | None:
        """One case's line."""
        return next((item for item in self._lines if item.case.number == number), None)

    def _shown(self) -> list[CaseLine]:
        return [item for item in self._lines if item.case.archived is None or self.archived.isChecked()]

    def _show(self) -> None:
        shown = self._shown()
        if self._number is not None and all(item.case.number != self._number for item in shown):
            self._number = None
        self._filling = True
        self.list.show_entries(
            [self._all(shown), *(self._entry(item) for item in shown)], current=self._number
        )
        self.combo.clear()
        self.combo.addItem(self._context.tongue.say("ui_cases.all"), None)
        for at, item in enumerate(shown, 1):
            self.combo.addItem(plain(item.case.number), item.case.number)
            if item.case.number == self._number:
                self.combo.setCurrentIndex(at)
        self._filling = False

    def _all(self, shown: Sequence[CaseLine]) -> Entry:
        say = self._context.tongue.say
        exhibits = sum(item.case.exhibits for item in shown)
        about = say("ui_cases.all.about", cases=len(shown))
        return Entry(
            lines=(say("ui_cases.all"), about, say("ui_cases.count", count=exhibits)),
            icon="folder",
            item=None,
        )

    def _entry(self, item: CaseLine) -> Entry:
        say, case = self._context.tongue.say, item.case
        about = plain("　".join(part for part in (case.court, _PARTIES.join(case.parties)) if part))
        icon = "folder-open" if case.archived is None else "archive"
        if case.erased is not None:
            icon = "trash-2"
        return Entry(
            lines=(plain(case.number), about or say("ui_cases.no_details"), self._counts(item)), icon=icon, item=case.number
        )  # fmt: skip

    def _counts(self, item: CaseLine) -> str:
        return self._context.tongue.say("ui_cases.comma").join(counts(self._context, item.case))

    # --- what is done -------------------------------------------------------------------------------------------

    def _on_chosen(self, number: object) -> None:
        if not self._filling and number != self._number:
            self._number = number if isinstance(number, str) else None
            self.combo.setCurrentIndex(max(0, self.combo.findData(self._number)))
            self.chosen.emit(self._number)

    def _on_combo(self, index: int) -> None:
        if not self._filling:
            self._on_chosen(self.combo.itemData(index))
            self._filling = True
            self.list.show_entries(self.list.entries.entries, current=self._number)
            self._filling = False

    def _on_archived(self, shown: bool) -> None:
        before = self._number
        self._show()
        self.archived_toggled.emit(shown)
        if self._number != before:
            self.chosen.emit(self._number)


def counts(context: Context, case: CaseSummary) -> list[str]:
    """Number of exhibits, and what is missing to them; marks of the case."""
    say = context.tongue.say
    parts = [say("ui_cases.count", count=case.exhibits)]
    if case.erased is not None:
        return [*parts, say("ui_cases.mark.erased")]
    parts += [
        say(f"ui_cases.count.not_{name}", count=missing)
        for name in ("timestamped", "anchored", "certified")
        if (missing := case.exhibits - getattr(case, name))
    ]
    if case.archived is not None:
        parts.append(say("ui_cases.mark.archived"))
    return parts


class CaseHead(QWidget):
    """The chosen case: number, court, cause, parties, counts, marks. Deeds go into `deeds`."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._line: CaseLine | None = None
        self._low = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.XS)
        row = QHBoxLayout()
        row.setSpacing(tokens.S)
        self.number = words(context, role="heading")
        self.number.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.marks = {name: IconLabel(context) for name in ("archived", "erased", "leaves_only")}
        self.marks["archived"].set("archive", "secondary", "ui_cases.mark.archived")
        self.marks["erased"].set("trash-2", "failed", "ui_cases.mark.erased")
        self.marks["leaves_only"].set("shield-check", "secondary", "ui_cases.mark.leaves_only")
        context.tongue.bind(
            self.marks["leaves_only"], self.marks["leaves_only"].setToolTip, "ui_cases.mark.leaves_only.tip"
        )
        row.addWidget(self.number, 1)
        for mark in self.marks.values():
            row.addWidget(mark)
        self.deeds = QHBoxLayout()
        row.addLayout(self.deeds)
        column.addLayout(row)
        self.about: QLabel = words(context, role="secondary")
        column.addWidget(self.about)
        context.tongue.follow(self, self._say)

    def set_low(self, low: bool) -> None:
        """The number alone where there is little height; the rest is its tooltip."""
        if low is not self._low:
            self._low = low
            self._say()

    def show_case(self, line: CaseLine | None) -> None:
        """Show a case; None for all cases."""
        self._line = line
        self._say()

    def _say(self) -> None:
        say, line = self._context.tongue.say, self._line
        for mark in self.marks.values():
            mark.hide()
        if line is None:
            self.number.setText(say("ui_cases.all"))
            self.about.hide()
            return
        case = line.case
        self.number.setText(plain(case.number))
        self.marks["archived"].setVisible(case.archived is not None and case.erased is None)
        self.marks["erased"].setVisible(case.erased is not None)
        self.marks["leaves_only"].setVisible(line.leaves_only and case.erased is None)
        parties = _PARTIES.join(case.parties)
        facts = [plain(text) for text in (case.court, case.cause, parties) if text]
        facts.append(say("ui_cases.created", at=local_time(case.created)).replace(" ", "\u00a0"))
        told = counts(self._context, case)
        self.about.setText(f"{'　'.join(facts)}\n{say('ui_cases.comma').join(told)}")
        self.about.setVisible(not self._low)
        self.number.setToolTip(self.about.text() if self._low else "")

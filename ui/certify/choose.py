"""First step: which exhibits of which case, one certificate or many, who issues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QItemSelectionModel, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QRadioButton,
    QSizePolicy,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.browse_ports import ExhibitQuery, ExhibitStates
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services import browse
from evidence_desk.services.browse import CaseSummary
from evidence_desk.services.find import exhibits_of
from ui.certify.drafting import Order, Remark, order_of
from ui.certify.model import Column, ExhibitModel
from ui.certify.office import Office, SignerFacts
from ui.certify.operator import OperatorField
from ui.certify.remarks import RemarkList
from ui.context import Context
from ui.look import tokens
from ui.page import scrolled
from ui.plain import plain
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.flow import FlowLayout
from ui.widgets.form import Form
from ui.widgets.labels import words
from ui.widgets.panels import EmptyState
from ui.widgets.table import ROW, set_up_table

_SEARCH_MS: Final = 200
_TABLE: Final = 160
"""Height of a list that is still one."""


class ChooseStep(QWidget):
    """See the module. Signals: `ready` has the `Order`; `case_changed` a case number; `signer_wanted`."""

    ready = Signal(object)
    case_changed = Signal(str)
    signer_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._cases: dict[str, CaseSummary] = {}
        self._wanted: list[bytes] = []
        self._office: Office | None = None
        self.case = QComboBox()
        self.case.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.case.setMinimumContentsLength(14)
        self.search = QLineEdit(clearButtonEnabled=True)
        self.uncertified = QCheckBox()
        self.model = ExhibitModel(context)
        self.table = ExhibitTable(context, self.model)
        self.empty = EmptyState(context, "file-pen-line", "ui_certify.empty")
        self.together, self.each = QRadioButton(), QRadioButton()
        self.operator = OperatorField(context)
        self.signer = RemarkList(context)
        self.signer.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.chosen = words(context)
        self.all = button(context, "ui_certify.all_open", self._on_all)
        self.none = button(context, "ui_certify.none", self.model.clear_checked)
        self.go = button(context, "ui_certify.preview", self._on_go, icon="eye", main=True)
        self._timer = QTimer(self, singleShot=True, interval=_SEARCH_MS)
        self._lay_out()
        self._connect()
        self._say()

    # --- what is shown ----------------------------------------------------------------------------------------

    @property
    def case_number(self) -> str:
        """The case in front; empty without any."""
        return str(self.case.currentData() or "")

    def set_cases(self, cases: Sequence[CaseSummary]) -> None:
        """Cases to choose from, the one in front stays."""
        before = self.case_number
        usable = [item for item in reversed(cases) if item.erased is None and item.exhibits]
        self._cases = {item.number: item for item in usable}
        with QSignalBlocker(self.case):
            self.case.clear()
            for item in usable:
                self.case.addItem("", item.number)
            self._say_cases()
            self.case.setCurrentIndex(max(0, self.case.findData(before)) if usable else -1)
        if self.case_number != before:
            self._on_case()
        else:
            self.model.reload()
        self.empty.setVisible(not usable)
        self.table.setVisible(bool(usable))

    def show_office(self, office: Office) -> None:
        """Who signs here, in which mode, and who may handle certificates."""
        self._office = office
        self.operator.show_office(office)
        self.signer.show_remarks([_signer_line(office.signer)])
        self._say()

    def choose(self, leaves: Sequence[bytes]) -> None:
        """Check these exhibits and bring their case to the front."""

        def work(session: Session, _job: Job) -> tuple[list[tuple[bytes, str]], list[CaseSummary]]:
            rows = exhibits_of(session.desk, leaves)
            return [(row.leaf_hash, row.case_number) for row in rows if not row.erased], list(
                browse.case_summaries(session.desk)
            )

        def done(found: tuple[list[tuple[bytes, str]], list[CaseSummary]]) -> None:
            rows, cases = found
            if not rows:
                return
            self.set_cases(cases)
            number = rows[0][1]
            if any(case != number for _, case in rows):
                self._context.messages.inform("ui_certify.several_cases", case=number)
            self.case.setCurrentIndex(self.case.findData(number))
            if self.model.query.case_number != number:
                self.model.show_case(number)
            self.model.clear_checked()
            self.model.check([leaf for leaf, case in rows if case == number])

        self._context.desk.run(work, owner=self, done=done, lane=Lane.READ)

    # --- building ---------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        context = self._context
        outer, content = QVBoxLayout(self), QWidget()
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(tokens.M)
        outer.addWidget(scrolled(content))
        self.table.setMinimumHeight(_TABLE)
        column = QVBoxLayout(content)
        column.setContentsMargins(0, tokens.M, 0, 0)
        column.setSpacing(tokens.M)
        form = Form(context, columns=2)
        form.add("ui_certify.case", self.case)
        form.add("ui_certify.search", self.search)
        column.addWidget(form)
        tools = FlowLayout(trailing=1)
        for widget in (self.uncertified, self.all, self.none):
            tools.addWidget(widget)
        self.chosen.setWordWrap(False)
        tools.addWidget(self.chosen)
        column.addLayout(tools)
        column.addWidget(self.table, 1)
        column.addWidget(self.empty, 1)
        how = Form(context, columns=1)
        kinds = QWidget()
        row = QHBoxLayout(kinds)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.L)
        group = QButtonGroup(self)
        for kind in (self.together, self.each):
            group.addButton(kind)
            row.addWidget(kind)
        row.addStretch(1)
        kinds.setFocusProxy(self.together)
        how.add("ui_certify.grouping", kinds)
        how.add("ui_certify.operator", self.operator)
        column.addWidget(how)
        foot = QHBoxLayout()
        foot.addWidget(self.signer, 1, Qt.AlignmentFlag.AlignVCenter)
        foot.addWidget(button(context, "ui_certify.signer.change", self.signer_wanted.emit, flat=True))
        foot.addWidget(self.go)
        outer.addLayout(foot)
        self.together.setChecked(True)
        bind = context.tongue.bind
        bind(self.uncertified, self.uncertified.setText, "ui_certify.only_open")
        bind(self.together, self.together.setText, "ui_certify.together")
        bind(self.each, self.each.setText, "ui_certify.each")
        bind(self.search, self.search.setPlaceholderText, "ui_certify.search.hint")

    def _connect(self) -> None:
        self.case.currentIndexChanged.connect(lambda _index: self._on_case())
        self.search.textChanged.connect(lambda _text: self._timer.start())
        self._timer.timeout.connect(self._on_search)
        self.uncertified.toggled.connect(lambda _on: self._on_search())
        self.model.checked_changed.connect(self._say)
        self.model.counted.connect(self._say)
        self.together.toggled.connect(lambda _on: self._say())
        self.operator.changed.connect(self._say)
        self._context.tongue.follow(self, self._say)
        self._context.tongue.follow(self.case, self._say_cases)

    # --- deeds ------------------------------------------------------------------------------------------------

    def _on_case(self) -> None:
        with QSignalBlocker(self.search), QSignalBlocker(self.uncertified):
            self.search.clear()
            self.uncertified.setChecked(False)
        self.model.look_for("", uncertified=False)
        self.model.show_case(self.case_number)
        self.case_changed.emit(self.case_number)
        self._say()

    def _on_search(self) -> None:
        self.model.look_for(self.search.text(), uncertified=self.uncertified.isChecked())

    def _on_all(self) -> None:
        """All exhibits of the case that have no certificate yet, read or not."""
        query = ExhibitQuery(
            case_number=self.case_number, states=ExhibitStates(certified=False), archived=None, erased=False,
        )  # fmt: skip

        def work(session: Session, job: Job) -> list[bytes]:
            found: list[bytes] = []
            while True:
                job.step("browse", len(found), 0)
                rows = browse.page(session.desk, query, len(found), browse.MAX_PAGE)
                found += [row.leaf_hash for row in rows]
                if len(rows) < browse.MAX_PAGE:
                    return found

        def done(found: list[bytes]) -> None:
            if query.case_number == self.case_number:
                self.model.clear_checked()
                self.model.check(found)
                if not found:
                    self._context.messages.inform("ui_certify.all_certified")

        if query.case_number:
            self._context.desk.run(work, owner=self, done=done, lane=Lane.READ)

    def order(self) -> Order:
        """What was chosen."""
        return order_of(self.model.checked, each=self.each.isChecked(), operator=self.operator.name)

    def _on_go(self) -> None:
        self.ready.emit(self.order())

    # --- words ------------------------------------------------------------------------------------------------

    def _say(self) -> None:
        say, count = self._context.tongue.say, len(self.model.checked)
        self.chosen.setText(say("ui_certify.chosen", count=count, total=self.model.total))
        office = self._office
        named = bool(self.operator.name) or office is None or not office.two_person
        self.go.setEnabled(count > 0 and office is not None and office.signer is not None and named)
        self.none.setEnabled(count > 0)
        self.each.setEnabled(count != 1)
        self._context.tongue.bind(
            self.go,
            self.go.setText,
            "ui_certify.draft" if office is not None and office.two_person else "ui_certify.preview",
        )

    def _say_cases(self) -> None:
        say = self._context.tongue.say
        for at in range(self.case.count()):
            item = self._cases.get(str(self.case.itemData(at)))
            if item is not None:
                open_ones = item.exhibits - item.certified
                self.case.setItemText(
                    at,
                    say("ui_certify.case.line", case=plain(item.number), count=item.exhibits, open=open_ones),
                )

    def failed(self, error: EvidenceDeskError) -> None:
        """The draft could not be made."""
        self._context.tasks.on_unhandled(error)
        self.model.reload()


def _signer_line(signer: SignerFacts | None) -> Remark:
    """Who is going to sign, and with what."""
    if signer is None:
        return Remark(tone="warning", icon="triangle-alert", code="ui_certify.signer.none")
    code = "ui_certify.signer.demo" if signer.demo else "ui_certify.signer.line"
    return Remark(
        tone="warning" if signer.demo else "accent",
        icon="triangle-alert" if signer.demo else "key-round",
        code="ui_certify.signer.token" if signer.token else code,
        facts={"name": signer.name, "until": signer.until.date().isoformat(), "token": signer.token},
    )


class ExhibitTable(QTableView):
    """Space checks the selected rows, Ctrl+A selects all that is shown."""

    def __init__(self, context: Context, model: ExhibitModel) -> None:
        super().__init__()
        self._exhibits = model
        set_up_table(self, context, model, "ui_certify.list")
        self.setMinimumHeight(4 * ROW)
        header = self.horizontalHeader()
        header.setSectionResizeMode(Column.EXHIBIT, QHeaderView.ResizeMode.Stretch)
        self.setColumnWidth(Column.NUMBER, 210)
        model.modelReset.connect(self._on_reset)
        context.tongue.follow(self, self._fit)

    def _fit(self) -> None:
        """Columns of states are as wide as their words in this language."""
        measure = self.fontMetrics()
        for column in (Column.TIME, Column.COURT, Column.CERTIFICATE):
            widest = max(measure.horizontalAdvance(text) for text in self._exhibits.words_of(column))
            self.setColumnWidth(column, widest + tokens.L + tokens.XXL)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space acts on all selected rows."""
        selection = self.selectionModel()
        if event.key() == Qt.Key.Key_Space and selection is not None:
            self._exhibits.toggle(sorted({index.row() for index in selection.selectedRows()}))
            event.accept()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: object) -> None:
        """The number gives way to the name in a narrow window."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self.setColumnHidden(Column.NUMBER, self.viewport().width() < 640)

    def _on_reset(self) -> None:
        if self._exhibits.rowCount():
            self.selectionModel().setCurrentIndex(
                self._exhibits.index(0, 0), QItemSelectionModel.SelectionFlag.NoUpdate
            )

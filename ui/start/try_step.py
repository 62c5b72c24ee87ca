"""Third step: who gives timestamps, which court network, and the sample case; all of it can be set later."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QButtonGroup, QCheckBox, QHBoxLayout, QRadioButton, QVBoxLayout

from evidence_desk.bootstrap.demo import make_demo
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError, EvidenceDeskError
from ui.context import Context
from ui.look import tokens
from ui.start.sample import seal_sample
from ui.start.step import Step
from ui.tasks import Lane
from ui.widgets.labels import IconLabel, words
from ui.widgets.panels import Card


class TryStep(Step):
    """The choices are carried out when the guide ends; sample case and network go on without it."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "ui_start.try")
        self.demo, self.later = QRadioButton(), QRadioButton()
        self.no_network, self.network = QRadioButton(), QRadioButton()
        self.sample = QCheckBox()
        self._groups = (QButtonGroup(self), QButtonGroup(self))
        self._card("ui_start.authority", self._groups[0], (self.demo, "demo"), (self.later, "later"))
        self._card("ui_start.network", self._groups[1], (self.no_network, "none"), (self.network, "demo"))
        card = Card()
        card.body.setSpacing(0)
        context.tongue.bind(self.sample, self.sample.setText, "ui_start.sample")
        context.tongue.bind(self.sample, self.sample.setAccessibleDescription, "ui_start.sample.text")
        card.body.addWidget(self.sample)
        text = words(context, "ui_start.sample.text", role="secondary")
        text.setContentsMargins(tokens.XL, 0, 0, 0)
        card.body.addWidget(text)
        self.body.addWidget(card)
        self.demo.setChecked(True)
        self.no_network.setChecked(True)
        self.sample.setChecked(True)

    @property
    def deed(self) -> str:
        """The last."""
        return "ui_start.finish"

    def entered(self) -> None:
        """Start at the top."""
        self.demo.setFocus()

    def go(self, then: Callable[[], None]) -> None:
        """Set up what was chosen; the longer parts go on in the window."""
        if self.context.desk.session is None:  # locked meanwhile
            then()
            return
        self._working(working=True)
        self.show_error(None)
        wants_demo = self.demo.isChecked()

        def work(session: Session, _job: Job) -> None:
            if wants_demo and not session.settings:
                make_demo(session)

        def done(_result: None) -> None:
            self._working(working=False)
            self._begin_rest()
            then()

        def failed(error: EvidenceDeskError) -> None:
            self._working(working=False)
            self.show_error(error)

        self.context.desk.run(work, owner=self, done=done, failed=failed, changes=True)

    def _working(self, *, working: bool) -> None:
        self.setEnabled(not working)
        self.busy.emit(working)

    def _begin_rest(self) -> None:
        """Sample case and network, owned by the program: the guide may be gone by then."""
        context = self.context
        if self.network.isChecked():
            context.demo.start(
                done=lambda: context.messages.inform("ui_start.network.done"), failed=context.messages.error
            )
        if self.sample.isChecked():
            begin_sample(context)

    def _card(self, code: str, group: QButtonGroup, *choices: tuple[QRadioButton, str]) -> None:
        tongue = self.context.tongue
        card = Card()
        card.body.setSpacing(tokens.S)
        card.body.addWidget(words(self.context, code, role="heading"))
        for radio, name in choices:
            group.addButton(radio)
            tongue.bind(radio, radio.setText, f"{code}.{name}")
            tongue.bind(radio, radio.setAccessibleDescription, f"{code}.{name}.text")
            column = QVBoxLayout()
            column.setSpacing(0)
            row = QHBoxLayout()
            row.setSpacing(tokens.M)
            row.addWidget(radio)
            column.addLayout(row)
            text = words(self.context, f"{code}.{name}.text", role="secondary")
            text.setContentsMargins(tokens.XL, 0, 0, 0)
            column.addWidget(text)
            if name == "demo":
                mark = IconLabel(self.context)
                mark.set("triangle-alert", "warning", "ui.demo")
                row.addWidget(mark)
            row.addStretch(1)
            card.body.addLayout(column)
        self.body.addWidget(card)


def begin_sample(context: Context) -> None:
    """Seal the sample case beside the window; what came of it is told."""

    def failed(error: EvidenceDeskError) -> None:
        if isinstance(error, CanceledError):
            context.messages.inform("ui_start.sample.canceled")
        else:
            context.messages.error(error)

    context.desk.run(
        seal_sample,
        owner=context.desk,
        done=lambda count: context.messages.inform("ui_start.sample.done", count=count),
        failed=failed,
        lane=Lane.SEAL,
        title="ui_start.sample.title",
        changes=True,
    )

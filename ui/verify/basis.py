"""By what is judged, always in sight: the trust roots in force and the court network that is asked; both can be changed here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.court.client import gateway_url
from evidence_desk.errors import EvidenceDeskError, UsageError
from ui.context import Context
from ui.look import tokens
from ui.preferences import MAX_GATEWAYS
from ui.tasks import Lane
from ui.verify.asking import Basis, TrustState, trust_state
from ui.verify.sayings import printable
from ui.widgets.buttons import button
from ui.widgets.labels import IconLabel, words

_MAX_TEXT = 8_000


class BasisStrip(QFrame):
    """Two lines: trust, network. `changed` when the next examination would go by another basis."""

    changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.state = TrustState()
        self.trust, self.network = IconLabel(context), IconLabel(context)
        self.trust_facts, self.network_facts = (
            words(context, role="secondary"),
            words(context, role="secondary"),
        )
        self.choose = button(context, "ui_verify.trust.choose", self.choose_folder, flat=True)
        self.own = button(context, "ui_verify.trust.own", self._on_own, flat=True)
        self.gateways = button(context, "ui_verify.network.choose", self.choose_network, flat=True)
        context.tongue.bind(self.choose, self.choose.setToolTip, "ui_verify.trust.tip")
        context.tongue.bind(self.gateways, self.gateways.setToolTip, "ui_verify.network.tip")
        self._parts = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._parts.setContentsMargins(0, 0, 0, 0)
        self._parts.setSpacing(tokens.XS)
        for items in (
            (self.trust, self.trust_facts, self.own, self.choose),
            (self.network, self.network_facts, self.gateways),
        ):
            row = QHBoxLayout()
            row.setSpacing(tokens.S)
            for number, item in enumerate(items):
                row.addWidget(item, 1 if number == 1 else 0)
            self._parts.addLayout(row)
        context.desk.opened.connect(self.refresh)
        context.desk.locked.connect(self.refresh)
        context.desk.changed.connect(self.refresh)
        context.tongue.follow(self.trust_facts, self._say)

    def set_compact(self, compact: bool, *, narrow: bool) -> None:
        """Both in one line where it is wide enough, the facts in a tooltip: room for the results."""
        beside = compact and not narrow
        self._parts.setDirection(
            QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        )
        self._parts.setSpacing(tokens.XL if beside else tokens.XS)
        for label in (self.trust_facts, self.network_facts):
            label.setMaximumHeight(0 if compact or narrow else 16_777_215)

    @property
    def basis(self) -> Basis:
        """As chosen."""
        return Basis.of(self._context.preferences.value)

    def refresh(self) -> None:
        """Read the trust roots anew, beside the window."""
        basis, desk = self.basis, self._context.desk
        asked = desk.session

        def done(state: TrustState) -> None:
            if basis == self.basis and desk.session is asked:
                self._show(state)

        if asked is None:
            self._context.tasks.run(Lane.CPU, lambda _job: trust_state(basis, None), owner=self, done=done)
        else:

            def work(session: Session, _job: Job) -> TrustState:
                return trust_state(basis, session)

            desk.run(work, owner=self, done=done, lane=Lane.READ)

    def choose_folder(self) -> None:
        """Ask for a folder of trust roots; one that cannot be read is told and not taken."""
        self._context.messages.open_folder(self.take_folder, code="ui_verify.trust.dialog")

    def take_folder(self, folder: Path) -> None:
        """Go by the trust roots in a folder from now on."""

        def done(state: TrustState) -> None:
            if state.fault is not None:
                self._context.messages.error(state.fault)
                return
            self._context.preferences.change(trust=str(folder))
            self._show(replace(state, joined=self.state.joined))
            self.changed.emit()

        self._context.tasks.run(
            Lane.CPU, lambda _job: trust_state(Basis(trust=folder), None), owner=self, done=done
        )

    def choose_network(self) -> None:
        """Ask which gateways to look things up at."""
        dialog = NetworkDialog(self._context, self.window())
        dialog.accepted.connect(self._on_network)
        dialog.open()

    def _on_network(self) -> None:
        self.refresh()
        self.changed.emit()

    def _on_own(self) -> None:
        self._context.preferences.change(trust="")
        self.refresh()
        self.changed.emit()

    def _show(self, state: TrustState) -> None:
        self.state = state
        self._say()

    def _say(self) -> None:
        context, state, tongue = self._context, self.state, self._context.tongue
        self.own.setVisible(state.by_hand)
        if state.fault is not None:
            self.trust.set("triangle-alert", "failed", "ui_verify.trust.unread")
            self.trust_facts.setText(tongue.error(state.fault)[0])
        elif state.by_hand:
            self.trust.set("key-round", "text", "ui_verify.trust.by_hand")
            self.trust_facts.setText(self._facts("ui_verify.trust.facts.by_hand"))
        elif state.trust.fingerprint:
            self.trust.set("key-round", "text", "ui_verify.trust.desk")
            self.trust_facts.setText(self._facts("ui_verify.trust.facts"))
        else:
            self.trust.set("triangle-alert", "warning", "ui_verify.trust.none")
            self.trust_facts.setText(tongue.say("ui_verify.trust.none.why"))
        value = context.preferences.value
        if not value.look_up:
            self.network.set("wifi-off", "text", "ui_verify.network.off")
            self.network_facts.setText("")
        elif value.gateways:
            self.network.set("globe", "text", "ui_verify.network.given")
            self.network_facts.setText(printable(", ".join(value.gateways)))
        elif state.joined:
            self.network.set("globe", "text", "ui_verify.network.joined")
            self.network_facts.setText(state.joined)
        else:
            self.network.set("wifi-off", "text", "ui_verify.network.none")
            self.network_facts.setText("")

    def _facts(self, code: str) -> str:
        trust = self.state.trust
        fingerprint = f"{trust.fingerprint[:8]} {trust.fingerprint[8:16]}…"
        said = self._context.tongue.say(
            code, fingerprint=fingerprint, folder=printable(Path(self.state.folder).name),
            authorities=len(trust.authorities), signers=len(trust.signers), networks=len(trust.networks),
        )  # fmt: skip
        for label in (self.trust, self.trust_facts):
            label.setToolTip(f"{said}\n{self.state.folder}\n{trust.fingerprint}".replace("\n\n", "\n"))
        return said


class NetworkDialog(QDialog):
    """Which gateways are asked, one a line, and whether any is; kept in the preferences when accepted."""

    def __init__(self, context: Context, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._context = context
        self.setMinimumWidth(480)
        tongue, value = context.tongue, context.preferences.value
        tongue.bind(self, self.setWindowTitle, "ui_verify.network.title")
        column = QVBoxLayout(self)
        column.setContentsMargins(tokens.XL, tokens.XL, tokens.XL, tokens.L)
        column.setSpacing(tokens.M)
        column.addWidget(words(context, "ui_verify.network.about"))
        self.look_up = QCheckBox()
        self.look_up.setChecked(value.look_up)
        tongue.bind(self.look_up, self.look_up.setText, "ui_verify.network.look_up")
        column.addWidget(self.look_up)
        column.addWidget(words(context, "ui_verify.network.gateways", role="secondary"))
        self.field = QPlainTextEdit()
        self.field.setPlainText("\n".join(value.gateways))
        self.field.setPlaceholderText("https://gateway.example:8443")
        self.field.setTabChangesFocus(True)
        self.field.setFixedHeight(110)
        tongue.bind(self.field, self.field.setAccessibleName, "ui_verify.network.gateways")
        column.addWidget(self.field)
        self.fault = words(context, role="failed")
        self.fault.hide()
        column.addWidget(self.fault)
        buttons = QDialogButtonBox()
        cancel, self.accept_button = QPushButton(), QPushButton()
        tongue.bind(cancel, cancel.setText, "ui.cancel")
        tongue.bind(self.accept_button, self.accept_button.setText, "ui_verify.network.do")
        self.accept_button.setProperty("main", True)
        self.accept_button.setDefault(True)
        buttons.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.addButton(self.accept_button, QDialogButtonBox.ButtonRole.AcceptRole)
        cancel.clicked.connect(self.reject)
        self.accept_button.clicked.connect(self._on_accept)
        column.addWidget(buttons)
        self.finished.connect(self.deleteLater)

    def showEvent(self, event: QShowEvent) -> None:
        """As high as its words need, on a small screen too."""
        super().showEvent(event)
        layout = self.layout()
        if layout is not None:
            self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))

    def _on_accept(self) -> None:
        try:
            gateways = addresses(self.field.toPlainText())
        except EvidenceDeskError as error:
            self.fault.setText(" ".join(self._context.tongue.error(error)))
            self.fault.show()
            return
        self._context.preferences.change(gateways=gateways, look_up=self.look_up.isChecked())
        self.accept()


def addresses(typed: str) -> tuple[str, ...]:
    """Addresses of gateways, one a line, each once.

    Raises:
        UsageError: ``gateway.url``, ``ui_verify.many_gateways``.
    """
    if len(typed) > _MAX_TEXT:
        raise UsageError("ui_verify.many_gateways", limit=MAX_GATEWAYS)
    lines = [line.strip() for line in typed.splitlines()]
    found = tuple(dict.fromkeys(gateway_url(line) for line in lines if line))
    if len(found) > MAX_GATEWAYS:
        raise UsageError("ui_verify.many_gateways", limit=MAX_GATEWAYS)
    return found

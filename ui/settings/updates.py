"""The update check: a switch, off unless turned on, an address, a button. It works without a vault and knows none."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit

from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.updates.setting import UpdateSetting, load_setting, turn_off, turn_on
from ui.settings.tab import SettingsTab
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.form import Form
from ui.widgets.panels import Banner

_TONES: Final = {"newer": "neutral", "current": "passed", "undetermined": "undetermined"}
_ICONS: Final = {"newer": "info", "current": "circle-check", "undetermined": "circle-question-mark"}


class UpdatesCard:
    """A card on `tab`."""

    def __init__(self, tab: SettingsTab) -> None:
        self._tab, self._context = tab, tab.context
        card = tab.card("ui_settings.updates", about="ui_settings.updates.about")
        self.allow = QCheckBox()
        self._context.tongue.bind(self.allow, self.allow.setText, "ui_settings.updates.allow")
        card.body.addWidget(self.allow)
        form = Form(self._context)
        self.address = QLineEdit()
        self.address.setPlaceholderText("https://releases.example/release.txt")
        form.add("ui_settings.updates.address", self.address)
        card.body.addWidget(form)
        row = QHBoxLayout()
        self.button = button(self._context, "ui_settings.updates.check", self._on_check)
        row.addWidget(self.button)
        row.addStretch(1)
        card.body.addLayout(row)
        self.result = Banner(self._context)
        self.result.hide()
        card.body.addWidget(self.result)
        self.allow.clicked.connect(self._on_allow)
        self.read()

    def read(self) -> None:
        """Show the setting; one that cannot be read is as good as off."""
        try:
            self._show(load_setting())
        except EvidenceDeskError as error:
            self._show(UpdateSetting())
            self.result.set("failed", "circle-x", error.code, **error.parameters)
            self.result.show()

    def _show(self, setting: UpdateSetting) -> None:
        self.allow.setChecked(setting.on)
        self.address.setText(setting.address)
        self.address.setEnabled(setting.on)
        self.button.setEnabled(setting.on)

    def _on_allow(self, wanted: bool) -> None:
        self.result.hide()
        try:
            self._show(turn_on(self.address.text().strip()) if wanted else turn_off())
        except EvidenceDeskError as error:
            self.read()
            self._context.tasks.on_unhandled(error)

    def _on_check(self) -> None:
        self.result.hide()
        try:
            self._show(turn_on(self.address.text().strip()))
        except EvidenceDeskError as error:
            self._context.tasks.on_unhandled(error)
            return

        def work(_job: Job) -> tuple[str, str, dict[str, str | int]]:
            from evidence_desk.bootstrap.reader import SystemClock  # noqa: PLC0415 - with all that it wires
            from evidence_desk.updates.check import check  # noqa: PLC0415 - with httpx

            outcome = check(SystemClock())
            return outcome.status.value, outcome.code, outcome.facts

        self.button.setEnabled(False)
        self._context.tasks.run(
            Lane.NET, work, owner=self._tab, done=self._on_checked, failed=self._on_failed
        )

    def _on_checked(self, told: tuple[str, str, dict[str, str | int]]) -> None:
        status, code, facts = told
        self.button.setEnabled(self.allow.isChecked())
        self.result.set(_TONES[status], _ICONS[status], code, **facts)
        self.result.show()

    def _on_failed(self, error: EvidenceDeskError) -> None:
        self.button.setEnabled(self.allow.isChecked())
        self._context.tasks.on_unhandled(error)

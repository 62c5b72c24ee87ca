"""Trust roots: the desk's own folder to hand to verifiers, and the one the page Verify goes by."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout

from evidence_desk.core.job import Job
from evidence_desk.core.trust import Trust
from evidence_desk.verify.files import read_trust
from ui.context import Context
from ui.settings.tab import SettingsTab
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.labels import DigestLabel, words


class TrustTab(SettingsTab):
    """See the module."""

    name: ClassVar[str] = "trust"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        card = self.card("ui_settings.trust.verify", about="ui_settings.trust.verify.about")
        self.chosen = DigestLabel(context)
        card.body.addWidget(self.chosen)
        self.told = words(context, role="secondary")
        card.body.addWidget(self.told)
        row = QHBoxLayout()
        row.addWidget(button(context, "ui_settings.trust.choose", self._on_choose, icon="folder"))
        self.none = button(context, "ui_settings.trust.none", self._on_none)
        row.addWidget(self.none)
        row.addStretch(1)
        card.body.addLayout(row)
        own = self.card("ui_settings.trust.own", about="ui_settings.trust.own.about", inside=True)
        self.own = DigestLabel(context)
        own.body.addWidget(self.own)
        deeds = QHBoxLayout()
        deeds.addWidget(button(context, "ui_settings.trust.open", self._on_open, icon="external-link"))
        deeds.addStretch(1)
        own.body.addLayout(deeds)
        self.column.addStretch(1)
        self._show(context.preferences.value.trust)

    def read(self) -> None:
        """Where the open vault's trust folder lies."""
        session = self.context.desk.session
        if session is not None:
            self.own.set(str(session.vault.folder / "trust"))

    def forget(self) -> None:
        """The vault's folder is not named any more."""
        self.own.set("")

    def _on_choose(self) -> None:
        self.context.messages.open_folder(self._try, code="ui_settings.trust.choose")

    def _try(self, folder: Path) -> None:
        """Keep it only when it can be read."""

        def work(_job: Job) -> Trust:
            return read_trust(folder)

        def done(trust: Trust) -> None:
            self.context.preferences.change(trust=str(folder))
            self._show(str(folder))
            self.context.tongue.bind(
                self.told, self.told.setText, "ui_settings.trust.read", authorities=len(trust.authorities),
                networks=len(trust.networks),
            )  # fmt: skip

        self.context.tasks.run(Lane.READ, work, owner=self, done=done)

    def _on_none(self) -> None:
        self.context.preferences.change(trust="")
        self._show("")

    def _show(self, folder: str) -> None:
        self.chosen.set(folder)
        self.chosen.setVisible(bool(folder))
        self.none.setEnabled(bool(folder))
        self.context.tongue.bind(
            self.told, self.told.setText, "ui_settings.trust.given" if folder else "ui_settings.trust.default"
        )

    def _on_open(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self.own.text))

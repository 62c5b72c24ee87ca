"""Auto-lock, passphrase, keyring, a check of the whole log, the update check."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSpinBox

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError, HostError
from evidence_desk.keyring_store import KeyringStore
from evidence_desk.services.audit import AuditOutcome, audit
from evidence_desk.vault.passphrase import change_passphrase, check_passphrase
from evidence_desk.vault.vault_file import VaultFile
from ui.context import Context
from ui.preferences import preferences_file
from ui.settings.tab import SettingsTab
from ui.settings.updates import UpdatesCard
from ui.start.new_passphrase import NewPassphrase
from ui.start.passphrase_field import PassphraseField
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.form import Form
from ui.widgets.labels import DigestLabel, words
from ui.widgets.panels import Banner


class SecurityTab(SettingsTab):
    """See the module. Passphrases stand in their fields only until they were used."""

    name: ClassVar[str] = "security"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._lock_card()
        self._passphrase_card()
        self._keyring_card()
        self._audit_card()
        self.updates = UpdatesCard(self)
        self.column.addStretch(1)

    def read(self) -> None:
        """The open vault's folder and log, and whether the keyring holds its passphrase."""
        session = self.context.desk.session
        if session is None:
            return
        self.folder.set(str(session.vault.folder))
        self.origin.set(session.desk.origin)
        folder = session.vault.folder
        self.context.tasks.run(
            Lane.CPU, lambda _: _keyring().remembers(VaultFile.read(folder).vault_id), owner=self,
            done=self._on_remembers,
        )  # fmt: skip

    def forget(self) -> None:
        """No passphrase, no folder, no outcome of a check."""
        self._forget()
        self.folder.set("")
        self.origin.set("")
        self.keyring.setChecked(False)
        self.audited.hide()

    # --- cards --------------------------------------------------------------------------------------------------

    def _lock_card(self) -> None:
        card = self.card("ui_settings.lock", about="ui_settings.lock.about")
        form = Form(self.context)
        self.idle = QSpinBox(minimum=0, maximum=720)
        self.idle.setValue(self.context.preferences.value.idle_minutes)
        context = self.context
        context.tongue.bind(
            self.idle, lambda text: self.idle.setSuffix(f" {text}"), "ui_settings.idle.minutes"
        )
        context.tongue.bind(self.idle, self.idle.setSpecialValueText, "ui_settings.idle.never")
        form.add("ui_settings.idle", self.idle)
        card.body.addWidget(form)
        self.idle.valueChanged.connect(lambda value: self.context.preferences.change(idle_minutes=value))

    def _passphrase_card(self) -> None:
        card = self.card("ui_settings.passphrase", about="ui_settings.passphrase.about", inside=True)
        form = Form(self.context)
        self.old = form.add("ui_settings.passphrase.old", PassphraseField(self.context))
        card.body.addWidget(form)
        self.new = NewPassphrase(self.context, form)
        card.body.addWidget(self.new)
        self.change = button(self.context, "ui_settings.passphrase.change", self._on_change)
        self.change.setEnabled(False)
        row = QHBoxLayout()
        row.addWidget(self.change)
        row.addStretch(1)
        card.body.addLayout(row)
        self.old.textChanged.connect(self._on_typed)
        self.new.changed.connect(self._on_typed)

    def _keyring_card(self) -> None:
        card = self.card("ui_settings.keyring", about="ui_settings.keyring.about", inside=True)
        self.keyring = QCheckBox()
        self.context.tongue.bind(self.keyring, self.keyring.setText, "ui_settings.keyring.keep")
        self.keyring.clicked.connect(self._on_keyring)
        card.body.addWidget(self.keyring)

    def _audit_card(self) -> None:
        card = self.card("ui_settings.vault", inside=True)
        form = Form(self.context)
        self.folder = form.add("ui_settings.vault.folder", DigestLabel(self.context))
        self.origin = form.add("ui_settings.vault.origin", DigestLabel(self.context))
        card.body.addWidget(form)
        card.body.addWidget(words(self.context, "ui_settings.audit.about", role="secondary"))
        row = QHBoxLayout()
        row.addWidget(button(self.context, "ui_settings.audit", self._on_audit, icon="shield-check"))
        row.addStretch(1)
        card.body.addLayout(row)
        self.audited = Banner(self.context)
        self.audited.hide()
        card.body.addWidget(self.audited)

    # --- passphrase ---------------------------------------------------------------------------------------------

    def _on_typed(self) -> None:
        self.change.setEnabled(bool(self.old.text()) and self.new.ready)

    def _on_change(self) -> None:
        folder = self.context.desk.folder
        if folder is None:
            return
        old, new = self.old.text(), self.new.text
        self._forget()

        def work(_job: Job) -> None:
            change_passphrase(folder, old, new, sleep=None)
            _follow(folder, new)

        self.context.tasks.run(
            Lane.CPU, work, owner=self, done=lambda _: self.context.messages.inform("ui_settings.passphrase.done")
        )  # fmt: skip

    def _forget(self) -> None:
        self.old.forget()
        self.new.forget()
        self.change.setEnabled(False)

    # --- keyring ------------------------------------------------------------------------------------------------

    def _on_remembers(self, remembers: bool) -> None:
        self.keyring.setChecked(remembers)

    def _on_keyring(self, wanted: bool) -> None:
        folder = self.context.desk.folder
        if folder is None:
            return
        self.keyring.setChecked(not wanted)  # until it is so
        if wanted:
            self.context.messages.ask_text(
                "ui_settings.keyring.ask", action="ui_settings.keyring.do", secret=True,
                accepted=lambda secret: self._remember(folder, secret),
            )  # fmt: skip
        else:
            self.context.tasks.run(
                Lane.CPU, lambda _: _keyring().forget(VaultFile.read(folder).vault_id), owner=self,
                done=lambda _: self._on_remembers(False),
            )  # fmt: skip

    def _remember(self, folder: Path, secret: str) -> None:
        def work(_job: Job) -> None:
            check_passphrase(folder, secret, sleep=None)
            _keyring().remember(VaultFile.read(folder).vault_id, secret)

        def failed(error: EvidenceDeskError) -> None:
            self.context.tasks.on_unhandled(error)

        self.context.tasks.run(
            Lane.CPU, work, owner=self, done=lambda _: self._on_remembers(True), failed=failed
        )

    # --- audit --------------------------------------------------------------------------------------------------

    def _on_audit(self) -> None:
        def work(session: Session, job: Job) -> AuditOutcome:
            return audit(session.desk, job=job)

        self.context.desk.run(
            work, owner=self, done=self._on_audited, lane=Lane.READ, title="ui_settings.audit"
        )

    def _on_audited(self, outcome: AuditOutcome) -> None:
        facts = {"size": outcome.size, "exhibits": outcome.exhibits, "count": len(outcome.faults)}
        if outcome.faults:
            self.audited.set("failed", "circle-x", "ui_settings.audit.faults", **facts)
        else:
            self.audited.set("passed", "circle-check", "ui_settings.audit.sound", **facts)
        self.audited.show()


def _follow(folder: Path, new: str) -> None:
    """A keyring that holds the passphrase gets the new one, or at least loses the old."""
    store, vault_id = _keyring(), VaultFile.read(folder).vault_id
    if not store.remembers(vault_id):
        return
    try:
        store.remember(vault_id, new)
    except HostError:
        with suppress(HostError):
            store.forget(vault_id)


def _keyring() -> KeyringStore:
    """The one that the gate asks."""
    return KeyringStore(preferences_file().parent / "keyring")

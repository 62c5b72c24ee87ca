"""Unlocking a vault: which one, its passphrase, and what to do when that does not work."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError, PermissionDeniedError
from evidence_desk.keyring_store import KeyringStore
from evidence_desk.vault.attempts import remaining
from evidence_desk.vault.vault_file import VaultFile
from ui.context import Context
from ui.look import tokens
from ui.plain import plain, tip
from ui.preferences import preferences_file
from ui.start.passphrase_field import CapsHint, PassphraseField
from ui.start.unseen import remind
from ui.tasks import Lane
from ui.widgets.buttons import button, icon_button
from ui.widgets.countdown import Countdown
from ui.widgets.form import Form
from ui.widgets.labels import words
from ui.widgets.panels import Banner

_WRONG: Final = "vault.wrong_passphrase"
_IN_USE: Final = "vault.in_use"


class UnlockPane(QWidget):
    """Never blocks: a wait after wrong passphrases is counted down, and everything else can still be used."""

    new_wanted = Signal()
    folder_chosen = Signal(object)
    recovery_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._keyring = KeyringStore(preferences_file().parent / "keyring")
        self._last = context.desk.folder
        self._busy = False
        self._error: EvidenceDeskError | None = None
        self.waiting = Countdown(self, _WRONG)
        self.vaults = QComboBox()
        self.passphrase = PassphraseField(context)
        self.caps = CapsHint(context, self.passphrase)
        self.remember = QCheckBox()
        self.fault = Banner(context)
        self.countdown = words(context, role="warning")
        self.unlock = button(context, "ui_start.unlock.do", self._on_unlock, icon="lock-open", main=True)
        self.from_keyring = button(context, "ui_start.keyring.open", self._on_keyring, icon="key-round")
        self.look = button(context, "ui_start.read_only.do", self._on_look, icon="eye")
        self._lay_out()
        self.passphrase.returnPressed.connect(self._on_unlock)
        self.passphrase.textChanged.connect(self._on_typed)
        self.vaults.currentIndexChanged.connect(self._on_vault)
        context.tongue.changed.connect(self._say)
        self.waiting.changed.connect(self._say)
        self.waiting.ended.connect(self.passphrase.setFocus)
        context.desk.opened.connect(self._on_desk_opened)
        self.refresh()

    @property
    def folder(self) -> Path | None:
        """The vault chosen."""
        data = self.vaults.currentData()
        return Path(data) if data else None

    def refresh(self) -> None:
        """The vaults known, the one locked or opened last in front."""
        preferences = self._context.preferences.value
        first = [str(self._last)] if self._last is not None else []
        known = dict.fromkeys(
            item for item in (*first, preferences.vault, *preferences.recent_vaults) if item
        )
        self.vaults.blockSignals(True)
        self.vaults.clear()
        for name in known:
            self._add(Path(name))
        self.vaults.blockSignals(False)
        self.remember.setChecked(preferences.remember_passphrase)
        self._begin()

    def show_folder(self, folder: Path) -> None:
        """Put a vault in front."""
        at = self.vaults.findData(str(folder))
        if at < 0:
            self._add(folder)
            at = self.vaults.count() - 1
        self.vaults.setCurrentIndex(at)
        self._begin()

    # --- layout -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        context = self._context
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.M)
        column.addWidget(words(context, "ui_start.unlock", role="title"))
        self.vaults.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.vaults.setMinimumContentsLength(12)
        self.vaults.setIconSize(QSize(tokens.L, tokens.L))
        row = QWidget()
        beside = QHBoxLayout(row)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(tokens.S)
        beside.addWidget(self.vaults, 1)
        beside.addWidget(icon_button(context, "ui_start.choose_vault", "folder-open", self._on_choose))
        row.setFocusProxy(self.vaults)
        form = Form(context)
        form.add("ui_start.vault", row)
        form.add("ui_start.passphrase", self.passphrase)
        context.tongue.bind(self.vaults, self.vaults.setAccessibleName, "ui_start.vault")
        column.addWidget(form)
        column.addWidget(self.caps)
        context.tongue.bind(self.remember, self.remember.setText, "ui_start.keyring.remember")
        context.tongue.bind(self.remember, self.remember.setToolTip, "ui_start.keyring.remember.tip")
        column.addWidget(self.remember)
        column.addWidget(self.fault)
        column.addWidget(self.countdown)
        for deed in (self.unlock, self.look, self.from_keyring):
            column.addWidget(deed)
        links = QHBoxLayout()
        links.addWidget(button(context, "ui_start.forgotten", self.recovery_wanted.emit, flat=True))
        links.addStretch(1)
        links.addWidget(button(context, "ui_start.new", self.new_wanted.emit, flat=True))
        column.addLayout(links)
        column.addWidget(words(context, "ui_start.restore_hint", role="secondary"))

    def _add(self, folder: Path) -> None:
        self.vaults.addItem(plain(folder.name or str(folder)), str(folder))
        at = self.vaults.count() - 1
        self.vaults.setItemData(at, tip(str(folder)), Qt.ItemDataRole.ToolTipRole)

    def _begin(self) -> None:
        """A vault was put in front: nothing of another one is left."""
        self.waiting.clear()
        self._error = None
        self.passphrase.forget()
        self.look.hide()
        self.from_keyring.hide()
        folder = self.folder
        self.vaults.setToolTip("" if folder is None else tip(str(folder)))
        self._say()
        if folder is not None:
            self._context.tasks.run(
                Lane.NET, lambda _job: self._facts(folder), owner=self, done=self._on_facts, failed=_quiet
            )

    def _facts(self, folder: Path) -> tuple[Path, float, bool]:
        """Which folder, the wait left from earlier failures, and whether the keyring has its passphrase."""
        return folder, remaining(folder), self._keyring.remembers(VaultFile.read(folder).vault_id)

    def _on_facts(self, facts: tuple[Path, float, bool]) -> None:
        folder, seconds, remembered = facts
        if folder == self.folder:
            self.from_keyring.setVisible(remembered)
            self.waiting.at_least(seconds)

    # --- deeds ------------------------------------------------------------------------------------------------

    def _on_choose(self) -> None:
        self._context.messages.open_folder(self.folder_chosen.emit, code="ui_start.choose_vault")

    def _on_vault(self) -> None:
        self._begin()

    def _on_typed(self) -> None:
        self._say()

    def _on_unlock(self) -> None:
        self._open(self.passphrase.text())

    def _on_look(self) -> None:
        self._open(self.passphrase.text(), read_only=True)

    def _on_keyring(self) -> None:
        folder = self.folder
        if folder is None or self._busy:
            return

        def work(_job: Job) -> str:
            return self._keyring.recall(VaultFile.read(folder).vault_id) or ""

        def done(passphrase: str) -> None:
            self._busy = False
            if passphrase:
                self._open(passphrase)
            else:
                self._on_failed(PermissionDeniedError("ui_start.keyring_empty"))

        self._start()
        self._context.tasks.run(Lane.NET, work, owner=self, done=done, failed=self._on_failed)

    def _open(self, passphrase: str, *, read_only: bool = False) -> None:
        folder = self.folder
        if folder is None or not passphrase or self._busy or self.waiting.left > 0:
            return
        self._start()
        self._context.desk.unlock(
            folder,
            passphrase,
            owner=self,
            done=lambda: self._on_opened(folder, passphrase, read_only=read_only),
            failed=self._on_failed,
            read_only=read_only,
        )

    def _start(self) -> None:
        self._busy, self._error = True, None
        self.look.hide()
        self._say()

    def _on_desk_opened(self) -> None:
        """However it was opened, it is the one to be unlocked next."""
        self.passphrase.forget()
        folder = self._context.desk.folder
        if folder is not None:
            self._last = folder
            self._context.preferences.remember_vault(folder)

    def _on_opened(self, folder: Path, passphrase: str, *, read_only: bool) -> None:
        self._busy = False
        self.waiting.clear()
        if read_only:
            self._context.messages.inform("ui_start.read_only")
        else:
            remind(self._context, self.window())
        self._keep(folder, passphrase, wanted=self.remember.isChecked())
        self._say()

    def _keep(self, folder: Path, passphrase: str, *, wanted: bool) -> None:
        """Put the passphrase into the keyring, or take it out when it is no longer wanted there."""
        self._context.preferences.change(remember_passphrase=wanted)

        def work(_job: Job) -> None:
            vault_id = VaultFile.read(folder).vault_id
            if wanted:
                self._keyring.remember(vault_id, passphrase)
            elif self._keyring.remembers(vault_id):
                self._keyring.forget(vault_id)

        self._context.tasks.run(Lane.NET, work, owner=self, done=_quiet)

    def _on_failed(self, error: EvidenceDeskError) -> None:
        self._busy, self._error = False, error
        self.look.setVisible(error.code == _IN_USE)
        folder = self.folder
        if folder is not None and self.waiting.refused(error):
            self.passphrase.selectAll()
            self._context.tasks.run(
                Lane.NET,
                lambda _job: remaining(folder),
                owner=self,
                done=self.waiting.at_least,
                failed=_quiet,
            )
        self._say()

    # --- waiting and saying -----------------------------------------------------------------------------------

    def _say(self) -> None:
        waiting = self.waiting.left > 0
        tongue = self._context.tongue
        self.unlock.setEnabled(not self._busy and not waiting and bool(self.passphrase.text()))
        self.from_keyring.setEnabled(not self._busy and not waiting)
        self.countdown.setVisible(waiting or self._busy)
        if waiting:
            self.countdown.setText(tongue.say("ui_start.wait", seconds=self.waiting.seconds))
        elif self._busy:
            self.countdown.setText(tongue.say("ui_start.opening"))
        self.fault.setVisible(self._error is not None)
        if self._error is not None:
            what, then = tongue.error(self._error)
            self.fault.set("failed", "circle-x", "ui_start.fault", what=what, then=then)


def _quiet(_result: object) -> None:
    """What is not known is not shown; opening tells why."""

"""Second step: where the vault is to be, who works with it, its passphrase."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import platformdirs
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from evidence_desk.bootstrap.opening import init_session
from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError
from ui.context import Context
from ui.look import tokens
from ui.start.new_passphrase import NewPassphrase
from ui.start.operator import keep_operator
from ui.start.step import Made, Step
from ui.tasks import Lane
from ui.widgets.buttons import button, icon_button
from ui.widgets.form import Form
from ui.widgets.labels import words

_OFFICE: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_LONGEST_NAME: Final = 100


class VaultStep(Step):
    """Makes the vault. Signals: `existing_wanted` when this person has one already."""

    existing_wanted = Signal()

    def __init__(self, context: Context, made: Made) -> None:
        super().__init__(context, "ui_start.vault_step")
        self._made = made
        self.folder = QLineEdit()
        self._proposed = ""
        self.office = QLineEdit("local")
        self.office.setMaxLength(32)
        self.operator = QLineEdit()
        self.operator.setMaxLength(_LONGEST_NAME)
        place = QWidget()
        row = QHBoxLayout(place)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.S)
        row.addWidget(self.folder, 1)
        row.addWidget(icon_button(context, "ui_start.vault.choose", "folder-open", self._on_choose))
        place.setFocusProxy(self.folder)
        form = Form(context)
        form.add("ui_start.vault.folder", place)
        form.add("ui_start.vault.office", self._explained(self.office, "ui_start.vault.office"))
        form.add("ui_start.vault.operator", self.operator)
        context.tongue.bind(self.folder, self.folder.setAccessibleName, "ui_start.vault.folder")
        self.body.addWidget(form)
        self.office_fault = words(context, "ui_start.vault.office.fault", role="failed")
        self.passphrases = NewPassphrase(context, form, self._own_words)
        self.body.addWidget(self.passphrases)
        self.body.addWidget(self.office_fault)
        self.existing = button(
            context, "ui_start.existing", self.existing_wanted.emit, icon="folder-open", flat=True
        )
        row = QHBoxLayout()
        row.addWidget(self.existing)
        row.addStretch(1)
        self.body.addLayout(row)
        for field in (self.folder, self.office, self.operator):
            field.textChanged.connect(self._on_changed)
        self.passphrases.changed.connect(self.changed.emit)
        context.tongue.changed.connect(self._propose)
        self._propose()
        self._on_changed()

    @property
    def ready(self) -> bool:
        """Whether everything needed was filled in."""
        return bool(
            self.folder.text().strip() and _OFFICE.fullmatch(self.office.text()) and self.passphrases.ready
        )

    @property
    def deed(self) -> str:
        """It makes the vault."""
        return "ui_start.vault.make"

    def entered(self) -> None:
        """Start at the top."""
        self.folder.setFocus()

    def go(self, then: Callable[[], None]) -> None:
        """Make the vault; a weak passphrase only when it is wanted all the same."""
        if self.passphrases.weak:
            self.context.messages.confirm(
                "ui_start.weak", action="ui_start.weak.do", accepted=lambda: self._make(then), dangerous=True
            )
        else:
            self._make(then)

    def _make(self, then: Callable[[], None]) -> None:
        folder = Path(self.folder.text().strip()).expanduser().absolute()
        passphrase, office = self.passphrases.text, self.office.text()
        operator, kdf = self.operator.text().strip(), self._made.kdf

        def work(_job: Job) -> tuple[Session, str]:
            session, key = init_session(folder, passphrase, office=office, demo=False, kdf=kdf, unseen=True)
            try:
                keep_operator(session, operator)
            except BaseException:
                session.close()
                raise
            return session, key

        def done(result: tuple[Session, str]) -> None:
            self._made.session, self._made.recovery_key = result
            self._made.folder, self._made.operator = folder, operator
            self.context.preferences.remember_vault(
                folder
            )  # a guide that is killed now leaves a vault to be found
            self.passphrases.forget()
            self._working(False)
            then()

        def failed(error: EvidenceDeskError) -> None:
            self._working(False)
            self.show_error(error)

        self.show_error(None)
        self._working(True)
        self.context.tasks.run(Lane.NET, work, owner=self, done=done, failed=failed)

    def _explained(self, field: QLineEdit, code: str) -> QWidget:
        """A field with its help below it in words."""
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.XS)
        column.addWidget(field)
        column.addWidget(words(self.context, f"{code}.tip", role="secondary"))
        holder.setFocusProxy(field)
        self.context.tongue.bind(field, field.setAccessibleName, code)
        return holder

    def _working(self, working: bool) -> None:
        self.setEnabled(not working)
        self.busy.emit(working)

    def _propose(self) -> None:
        """A folder named in the language in force, until another was chosen."""
        if self.folder.text() == self._proposed:
            self._proposed = str(default_folder(self.context.tongue.say("ui_start.vault.default")))
            self.folder.setText(self._proposed)

    def _own_words(self) -> tuple[str, ...]:
        return (self.office.text(), self.operator.text(), Path(self.folder.text()).name)

    def _on_choose(self) -> None:
        self.context.messages.open_folder(self._on_folder, code="ui_start.vault.choose")

    def _on_folder(self, folder: Path) -> None:
        """An empty folder is taken as it is; in one that holds something, the vault gets a folder of its own."""
        name = self.context.tongue.say("ui_start.vault.default")
        try:
            occupied = any(folder.iterdir())
        except OSError:
            occupied = False
        self.folder.setText(str(free_folder(folder / name) if occupied else folder))

    def _on_changed(self) -> None:
        office = self.office.text()
        self.office_fault.setVisible(not _OFFICE.fullmatch(office))
        self.passphrases.judge()
        self.changed.emit()


def default_folder(name: str) -> Path:
    """A folder for a new vault among this person's documents, one that is not there yet."""
    return free_folder(platformdirs.user_documents_path() / name)


def free_folder(wanted: Path) -> Path:
    """`wanted`, or with a number behind when that is taken."""
    try:
        for number in range(1, 100):
            folder = wanted if number == 1 else wanted.with_name(f"{wanted.name} {number}")
            if not folder.exists():
                return folder
    except OSError:
        pass
    return wanted

"""A forgotten passphrase: the recovery key from paper, then a new passphrase."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.vault.passphrase import reset_passphrase
from ui.context import Context
from ui.look import fonts, tokens
from ui.start.new_passphrase import NewPassphrase
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.form import Form
from ui.widgets.labels import words
from ui.widgets.panels import Banner

if TYPE_CHECKING:
    from evidence_desk.bootstrap.session import Session

_KEY_HEIGHT = 72


class RecoverPane(QWidget):
    """Signals: `left` says whether the vault was opened."""

    left = Signal(bool)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._folder: Path | None = None
        self._error: EvidenceDeskError | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.M)
        column.addWidget(words(context, "ui_start.recover", role="title"))
        column.addWidget(words(context, "ui_start.recover.text", role="secondary"))
        self.key = QPlainTextEdit()
        self.key.setFont(fonts.mono())
        self.key.setTabChangesFocus(True)
        self.key.setUndoRedoEnabled(False)
        self.key.setFixedHeight(_KEY_HEIGHT)
        form = Form(context)
        form.add("ui_start.recover.key", self.key)
        column.addWidget(form)
        self.passphrases = NewPassphrase(context, form)
        column.addWidget(self.passphrases)
        self.fault = Banner(context)
        column.addWidget(self.fault)
        row = QHBoxLayout()
        row.addWidget(button(context, "ui_start.back", self._on_back))
        row.addStretch(1)
        self.reset = button(context, "ui_start.recover.do", self._on_reset, icon="key-round", main=True)
        row.addWidget(self.reset)
        column.addLayout(row)
        self.key.textChanged.connect(self._say)
        self.passphrases.changed.connect(self._say)
        context.tongue.changed.connect(self._say)
        self._say()

    def begin(self, folder: Path) -> None:
        """Recover this vault."""
        self.forget()
        self._folder = folder
        self.key.setFocus()

    def forget(self) -> None:
        """Empty all fields."""
        self.key.clear()
        self.passphrases.forget()
        self._error = None
        self.setEnabled(True)
        self._say()

    def _on_back(self) -> None:
        self.forget()
        self.left.emit(False)

    def _on_reset(self) -> None:
        folder, key, fresh = self._folder, self.key.toPlainText(), self.passphrases.text
        if folder is None:
            return

        def work(_job: Job) -> None:
            reset_passphrase(folder, key, fresh)

        self.setEnabled(False)
        self._context.tasks.run(
            Lane.NET,
            work,
            owner=self,
            done=lambda _: self._on_reset_done(folder, fresh),
            failed=self._on_failed,
        )

    def _on_reset_done(self, folder: Path, passphrase: str) -> None:
        self._context.desk.unlock(
            folder,
            passphrase,
            owner=self,
            done=self._on_opened,
            failed=self._on_failed,
        )

    def _on_opened(self) -> None:
        self.forget()
        desk = self._context.desk
        if desk.session is not None:  # whoever typed the key has it
            desk.run(_seen, owner=desk, done=lambda _: None, keep=True)
        self._context.messages.inform("ui_start.recover.done")
        self.left.emit(True)

    def _on_failed(self, error: EvidenceDeskError) -> None:
        self.setEnabled(True)
        self._error = error
        self._say()

    def _say(self) -> None:
        self.reset.setEnabled(bool(self.key.toPlainText().strip()) and self.passphrases.ready)
        self.fault.setVisible(self._error is not None)
        if self._error is not None:
            what, then = self._context.tongue.error(self._error)
            self.fault.set("failed", "circle-x", "ui_start.fault", what=what, then=then)


def _seen(session: Session, _job: Job) -> None:
    from evidence_desk.bootstrap.opening import key_seen  # noqa: PLC0415 - with the vault's code

    key_seen(session)

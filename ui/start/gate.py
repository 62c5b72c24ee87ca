"""What stands in the place of a page that needs a vault while none is open: unlock one, make one, restore one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from evidence_desk.errors import EvidenceDeskError
from ui.context import Context
from ui.look import tokens
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.panels import Card


class Gate(QWidget):
    """Unlock the vault used last."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        outer = QVBoxLayout(self)
        outer.addStretch(1)
        card = Card()
        card.setMaximumWidth(480)
        card.body.addWidget(words(context, "ui_start.unlock", role="heading"))
        self.passphrase = QLineEdit()
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        context.tongue.bind(self.passphrase, self.passphrase.setAccessibleName, "ui_start.passphrase")
        card.body.addWidget(self.passphrase)
        self._fault = words(context, role="failed")
        card.body.addWidget(self._fault)
        self.unlock = button(context, "ui_start.unlock.do", self._on_unlock, main=True)
        card.body.addWidget(self.unlock)
        outer.addWidget(card)
        outer.addStretch(2)
        outer.setContentsMargins(tokens.XXL, tokens.XXL, tokens.XXL, tokens.XXL)
        self.passphrase.returnPressed.connect(self._on_unlock)

    def _on_unlock(self) -> None:
        folder = self._context.desk.folder or Path(self._context.preferences.value.vault)
        self.unlock.setEnabled(False)
        self._context.desk.unlock(
            folder, self.passphrase.text(), owner=self, done=self._on_opened, failed=self._on_failed
        )

    def _on_opened(self) -> None:
        self.passphrase.clear()
        self._fault.clear()
        self.unlock.setEnabled(True)

    def _on_failed(self, error: EvidenceDeskError) -> None:
        self.unlock.setEnabled(True)
        self._fault.setText(" ".join(self._context.tongue.error(error)))

"""Who issues or handles a certificate: free in one-person mode, one of the enrolled persons first in two-person mode."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox

from evidence_desk.core.confirmation import MAX_TEXT
from ui.certify.office import Office
from ui.context import Context


class OperatorField(QComboBox):
    """A line with the enrolled persons to choose from. Signal: `changed`."""

    changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__(editable=True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._context = context
        self._two_person = False
        editor = self.lineEdit()
        if editor is not None:
            editor.setMaxLength(MAX_TEXT)
            context.tongue.bind(editor, editor.setAccessibleName, "ui_certify.operator")
        context.tongue.follow(self, self._say)
        self.currentTextChanged.connect(lambda _text: self.changed.emit())

    @property
    def name(self) -> str:
        """The name given."""
        return self.currentText().strip()

    def show_office(self, office: Office) -> None:
        """Offer the enrolled persons; what was typed stays."""
        typed = self.currentText()
        self._two_person = office.two_person
        with QSignalBlocker(self):
            self.clear()
            self.addItems([item.name for item in office.active])
            self.setCurrentText(typed)
        self._say()

    def _say(self) -> None:
        editor = self.lineEdit()
        if editor is not None:
            code = "ui_certify.operator.first" if self._two_person else "ui_certify.operator.hint"
            editor.setPlaceholderText(self._context.tongue.say(code))

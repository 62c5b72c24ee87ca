"""The frame of this page's dialogs: title, words, fields, what went wrong, buttons. Closed when the vault locks."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from evidence_desk.errors import CanceledError, EvidenceDeskError
from ui.context import Context
from ui.look import tokens
from ui.start.passphrase_field import PassphraseField
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.panels import Banner

_WIDTH = 480


class Sheet(QDialog):
    """A dialog that is gone when closed; passphrases typed into it go with it."""

    def __init__(self, context: Context, title: str, action: str, *, danger: bool = False) -> None:
        """`title` and `action` are codes: of the window's title, and of the word on the button that does it."""
        super().__init__(QApplication.activeWindow())
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(_WIDTH)
        self.context = context
        self._busy = False
        context.tongue.bind(self, self.setWindowTitle, title)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(tokens.XL, tokens.XL, tokens.XL, tokens.L)
        outer.setSpacing(tokens.L)
        self.body = QVBoxLayout()
        self.body.setSpacing(tokens.M)
        outer.addLayout(self.body, 1)
        self.fault = Banner(context)
        self.fault.hide()
        outer.addWidget(self.fault)
        self.feet = QHBoxLayout()
        self.cancel = button(context, "ui.cancel", self.reject)
        self.cancel.setAutoDefault(False)
        self.deed: QPushButton = button(context, action, self.act, main=not danger, danger=danger)
        self.deed.setDefault(True)
        self.feet.addStretch(1)
        self.feet.addWidget(self.cancel)
        self.feet.addWidget(self.deed)
        outer.addLayout(self.feet)
        context.desk.locked.connect(self.reject)
        self.finished.connect(self._forget)

    def say(self, code: str, role: str = "", **facts: str | int) -> None:
        """A paragraph in the body."""
        self.body.addWidget(words(self.context, code, role=role, **facts))

    def act(self) -> None:
        """The button of the deed was pressed."""
        self.accept()

    @property
    def busy(self) -> bool:
        """Whether the deed is being done."""
        return self._busy

    def begin(self) -> None:
        """The deed is being done beside the window."""
        self._busy = True
        self.fault.hide()
        self.check()

    def failed(self, error: EvidenceDeskError) -> None:
        """It was not done: say why, and let the person correct what he typed."""
        self._busy = False
        self.check()
        if not isinstance(error, CanceledError):
            tongue = self.context.tongue

            def say() -> None:
                what, then = tongue.error(error)
                self.fault.set("failed", "circle-x", "ui_certify.fault", what=what, then=then)

            tongue.follow(self.fault, say)
            self.fault.show()

    def check(self) -> None:
        """Whether the deed can be done now."""
        self.deed.setEnabled(not self._busy and self.complete())

    def complete(self) -> bool:
        """Whether everything needed is filled in."""
        return True

    def watch(self, *fields: QLineEdit) -> None:
        """Look again whenever one of these changes."""
        for field in fields:
            field.textChanged.connect(lambda _text: self.check())
        self.check()

    def _forget(self) -> None:
        for field in self.findChildren(PassphraseField):
            field.forget()


def line(context: Context, code: str, parent: QWidget | None = None) -> QLineEdit:
    """A line with its accessible name, for use outside a form."""
    field = QLineEdit(parent)
    context.tongue.bind(field, field.setAccessibleName, code)
    return field

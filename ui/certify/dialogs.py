"""The frame of this page's dialogs: title, words, fields, what went wrong, buttons. Closed when the vault locks."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QLayout,
    QLineEdit,
    QMainWindow,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

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
        super().__init__(_window())
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(_WIDTH)
        self.context = context
        self._busy = False
        context.tongue.bind(self, self.setWindowTitle, title)
        self._error: EvidenceDeskError | None = None
        outer = QVBoxLayout(self)
        outer.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # `fit` lets it grow
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
        context.tongue.changed.connect(self._say_fault)  # after every bound text
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
        self._busy, self._error = True, None
        self.fault.hide()
        self.check()

    def failed(self, error: EvidenceDeskError) -> None:
        """It was not done: say why, and let the person correct what he typed."""
        self._busy = False
        self.check()
        self._error = None if isinstance(error, CanceledError) else error
        self._say_fault()

    def showEvent(self, event: QShowEvent) -> None:
        """Whole at once: Qt gives a dialog no more than two thirds of the screen, and squeezes what is in it."""
        super().showEvent(event)
        if not self.testAttribute(Qt.WidgetAttribute.WA_Resized):
            self.fit()

    def fit(self) -> None:
        """As high as what it shows; never smaller than before."""
        layout = self.layout()
        if layout is not None and self.isVisible():
            layout.activate()
            wanted = (
                layout.totalHeightForWidth(self.width())
                if layout.hasHeightForWidth()
                else layout.totalSizeHint().height()
            )
            if wanted > self.height():
                self.resize(self.width(), wanted)

    def _say_fault(self) -> None:
        if self._error is not None:
            what, then = self.context.tongue.error(self._error)
            self.fault.set("failed", "circle-x", "ui_certify.fault", what=what, then=then)
            self.fault.show()
            self.fit()

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


def _window() -> QWidget | None:
    """The window that a dialog stands over."""
    active = QApplication.activeWindow()
    if active is not None:
        return active
    return next((item for item in QApplication.topLevelWidgets() if isinstance(item, QMainWindow)), None)

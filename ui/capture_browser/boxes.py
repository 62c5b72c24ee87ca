"""Boxes that pages open, shown to the person who browses."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QWidget

from evidence_desk.core.capture.events import clean
from ui.language import Tongue
from ui.look.look import Look
from ui.notice import Question

_LONGEST: Final = 1500


class Person:
    """Asks the person at the machine."""

    by_user: Final = True

    def __init__(self, tongue: Tongue, look: Look) -> None:
        self._tongue, self._look = tongue, look
        self.window: QWidget | None = None
        self._open: list[Question] = []
        self._gone = False

    def leave(self) -> None:
        """The capture ends: boxes that stand are canceled, and nobody is asked any more."""
        self._gone = True
        for box in list(self._open):
            box.reject()

    def alert(self, origin: str, text: str) -> None:
        """Show it; the page waits."""
        box = self._ask("capture.window.alert", "ui.ok", origin, text)
        for button in box.buttons.buttons():
            button.setVisible(box.buttons.buttonRole(button) is QDialogButtonBox.ButtonRole.AcceptRole)
        self._accepted(box)

    def confirm(self, origin: str, text: str, *, leaving: bool) -> bool:
        """Yes or no."""
        code = "capture.window.leave" if leaving else "capture.window.confirm"
        action = "capture.window.leave.deed" if leaving else "ui.ok"
        return self._accepted(self._ask(code, action, origin, text))

    def prompt(self, origin: str, text: str, default: str) -> str | None:
        """A line of text."""
        box = self._ask("capture.window.prompt", "ui.ok", origin, text)
        box.ask(clean(default, _LONGEST), secret=False, required=False)
        return box.text if self._accepted(box) else None

    def credentials(self, url: str, realm: str) -> tuple[str, str] | None:
        """Name and password for HTTP authentication."""
        box = Credentials(self.window, self._tongue, self._look, url, realm)
        return (box.name.text(), box.text) if self._accepted(box) else None

    def _ask(self, code: str, action: str, origin: str, text: str) -> Question:
        facts = {"origin": clean(origin, 200), "text": clean(text, _LONGEST)}
        return Question(self.window, self._tongue, self._look, code, action, facts)

    def _accepted(self, box: Question) -> bool:
        """Waits for the answer; the page waits too."""
        if self._gone:
            return False
        self._open.append(box)
        try:
            return box.exec() == QDialog.DialogCode.Accepted
        finally:
            self._open.remove(box)


class Credentials(Question):
    """Two lines: name and password."""

    def __init__(self, parent: QWidget | None, tongue: Tongue, look: Look, url: str, realm: str) -> None:
        facts = {"origin": clean(url, 200), "text": clean(realm, 200)}
        super().__init__(parent, tongue, look, "capture.window.login", "capture.window.login.deed", facts)
        self.name = QLineEdit()
        tongue.bind(self.name, self.name.setAccessibleName, "capture.window.login.name")
        tongue.bind(self.name, self.name.setPlaceholderText, "capture.window.login.name")
        self.words.addWidget(self.name)
        self.ask("", secret=True, required=False)
        self.name.setFocus()
        box = self.findChild(QDialogButtonBox)
        if box is not None:
            self.setTabOrder(self.name, box)

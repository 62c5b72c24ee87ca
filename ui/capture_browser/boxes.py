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

    def alert(self, origin: str, text: str) -> None:
        """Show it; the page waits."""
        self._ask("capture.window.alert", "ui.ok", origin, text).exec()

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

    @staticmethod
    def _accepted(box: Question) -> bool:
        return box.exec() == QDialog.DialogCode.Accepted


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

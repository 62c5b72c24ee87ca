"""Boxes that pages open, shown to the person who browses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLineEdit, QWidget

from evidence_desk.core.capture.events import clean
from ui.language import Tongue
from ui.look.look import Look
from ui.notice import Question
from ui.plain import lines

MAX_ROW: Final = 5
"""Boxes that follow each other without a pause; the page that opens more is not asked about any more until it pauses."""
_PAUSE: Final = 1.0
"""Seconds."""
_LONGEST: Final = 1500
_LINES: Final = 15
"""More would push the buttons off the screen."""


class Person:
    """Asks the person at the machine."""

    def __init__(self, tongue: Tongue, look: Look, hushed: Callable[[], None]) -> None:
        self._tongue, self._look, self._hushed = tongue, look, hushed
        self.window: QWidget | None = None
        self.by_user = False
        """Whether the person saw the last box."""
        self._row, self._closed_at = 0, 0.0
        self._open: list[Question] = []
        self._gone = False

    def leave(self) -> None:
        """The capture ends: boxes that stand are canceled, and nobody is asked any more."""
        self._gone = True
        for box in list(self._open):
            box.reject()

    def alert(self, origin: str, text: str) -> None:
        """Show it; the page waits."""
        if not self._in_turn():
            return
        box = self._ask("capture.window.alert", "ui.ok", origin, text)
        for button in box.buttons.buttons():
            button.setVisible(box.buttons.buttonRole(button) is QDialogButtonBox.ButtonRole.AcceptRole)
        self._accepted(box)

    def confirm(self, origin: str, text: str, *, leaving: bool) -> bool:
        """Yes or no; a page that asks too often is left."""
        if not self._in_turn():
            return leaving and not self._gone
        code = "capture.window.leave" if leaving else "capture.window.confirm"
        action = "capture.window.leave.deed" if leaving else "ui.ok"
        return self._accepted(self._ask(code, action, origin, text))

    def prompt(self, origin: str, text: str, default: str) -> str | None:
        """A line of text."""
        if not self._in_turn():
            return None
        box = self._ask("capture.window.prompt", "ui.ok", origin, text)
        box.ask(clean(default, _LONGEST), secret=False, required=False)
        return box.text if self._accepted(box) else None

    def credentials(self, url: str, realm: str) -> tuple[str, str] | None:
        """Name and password for HTTP authentication."""
        if not self._in_turn():
            return None
        box = Credentials(self.window, self._tongue, self._look, url, realm)
        return (box.name.text(), box.text) if self._accepted(box) else None

    def _ask(self, code: str, action: str, origin: str, text: str) -> Question:
        facts = {"origin": clean(origin, 200), "text": harmless(text)}
        return Question(self.window, self._tongue, self._look, code, action, facts)

    def _accepted(self, box: Question) -> bool:
        """Waits for the answer; the page waits too."""
        self._open.append(box)
        try:
            return box.exec() == QDialog.DialogCode.Accepted
        finally:
            self._open.remove(box)
            self._closed_at = time.monotonic()
            self.by_user = not self._gone

    def _in_turn(self) -> bool:
        """Whether to ask. A page with one box after the other would leave the person no way to the window's own buttons."""
        self.by_user = False
        now = time.monotonic()
        self._row = self._row + 1 if now - self._closed_at < _PAUSE else 1
        if self._row > MAX_ROW and not self._gone:
            self._closed_at = now
            self._hushed()
        return self._row <= MAX_ROW and not self._gone


class Credentials(Question):
    """Two lines: name and password."""

    def __init__(self, parent: QWidget | None, tongue: Tongue, look: Look, url: str, realm: str) -> None:
        facts = {"origin": clean(url, 200), "text": harmless(realm)}
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


def harmless(text: str) -> str:
    """What a page says in a box: it can neither turn our words around nor push them out of sight."""
    said = lines(clean(text, _LONGEST))
    return "\n".join(said[:_LINES]) + ("\n…" if len(said) > _LINES else "")

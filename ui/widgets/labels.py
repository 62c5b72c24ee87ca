"""Labels: words, outcomes, digests."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from evidence_desk.core.verdict import Status
from ui.context import Context
from ui.look import fonts, icons, tokens
from ui.messages import copy_text
from ui.widgets.buttons import icon_button

STATUS_ICONS = {
    Status.PASSED: "circle-check",
    Status.FAILED: "circle-x",
    Status.UNDETERMINED: "circle-question-mark",
}


def words(context: Context, code: str = "", *, role: str = "", **facts: str | int) -> QLabel:
    """A label that wraps; `role` is heading, secondary, warning, failed, passed."""
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        label.setProperty("role", role)
    if code:
        context.tongue.bind(label, label.setText, code, **facts)
    return label


class IconLabel(QWidget):
    """An icon and a word beside it, both in a color of the scheme; the word says all."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._icon, self._role = "", "text"
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.XS)
        self._picture = QLabel()
        self._picture.setFixedSize(QSize(tokens.ICON, tokens.ICON))
        self._word = QLabel()
        self._word.setTextFormat(Qt.TextFormat.PlainText)
        row.addWidget(self._picture)
        row.addWidget(self._word)
        row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        context.look.changed.connect(self._paint)

    def set(self, icon: str, role: str, code: str, **facts: str | int) -> None:
        """Show an icon, in the color `role`, and the sentence `code`."""
        self._icon, self._role = icon, role
        self._context.tongue.bind(self, self._say, code, **facts)
        self._paint()

    @property
    def text(self) -> str:
        """The word shown."""
        return self._word.text()

    def _say(self, text: str) -> None:
        self._word.setText(text)
        self.setAccessibleName(text)

    def _paint(self) -> None:
        if not self._icon:
            return
        color = getattr(self._context.look.colors, self._role)
        self._picture.setPixmap(icons.pixmap(self._icon, color, ratio=self.devicePixelRatioF()))
        self._word.setStyleSheet(f"color: {color}; font-weight: bold;")


class DigestLabel(QWidget):
    """A digest or number in groups that never break in the middle, copied with one click."""

    def __init__(self, context: Context, text: str = "", *, group: int = 8) -> None:
        super().__init__()
        self._text = text
        self._group = group
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(tokens.XS)
        self._label = QLabel()
        self._label.setFont(fonts.mono())
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self._label, 1)
        self._copy = icon_button(context, "ui.copy", "copy", lambda: copy_text(self._text))
        row.addWidget(self._copy, 0, Qt.AlignmentFlag.AlignTop)
        self._context = context
        self.set(text)

    def set(self, text: str) -> None:
        """Show another text; hex of 64 digits in groups of eight."""
        self._text = text
        hexadecimal = len(text) == 64 and set(text) <= set("0123456789abcdef")
        shown = (
            " ".join(text[at : at + self._group] for at in range(0, len(text), self._group))
            if hexadecimal
            else text
        )
        self._label.setText(shown)
        self._copy.setVisible(bool(text))

    @property
    def text(self) -> str:
        """The text without groups."""
        return self._text

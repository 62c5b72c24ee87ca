"""Fields for passphrases: hidden at first, shown on demand, with a hint when caps lock seems on; and the strength meter."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QProgressBar, QVBoxLayout, QWidget

from ui.context import Context
from ui.look import tokens
from ui.start.strength import Estimate, Strength, estimate
from ui.widgets.labels import IconLabel, words

_TONES = {
    Strength.WEAK: ("triangle-alert", "failed", 1),
    Strength.FAIR: ("info", "warning", 2),
    Strength.STRONG: ("circle-check", "passed", 3),
}
_MAX_LENGTH = 1024


class PassphraseField(QLineEdit):
    """A line for a passphrase; what stands in it is never copied or suggested.

    Signals: `caps_seen` says whether caps lock seems to be on, judged by the letters typed (Qt does not tell).
    """

    caps_seen = Signal(bool)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.setMaxLength(_MAX_LENGTH)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
            | Qt.InputMethodHint.ImhNoAutoUppercase
        )
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._eye = QAction(self)
        self._eye.setCheckable(True)
        context.tongue.bind(self, self._eye.setText, "ui_start.passphrase.show")
        context.tongue.bind(self._eye, self._eye.setToolTip, "ui_start.passphrase.show")
        self._eye.toggled.connect(self._on_eye)
        self.addAction(self._eye, QLineEdit.ActionPosition.TrailingPosition)
        context.look.bind_icon(self, self._eye.setIcon, "eye", "secondary")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Look for caps lock: a letter whose case is not that of the shift key."""
        text = event.text()
        if len(text) == 1 and text.isascii() and text.isalpha():
            shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.caps_seen.emit(text.isupper() != shifted)
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide it again when the keyboard goes elsewhere."""
        super().focusOutEvent(event)
        self._eye.setChecked(False)

    def forget(self) -> None:
        """Empty it, its undo history too."""
        self._eye.setChecked(False)
        self.setText("")  # replaces the history, unlike clear()

    def _on_eye(self, shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)


class CapsHint(IconLabel):
    """Says that caps lock seems to be on, while it does."""

    def __init__(self, context: Context, *fields: PassphraseField) -> None:
        super().__init__(context)
        self.set("info", "warning", "ui_start.caps")
        self.hide()
        for field in fields:
            field.caps_seen.connect(self.setVisible)


class StrengthMeter(QWidget):
    """Icon, word and color of an estimate, a bar, and what would make the passphrase better."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._level = 0
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.XS)
        self.bar = QProgressBar()
        self.bar.setRange(0, 3)
        self.bar.setTextVisible(False)
        context.tongue.bind(self.bar, self.bar.setAccessibleName, "ui_start.strength")
        self.word = IconLabel(context)
        self.advice = words(context, role="secondary")
        for widget in (self.bar, self.word, self.advice):
            column.addWidget(widget)
        context.look.changed.connect(self._paint)
        self._estimate = estimate("")
        self.judge("")

    @property
    def estimate(self) -> Estimate:
        """The last one."""
        return self._estimate

    def judge(self, passphrase: str, own: Iterable[str] = ()) -> None:
        """Show the estimate of a passphrase; an empty one has none."""
        self._estimate = estimate(passphrase, own)
        icon, role, level = _TONES[self._estimate.strength]
        self._level = level if passphrase else 0
        self.bar.setValue(self._level)
        if passphrase:
            self.word.set(icon, role, f"ui_start.strength.{self._estimate.strength.value}")
            code = f"ui_start.strength.advice.{self._estimate.advice.value}"
        else:
            self.word.set("key-round", "secondary", "ui_start.strength.empty")
            code = "ui_start.strength.advice.empty"
        self._context.tongue.bind(self.advice, self.advice.setText, code)
        self._paint()

    def _paint(self) -> None:
        role = ("secondary", "failed", "warning", "passed")[self._level]
        color = getattr(self._context.look.colors, role)
        self.bar.setStyleSheet(f"QProgressBar::chunk {{ background: {color}; border-radius: 4px; }}")

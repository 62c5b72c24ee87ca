"""A new passphrase, twice, with its meter."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.context import Context
from ui.look import tokens
from ui.start.passphrase_field import CapsHint, PassphraseField, StrengthMeter
from ui.start.strength import Strength
from ui.widgets.form import Form
from ui.widgets.labels import words


class NewPassphrase(QWidget):
    """Two fields, a meter, and a word when the two differ."""

    changed = Signal()

    def __init__(self, context: Context, form: Form, own: Callable[[], Sequence[str]] | None = None) -> None:
        """The fields go into `form`; `own` gives words that whoever knows the office would try."""
        super().__init__()
        self._own = own or tuple
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.S)
        self.first = form.add("ui_start.passphrase.new", PassphraseField(context))
        self.meter = StrengthMeter(context)
        self.second = form.add("ui_start.passphrase.again", PassphraseField(context))
        column.addWidget(self.meter)
        column.addWidget(CapsHint(context, self.first, self.second))
        self.differ = words(context, "ui_start.passphrase.differ", role="failed")
        self.differ.hide()
        column.addWidget(self.differ)
        self.first.textChanged.connect(self.judge)
        self.second.textChanged.connect(self.judge)

    @property
    def text(self) -> str:
        """What was typed, both times the same when `ready`."""
        return self.first.text()

    @property
    def ready(self) -> bool:
        """Whether there is a passphrase, typed twice alike."""
        return bool(self.text) and self.text == self.second.text()

    @property
    def weak(self) -> bool:
        """Whether it is easily guessed."""
        return self.meter.estimate.strength is Strength.WEAK

    def forget(self) -> None:
        """Empty both."""
        self.first.forget()
        self.second.forget()

    def judge(self) -> None:
        """Estimate it (again: the words of the office may be others now)."""
        self.meter.judge(self.text, self._own())
        again = self.second.text()
        self.differ.setVisible(bool(again) and not self.text.startswith(again))
        self.changed.emit()

"""What a step of the guide is, and what the steps share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from evidence_desk.bootstrap.session import Session
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.vault.keys import KdfParameters
from ui.context import Context
from ui.look import tokens
from ui.widgets.labels import words
from ui.widgets.panels import Banner


@dataclass(slots=True)
class Made:
    """The vault just made; nobody else has it until its recovery key was written down.

    Attributes:
        kdf: cost of the passphrase, None for the usual one.
        operator: name of the person who works with it.
    """

    kdf: KdfParameters | None = None
    folder: Path | None = None
    session: Session | None = None
    recovery_key: str = ""
    operator: str = ""


class Step(QWidget):
    """One step: a heading, a sentence, its fields in `body`, an error of its own.

    Signals: `changed` when `ready` may be other than before; `busy` while it works beside the window.
    """

    changed = Signal()
    busy = Signal(bool)

    def __init__(self, context: Context, code: str) -> None:
        super().__init__()
        self.context = context
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, tokens.S, 0)
        outer.setSpacing(tokens.M)
        outer.addWidget(words(context, code, role="title"))
        outer.addWidget(words(context, f"{code}.text", role="secondary"))
        self.fault = Banner(context)
        self.body = QVBoxLayout()
        self.body.setSpacing(tokens.M)
        outer.addLayout(self.body)
        outer.addWidget(self.fault)
        outer.addStretch(1)
        self._error: EvidenceDeskError | None = None
        context.tongue.changed.connect(self._say_error)
        self._say_error()

    @property
    def ready(self) -> bool:
        """Whether the next step may be taken."""
        return True

    @property
    def deed(self) -> str:
        """Code of the word on the button that goes on."""
        return "ui_start.next"

    def entered(self) -> None:
        """It was brought to the front."""

    def go(self, then: Callable[[], None]) -> None:
        """Do what this step is for, then call `then`."""
        then()

    def show_error(self, error: EvidenceDeskError | None) -> None:
        """Tell an error in the step itself; None for none."""
        self._error = error
        self._say_error()

    def _say_error(self) -> None:
        self.fault.setVisible(self._error is not None)
        if self._error is not None:
            what, then = self.context.tongue.error(self._error)
            self.fault.set("failed", "circle-x", "ui_start.fault", what=what, then=then)

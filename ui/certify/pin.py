"""The PIN of a token: asked for in the window while the thread that signs waits for the answer."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal

from evidence_desk.core.job import Job
from evidence_desk.core.signing_ports import PinPrompt, PinRequest
from ui.certify.dialogs import Sheet
from ui.context import Context
from ui.start.passphrase_field import CapsHint, PassphraseField
from ui.widgets.form import Form

_LOOK: Final = 0.1
"""Seconds after which the waiting thread looks whether it was canceled."""


@dataclass(eq=False, slots=True)
class _Question:
    request: PinRequest
    answered: threading.Event = field(default_factory=threading.Event)
    pin: str = ""

    def answer(self, pin: str) -> None:
        self.pin = pin
        self.answered.set()


class PinAsker(QObject):
    """Hands a question from the thread that signs to the window, and the answer back. Lives in the window's thread.

    Nothing is given when the dialog is closed, the work canceled or the vault locked.
    """

    _asked = Signal(object)
    _withdrawn = Signal(object)

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self.dialog: PinDialog | None = None
        self._asked.connect(self._on_asked, Qt.ConnectionType.QueuedConnection)
        self._withdrawn.connect(self._on_withdrawn, Qt.ConnectionType.QueuedConnection)
        context.desk.locked.connect(self._on_locked)

    def prompt(self, job: Job) -> PinPrompt:
        """A prompt for the work of `job`; blocks the thread that calls it, never the window."""

        def ask(request: PinRequest) -> str | None:
            question = _Question(request)
            self._asked.emit(question)
            while not question.answered.wait(_LOOK):
                if job.canceled:
                    self._withdrawn.emit(question)
                    return None
            pin, question.pin = question.pin, ""
            return pin or None

        return ask

    def _on_asked(self, question: _Question) -> None:
        if self._context.desk.session is None:  # locked meanwhile: nobody is asked over a locked vault
            question.answer("")
            return
        dialog = PinDialog(self._context, question.request)
        self.dialog = dialog

        pin = ""

        def accepted() -> None:
            nonlocal pin
            pin = dialog.pin.text()

        def finished(_result: int) -> None:
            self.dialog = None
            question.answer(pin)

        dialog.accepted.connect(accepted)  # before `finished`, at which the field is emptied
        dialog.finished.connect(finished)
        dialog.question = question
        dialog.open()

    def _on_withdrawn(self, question: _Question) -> None:
        if self.dialog is not None and self.dialog.question is question:
            self.dialog.reject()

    def _on_locked(self) -> None:
        if self.dialog is not None:
            self.dialog.reject()


class PinDialog(Sheet):
    """Which token asks, what it says of earlier tries, and a line for the PIN."""

    def __init__(self, context: Context, request: PinRequest) -> None:
        super().__init__(context, "ui_certify.pin.title", "ui_certify.pin.do")
        self.question: object = None
        self.say("ui_certify.pin.ask", token=request.token, serial=request.serial)
        if request.last_try:
            self.say("signer.ask_pin_last", "failed")
        elif request.failed_before:
            self.say("signer.ask_pin_again", "warning")
        self.pin = PassphraseField(context)
        form = Form(context)
        form.add("ui_certify.pin", self.pin)
        self.body.addWidget(form)
        self.body.addWidget(CapsHint(context, self.pin))
        self.say("ui_certify.pin.kept", "secondary")
        self.watch(self.pin)
        self.pin.setFocus()

    def complete(self) -> bool:
        """A PIN was typed."""
        return bool(self.pin.text())

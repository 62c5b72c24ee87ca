"""What came of the capture just ended: one sentence, why, and what to do with it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from evidence_desk.core.capture.rows import CaptureResult
from ui.capture.deed import Ended
from ui.capture.sayings import RESULTS, say_reasons
from ui.context import Context
from ui.look import tokens
from ui.plain import plain
from ui.widgets.buttons import button
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import DigestLabel, words
from ui.widgets.panels import Banner, Card
from ui.words import local_time


class ResultPanel(QWidget):
    """Signals: the four things that can be done with it."""

    certificate_asked = Signal()
    package_asked = Signal()
    view_asked = Signal()
    again_asked = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._ended: Ended | None = None
        self.banner = Banner(context)
        self.card = Card()
        self.number = DigestLabel(context)
        self.title = words(context, role="heading")
        self.facts, self.why = words(context), words(context)
        self.limits = words(context, role="secondary")
        for widget in (self.title, self.number, self.facts, self.why, self.limits):
            self.card.body.addWidget(widget)
        self.certificate = button(
            context, "ui_seal.certificate", self.certificate_asked.emit, icon="badge-check", main=True
        )
        self.package = button(context, "ui_seal.package", self.package_asked.emit, icon="package")
        self.view = button(context, "ui_capture.view", self.view_asked.emit, icon="eye")
        self.again = button(context, "ui_capture.again", self.again_asked.emit, icon="plus")
        row = FlowLayout(trailing=2)
        for deed in (self.again, self.view, self.package, self.certificate):
            row.addWidget(deed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.M)
        column.addWidget(self.banner)
        column.addWidget(self.card)
        column.addStretch(1)
        column.addLayout(row)
        context.tongue.follow(self, self._say)

    def show_ended(self, ended: Ended | None) -> None:
        """Show this."""
        self._ended = ended
        self._say()

    def _say(self) -> None:
        ended, say = self._ended, self._context.tongue.say
        if ended is None:
            return
        exhibit, result = ended.exhibit, ended.result
        for widget in (self.certificate, self.package, self.view, self.card):
            widget.setVisible(exhibit is not None)
        if exhibit is None or result is None:
            self.banner.set("neutral", "ban", "ui_capture.result.abandoned")
            return
        icon, tone = RESULTS[result]
        code = f"ui_capture.result.{result.value}"
        if ended.untimestamped is None:
            self.banner.set(tone, icon, code)
        else:
            why = self._context.tongue.error(ended.untimestamped)[0]
            self.banner.set("warning" if tone == "passed" else tone, icon, f"{code}.waits", why=why)
        self.title.setText(plain(exhibit.title))
        self.number.set(exhibit.number)
        self.facts.setText(
            say(
                "ui_capture.result.facts", case=plain(exhibit.case_number),
                begun=local_time(ended.capture.started), ended=local_time(ended.capture.ended),
            )
        )  # fmt: skip
        other = "" if result is CaptureResult.COMPLETE else ".other"
        self.limits.setText(say(f"ui_capture.result.limits{other}"))
        lines = say_reasons(self._context.tongue, ended.reasons)
        self.why.setText(f"{say('ui_capture.why')}\n{lines}" if lines else "")
        self.why.setVisible(bool(lines))

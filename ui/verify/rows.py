"""A row for each dimension: name, outcome, why, who vouches; it unfolds to its findings with the technical details."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from evidence_desk.core.verdict import Finding
from evidence_desk.services.examination import Row
from ui.context import Context
from ui.look import fonts, tokens
from ui.verify.parts import SignLabel, Value, deed, line, text
from ui.verify.sayings import dimension, printable, say, status_sign, vouches, why

_MOST: Final = 20
"""Findings shown at once; the rest on demand."""
_INDENT: Final = 28


class DimensionRow(QFrame):
    """One dimension. `toggled` with whether it is open now."""

    toggled = Signal(bool)

    def __init__(self, context: Context, row: Row, *, opened: bool = False, wide: bool = True) -> None:
        super().__init__()
        self._context = context
        self.row = row
        column = QVBoxLayout(self)
        column.setContentsMargins(0, tokens.XS, 0, tokens.XS)
        column.setSpacing(tokens.XS)
        reason, by = why(row, context.tongue), vouches(row, context.tongue)
        head = QHBoxLayout()
        head.setSpacing(tokens.S)
        self.handle = self._handle(reason, by)
        head.addWidget(self.handle)
        self.chip = SignLabel(context, status_sign(row.status), width=104)
        head.addWidget(self.chip)
        head.addStretch(1)
        column.addLayout(head)
        said = text(reason)
        said.setContentsMargins(_INDENT, 0, 0, 0)
        column.addWidget(said)
        told = text(context.tongue.say("ui_verify.vouches", who=by), role="secondary", selectable=False)
        told.setVisible(bool(row.findings))
        if wide:
            told.setWordWrap(False)
            head.addWidget(told)
        else:
            told.setContentsMargins(_INDENT, 0, 0, 0)
            column.addWidget(told)
        self._body = QWidget()
        self._findings = QVBoxLayout(self._body)
        self._findings.setContentsMargins(_INDENT, tokens.S, 0, tokens.S)
        self._findings.setSpacing(tokens.M)
        column.addWidget(self._body)
        self._filled = False
        self.handle.toggled.connect(self._on_toggled)
        self.handle.setChecked(opened and bool(row.findings))
        self._show(self.handle.isChecked())

    def _handle(self, reason: str, by: str) -> QToolButton:
        """The name that unfolds the row; to who listens it says the whole row."""
        row, tongue = self.row, self._context.tongue
        handle = QToolButton()
        handle.setCheckable(True)
        handle.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        handle.setEnabled(bool(row.findings))
        handle.setText(dimension(row.dimension, tongue))
        handle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        handle.setFont(fonts.sans(15, bold=True))
        handle.setMinimumWidth(128)
        handle.setStyleSheet("text-align: left; padding-left: 0;")
        status = tongue.say(f"ui.status.{row.status.value}")
        handle.setAccessibleName(
            tongue.say(
                "ui_verify.dimension.name", dimension=handle.text(), status=status, why=reason, vouches=by
            )
        )
        handle.setAccessibleDescription(tongue.say("ui_verify.dimension.unfold"))
        return handle

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The whole row unfolds."""
        super().mouseReleaseEvent(event)
        inside = self._body.isVisible() and self._body.geometry().contains(event.position().toPoint())
        if event.button() is Qt.MouseButton.LeftButton and self.handle.isEnabled() and not inside:
            self.handle.toggle()

    def _on_toggled(self, opened: bool) -> None:
        self._show(opened)
        self.toggled.emit(opened)

    def _show(self, opened: bool) -> None:
        if opened and not self._filled:
            self._fill(0)
        self._body.setVisible(opened)
        name = "chevron-down" if opened else "chevron-right"
        self.handle.setIcon(self._context.look.icon(name))

    def _fill(self, start: int) -> None:
        """Made when first looked at: a certificate of a hundred exhibits has thousands of findings."""
        self._filled = True
        found = self.row.findings
        for item in found[start : start + _MOST]:
            self._findings.addWidget(line())
            self._findings.addWidget(FindingPart(self._context, item))
        rest = len(found) - start - _MOST
        if rest > 0:
            more = deed(self._context, "ui_verify.findings.more", lambda: None)
            more.setText(self._context.tongue.say("ui_verify.findings.more", count=rest))

            def show_more() -> None:
                more.hide()
                more.deleteLater()
                self._fill(start + _MOST)

            more.clicked.connect(lambda _checked=False: show_more())
            self._findings.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)


class FindingPart(QWidget):
    """One finding: outcome, sentence, who vouches, code and facts."""

    def __init__(self, context: Context, item: Finding) -> None:
        super().__init__()
        tongue = context.tongue
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.XS)
        head = QHBoxLayout()
        head.addWidget(SignLabel(context, status_sign(item.status)))
        head.addStretch(1)
        who = tongue.say(f"report.vouches.{item.who_vouches.value}")
        by = text(tongue.say("ui_verify.vouches", who=who), role="secondary", selectable=False)
        by.setAlignment(Qt.AlignmentFlag.AlignRight)
        head.addWidget(by, 1)
        column.addLayout(head)
        column.addWidget(text(say(tongue, item.code, item.parameters)))
        code = text(f"{item.check} · {item.code}", role="secondary")
        code.setFont(fonts.mono(11))
        column.addWidget(code)
        for name, value in item.parameters.items():
            column.addWidget(Value(context, printable(name), printable(str(value))))

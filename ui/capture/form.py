"""The form: addresses, case and exhibit, how to capture. What stands in it is kept with the vault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPlainTextEdit,
    QRadioButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from evidence_desk.core.canonical import JSON
from evidence_desk.core.statement import ExhibitKind
from evidence_desk.services.browse import CaseSummary
from evidence_desk.services.seal import SealRequest
from ui.capture.options import OptionsFold
from ui.capture.order import Addresses, Order, options_from, options_json, read_addresses
from ui.context import Context
from ui.look import fonts, tokens
from ui.plain import plain
from ui.seal.form import BatchForm
from ui.widgets.labels import words
from ui.widgets.panels import Card

LINES: Final = ("title", "court", "cause", "parties", "purpose", "operator", "role", "witness", "interest")
FLAGS: Final = ("blinded", "leaves_only")
_SHOWN: Final = 5
_CHECK_MS: Final = 250
_SAVE_MS: Final = 800


class CaptureForm(QWidget):
    """See the module.

    Signals: `changed` when it is worth keeping, `ready` (bool) when it can or cannot be captured any more.
    """

    changed = Signal()
    ready = Signal(bool)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.found = Addresses(urls=())
        self.fields = BatchForm(
            context,
            lines=LINES,
            flags=FLAGS,
            usual=ExhibitKind.PUBLISHED,
            more="ui_capture.more_fields",
            hints="ui_capture",
        )
        self.options = OptionsFold(context)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.M)
        column.addWidget(self._where())
        column.addWidget(self.fields)
        self._check = QTimer(self, singleShot=True, interval=_CHECK_MS)
        self._check.timeout.connect(self._on_text)
        self.text.textChanged.connect(self._check.start)
        self._save = QTimer(self, singleShot=True, interval=_SAVE_MS)
        self._save.timeout.connect(self.changed)
        self.text.textChanged.connect(self._save.start)
        self.options.changed.connect(self._save.start)
        self.fields.changed.connect(self.changed)
        for mode in (self.automatic, self.interactive):
            mode.clicked.connect(self._on_mode)
        context.tongue.follow(self, self._say)
        context.look.changed.connect(self._mark)

    def _where(self) -> Card:
        context = self._context
        card = Card()
        card.body.setContentsMargins(tokens.L, tokens.M, tokens.L, tokens.M)
        card.body.setSpacing(tokens.S)
        row = QHBoxLayout()
        row.setSpacing(tokens.L)
        row.addWidget(words(context, "ui_capture.addresses", role="heading"), 1)
        self._modes = QButtonGroup(self)
        self.automatic, self.interactive = QRadioButton(), QRadioButton()
        for mode, name in ((self.automatic, "automatic"), (self.interactive, "interactive")):
            context.tongue.bind(mode, mode.setText, f"ui_capture.mode.{name}")
            context.tongue.bind(mode, mode.setToolTip, f"ui_capture.mode.{name}.tip")
            self._modes.addButton(mode)
            row.addWidget(mode)
        self.automatic.setChecked(True)
        card.body.addLayout(row)
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(fonts.mono())
        line = self.text.fontMetrics().lineSpacing()
        self.text.setFixedHeight(4 * line + tokens.XL)
        context.tongue.bind(self.text, self.text.setAccessibleName, "ui_capture.addresses")
        card.body.addWidget(self.text)
        self.told = words(context, role="secondary")
        self.wrong = words(context, role="failed")
        self.wrong.hide()
        card.body.addWidget(self.told)
        card.body.addWidget(self.wrong)
        card.body.addWidget(self.options)
        return card

    # --- what it holds --------------------------------------------------------------------------------------------

    def set_cases(self, cases: Sequence[CaseSummary]) -> None:
        """Cases to choose from."""
        self.fields.set_cases(cases)

    def order(self) -> Order:
        """What is asked for; addresses that cannot be are left out."""
        return self.options.order(self.found.urls, interactive=self.interactive.isChecked())

    def request(self) -> SealRequest:
        """Case and exhibit."""
        return self.fields.request()

    @property
    def possible(self) -> bool:
        """Whether it can be captured as it stands."""
        found = self.found
        if found.wrong or found.beyond:
            return False
        return len(found.urls) <= 1 if self.interactive.isChecked() else bool(found.urls)

    @property
    def filled(self) -> bool:
        """Whether anything in it is worth keeping."""
        return bool(self.text.toPlainText().strip()) or self.fields.filled

    def content(self) -> dict[str, JSON]:
        """The draft as it is kept."""
        return {**self.fields.content(), **options_json(self.order(), self.text.toPlainText())}

    def fill(self, content: Mapping[str, JSON]) -> None:
        """Put a kept draft back."""
        order, text = options_from(content)
        self.fields.fill({"kind": ExhibitKind.PUBLISHED.value, **content})
        self.options.fill(order)
        (self.interactive if order.interactive else self.automatic).setChecked(True)
        self.text.setPlainText(text)
        self.settle()
        self._save.stop()

    def settle(self) -> None:
        """Read the addresses at once."""
        self._check.stop()
        self._on_text()

    def clear_once(self) -> None:
        """What was decided for one capture only."""
        self.options.accept.setChecked(False)

    # --- what is said ---------------------------------------------------------------------------------------------

    def _on_mode(self) -> None:
        self._say()
        self._save.start()

    def _on_text(self) -> None:
        self.found = read_addresses(self.text.toPlainText())
        self._say()

    def _say(self) -> None:
        say, found = self._context.tongue.say, self.found
        interactive = self.interactive.isChecked()
        self.text.setPlaceholderText(
            say("ui_capture.addresses.hint.one" if interactive else "ui_capture.addresses.hint")
        )
        lines = [
            say("ui_capture.address.wrong", line=number, text=plain(text, 80))
            for number, text in found.wrong[:_SHOWN]
        ]
        if len(found.wrong) > _SHOWN:
            lines.append(say("ui_capture.more", count=len(found.wrong) - _SHOWN))
        if found.beyond:
            lines.append(say("ui_capture.address.beyond"))
        if interactive and len(found.urls) > 1:
            lines.append(say("ui_capture.address.one"))
        self.wrong.setText("\n".join(lines))
        self.wrong.setVisible(bool(lines))
        told = "interactive" if interactive else "automatic" if found.urls else "automatic.none"
        told = say(f"ui_capture.told.{told}", count=len(found.urls))
        if found.repeated:
            told += " " + say("ui_capture.address.repeated", count=len(found.repeated))
        self.told.setText(told)
        self.options.set_interactive(interactive)
        self._mark()
        self.ready.emit(self.possible)

    def _mark(self) -> None:
        """Underline the lines that are no addresses."""
        form = QTextCharFormat()
        form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SpellCheckUnderline)
        form.setUnderlineColor(self._context.look.colors.failed)
        marks: list[QTextEdit.ExtraSelection] = []
        for number, _ in self.found.wrong[:100]:
            block = self.text.document().findBlockByNumber(number - 1)
            cursor = QTextCursor(block)
            cursor.select(QTextCursor.SelectionType.LineUnderCursor)
            mark = QTextEdit.ExtraSelection()
            mark.cursor, mark.format = cursor, form
            marks.append(mark)
        self.text.setExtraSelections(marks)

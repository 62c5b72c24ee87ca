"""The recovery key, shown once: print it, save it, write it down, and show that this was done."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit

from evidence_desk.bootstrap.opening import key_seen
from evidence_desk.errors import EvidenceDeskError, UsageError
from ui.context import Context
from ui.look import fonts, tokens
from ui.private_clipboard import private_clipboard
from ui.start.paper import print_sheet, recovery_sheet, save_sheet
from ui.start.step import Made, Step
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.panels import Card

_COLUMNS: Final = 7
_ASKED: Final = 2
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})


class PaperStep(Step):
    """Goes on once two groups of the key were typed as they stand on the paper."""

    def __init__(self, context: Context, made: Made) -> None:
        super().__init__(context, "ui_start.paper")
        self._made = made
        self._groups: list[QLabel] = []
        self._asked: list[int] = []
        card = Card()
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(tokens.L)
        self._grid.setVerticalSpacing(tokens.S)
        card.body.addLayout(self._grid)
        self.body.addWidget(card)
        row = QHBoxLayout()
        row.setSpacing(tokens.S)
        self.print = button(context, "ui_start.paper.print", self._on_print, icon="printer")
        self.save = button(context, "ui_start.paper.save", self._on_save, icon="download")
        self.copy = button(context, "ui_start.paper.copy", self._on_copy, icon="copy")
        for deed in (self.print, self.save, self.copy):
            row.addWidget(deed)
        row.addStretch(1)
        self.body.addLayout(row)
        self.body.addWidget(words(context, "ui_start.paper.check", role="heading"))
        row = QHBoxLayout()
        row.setSpacing(tokens.M)
        self.fields: list[QLineEdit] = []
        self._labels: list[QLabel] = []
        for _ in range(_ASKED):
            self._add_field(row)
        row.addStretch(1)
        self.body.addLayout(row)

    @property
    def ready(self) -> bool:
        """Whether both groups are right."""
        groups = self._made.recovery_key.split("-")
        return bool(self._asked) and all(
            _plain(field.text()) == groups[at] for field, at in zip(self.fields, self._asked, strict=True)
        )

    @property
    def deed(self) -> str:
        """It is written down."""
        return "ui_start.paper.done"

    @property
    def asked(self) -> list[int]:
        """Which groups are asked for, from 0."""
        return self._asked

    def entered(self) -> None:
        """Show the key of the vault just made."""
        groups = self._made.recovery_key.split("-")
        for at, group in enumerate(groups):
            self._grid.addWidget(self._numbered(at, group), at // _COLUMNS, at % _COLUMNS)
        self._asked = sorted(secrets.SystemRandom().sample(range(len(groups)), _ASKED))
        tongue = self.context.tongue
        for label, field, at in zip(self._labels, self.fields, self._asked, strict=True):
            tongue.bind(label, label.setText, "ui_start.paper.group", number=at + 1)
            tongue.bind(field, field.setAccessibleName, "ui_start.paper.group", number=at + 1)
        self.print.setFocus()

    def go(self, then: Callable[[], None]) -> None:
        """Have the vault remember that somebody has its key."""
        session = self._made.session

        def done(_nothing: None) -> None:
            self.busy.emit(False)
            then()

        def failed(error: EvidenceDeskError) -> None:
            self.busy.emit(False)
            self.show_error(error)

        if session is not None:
            self.busy.emit(True)
            self.show_error(None)
            self.context.tasks.run(
                Lane.NET, lambda _job: key_seen(session), owner=self, done=done, failed=failed, keep=True
            )

    def forget(self) -> None:
        """Nothing of the key is left on the screen."""
        self._asked = []
        for label in self._groups:
            label.clear()
        for field in self.fields:
            field.clear()

    def _add_field(self, row: QHBoxLayout) -> None:
        label, field = QLabel(), QLineEdit()
        label.setBuddy(field)
        field.setFont(fonts.mono())
        field.setMaxLength(8)
        field.textChanged.connect(lambda _text: self.changed.emit())
        self.context.tongue.bind(field, field.setAccessibleName, "ui_start.paper.check")
        for widget in (label, field):
            row.addWidget(widget)
        self._labels.append(label)
        self.fields.append(field)

    def _numbered(self, at: int, group: str) -> QLabel:
        label = QLabel(f"<span style='font-size:11px'>{at + 1}</span>&nbsp; <b>{group}</b>")
        label.setTextFormat(Qt.TextFormat.RichText)
        label.setFont(fonts.mono(tokens.BODY + 1))
        label.setAccessibleName(f"{at + 1}: {' '.join(group)}")
        self._groups.append(label)
        return label

    def _sheet(self) -> str:
        folder = self._made.folder or Path()
        return recovery_sheet(self.context.tongue, folder.name, self._made.recovery_key)

    def _on_print(self) -> None:
        print_sheet(self._sheet(), self.context, self)

    def _on_save(self) -> None:
        self.context.messages.save_as(
            self.context.tongue.say("ui_start.paper.file"), self._on_save_to, code="ui_start.paper.save"
        )

    def _on_save_to(self, path: Path) -> None:
        folder = self._made.folder
        if folder is not None and path.absolute().is_relative_to(folder):
            self.context.messages.error(UsageError("ui_start.paper_in_vault"))
            return
        sheet = self._sheet()
        self.context.tasks.run(
            Lane.CPU,
            lambda _job: save_sheet(sheet, path),
            owner=self,
            done=lambda _: self.context.messages.inform("ui_start.paper.saved", name=path.name),
            failed=self._on_failed,
        )

    def _on_failed(self, error: EvidenceDeskError) -> None:
        self.context.messages.error(error)

    def _on_copy(self) -> None:
        private_clipboard(self.context.desk).copy(self._made.recovery_key)
        self.context.messages.inform("ui_start.paper.copied")


def _plain(text: str) -> str:
    return text.strip().upper().translate(_MISREAD)

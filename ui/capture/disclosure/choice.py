"""What a person wants left out of a disclosure copy, and opened in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from evidence_desk.core.capture.manifest import Manifest
from evidence_desk.core.capture.redaction import CREDENTIALS, MAX_REASON, needed
from evidence_desk.services.capture_disclose import DisclosureWish
from ui.capture.sayings import say_file
from ui.context import Context
from ui.look import tokens
from ui.plain import plain, tip
from ui.widgets.form import Form
from ui.widgets.labels import words
from ui.widgets.panels import Fold

_LINES: Final = 3
_ROWS: Final = 6


class ChoicePanel(QWidget):
    """Signals: `changed` with every choice."""

    changed = Signal()

    def __init__(self, context: Context, manifest: Manifest) -> None:
        super().__init__()
        self._context = context
        self.credentials = self._box("credentials")
        self.secrets = self._box("secrets")
        self.addresses = QPlainTextEdit()
        self.addresses.setTabChangesFocus(True)
        self.addresses.setFixedHeight(_LINES * self.addresses.fontMetrics().lineSpacing() + tokens.L)
        hold = needed(manifest)
        self.files = self._list("files", [item.name for item in manifest.files if item.name not in hold])
        self.private = self._list(
            "private", [item.name for item in manifest.private if item.name not in CREDENTIALS]
        )
        self.reason = QLineEdit()
        self.reason.setMaxLength(MAX_REASON)
        self._has_secrets = any(item.name in CREDENTIALS for item in manifest.private)
        self.warning = words(context, "ui_capture.disclose.secrets.warning", role="warning")
        self._lay_out()
        for box in (self.credentials, self.secrets):
            box.toggled.connect(lambda _on: self._on_changed())
        for listed in (self.files, self.private):
            listed.itemChanged.connect(lambda _item: self._on_changed())
        self.addresses.textChanged.connect(self._on_changed)
        context.tongue.bind(
            self.addresses, self.addresses.setPlaceholderText, "ui_capture.disclose.addresses.hint"
        )
        context.tongue.bind(self.reason, self.reason.setPlaceholderText, "ui_capture.disclose.reason.hint")
        self._on_changed()

    @property
    def wish(self) -> DisclosureWish:
        """As it is chosen now."""
        lines = (line.strip() for line in self.addresses.toPlainText().splitlines())
        return DisclosureWish(
            credentials=self.credentials.isChecked(), addresses=tuple(dict.fromkeys(filter(None, lines))),
            names=_chosen(self.files), open_secrets=self.secrets.isChecked(), opened=_chosen(self.private),
            reason=self.reason.text().strip(),
        )  # fmt: skip

    @property
    def possible(self) -> bool:
        """Whether anything is left out or opened."""
        wish = self.wish
        return bool(wish.credentials or wish.addresses or wish.names or wish.open_secrets or wish.opened)

    def _lay_out(self) -> None:
        context = self._context
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, tokens.S, 0)
        column.setSpacing(tokens.S)
        column.addWidget(words(context, "ui_capture.disclose.about", role="secondary"))
        column.addWidget(words(context, "ui_capture.disclose.withhold", role="heading"))
        column.addWidget(self.credentials)
        label = words(context, "ui_capture.disclose.addresses")
        label.setBuddy(self.addresses)
        context.tongue.bind(self.addresses, self.addresses.setAccessibleName, "ui_capture.disclose.addresses")
        column.addWidget(label)
        column.addWidget(self.addresses)
        column.addWidget(self._fold("files", self.files))
        column.addWidget(words(context, "ui_capture.disclose.open", role="heading"))
        column.addWidget(self.secrets)
        column.addWidget(self.warning)
        others = self._fold("private", self.private)
        others.setVisible(bool(self.private.count()))
        column.addWidget(others)
        form = Form(context)
        form.add("ui_capture.disclose.reason", self.reason)
        column.addWidget(form)
        column.addStretch(1)

    def _box(self, name: str) -> QCheckBox:
        made = QCheckBox()
        self._context.tongue.bind(made, made.setText, f"ui_capture.disclose.{name}")
        self._context.tongue.bind(made, made.setToolTip, f"ui_capture.disclose.{name}.tip")
        self._context.tongue.bind(made, made.setAccessibleDescription, f"ui_capture.disclose.{name}.tip")
        return made

    def _list(self, name: str, files: Iterable[str]) -> QListWidget:
        made = QListWidget()
        made.setUniformItemSizes(True)
        made.setTabKeyNavigation(False)
        for file in files:
            item = QListWidgetItem("", made)
            item.setData(Qt.ItemDataRole.UserRole, file)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
            item.setToolTip(tip(file))
        self._context.tongue.bind(made, made.setAccessibleName, f"ui_capture.disclose.{name}")
        self._context.tongue.follow(made, lambda: self._say(made))
        return made

    def _say(self, listed: QListWidget) -> None:
        for at in range(listed.count()):
            item = listed.item(at)
            name = str(item.data(Qt.ItemDataRole.UserRole))
            kind = say_file(self._context.tongue, name)
            shown = plain(name)
            item.setText(f"{shown} — {kind}" if kind else shown)

    def _fold(self, name: str, listed: QListWidget) -> Fold:
        fold = Fold(self._context, f"ui_capture.disclose.{name}")
        rows = min(_ROWS, max(1, listed.count()))
        listed.setFixedHeight(rows * max(tokens.CONTROL, listed.sizeHintForRow(0)) + tokens.S)
        fold.body.addWidget(listed)
        return fold

    def _on_changed(self) -> None:
        """The key log opens what credentials are left out of: one excludes the other."""
        self.credentials.setEnabled(not self.secrets.isChecked())
        self.secrets.setEnabled(self._has_secrets and not self.credentials.isChecked())
        self.warning.setVisible(self.secrets.isChecked())
        self.changed.emit()


def _chosen(listed: QListWidget) -> tuple[str, ...]:
    items = (listed.item(at) for at in range(listed.count()))
    return tuple(
        str(item.data(Qt.ItemDataRole.UserRole))
        for item in items
        if item.checkState() is Qt.CheckState.Checked
    )

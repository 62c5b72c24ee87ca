"""How to capture: folded, for most captures need none of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSpinBox

from ui.capture.order import Order
from ui.context import Context
from ui.look import tokens
from ui.plain import plain
from ui.widgets.buttons import button, icon_button
from ui.widgets.flow import FlowLayout
from ui.widgets.form import Form
from ui.widgets.labels import words
from ui.widgets.panels import Fold

_PAGE: Final = (5, 3600)
_TOTAL: Final = (1, 24 * 60)
_MINUTE: Final = 60
_NAMES: Final = 3


class OptionsFold(Fold):
    """See the module. `changed` when anything was chosen."""

    changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__(context, "ui_capture.options")
        self._tongue, self._messages = context.tongue, context.messages
        self._authorities: tuple[Path, ...] = ()
        first, second, limits = Form(context), Form(context), FlowLayout()
        limits.setSpacing(tokens.L)
        self.page = first.add("ui_capture.page_seconds", _box(*_PAGE))
        self.total = second.add("ui_capture.minutes", _box(*_TOTAL))
        for form in (first, second):
            limits.addWidget(form)
        self.body.addLayout(limits)
        self.scrolling, self.private, self.accept = QCheckBox(), QCheckBox(), QCheckBox()
        flow = FlowLayout()
        flow.setSpacing(tokens.L)
        for box, name in ((self.scrolling, "scroll"), (self.private, "private"), (self.accept, "accept")):
            context.tongue.bind(box, box.setText, f"ui_capture.{name}")
            context.tongue.bind(box, box.setToolTip, f"ui_capture.{name}.tip")
            flow.addWidget(box)
        self.body.addLayout(flow)
        row = QHBoxLayout()
        row.addWidget(button(context, "ui_capture.authorities.add", self._on_add, icon="plus"))
        self._listed = QLabel()
        self._listed.setProperty("role", "secondary")
        self._listed.setWordWrap(True)
        row.addWidget(self._listed, 1)
        self._drop = icon_button(context, "ui_capture.authorities.clear", "x", self._on_clear)
        row.addWidget(self._drop)
        self.body.addLayout(row)
        self.warning = words(context, role="warning")
        self.body.addWidget(self.warning)
        self.fill(Order(urls=()))
        self.page.valueChanged.connect(lambda _: self.changed.emit())
        self.total.valueChanged.connect(lambda _: self.changed.emit())
        self.scrolling.clicked.connect(lambda _: self.changed.emit())
        self.private.clicked.connect(self._on_choice)
        self.accept.clicked.connect(self._on_accept)
        self.accept.toggled.connect(lambda _: self._say())
        context.tongue.follow(self, self._say)

    def order(self, urls: tuple[str, ...], *, interactive: bool) -> Order:
        """These addresses in this way."""
        return Order(
            urls=urls,
            interactive=interactive,
            scroll=self.scrolling.isChecked(),
            page_seconds=self.page.value(),
            max_seconds=self.total.value() * _MINUTE,
            allow_private=self.private.isChecked(),
            accept_errors=self.accept.isChecked(),
            authorities=self._authorities,
        )

    def fill(self, order: Order) -> None:
        """Show kept choices."""
        self.page.setValue(order.page_seconds)
        self.total.setValue(max(1, order.max_seconds // _MINUTE))
        self.scrolling.setChecked(order.scroll)
        self.private.setChecked(order.allow_private)
        self.accept.setChecked(False)
        self._authorities = order.authorities
        self._say()

    def set_interactive(self, interactive: bool) -> None:
        """What a person does by hand is not chosen beforehand."""
        self.scrolling.setEnabled(not interactive)
        self.page.setEnabled(not interactive)

    def _on_accept(self, checked: bool) -> None:
        if checked:
            self.accept.setChecked(False)  # until it is confirmed
            self._messages.confirm(
                "ui_capture.accept.ask", action="ui_capture.accept.do", dangerous=True,
                accepted=lambda: self.accept.setChecked(True),
            )  # fmt: skip

    def _on_choice(self) -> None:
        self._say()
        self.changed.emit()

    def _on_add(self) -> None:
        def chosen(paths: list[Path]) -> None:
            self._authorities = tuple(dict.fromkeys((*self._authorities, *paths)))
            self._on_choice()

        self._messages.open_files(chosen, code="ui_capture.authorities.add")

    def _on_clear(self) -> None:
        self._authorities = ()
        self._on_choice()

    def _say(self) -> None:
        say, paths = self._tongue.say, self._authorities
        names = "、".join(plain(path.name, 40) for path in paths[:_NAMES])
        code = "ui_capture.authorities" if paths else "ui_capture.authorities.none"
        self._listed.setText(say(code, count=len(paths), names=names))
        self._drop.setVisible(bool(paths))
        lines = [
            say(f"ui_capture.{name}.warning")
            for name, box in (("private", self.private), ("accept", self.accept))
            if box.isChecked()
        ]
        self.warning.setText("\n".join(lines))
        self.warning.setVisible(bool(lines))


def _box(least: int, most: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(least, most)
    return box

"""Drafts handed over to a second person: to be confirmed, or sent back with a reason."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.certify.pending import Pending
from ui.context import Context
from ui.look import tokens
from ui.page import scrolled
from ui.plain import LONG, plain
from ui.widgets.buttons import button
from ui.widgets.labels import IconLabel, words
from ui.widgets.panels import Card, EmptyState, clear
from ui.words import local_time


class WaitingTab(QWidget):
    """See the module. Signals: `review_wanted` and `drop_wanted` have a `Pending`."""

    review_wanted = Signal(object)
    drop_wanted = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.items: tuple[Pending, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, tokens.M, 0, 0)
        column.setSpacing(tokens.M)
        column.addWidget(words(context, "ui_certify.waiting.about", role="secondary"))
        content = QWidget()
        self._rows = QVBoxLayout()
        self._rows.setSpacing(tokens.M)
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, tokens.S, 0)
        inner.addLayout(self._rows)
        inner.addStretch(1)
        self.list = scrolled(content)
        column.addWidget(self.list, 1)
        self.empty = EmptyState(context, "user-check", "ui_certify.waiting.none")
        column.addWidget(self.empty, 1)
        self.show_items(())

    def show_items(self, items: Sequence[Pending]) -> None:
        """Show these in the place of those before."""
        self.items = tuple(items)
        clear(self._rows)
        for item in items:
            self._rows.addWidget(self._card(item))
        self.list.setVisible(bool(items))
        self.empty.setVisible(not items)

    def _card(self, item: Pending) -> Card:
        context, card = self._context, Card()
        head = QHBoxLayout()
        head.addWidget(
            words(
                context, "ui_certify.waiting.line", role="heading", case=plain(item.case_number),
                count=len(item.order.groups), exhibits=item.order.exhibits,
            ), 1,
        )  # fmt: skip
        state = IconLabel(context)
        if item.rejected_by or item.reason:
            state.set("undo-2", "failed", "ui_certify.waiting.rejected")
        else:
            state.set("clock", "warning", "ui_certify.waiting.open")
        head.addWidget(state)
        card.body.addLayout(head)
        card.body.addWidget(
            words(
                context, "ui_certify.waiting.by", role="secondary", name=plain(item.order.operator),
                at=local_time(item.drafted),
            )
        )  # fmt: skip
        if item.reason:
            card.body.addWidget(
                words(
                    context,
                    "ui_certify.waiting.reason",
                    name=plain(item.rejected_by) or "—",
                    why=plain(item.reason, LONG),
                )
            )
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(
            button(context, "ui_certify.waiting.drop", lambda: self.drop_wanted.emit(item), icon="trash-2")
        )
        if not item.reason:
            row.addWidget(
                button(
                    context,
                    "ui_certify.waiting.review",
                    lambda: self.review_wanted.emit(item),
                    icon="user-check",
                    main=True,
                )
            )
        card.body.addLayout(row)
        return card

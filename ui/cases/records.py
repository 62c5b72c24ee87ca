"""The tabs of certificates and of custody."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
)

from evidence_desk.core.rows import CertificateRow
from ui.cases.entries import Entry, EntryList
from ui.cases.facts import Event, Facts
from ui.cases.tab import Tab
from ui.context import Context
from ui.plain import LONG, plain
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.words import local_time

_SIGNS: Final = {
    "sealed": ("stamp", "accent"), "timestamped": ("clock", "accent"), "anchored": ("server", "accent"),
    "certified": ("badge-check", "passed"), "rechecked": ("circle-check", "passed"), "damaged": ("circle-x", "failed"),
    "missing": ("triangle-alert", "warning"), "revoked": ("ban", "warning"), "corrected": ("pencil", "warning"),
    "exported": ("package", "secondary"), "opened": ("eye", "secondary"), "erased": ("trash-2", "failed"),
    "restored": ("history", "secondary"),
}  # fmt: skip
_HIDDEN: Final = frozenset({"bundle_sm3", "missing", "damaged"})
"""Details that a line of the timeline leaves to the custody record."""


class CertificatesTab(Tab):
    """Certificates over the exhibit. Signals `save_asked` and `revoke_asked` have a row."""

    save_asked = Signal(object)
    revoke_asked = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.none = words(context, "ui_cases.certificates.none", role="secondary")
        self.list = EntryList(
            context, "ui_cases.certificates", lines=3, chosen=self._on_chosen, opened=self._on_save
        )
        self.save = button(
            context, "ui_cases.certificate.save", lambda: self._on_save(self.list.current), icon="save"
        )
        self.revoke = button(context, "ui_cases.revoke", self._on_revoke, icon="ban", danger=True)
        self.column.addWidget(self.none)
        self.column.addWidget(self.list, 1)
        row = QHBoxLayout()
        row.addWidget(self.save)
        row.addWidget(self.revoke)
        row.addStretch(1)
        self.column.addLayout(row)

    def show_facts(self, facts: Facts) -> None:
        """Show its certificates, newest first."""
        self.list.show_entries([self._entry(item) for item in reversed(facts.certificates)])
        for widget in (self.list, self.save, self.revoke):
            widget.setVisible(bool(facts.certificates))
        self.none.setVisible(not facts.certificates)
        self.column.setAlignment(self.none, Qt.AlignmentFlag.AlignTop)

    def _entry(self, row: CertificateRow) -> Entry:
        say = self._context.tongue.say
        issued = say("ui_cases.certificate.issued", at=local_time(row.issued), count=len(row.exhibits))
        if row.revoked is None:
            return Entry(
                lines=(row.number, issued, say("ui_cases.certificate.valid")),
                icon="badge-check",
                role="passed",
                item=row,
            )
        state = say("ui_cases.certificate.revoked", at=local_time(row.revoked), why=plain(row.reason))
        return Entry(lines=(row.number, issued, state), icon="ban", role="failed", item=row)

    def _on_chosen(self, row: object) -> None:
        held = isinstance(row, CertificateRow)
        self.save.setEnabled(isinstance(row, CertificateRow) and bool(row.pdf))
        self.revoke.setEnabled(held and isinstance(row, CertificateRow) and row.revoked is None)

    def _on_save(self, row: object) -> None:
        if isinstance(row, CertificateRow) and row.pdf:
            self.save_asked.emit(row)

    def _on_revoke(self) -> None:
        row = self.list.current
        if isinstance(row, CertificateRow) and row.revoked is None:
            self.revoke_asked.emit(row)


class CustodyTab(Tab):
    """The life of the exhibit, newest first; the whole of the current line below. `paper_asked`: the custody record as PDF."""

    paper_asked = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.list = EntryList(context, "ui_cases.custody", lines=3, chosen=self._on_chosen)
        self.whole = words(context, role="secondary")
        self.whole.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self.whole)
        row = QHBoxLayout()
        row.addWidget(button(context, "ui_cases.custody.paper", self.paper_asked.emit, icon="file-text"))
        row.addStretch(1)
        self.column.addLayout(row)

    def show_facts(self, facts: Facts) -> None:
        """Show its events."""
        self.list.show_entries([self._entry(item) for item in facts.events])

    def _entry(self, event: Event) -> Entry:
        icon, role = _SIGNS.get(event.action, ("circle", "secondary"))
        who = "　".join(part for part in (plain(event.operator), self._told(event, 120)) if part)
        when = "　".join((local_time(event.at), self._place(event)))
        return Entry(lines=(self._action(event), when, who), icon=icon, role=role, item=event)

    def _action(self, event: Event) -> str:
        tongue = self._context.tongue
        for code in (f"ui_cases.action.{event.action}", f"custody.{event.action}"):
            if tongue.has(code):
                return tongue.say(code)
        return plain(event.action, 40)

    def _place(self, event: Event) -> str:
        say = self._context.tongue.say
        if event.network:
            return say("ui_cases.custody.network")
        if event.seq is None:
            return say("custody.pending") if event.action != "timestamped" else say("ui_cases.custody.token")
        return say("custody.place", seq=event.seq)

    def _told(self, event: Event, limit: int) -> str:
        tongue = self._context.tongue
        parts = []
        for name, value in event.details.items():
            code = f"documents.custody.detail.{name}"
            own = f"ui_cases.detail.{name}"
            shown = plain(value, limit) if isinstance(value, str) else str(value)
            if name in _HIDDEN and not value:
                continue
            if tongue.has(own) or tongue.has(code):
                parts.append(tongue.say(own if tongue.has(own) else code, value=shown))
        return "　".join(parts)

    def _on_chosen(self, event: object) -> None:
        self.whole.setVisible(isinstance(event, Event))
        if isinstance(event, Event):
            parts = (
                self._action(event),
                local_time(event.at),
                plain(event.operator),
                self._told(event, LONG),
                self._place(event),
            )
            self.whole.setText("　".join(part for part in parts if part))

"""The tab of notes."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
)

from evidence_desk.core.browse_ports import Note
from evidence_desk.services.annotate import MAX_NOTE
from ui.cases.entries import Entry, EntryList
from ui.cases.facts import Facts
from ui.cases.tab import Tab
from ui.context import Context
from ui.plain import lines, plain
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.words import local_time


class NotesTab(Tab):
    """Notes: a list, and below it the one in hand. Signals `written` (note or None, text) and `removed` (note)."""

    written = Signal(object, str)
    removed = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._note: Note | None = None
        self._leaf: bytes | None = None
        self._typed: dict[bytes, tuple[int, str]] = {}
        self.none = words(context, "ui_cases.notes.none", role="secondary")
        self.list = EntryList(context, "ui_cases.notes", lines=3, chosen=self._on_chosen)
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(72)
        for setter in (self.text.setAccessibleName, self.text.setPlaceholderText):
            context.tongue.bind(self.text, setter, "ui_cases.note.hint")
        self.new = button(context, "ui_cases.note.new", self.begin, icon="plus")
        self.save = button(context, "ui_cases.note.save", self._on_save, icon="sticky-note")
        self.remove = button(context, "ui_cases.note.remove", self._on_remove, icon="trash-2", danger=True)
        self.versions = words(context, role="secondary")
        self.column.addWidget(self.none)
        self.column.addWidget(self.list, 1)
        self.column.addWidget(self.versions)
        self.column.addWidget(self.text)
        row = QHBoxLayout()
        for widget in (self.save, self.new, self.remove):
            row.addWidget(widget)
        row.addStretch(1)
        self.column.addLayout(row)
        self.column.addWidget(words(context, "ui_cases.notes.about", role="secondary"))
        self.text.textChanged.connect(self._on_typed)

    def show_facts(self, facts: Facts, *, fresh: bool) -> None:
        """Show its notes; `fresh`: it is another exhibit than before. What was being typed waits for its exhibit."""
        if self._leaf is not None and self.unsaved:
            self._typed[self._leaf] = (
                self._note.id if self._note is not None else 0,
                self.text.toPlainText(),
            )
        elif self._leaf is not None:
            self._typed.pop(self._leaf, None)
        if fresh:
            self._note = None
        self._leaf = facts.row.leaf_hash
        draft_of, typed = self._typed.get(self._leaf, (None, ""))
        notes = list(reversed(facts.notes))
        self.list.setVisible(bool(notes))
        self.none.setVisible(not notes)
        for widget in (self.text, self.new):
            widget.setEnabled(not facts.row.erased)
        wanted = draft_of if draft_of is not None else self._note.id if self._note is not None else None
        kept = next((item for item in notes if item.id == wanted), None)
        self.list.show_entries([self._entry(item) for item in notes], current=kept)
        if not notes or draft_of == 0:
            self.begin()
        if typed:
            self.text.setPlainText(typed)

    @property
    def unsaved(self) -> bool:
        """Whether something was typed that is not written yet."""
        return self.text.toPlainText().strip() != ("" if self._note is None else self._note.text.strip())

    def stand_on(self, note: Note) -> None:
        """This note was written: it is the one in hand, and will be listed."""
        self._note = note
        self.text.setPlainText(note.text)

    def begin(self) -> None:
        """An empty one."""
        self.list.clearSelection()
        self.list.setCurrentIndex(self.list.entries.index(-1))
        self._note = None
        self.versions.hide()
        self.text.clear()
        self._on_typed()

    def _entry(self, note: Note) -> Entry:
        say, last = self._context.tongue.say, note.versions[-1]
        parts = [local_time(last.at), plain(last.author)]
        if note.edited:
            parts.append(say("ui_cases.note.versions", count=len(note.versions) - 1))
        text = lines(note.text)
        second = text[1] if len(text) > 1 else ""
        return Entry(
            lines=(text[0], second, "　".join(part for part in parts if part)), icon="sticky-note", item=note
        )

    def _on_chosen(self, note: object) -> None:
        if not isinstance(note, Note):
            return
        self._note = note
        earlier = [
            self._context.tongue.say(
                "ui_cases.note.earlier", at=local_time(item.at), text=plain(item.text, 120)
            )
            for item in note.versions[:-1]
        ]
        self.versions.setText("\n".join(earlier[-3:]))
        self.versions.setVisible(note.edited)
        self.text.setPlainText(note.text)
        self._on_typed()

    def _on_typed(self) -> None:
        text = self.text.toPlainText()
        self.save.setEnabled(
            self.text.isEnabled() and bool(text.strip()) and self.unsaved and len(text) <= MAX_NOTE
        )
        self.remove.setEnabled(self.text.isEnabled() and self._note is not None)

    def _on_save(self) -> None:
        self.written.emit(self._note, self.text.toPlainText())

    def _on_remove(self) -> None:
        if self._note is not None:
            self.removed.emit(self._note)

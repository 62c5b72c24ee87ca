"""The other tabs of an exhibit: files with digests and derived files, certificates, custody, notes."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from evidence_desk.core.browse_ports import Note
from evidence_desk.core.derivation import Relation
from evidence_desk.core.rows import CertificateRow, ObjectRow
from evidence_desk.services.annotate import MAX_NOTE
from ui.cases.entries import Entry, EntryList
from ui.cases.facts import Event, Facts, Link
from ui.cases.plain import LONG, lines, plain
from ui.context import Context
from ui.look import tokens
from ui.widgets.buttons import button
from ui.widgets.labels import DigestLabel, words
from ui.words import file_size, local_time

_SIGNS: Final = {
    "sealed": ("stamp", "accent"), "timestamped": ("clock", "accent"), "anchored": ("server", "accent"),
    "certified": ("badge-check", "passed"), "rechecked": ("circle-check", "passed"), "damaged": ("circle-x", "failed"),
    "missing": ("triangle-alert", "warning"), "revoked": ("ban", "warning"), "corrected": ("pencil", "warning"),
    "exported": ("package", "secondary"), "opened": ("eye", "secondary"), "erased": ("trash-2", "failed"),
    "restored": ("history", "secondary"),
}  # fmt: skip
_HIDDEN: Final = frozenset({"bundle_sm3", "missing", "damaged"})
"""Details that a line of the timeline leaves to the custody record."""


class _Tab(QWidget):
    """A column."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, tokens.M, tokens.S, tokens.M)
        self.column.setSpacing(tokens.M)

    def _digests(self, names: tuple[str, ...]) -> tuple[QWidget, dict[str, DigestLabel]]:
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(tokens.M)
        grid.setVerticalSpacing(tokens.XS)
        grid.setColumnStretch(1, 1)
        labels: dict[str, DigestLabel] = {}
        for at, name in enumerate(names):
            title = words(self._context, f"ui_cases.digest.{name}", role="secondary")
            title.setWordWrap(False)
            labels[name] = DigestLabel(self._context)
            grid.addWidget(title, at, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(labels[name], at, 1)
        return box, labels


class FilesTab(_Tab):
    """Files and what was made from them.

    Signals: `view_asked` (position from 0), `derive_asked` (position from 1, relation), `exhibit_asked` (leaf hash).
    """

    view_asked = Signal(int)
    derive_asked = Signal(int, object)
    exhibit_asked = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._erased = False
        self.files = EntryList(
            context, "ui_cases.files.list", lines=2, chosen=self._on_file, opened=lambda _: self._on_view()
        )
        self.box, self.digests = self._digests(("sha256", "sm3"))
        self.view = button(context, "ui_cases.view", self._on_view, icon="eye")
        context.tongue.bind(self.view, self.view.setToolTip, "ui_cases.view.tip")
        self.derive = QPushButton()
        context.tongue.bind(self.derive, self.derive.setText, "ui_cases.derive")
        context.look.bind_icon(self.derive, self.derive.setIcon, "link")
        self.menu = QMenu(self)
        for relation in Relation:
            action = self.menu.addAction("")
            context.tongue.bind(action, action.setText, f"ui_cases.derive.{relation.value}")
            action.triggered.connect(lambda _checked=False, relation=relation: self._on_derive(relation))
        self.derive.setMenu(self.menu)
        self.links = EntryList(context, "ui_cases.links", lines=3, chosen=self._on_link, opened=self._on_go)
        self.link_box, self.link_digests = self._digests(
            ("source.sha256", "source.sm3", "made.sha256", "made.sm3")
        )
        self.go = button(
            context, "ui_cases.link.go", lambda: self._on_go(self.links.current), icon="external-link"
        )
        self.no_links = words(context, "ui_cases.links.none", role="secondary")
        self._lay_out()

    def _lay_out(self) -> None:
        context = self._context
        self.column.addWidget(self.files, 3)
        self.column.addWidget(self.box)
        row = QHBoxLayout()
        row.addWidget(self.view)
        row.addWidget(self.derive)
        row.addStretch(1)
        self.column.addLayout(row)
        self.column.addWidget(words(context, "ui_cases.view.note", role="secondary"))
        head = QHBoxLayout()
        head.addWidget(words(context, "ui_cases.links", role="heading"), 1)
        head.addWidget(self.go)
        self.column.addLayout(head)
        self.column.addWidget(self.no_links)
        self.column.addWidget(self.links, 2)
        self.column.addWidget(self.link_box)

    def show_facts(self, facts: Facts) -> None:
        """Show an exhibit's files and links."""
        self._erased = facts.row.erased
        before = self.files.current
        self.files.show_entries([self._file(item, facts) for item in facts.row.objects], current=before)
        self.links.show_entries([self._link(item) for item in facts.links])
        for widget in (self.links, self.link_box, self.go):
            widget.setVisible(bool(facts.links))
        self.no_links.setVisible(not facts.links)
        if not facts.row.objects:
            self._on_file(None)

    def _file(self, item: ObjectRow, facts: Facts) -> Entry:
        say = self._context.tongue.say
        about = say("ui_cases.file", size=file_size(item.stored.size), kind=plain(item.media_type, 60))
        lost = item.position in facts.missing
        if lost:
            about = say("ui_cases.file.missing")
        return Entry(
            lines=(plain(item.path), about), icon="triangle-alert" if lost else "file", role="warning" if lost else "secondary", item=item
        )  # fmt: skip

    def _link(self, link: Link) -> Entry:
        say = self._context.tongue.say
        code = "derivation.has" if link.forward else "derivation.from"
        text = say(
            code, relation=say(f"derivation.{link.relation}"), number=link.number, position=link.position
        )
        title = plain(link.title) if link.here else say("ui_cases.link.elsewhere")
        direction = say("ui_cases.link.forward" if link.forward else "ui_cases.link.back")
        return Entry(lines=(text, title, direction), icon="link", item=link)

    def _on_file(self, item: object) -> None:
        known = isinstance(item, ObjectRow)
        self.box.setVisible(known)
        self.view.setEnabled(known and not self._erased)
        self.derive.setEnabled(known and not self._erased)
        if isinstance(item, ObjectRow):
            self.digests["sha256"].set(item.stored.digests.sha256.hex())
            self.digests["sm3"].set(item.stored.digests.sm3.hex())

    def _on_link(self, link: object) -> None:
        if not isinstance(link, Link):
            return
        self.go.setEnabled(link.here)
        for side, digests in (("source", link.source), ("made", link.made)):
            self.link_digests[f"{side}.sha256"].set("" if digests is None else digests.sha256.hex())
            self.link_digests[f"{side}.sm3"].set("" if digests is None else digests.sm3.hex())

    def _on_view(self) -> None:
        item = self.files.current
        if isinstance(item, ObjectRow) and self.view.isEnabled():
            self.view_asked.emit(item.position)

    def _on_derive(self, relation: Relation) -> None:
        item = self.files.current
        if isinstance(item, ObjectRow):
            self.derive_asked.emit(item.position + 1, relation)

    def _on_go(self, link: object) -> None:
        if isinstance(link, Link) and link.here:
            self.exhibit_asked.emit(link.other)


class CertificatesTab(_Tab):
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


class CustodyTab(_Tab):
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


class NotesTab(_Tab):
    """Notes: a list, and below it the one in hand. Signals `written` (note or None, text) and `removed` (note)."""

    written = Signal(object, str)
    removed = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._note: Note | None = None
        self._wanted = 0
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
        """Show its notes; `fresh`: it is another exhibit than before, else what is being typed stays."""
        typed = "" if fresh or not self.unsaved else self.text.toPlainText()
        notes, wanted = list(reversed(facts.notes)), self._wanted
        self.list.setVisible(bool(notes))
        self.none.setVisible(not notes)
        for widget in (self.text, self.new):
            widget.setEnabled(not facts.row.erased)
        if fresh:
            self._note = None
        entries = [self._entry(item) for item in notes]
        kept = next(
            (item for item in notes if item.id == (wanted or (self._note.id if self._note else 0))), None
        )
        self._wanted = 0
        self.list.show_entries(entries, current=kept)
        if not notes:
            self.begin()
        if typed:
            self.text.setPlainText(typed)

    @property
    def unsaved(self) -> bool:
        """Whether something was typed that is not written yet."""
        return self.text.toPlainText().strip() != ("" if self._note is None else self._note.text.strip())

    def stand_on(self, note: Note) -> None:
        """Choose this note as soon as it is listed."""
        self._note, self._wanted = note, note.id
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

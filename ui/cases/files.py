"""The tab of files: their digests, copies to look at, and what was made from them."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
)

from evidence_desk.core.derivation import Relation
from evidence_desk.core.rows import ObjectRow
from ui.cases.entries import Entry, EntryList
from ui.cases.facts import Facts, Link
from ui.cases.tab import Tab
from ui.context import Context
from ui.plain import plain
from ui.widgets.buttons import bind_small_icon, button
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import words
from ui.words import file_size

CAPTURE: Final = ".wacz"
"""A file of this kind is a capture, which the program shows itself."""


class FilesTab(Tab):
    """Files and what was made from them.

    Signals: `view_asked` (position from 0), `replay_asked` (of a capture), `derive_asked` (position from 1, relation), `exhibit_asked` (leaf hash).
    """

    view_asked = Signal(int)
    replay_asked = Signal()
    derive_asked = Signal(int, object)
    exhibit_asked = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._erased = False
        self.files = EntryList(
            context, "ui_cases.files.list", lines=2, chosen=self._on_file, opened=lambda _: self._on_view()
        )
        self.box, self.digests = self.digest_block(("sha256", "sm3"))
        self.view = button(context, "ui_cases.view", self._on_view, icon="eye")
        context.tongue.bind(self.view, self.view.setToolTip, "ui_cases.view.tip")
        self.replay = button(context, "ui_capture.replay", self.replay_asked.emit, icon="play")
        context.tongue.bind(self.replay, self.replay.setToolTip, "ui_capture.replay.tip")
        self.derive = QPushButton()
        context.tongue.bind(self.derive, self.derive.setText, "ui_cases.derive")
        bind_small_icon(context, self.derive, "link")
        self.menu = QMenu(self)
        for relation in Relation:
            action = self.menu.addAction("")
            context.tongue.bind(action, action.setText, f"ui_cases.derive.{relation.value}")
            action.triggered.connect(lambda _checked=False, relation=relation: self._on_derive(relation))
        self.derive.setMenu(self.menu)
        self.links = EntryList(context, "ui_cases.links", lines=3, chosen=self._on_link, opened=self._on_go)
        self.link_box, self.link_digests = self.digest_block(
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
        row = FlowLayout()
        for widget in (self.view, self.replay, self.derive):
            row.addWidget(widget)
        self.column.addLayout(row)
        self.column.addWidget(words(context, "ui_cases.view.note", role="secondary"))
        head = QHBoxLayout()
        head.addWidget(words(context, "ui_cases.links", role="heading"), 1)
        head.addWidget(self.go)
        self.column.addLayout(head)
        self.column.addWidget(self.no_links)
        self.column.addWidget(self.links, 2)
        self.column.addWidget(self.link_box)
        self.column.addStretch(1)

    def show_facts(self, facts: Facts) -> None:
        """Show an exhibit's files and links."""
        self._erased = facts.row.erased
        before = self.files.current
        self.files.show_entries([self._file(item, facts) for item in facts.row.objects], current=before)
        self.links.show_entries([self._link(item) for item in facts.links])
        self.files.fit(5)
        self.links.fit(3)
        self.files.setVisible(bool(facts.row.objects))
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
        self.replay.setVisible(
            isinstance(item, ObjectRow) and item.path.lower().endswith(CAPTURE) and not self._erased
        )
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

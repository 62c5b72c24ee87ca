"""All that is known of one exhibit, and what can be done with it. Widgets are made once; only what they show changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QSizePolicy, QTabWidget

from evidence_desk.core.derivation import Relation
from evidence_desk.errors import CanceledError, EvidenceDeskError, NotFoundError
from ui.capture.replays import replays_of
from ui.capture.view.opening import show_exhibit
from ui.cases.acts import Acts
from ui.cases.asking import ask
from ui.cases.bars import UndoBar
from ui.cases.deeds import Deeds
from ui.cases.facts import Facts, facts_of
from ui.cases.files import CAPTURE, FilesTab
from ui.cases.finding import Chosen
from ui.cases.notes import NotesTab
from ui.cases.overview import Overview
from ui.cases.papers import Paper
from ui.cases.records import CertificatesTab, CustodyTab
from ui.cases.viewing import viewing
from ui.context import Context
from ui.look import tokens
from ui.page import scrolled
from ui.plain import plain
from ui.tasks import Running
from ui.widgets.buttons import button, icon_button
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import IconLabel, words
from ui.widgets.panels import Card

_MARKS: Final = (
    ("erased", "trash-2", "failed", "ui_cases.mark.erased"),
    ("demo", "triangle-alert", "warning", "ui.demo"),
    ("unanchored", "circle", "undetermined", "ui_cases.state.anchored.no"),
)
_TABS: Final = ("overview", "files", "certificates", "custody", "notes")


class DetailPane(Card):
    """See the module.

    Signals: `closed`, `verify_asked` (evidence number), `exhibit_asked` (leaf hash of another exhibit), `shown_facts`.
    """

    closed = Signal()
    verify_asked = Signal(str)
    exhibit_asked = Signal(object)
    shown_facts = Signal(object)

    def __init__(self, context: Context, deeds: Deeds, told: UndoBar) -> None:
        super().__init__()
        self._context, self._deeds = context, deeds
        self.acts = Acts(context, told, self)
        self.facts: Facts | None = None
        self._leaf: bytes | None = None
        self._reading: Running[Facts] | None = None
        self.body.setContentsMargins(tokens.L, tokens.M, tokens.L, tokens.M)
        self.body.setSpacing(tokens.S)
        self.setMinimumWidth(340)
        self._head()
        self._buttons()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.setUsesScrollButtons(True)
        self.overview, self.files = Overview(context), FilesTab(context)
        self.certificates, self.custody, self.notes = (
            CertificatesTab(context),
            CustodyTab(context),
            NotesTab(context),
        )
        pages = (
            scrolled(self.overview),
            scrolled(self.files),
            self.certificates,
            self.custody,
            scrolled(self.notes),
        )
        for page in pages:
            self.tabs.addTab(page, "")
        self.body.addWidget(self.tabs, 1)
        context.tongue.bind(self.tabs, self.tabs.setAccessibleName, "ui_cases.detail")
        self._connect()
        context.tongue.follow(self, self._say)

    # --- what is shown ------------------------------------------------------------------------------------------

    @property
    def leaf(self) -> bytes | None:
        """The exhibit that is shown or read."""
        return self._leaf

    def show_exhibit(self, leaf_hash: bytes) -> None:
        """Read an exhibit and show it; what is shown stays until it is there."""
        fresh = leaf_hash != self._leaf
        self._leaf = leaf_hash
        if self._reading is not None:
            self._reading.cancel()

        def done(facts: Facts) -> None:
            if facts.row.leaf_hash == self._leaf:
                self._reading = None
                self._show(facts, fresh=fresh)

        def failed(error: EvidenceDeskError) -> None:
            if isinstance(error, CanceledError) or leaf_hash != self._leaf:
                return
            self._reading = None
            if isinstance(error, NotFoundError):
                self.closed.emit()
            self._context.tasks.on_unhandled(error)

        self._reading = ask(
            self._context, self, lambda session, job: facts_of(session, leaf_hash, job), done, failed
        )

    def refresh(self) -> None:
        """Read what is shown anew."""
        if self._leaf is not None and self.isVisible():
            self.show_exhibit(self._leaf)

    def _show(self, facts: Facts, *, fresh: bool) -> None:
        self.facts = facts
        self._say()
        self.notes.show_facts(facts, fresh=fresh)
        self.shown_facts.emit(facts)

    def _say(self) -> None:
        facts = self.facts
        if facts is None:
            return
        say, row = self._context.tongue.say, facts.row
        title = say("ui_cases.erased.title") if row.erased else plain(row.title)
        self.title.setText("　".join(part for part in (plain(row.exhibit_no), title) if part))
        self.setAccessibleName(self.title.text())
        demo = (facts.stamp is not None and facts.stamp.demo) or (
            facts.anchoring is not None and facts.anchoring.demo
        )
        self.marks["erased"].setVisible(row.erased)
        self.marks["demo"].setVisible(demo)
        self.marks["unanchored"].setVisible(row.anchored is None)
        self.no_original.setVisible(bool(facts.missing))
        for widget in (self.certify, self.export, self.recheck, self.correct):
            widget.setEnabled(not row.erased)
        self.overview.show_facts(facts)
        self.files.show_facts(facts)
        self.certificates.show_facts(facts)
        self.custody.show_facts(facts)
        counted = {
            "files": len(row.objects), "certificates": len(facts.certificates), "custody": len(facts.events),
            "notes": len(facts.notes),
        }  # fmt: skip
        for at, name in enumerate(_TABS):
            count = counted.get(name, 0)
            text = say(f"ui_cases.tab.{name}")
            self.tabs.setTabText(at, f"{text} {count}" if count else text)

    # --- building -----------------------------------------------------------------------------------------------

    def _head(self) -> None:
        context = self._context
        row = QHBoxLayout()
        self.title = words(context, role="heading")
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self.title, 1)
        row.addWidget(icon_button(context, "ui_cases.detail.close", "x", self.closed.emit))
        self.body.addLayout(row)
        self.marks: dict[str, IconLabel] = {}
        marks = FlowLayout()
        for name, icon, role, code in _MARKS:
            self.marks[name] = IconLabel(context)
            self.marks[name].set(icon, role, code)
            marks.addWidget(self.marks[name])
        self.body.addLayout(marks)
        self.no_original = words(context, "ui_cases.missing", role="warning")
        self.body.addWidget(self.no_original)

    def _buttons(self) -> None:
        context = self._context
        flow = FlowLayout()
        self.certify = button(
            context, "ui_cases.do.certify", lambda: self._deeds.certify(self._chosen), icon="badge-check"
        )
        self.verify = button(context, "ui_cases.do.verify", self._on_verify, icon="shield-check")
        self.more = QPushButton()
        context.tongue.bind(self.more, self.more.setText, "ui_cases.do.more")
        menu = QMenu(self)
        self.export = menu.addAction("", lambda: self._deeds.export(self._chosen))
        self.recheck = menu.addAction("", lambda: self._deeds.recheck(self._chosen))
        self.correct = menu.addAction("", self._on_correct)
        for action, code in (
            (self.export, "ui_cases.do.export"), (self.recheck, "ui_cases.do.recheck"), (self.correct, "ui_cases.correct"),
        ):  # fmt: skip
            context.tongue.bind(action, action.setText, code)
        self.more.setMenu(menu)
        for widget in (self.certify, self.verify, self.more):
            flow.addWidget(widget)
        self.body.addLayout(flow)

    def _connect(self) -> None:
        self.overview.tag_added.connect(lambda tag: self._with(lambda leaf: self.acts.add_tag(leaf, tag)))
        self.overview.tag_removed.connect(
            lambda tag: self._with(lambda leaf: self.acts.remove_tag(leaf, tag))
        )
        self.files.view_asked.connect(self._on_view)
        self.files.replay_asked.connect(self._on_replay)
        self.files.derive_asked.connect(self._on_derive)
        self.files.exhibit_asked.connect(self.exhibit_asked)
        self.certificates.save_asked.connect(self.acts.save_certificate)
        self.certificates.revoke_asked.connect(self.acts.revoke)
        self.custody.paper_asked.connect(lambda: self._deeds.paper(Paper.CUSTODY, self._chosen))
        self.notes.written.connect(
            lambda note, text: self._with(lambda leaf: self.acts.write_note(leaf, note, text))
        )
        self.notes.removed.connect(self.acts.remove_note)
        self.acts.note_written.connect(self.notes.stand_on)

    # --- what is done -------------------------------------------------------------------------------------------

    @property
    def _chosen(self) -> Chosen:
        return Chosen(leaves=() if self.facts is None else (self.facts.row.leaf_hash,))

    def _with(self, act: Callable[[bytes], None]) -> None:
        """On the exhibit that is shown, not on one that is still being read."""
        if self.facts is not None:
            act(self.facts.row.leaf_hash)

    def _on_view(self, at: int) -> None:
        """A capture is shown by the program itself, everything else by the system's."""
        if self.facts is None:
            return
        row = self.facts.row
        item = next((item for item in row.objects if item.position == at), None)
        if item is not None and item.path.lower().endswith(CAPTURE):
            show_exhibit(self._context, self, row.leaf_hash)
        else:
            viewing(self._context).open(row.leaf_hash, at)

    def _on_replay(self) -> None:
        if self.facts is not None:
            replays_of(self._context).open(self.facts.row.leaf_hash)

    def _on_verify(self) -> None:
        if self.facts is not None:
            self.verify_asked.emit(self.facts.row.number)

    def _on_correct(self) -> None:
        if self.facts is not None:
            self.acts.correct(self.facts.row)

    def _on_derive(self, position: int, relation: Relation) -> None:
        if self.facts is not None:
            self.acts.derive(self.facts.row, position, relation)

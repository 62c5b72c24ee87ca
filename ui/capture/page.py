"""The page itself: form, capture in hand, result, list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.services import browse, queue
from evidence_desk.services.browse import CaseSummary
from ui.capture.captures import CapturesPanel, ask_give_up
from ui.capture.deed import Ended
from ui.capture.form import CaptureForm
from ui.capture.result import ResultPanel
from ui.capture.running import RunningPanel
from ui.capture.view.opening import show_exhibit
from ui.capture.work import Listed, capture_work
from ui.context import Context
from ui.keys import install_keys
from ui.look import tokens
from ui.page import Page, PageName, scrolled
from ui.seal.results import export_all, issue_one
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.panels import Banner
from ui.words import local_time

_DRAFT: Final = "capture"
_LISTS: Final = frozenset({".txt", ".csv", ".list"})
"""Files with addresses, one a line; what else is dropped goes to the page Seal."""
_LONGEST: Final = 4 << 20

Left = tuple[queue.Draft | None, Sequence[CaseSummary]]


class CapturePage(Page):
    """See the package."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, PageName.CAPTURE)
        self.work = capture_work(context)
        self.form = CaptureForm(context)
        self.running, self.result = RunningPanel(context, self.work), ResultPanel(context)
        self.captures = CapturesPanel(context, self.work)
        self.banner = Banner(context)
        self.banner.hide()
        self.recover = button(context, "ui_capture.recover", self._on_recover, icon="stamp")
        self.give_up = button(context, "ui_capture.give_up", self._on_give_up, danger=True)
        self.later = button(context, "ui_capture.later", self.banner.hide, flat=True)
        for widget in (self.recover, self.give_up, self.later):
            self.banner.deeds.addWidget(widget)
        self.begin = button(context, "ui_capture.begin", self._on_begin, icon="play", main=True)
        self.stack = QStackedWidget()
        for part in (self._form_part(), scrolled(self.running), scrolled(self.result)):
            self.stack.addWidget(part)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        context.tongue.bind(self.tabs, self.tabs.setAccessibleName, "ui.page.capture")
        front = QWidget()
        column = QVBoxLayout(front)
        column.setContentsMargins(0, tokens.M, 0, 0)
        column.addWidget(self.stack)
        self.tabs.addTab(front, "")
        self.tabs.addTab(self.captures, "")
        self.body.addWidget(self.banner)
        self.body.addWidget(self.tabs, 1)
        self._connect()
        self._on_changed()
        if not self._looking_only:
            self._read_left()

    def _form_part(self) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.M)
        column.addWidget(self.form)
        column.addStretch(1)
        part = QWidget()
        outer = QVBoxLayout(part)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(tokens.M)
        area: QScrollArea = scrolled(content)
        outer.addWidget(area, 1)
        row = QHBoxLayout()
        row.addWidget(words(self.context, "ui_capture.before", role="secondary"), 1)
        row.addWidget(self.begin)
        outer.addLayout(row)
        return part

    def _connect(self) -> None:
        context = self.context
        self.form.ready.connect(lambda _: self._say())
        self.form.changed.connect(self._keep)
        self.work.changed.connect(self._on_changed)
        self.work.ended.connect(self._on_ended)
        self.work.listed.connect(self._on_listed)
        self.captures.view_asked.connect(self._view)
        self.captures.case_asked.connect(lambda leaf: self.wanted.emit(PageName.CASES, leaf))
        self.result.certificate_asked.connect(self._on_certificate)
        self.result.package_asked.connect(self._on_package)
        self.result.view_asked.connect(self._on_view)
        self.result.again_asked.connect(self.work.forget)
        context.tongue.follow(self, self._say)
        install_keys(self, {"Ctrl+Return": self._on_begin})

    # --- the frame's --------------------------------------------------------------------------------------------

    def accept_paths(self, paths: Sequence[Path]) -> bool:
        """A list of addresses is read into the field."""
        lists = [path for path in paths if path.suffix.lower() in _LISTS]
        if len(lists) != len(paths) or not lists or self.stack.currentIndex() != 0:
            return False

        def work(_job: Job) -> str:
            return "\n".join(_read(path) for path in lists)

        self.context.tasks.run(Lane.CPU, work, owner=self, done=self._on_text)
        return True

    def shown(self) -> None:
        """Read the list anew; cases may have come."""
        if self.stack.currentIndex() == 0 and not self.form.text.toPlainText():
            self.form.text.setFocus()
        self.work.reload()
        if self.context.desk.session is not None:
            self.context.desk.run(
                lambda session, _: browse.case_summaries(session.desk), owner=self, done=self.form.set_cases, lane=Lane.READ
            )  # fmt: skip

    def leave(self) -> None:
        """Keep the form."""
        self._keep()

    # --- what is shown ------------------------------------------------------------------------------------------

    def _on_changed(self) -> None:
        work = self.work
        if work.running:
            self.running.show_work()
        else:
            self.result.show_ended(work.result)
        self.stack.setCurrentIndex(1 if work.running else 0 if work.result is None else 2)
        self._say()

    def _say(self) -> None:
        say = self.context.tongue.say
        self.begin.setEnabled(self.form.possible and not self.work.running and not self._looking_only)
        code = "running" if self.work.running else "new" if self.work.result is None else "result"
        self.tabs.setTabText(0, say(f"ui_capture.tab.{code}"))
        count = len(self.work.rows)
        self.tabs.setTabText(1, say("ui_capture.tab.list", count=count) if count else say("ui_capture.list"))

    def _on_listed(self, rows: Sequence[Listed]) -> None:
        cut = [row for row in rows if row.cut]
        self._say()
        if not cut or self._looking_only:
            self.banner.hide()
            return
        self.banner.set(
            "warning", "history", "ui_capture.cut" if len(cut) == 1 else "ui_capture.cut.many",
            count=len(cut), started=local_time(cut[0].row.started), case=cut[0].row.case_number,
        )  # fmt: skip
        self.banner.show()
        for widget in (self.recover, self.give_up):
            widget.setEnabled(not self.work.running)

    def _on_ended(self, ended: Ended) -> None:
        if ended.exhibit is not None:
            self.form.clear_once()
        if self.context.desk.session is not None:
            self.tabs.setCurrentIndex(0)
        if self.isVisible() and ended.exhibit is not None:
            self.result.certificate.setFocus()

    # --- draft --------------------------------------------------------------------------------------------------

    def _read_left(self) -> None:
        def work(session: Session, _job: Job) -> Left:
            return queue.load_draft(session.desk, _DRAFT), browse.case_summaries(session.desk)

        def done(left: Left) -> None:
            draft, cases = left
            self.form.set_cases(cases)
            if draft is not None and not self.form.filled:
                self.form.fill(draft.content)

        self.context.desk.run(work, owner=self, done=done, lane=Lane.READ)

    def _keep(self) -> None:
        if self.context.desk.session is None or self._looking_only:
            return
        content, case = self.form.content(), self.form.request().case_number
        self.context.desk.run(
            lambda session, _: queue.save_draft(session.desk, _DRAFT, content, case_number=case), owner=self.work,
            done=lambda _: None, failed=lambda _: None, lane=Lane.READ, keep=True,
        )  # fmt: skip

    @property
    def _looking_only(self) -> bool:
        session = self.context.desk.session
        return session is not None and session.vault.read_only

    # --- deeds --------------------------------------------------------------------------------------------------

    def _on_begin(self) -> None:
        self.form.settle()
        if self.begin.isEnabled() and self.stack.currentIndex() == 0:
            self._keep()
            self.work.start(self.form.order(), self.form.request())

    def _on_text(self, text: str) -> None:
        before = self.form.text.toPlainText().rstrip()
        self.form.text.setPlainText(f"{before}\n{text}" if before else text)
        self.form.settle()

    @property
    def _cut(self) -> Listed | None:
        return next((row for row in self.work.rows if row.cut), None)

    def _on_recover(self) -> None:
        cut = self._cut
        if cut is not None:
            self.tabs.setCurrentIndex(0)
            self.work.recover(cut.row.id)

    def _on_give_up(self) -> None:
        cut = self._cut
        if cut is not None:
            ask_give_up(self.context, self.work, cut.row.id)

    def _leaf(self) -> bytes | None:
        ended = self.work.result
        return None if ended is None or ended.exhibit is None else ended.exhibit.leaf_hash

    def _on_certificate(self) -> None:
        leaf = self._leaf()
        if leaf is not None:
            issue_one(self.context, self, [leaf], lambda: self.wanted.emit(PageName.CERTIFY, [leaf]))

    def _on_package(self) -> None:
        leaf = self._leaf()
        if leaf is not None:
            export_all(self.context, self, [leaf])

    def _on_view(self) -> None:
        leaf = self._leaf()
        if leaf is not None:
            self._view(leaf)

    def _view(self, leaf: bytes) -> None:
        """Open what was captured."""
        show_exhibit(self.context, self, leaf)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as source:
            return source.read(_LONGEST).decode("utf-8", "replace")
    except OSError:
        return ""

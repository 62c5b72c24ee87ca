"""The dialog that makes a disclosure copy: choose, look at what it comes to, make it, see what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from PySide6.QtWidgets import QLabel, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from evidence_desk.bootstrap.files import written
from evidence_desk.bootstrap.session import Session
from evidence_desk.bootstrap.spools import spools_in
from evidence_desk.core.capture.manifest import Manifest
from evidence_desk.core.job import Job
from evidence_desk.errors import EvidenceDeskError
from evidence_desk.services.capture_disclose import Disclosed, DisclosureWish, disclose
from evidence_desk.services.disclosure_preview import Preview, preview
from evidence_desk.services.find import exhibits_of
from ui.capture.disclosure.choice import ChoicePanel
from ui.capture.disclosure.summary import DonePanel, PreviewPanel
from ui.certify.dialogs import Sheet
from ui.context import Context
from ui.look import tokens
from ui.page import fitting, scrolled
from ui.start.operator import operator_name
from ui.tasks import Lane, Running
from ui.widgets.buttons import button

_SIZE: Final = (760, 640)
_CHOOSE, _LOOK, _DONE = range(3)
_DEEDS: Final = ("ui_capture.disclose.look", "ui_capture.disclose.make", "ui.close")


class DisclosureSheet(Sheet):
    """One copy of the capture of an exhibit; `leaf_hash` of that."""

    def __init__(
        self, context: Context, parent: QWidget, leaf_hash: bytes, number: str, manifest: Manifest
    ) -> None:
        super().__init__(context, "ui_capture.disclose.title", _DEEDS[_CHOOSE])
        self.setParent(parent.window(), self.windowFlags())
        self._leaf, self._number = leaf_hash, number
        self._task: Running[Any] | None = None
        self._wish: DisclosureWish | None = None
        self._stage, self._done, self._total = "", 0, 0
        self.choice = ChoicePanel(context, manifest)
        self.preview, self.outcome = PreviewPanel(context), DonePanel(context)
        self.stack = QStackedWidget()
        for part in (scrolled(self.choice), self.preview, self.outcome):
            self.stack.addWidget(part)
        self.body.addWidget(self.stack, 1)
        self.working = self._progress()
        self.body.addWidget(self.working)
        self.back = button(
            context, "ui_capture.disclose.back", lambda: self._turn(_CHOOSE), icon="arrow-left"
        )
        self.back.setAutoDefault(False)
        self.feet.insertWidget(0, self.back)
        self.choice.changed.connect(self.check)
        context.tongue.follow(self, self._say)
        self._turn(_CHOOSE)
        self.resize(fitting(self, *_SIZE))

    # --- steps ----------------------------------------------------------------------------------------------------

    def act(self) -> None:
        """Go on."""
        match self.stack.currentIndex():
            case 0:
                self._look()
            case 1:
                name = self.context.tongue.say("ui_capture.disclose.name", number=self._number)
                self.context.messages.save_as(f"{name}.wacz", self._make, code="ui_capture.disclose.make")
            case _:
                self.accept()

    def reject(self) -> None:
        """While it works the button cancels the work; a lock closes all."""
        if self.busy and self._task is not None:
            self._task.cancel()
            if self.context.desk.session is not None:
                return
        super().reject()

    def complete(self) -> bool:
        """Whether something was chosen."""
        return self.stack.currentIndex() != _CHOOSE or self.choice.possible

    def check(self) -> None:
        """See `Sheet`."""
        super().check()
        self.choice.setEnabled(not self.busy)
        self.working.setVisible(self.busy)
        step = self.stack.currentIndex()
        self.back.setVisible(step == _LOOK)
        self.back.setEnabled(not self.busy)
        self.cancel.setVisible(step != _DONE or self.busy)

    def failed(self, error: EvidenceDeskError) -> None:
        """See `Sheet`."""
        self._task = None
        super().failed(error)

    def _look(self) -> None:
        wish = self._wish = self.choice.wish

        def work(session: Session, job: Job) -> Preview:
            (row,) = exhibits_of(session.desk, [self._leaf])
            return preview(session.desk, row, wish, spool=spools_in(session.vault.folder), job=job)

        def done(found: Preview) -> None:
            self.preview.show_preview(found)
            self._ended(_LOOK)

        self.begin()
        self._task = self.context.desk.run(
            work, owner=self, done=done, failed=self.failed, progress=self._on_progress, lane=Lane.READ,
            title="ui_capture.work.disclose.look",
        )  # fmt: skip

    def _make(self, path: Path) -> None:
        wish = self._wish
        if wish is None or self.context.desk.session is None:
            return

        def work(session: Session, job: Job) -> Disclosed:
            (row,) = exhibits_of(session.desk, [self._leaf])
            with written(path, force=True) as stream:  # the dialog asked before a file is replaced
                return disclose(
                    session.desk, row, wish, stream, trust=session.trust, spool=spools_in(session.vault.folder),
                    job=job, operator=operator_name(session),
                )  # fmt: skip

        def done(made: Disclosed) -> None:
            self.outcome.show_done(made, path)
            self._ended(_DONE)

        self.begin()
        self._task = self.context.desk.run(
            work, owner=self, done=done, failed=self.failed, progress=self._on_progress, lane=Lane.VAULT,
            title="ui_capture.work.disclose", changes=True,
        )  # fmt: skip

    def _ended(self, step: int) -> None:
        self._task = None
        self._busy = False
        self._turn(step)

    def _turn(self, step: int) -> None:
        self.stack.setCurrentIndex(step)
        self.context.tongue.bind(self.deed, self.deed.setText, _DEEDS[step])
        self.fault.hide()
        self.check()
        first = (self.choice.credentials, self.preview.list, self.deed)[step]
        first.setFocus()

    # --- progress -------------------------------------------------------------------------------------------------

    def _progress(self) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.XS)
        self.told = QLabel()
        self.bar = QProgressBar(textVisible=False)
        self.context.tongue.bind(self.bar, self.bar.setAccessibleName, "ui_capture.work.disclose")
        column.addWidget(self.told)
        column.addWidget(self.bar)
        return box

    def begin(self) -> None:
        """See `Sheet`."""
        self._on_progress("", 0, 0)
        super().begin()

    def _on_progress(self, stage: str, done: int, total: int) -> None:
        self._stage, self._done, self._total = stage, done, total
        self.bar.setRange(0, 1000 if total else 0)
        self.bar.setValue(min(1000, done * 1000 // total) if total else 0)
        self._say()

    def _say(self) -> None:
        tongue = self.context.tongue
        code = f"stage.{self._stage}"
        text = tongue.say(code if self._stage and tongue.has(code) else "ui_capture.work.disclose")
        self.told.setText(f"{text} {min(100, self._done * 100 // self._total)}%" if self._total else text)

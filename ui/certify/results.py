"""Third step: certificates being issued, then what became of them and what can be done with them."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QProgressBar, QTableView, QVBoxLayout, QWidget

from evidence_desk.errors import CanceledError, HostError
from ui.certify.issuing import Issue, Issued
from ui.certify.mail import mail_url
from ui.certify.paper import print_files
from ui.certify.result_model import ResultColumn, ResultModel
from ui.certify.work import IssueWork
from ui.context import Context
from ui.look import tokens
from ui.messages import copy_text
from ui.widgets.buttons import button
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import words
from ui.widgets.panels import Banner
from ui.widgets.table import plain_table

_MOST_PRINTED: Final = 50


class ResultStep(QWidget):
    """See the module. Signal: `again` when the person goes on to other exhibits."""

    again = Signal()

    def __init__(self, context: Context, work: IssueWork) -> None:
        super().__init__()
        self._context = context
        self._work = work
        self.banner = Banner(context)
        self.bar = QProgressBar(textVisible=False)
        context.tongue.bind(self.bar, self.bar.setAccessibleName, "ui_certify.progress")
        self.state = words(context)
        self.model = ResultModel(context)
        self.table: QTableView = plain_table(context, self.model, "ui_certify.results")
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(ResultColumn.OUTCOME, QHeaderView.ResizeMode.Stretch)
        self.table.setColumnWidth(ResultColumn.NUMBER, 250)
        self.table.setColumnWidth(ResultColumn.EXHIBITS, 90)
        self.pause = button(context, "ui_certify.pause", self._on_pause, icon="pause")
        self.cancel = button(context, "ui_certify.stop", work.cancel, icon="x")
        self.folder = button(context, "ui_certify.open_folder", self._on_folder, icon="folder-open")
        self.print = button(context, "ui_certify.print", self._on_print, icon="printer")
        self.mail = button(context, "ui_certify.mail", self._on_mail, icon="mail")
        self.copy = button(context, "ui_certify.copy_numbers", self._on_copy, icon="copy")
        self.more = button(context, "ui_certify.again", self.again.emit, main=True)
        self._lay_out()
        work.began.connect(self._on_began)
        work.progressed.connect(self._on_progress)
        work.added.connect(self.model.add)
        work.ended.connect(self.show_end)
        context.tongue.follow(self, self._say)

    def show_end(self, outcome: Issue | None) -> None:
        """What a run came to; nothing when it did not get anywhere."""
        if outcome is None:
            self._say()
            return
        self.model.show_issue(outcome)
        self.bar.setMaximum(1)
        self.bar.setValue(1)
        self._tell(outcome)
        self._say()

    def show_running(self) -> None:
        """A run that goes on, or its results, after the page was made anew."""
        self.model.reset(self._work.issued)
        if self._work.issue is not None:
            self.show_end(self._work.issue)
        else:
            self._on_began()
            self.model.reset(self._work.issued)

    def selected(self) -> list[Issued]:
        """Issued ones among the selected rows, or all when none is selected."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        return self.model.issued(rows)

    # --- building ---------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, tokens.M, 0, 0)
        column.setSpacing(tokens.M)
        column.addWidget(self.banner)
        self.progress = QWidget()
        line = QHBoxLayout(self.progress)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.bar, 1)
        self.state.setWordWrap(False)
        line.addWidget(self.state)
        for widget in (self.pause, self.cancel):
            line.addWidget(widget)
        column.addWidget(self.progress)
        column.addWidget(self.table, 1)
        self.limits = words(self._context, "ui_certify.result.limits", role="secondary")
        column.addWidget(self.limits)
        foot = FlowLayout(trailing=1)
        for deed in (self.folder, self.print, self.mail, self.copy):
            foot.addWidget(deed)
        foot.addWidget(self.more)
        column.addLayout(foot)
        self.banner.hide()

    # --- a run ------------------------------------------------------------------------------------------------

    def _on_began(self) -> None:
        self.banner.hide()
        self.model.reset(())
        self.bar.setRange(0, max(1, self._work.total))
        self.bar.setValue(0)
        self._say()
        self.state.setText(self._context.tongue.say("ui_certify.issuing.begin"))

    def _on_progress(self, done: int, total: int) -> None:
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(done)
        code = "ui_certify.issuing.paused" if self._work.paused else "ui_certify.issuing"
        self.state.setText(self._context.tongue.say(code, done=done, total=total))

    def _on_pause(self) -> None:
        if self._work.paused:
            self._work.resume()
        else:
            self._work.pause()
        self._say()
        self._on_progress(self.bar.value(), self.bar.maximum())

    def _tell(self, outcome: Issue) -> None:
        count, refused = len(outcome.issued), len(outcome.refused)
        odd = sorted({char for item in outcome.issued for char in item.unprintable})
        if outcome.stopped is not None and isinstance(outcome.stopped, CanceledError):
            self.banner.set("warning", "ban", "ui_certify.result.canceled", count=count, left=outcome.left)
        elif outcome.stopped is not None:
            self.banner.set("failed", "circle-x", "ui_certify.result.stopped", count=count, left=outcome.left)
        elif refused:
            self.banner.set(
                "warning", "triangle-alert", "ui_certify.result.refused", count=count, refused=refused
            )
        elif odd:
            codes = " ".join(f"U+{ord(char):04X}" for char in odd if len(char) == 1)
            self.banner.set(
                "warning", "triangle-alert", "ui_certify.result.odd", count=count, characters=codes
            )
        else:
            self.banner.set("passed", "circle-check", "ui_certify.result.done", count=count)
        self.banner.show()

    def _say(self) -> None:
        working, some = self._work.working, bool(self.model.issued([]))
        self.progress.setVisible(working)
        for deed in (self.folder, self.print, self.mail, self.copy):
            deed.setEnabled(some and not working)
        self.more.setEnabled(not working)
        self._context.tongue.bind(
            self.pause, self.pause.setText, "ui_certify.resume" if self._work.paused else "ui_certify.pause"
        )

    # --- deeds ------------------------------------------------------------------------------------------------

    def _on_folder(self) -> None:
        target = self._work.target
        if target is not None:
            folder = target.path if target.folder else target.path.parent
            open_url(self._context, QUrl.fromLocalFile(str(folder)))

    def _on_print(self) -> None:
        chosen = self.selected()
        if len(chosen) > _MOST_PRINTED:
            self._context.messages.inform("ui_certify.print.many", limit=_MOST_PRINTED)
            return
        print_files(self._context, self, [item.path for item in chosen])

    def _on_mail(self) -> None:
        open_url(self._context, mail_url(self.selected(), self._context.tongue), code="ui_certify.mail.none")

    def _on_copy(self) -> None:
        copy_text("\n".join(item.number for item in self.selected()))
        self._context.messages.inform("ui.copied")


def open_url(context: Context, url: QUrl, *, code: str = "ui_certify.folder.none") -> None:
    """Hand an address to the system; that nothing takes it is told."""
    if not QDesktopServices.openUrl(url):
        context.messages.error(HostError(code))

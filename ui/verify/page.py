"""The page Verify 核验: drop or type, and see what is proven, what is not, and on whose word.

Needs no vault and no network, writes nothing but the report that is asked for; results stay until they are cleared.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QResizeEvent,
)
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError, EvidenceDeskError
from evidence_desk.services.examination import Outcome
from ui.capture.view.opening import show_file
from ui.context import Context
from ui.keys import install_keys
from ui.look import tokens
from ui.messages import copy_text
from ui.page import Page, PageName
from ui.printing import choose_printer, draw_on
from ui.tasks import Lane
from ui.verify.asking import Answered, Request, answer
from ui.verify.basis import BasisStrip
from ui.verify.clipboard import Carried
from ui.verify.detail import DetailView, originals_of
from ui.verify.intake import Intake
from ui.verify.progress import ProgressLine, ProgressLines
from ui.verify.report import report_bytes, save_report
from ui.verify.results import Entry, ResultList, ResultModel
from ui.verify.sayings import answer_of, name_of, plain_text
from ui.widgets.buttons import button
from ui.widgets.labels import words

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

_NARROW_BELOW: Final = 760
_LOW_BELOW: Final = 600
_LIST_WIDTH: Final = 240
_LIST_HEIGHT: Final = 132
_LIST_LOW: Final = 96


class VerifyPage(Page):
    """See the module."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, PageName.VERIFY)
        self.setAcceptDrops(True)
        self.intake = Intake(context)
        self.basis = BasisStrip(context)
        self.progress = ProgressLines(context)
        self.model = ResultModel(context)
        self.list = ResultList(context, self.model)
        self.detail = DetailView(context)
        self._asked: dict[ProgressLine, tuple[Request, bool]] = {}
        self._restart: set[ProgressLine] = set()
        self._lay_out()
        self._connect()
        self._arrange()

    # --- Page -------------------------------------------------------------------------------------------------

    def shown(self) -> None:
        """Look at the trust roots again: they may lie on a stick."""
        self.basis.refresh()
        if not self.model.entries:
            self.intake.field.setFocus()

    def accept_paths(self, paths: Sequence[Path]) -> bool:
        """Verify files and folders given at once."""
        if paths:
            self.ask(Request(paths=tuple(paths)))
        return bool(paths)

    def show_item(self, item: object) -> None:
        """A number or text, a path, or several paths from another page."""
        if isinstance(item, str):
            self.ask_text(item)
        elif isinstance(item, Path):
            self.accept_paths([item])
        elif isinstance(item, Sequence):
            self.accept_paths([path for path in item if isinstance(path, Path)])

    def leave(self) -> None:
        """Stop what goes on; nothing has to survive."""
        for line in self.progress.lines:
            if line.task is not None:
                line.task.cancel()

    # --- asking -----------------------------------------------------------------------------------------------

    def ask_text(self, text: str) -> None:
        """Look up a number, digest or the content of a code."""
        self.ask(Request(text=text))

    def ask_picture(self, picture: QImage) -> None:
        """Read the codes of a picture and look them up."""
        self.ask(Request(picture=picture, picture_key=picture.cacheKey()))

    def ask(self, request: Request, *, again: bool = False) -> None:
        """Do it beside the window; the answers join the results. `again`: the chosen result stays chosen."""
        basis, desk = self.basis.basis, self.context.desk
        line = self.progress.add(self._named(request))
        with_vault = desk.session is not None
        self._asked[line] = (request, with_vault)

        def done(found: list[Answered]) -> None:
            self._forget(line)
            self._take(found, again=again)

        def failed(error: EvidenceDeskError) -> None:
            restart = line in self._restart
            self._forget(line)
            if restart:
                self.ask(request, again=again)
            elif isinstance(error, CanceledError):
                self.context.messages.inform("ui_verify.canceled")
            else:
                self.context.messages.error(error)

        if with_vault:

            def work(session: Session, job: Job) -> list[Answered]:
                return answer(request, basis, session, job)

            line.task = desk.run(
                work, owner=self, done=done, failed=failed, progress=line.step, lane=Lane.READ, title="ui_verify.work"
            )  # fmt: skip
        else:
            quick = not request.paths  # a number must not wait behind the digests of a disk
            lane = Lane.NET if quick or (basis.look_up and basis.gateways) else Lane.CPU
            line.task = self.context.tasks.run(
                lane, lambda job: answer(request, basis, None, job), owner=self, done=done, failed=failed,
                progress=line.step, title="ui_verify.work",
            )  # fmt: skip
        self._arrange()

    def ask_again(self) -> None:
        """Everything once more, on the present basis."""
        for request in dict.fromkeys(entry.request for entry in self.model.entries):
            self.ask(request, again=True)

    def add_originals(self, entry: Entry | None, paths: list[Path]) -> None:
        """Compare files with evidence examined before; beside all evidence they are something new."""
        if not paths:
            return
        path = None if entry is None else entry.examination.subject.path
        if entry is None or path is None or entry.examination.kind is None:
            self.accept_paths(paths)
            return
        self.ask(Request(paths=(path,), originals=originals_of(entry, paths)))

    def clear(self) -> None:
        """Forget all results."""
        self.model.clear()
        self._show_current()

    # --- answers ----------------------------------------------------------------------------------------------

    def _take(self, found: list[Answered], *, again: bool) -> None:
        chosen = self.list.entry
        row = self.model.put(found)
        self._arrange()
        if row < 0:
            self.context.messages.inform("ui_verify.nothing")
            return
        if again and chosen is not None:
            row = self.model.row_of(chosen.key)
        self.list.choose(row)
        tongue, done = self.context.tongue, found[0].examination
        headed = answer_of(done, tongue)
        said = QAccessibleAnnouncementEvent(self, f"{name_of(done, tongue)} {headed.head} {headed.text}")
        QAccessible.updateAccessibility(said)

    def _forget(self, line: ProgressLine) -> None:
        self._asked.pop(line, None)
        self._restart.discard(line)
        self.progress.remove(line)
        self._arrange()

    def _named(self, request: Request) -> str:
        if request.paths:
            first = request.paths[0]
            name = first.name or str(first)
            more = len(request.paths) - 1
            return self.context.tongue.say("ui_verify.files.many", name=name, count=more) if more else name
        return request.text[:40] or self.context.tongue.say("ui_verify.picture")

    def _remove(self, entry: Entry) -> None:
        self.model.remove([entry])
        self._show_current()

    def _show_current(self) -> None:
        self._arrange()
        self.detail.show_entry(self.list.entry)

    def _on_locked(self) -> None:
        """What came out of the vault leaves the screen; what goes on goes on without it."""
        for line, (_, with_vault) in self._asked.items():
            if with_vault and line.task is not None:
                self._restart.add(line)
                line.task.cancel()
        found = [
            entry
            for entry in self.model.entries
            if any(item.vault.outcome is Outcome.FOUND for item in entry.examination.looked_up)
        ]
        if found:
            self.model.remove(found)
            self._show_current()
            self.context.messages.inform("ui_verify.locked", count=len(found))

    # --- deeds ------------------------------------------------------------------------------------------------

    def _on_carried(self, found: Carried) -> None:
        if found.paths:
            self.accept_paths(found.paths)
        elif found.picture is not None:
            self.ask_picture(found.picture)
        elif found.text:
            self.ask_text(found.text)
        else:
            self.context.messages.inform("ui_verify.paste.none")

    def _on_choose_files(self) -> None:
        self.context.messages.open_files(self._chosen, code="ui_verify.files.dialog")

    def _on_choose_folder(self) -> None:
        self.context.messages.open_folder(lambda path: self._chosen([path]), code="ui_verify.folder.dialog")

    def _chosen(self, paths: list[Path]) -> None:
        self.accept_paths(paths)

    def _on_choose_originals(self, entry: Entry) -> None:
        self.context.messages.open_files(
            lambda paths: self.add_originals(entry, paths), code="ui_verify.originals.dialog"
        )

    def _on_save(self, entry: Entry) -> None:
        done, language = entry.examination, self.context.tongue.language

        def chosen(path: Path) -> None:
            self.context.tasks.run(
                Lane.CPU, lambda job: save_report(done, path, language, job), owner=self, title="ui_verify.work.report",
                done=lambda _: self.context.messages.inform("ui_verify.saved", path=str(path)),
            )  # fmt: skip

        stem = "".join(
            char if char.isalnum() or char in "-_." else "_" for char in name_of(done, self.context.tongue)
        )
        self.context.messages.save_as(
            self.context.tongue.say("ui_verify.report.name", name=stem[:60]),
            chosen,
            code="ui_verify.save.dialog",
        )

    def _on_print(self, entry: Entry) -> None:
        def missing() -> None:
            self.context.messages.confirm(
                "ui_verify.no_printer", action="ui_verify.save", accepted=lambda: self._on_save(entry)
            )

        choose_printer(self.context, self, lambda printer: self.print_on(printer, entry), missing)

    def print_on(self, printer: QPrinter, entry: Entry) -> None:
        """Print the report of a result on a printer."""
        done, language = entry.examination, self.context.tongue.language

        def work(job: Job) -> int:
            pdf = report_bytes(done, language, job)
            return draw_on(printer, [lambda: pdf], job, refused="ui_verify.not_printed")

        self.context.tasks.run(
            Lane.CPU, work, owner=self, title="ui_verify.work.print",
            done=lambda pages: self.context.messages.inform("ui_verify.printed", count=pages),
        )  # fmt: skip

    def _on_look_into(self, entry: Entry) -> None:
        path = entry.examination.subject.path
        if path is not None:
            show_file(self.context, self, path)

    def _on_copy(self, entry: Entry) -> None:
        copy_text(plain_text(entry.examination, self.context.tongue))
        self.context.messages.inform("ui.copied")

    # --- frame ------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        context = self.context
        self.body.addWidget(self.intake)
        self.body.addWidget(self.basis)
        self.body.addWidget(self.progress)
        self.results = QWidget()
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self.results)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(tokens.L)
        self.side = QWidget()
        column = QVBoxLayout(self.side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.S)
        column.addWidget(self.list, 1)
        foot = QHBoxLayout()
        self.count = words(context, role="secondary")
        foot.addWidget(self.count, 1)
        self.clear_button = button(context, "ui_verify.clear", self.clear, flat=True)
        foot.addWidget(self.clear_button)
        column.addLayout(foot)
        self._row.addWidget(self.side)
        self._row.addWidget(self.detail, 1)
        self.body.addWidget(self.results, 1)
        QWidget.setTabOrder(self.list, self.clear_button)
        self.detail.before = self.clear_button

    def _connect(self) -> None:
        intake, detail = self.intake, self.detail
        intake.carried.connect(self._on_carried)
        intake.refused.connect(self.context.messages.error)
        intake.asked.connect(self.ask_text)
        intake.files_wanted.connect(self._on_choose_files)
        intake.folder_wanted.connect(self._on_choose_folder)
        self.basis.changed.connect(self.ask_again)
        self.list.chosen.connect(detail.show_entry)
        self.list.given.connect(self.add_originals)
        self.list.removed.connect(self._remove)
        detail.given.connect(self.add_originals)
        detail.choose_originals.connect(self._on_choose_originals)
        detail.save.connect(self._on_save)
        detail.print_.connect(self._on_print)
        detail.copy.connect(self._on_copy)
        detail.look_into.connect(self._on_look_into)
        detail.again.connect(lambda entry: self.ask(entry.request, again=True))
        detail.choose_trust.connect(self.basis.choose_folder)
        detail.choose_network.connect(self.basis.choose_network)
        self.context.desk.locked.connect(self._on_locked)
        self.context.tongue.changed.connect(self._arrange)
        install_keys(
            self,
            {
                "Ctrl+V": intake.paste,
                "Ctrl+O": self._on_choose_files,
                "Ctrl+F": intake.field.setFocus,
                "Ctrl+S": detail.save_button.click,
                "Ctrl+P": detail.print_button.click,
                "Ctrl+Shift+C": detail.copy_button.click,
                "F5": self.ask_again,
            },
        )

    def _arrange(self) -> None:
        """Large place to drop while there is nothing; the list only where there are several results."""
        count, narrow = len(self.model.entries), self.width() < _NARROW_BELOW
        low = self.height() < _LOW_BELOW
        self.results.setVisible(count > 0)
        self.intake.set_large(count == 0)
        self.intake.set_narrow(narrow)
        self.intake.set_low(low)
        self.basis.set_compact(count > 0, narrow=narrow)
        self.basis.setVisible(not (low and narrow and count > 1))
        self.heading.setVisible(count == 0 or not low)
        self.body.setStretch(0, 0 if count else 1)
        self.side.setVisible(count > 1)
        self.count.setText(self.context.tongue.say("ui_verify.count", count=count))
        self._row.setDirection(
            QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        )
        self.side.setMaximumWidth(16_777_215 if narrow else _LIST_WIDTH)
        self.side.setMinimumWidth(0 if narrow else _LIST_WIDTH)
        self.side.setMaximumHeight((_LIST_LOW if low else _LIST_HEIGHT) if narrow else 16_777_215)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """List above the detail where there is no room beside it."""
        super().resizeEvent(event)
        self._arrange()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """The whole page takes drops, texts and pictures too."""
        self.intake.dragEnterEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """As if dropped on the place for it."""
        self.intake.dropEvent(event)

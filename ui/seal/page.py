"""The page itself: form, ways in, the list, what it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QTableView, QVBoxLayout, QWidget

from evidence_desk.bootstrap.session import Session
from evidence_desk.core.job import Job
from evidence_desk.core.queue_ports import ItemState, QueueItem
from evidence_desk.services import browse, queue
from evidence_desk.services.browse import CaseSummary
from ui.context import Context
from ui.keys import install_keys
from ui.look import tokens
from ui.page import Page, PageName, scrolled
from ui.seal.delegate import QueueDelegate
from ui.seal.form import BatchForm
from ui.seal.intake import Intake
from ui.seal.model import Column, QueueModel
from ui.seal.results import export_all, issue_one
from ui.seal.work import seal_work
from ui.tasks import Lane
from ui.widgets.buttons import button
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import words
from ui.widgets.panels import Banner
from ui.widgets.table import plain_table
from ui.words import duration, file_size, local_time

_DRAFT: Final = "seal"
_TABLE: Final = 190
"""Height of a list of four rows: less is no list."""
_OPEN: Final = frozenset({ItemState.WAITING, ItemState.WORKING})
_AGAIN: Final = frozenset({ItemState.FAILED, ItemState.CANCELED})

Left = tuple[queue.ResumeState, queue.Draft | None, Sequence[CaseSummary]]


class SealPage(Page):
    """See the package."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, PageName.SEAL)
        self.work = seal_work(context)
        self.form = BatchForm(context)
        self.intake = Intake(context)
        self.banner = Banner(context)
        self.banner.hide()
        self.banner.deeds.addWidget(button(context, "ui_seal.dismiss", self.banner.hide, flat=True))
        self.model = QueueModel(context)
        self.table = self._table()
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(tokens.M)
        for widget in (self.form, self.intake, self.banner):
            self._column.addWidget(widget)
        self._column.addWidget(self.table, 1)
        self.body.addWidget(scrolled(content), 1)
        self.summary, self.pace = words(context), words(context, role="secondary")
        self._foot()
        self._connect()
        self._on_listed([])
        if self._looking_only:
            self._tell("neutral", "eye", "ui_seal.looking_only")
        else:
            self._read_left()

    # --- the frame's --------------------------------------------------------------------------------------------

    def accept_paths(self, paths: Sequence[Path]) -> bool:
        """Queue them under what the form says."""
        if self._looking_only:
            self.context.messages.inform("ui_seal.looking_only")
            return True
        self.work.enqueue(paths, self.form.request(), each_file=self.form.each_file)
        return True

    def shown(self) -> None:
        """Read the list anew; cases may have come."""
        self.work.reload()
        self._read_cases()

    def leave(self) -> None:
        """Keep the form."""
        self.work.hold()
        self._keep()

    # --- building -----------------------------------------------------------------------------------------------

    def _table(self) -> QTableView:
        table = plain_table(self.context, self.model, "ui_seal.list")
        self._delegate = QueueDelegate(self.context)
        table.setItemDelegate(self._delegate)
        table.setMinimumHeight(_TABLE)
        table.horizontalHeader().setSectionResizeMode(Column.FILE, QHeaderView.ResizeMode.Stretch)
        for column, width in ((Column.SIZE, 90), (Column.STATE, 170), (Column.OUTCOME, 280)):
            table.setColumnWidth(column, width)
        return table

    def _foot(self) -> None:
        context = self.context
        self.pause = button(context, "ui_seal.pause", self._on_pause, icon="pause")
        self.cancel = button(context, "ui_seal.cancel", self._on_cancel, icon="x")
        self.retry = button(context, "ui_seal.retry", self._on_retry, icon="rotate-ccw")
        self.again = button(context, "ui_seal.again", self._on_again)
        self.clear = button(context, "ui_seal.clear", self.work.clear)
        self.package = button(context, "ui_seal.package", self._on_package, icon="package")
        self.certificate = button(
            context, "ui_seal.certificate", self._on_certificate, icon="badge-check", main=True
        )
        told = QHBoxLayout()
        told.addWidget(self.summary, 1)
        told.addWidget(self.pace)
        self.pace.setWordWrap(False)
        row = FlowLayout(trailing=2)
        for widget in (self.pause, self.cancel, self.retry, self.again, self.clear):
            row.addWidget(widget)
        for widget in (self.package, self.certificate):
            row.addWidget(widget)
        self.body.addLayout(told)
        self.body.addLayout(row)

    def _connect(self) -> None:
        self.intake.chosen.connect(self.accept_paths)
        self.form.changed.connect(self._keep)
        self.work.listed.connect(self._on_listed)
        self.work.finished_items.connect(self.model.update)
        self.work.progressed.connect(self.model.show_progress)
        self.work.counted.connect(self._say)
        self.work.enqueued.connect(self._on_enqueued)
        self.work.ended.connect(self._on_ended)
        selection = self.table.selectionModel()
        if selection is not None:
            selection.selectionChanged.connect(lambda *_: self._say())
        self.table.doubleClicked.connect(lambda index: self._on_show(index.row()))
        self.context.tongue.follow(self, self._say)
        install_keys(self, {"Ctrl+V": self.intake.paste})

    # --- what was left, drafts -----------------------------------------------------------------------------------

    def _read_left(self) -> None:
        def work(session: Session, _job: Job) -> Left:
            return (
                queue.resume_state(session.desk),
                queue.load_draft(session.desk, _DRAFT),
                browse.case_summaries(session.desk),
            )

        self.context.desk.run(work, owner=self, done=self._on_left, lane=Lane.READ)

    def _on_left(self, left: Left) -> None:
        state, draft, cases = left
        self.form.set_cases(cases)
        if draft is not None:
            self.form.fill(draft.content)
        if state.interrupted:
            self._tell(
                "warning", "history", "queue.interrupted",
                waiting=state.waiting, interrupted=state.interrupted, since=local_time(state.since),
            )  # fmt: skip
        elif state.waiting:
            self._tell("neutral", "history", "queue.left", waiting=state.waiting)
        self._tell_draft(draft, beside=self.banner.isVisibleTo(self))
        self.work.reload()
        if state.waiting:
            self.work.start()

    def _tell_draft(self, draft: queue.Draft | None, *, beside: bool) -> None:
        """Once a program and vault: after a lock, the person who filled it in knows it."""
        folder = self.context.desk.folder
        if draft is not None and self.form.filled and self.work.told != folder:
            saved = local_time(draft.saved)
            if beside:
                self.context.messages.inform("queue.draft", saved=saved)
            else:
                self._tell("neutral", "history", "queue.draft", saved=saved)
        self.work.told = folder

    def _read_cases(self) -> None:
        if self.context.desk.session is None:  # locked while the last answer was on its way
            return
        self.context.desk.run(
            lambda session, _: browse.case_summaries(session.desk), owner=self, done=self.form.set_cases, lane=Lane.READ
        )  # fmt: skip

    @property
    def _looking_only(self) -> bool:
        session = self.context.desk.session
        return session is not None and session.vault.read_only

    def _keep(self) -> None:
        if self.context.desk.session is None or self._looking_only:
            return
        content, case = self.form.content(), self.form.request().case_number
        self.context.desk.run(
            lambda session, _: queue.save_draft(session.desk, _DRAFT, content, case_number=case), owner=self.work, done=lambda _: None,
            failed=lambda _: None, lane=Lane.READ, keep=True,
        )  # fmt: skip

    # --- the list ------------------------------------------------------------------------------------------------

    def _chosen(self, states: frozenset[ItemState]) -> list[int]:
        """Items of these states among the selected, or among all when none is selected."""
        return [item.id for item in self._selected() if item.state in states]

    def _selected(self) -> list[QueueItem]:
        selection = self.table.selectionModel()
        rows = [] if selection is None else sorted({index.row() for index in selection.selectedRows()})
        return [self.model.row(row) for row in rows] if rows else list(self.model.items)

    def _leaves(self) -> list[bytes]:
        found = (item.leaf_hash for item in self._selected() if item.state is ItemState.SEALED)
        return list(dict.fromkeys(leaf for leaf in found if leaf is not None))

    def _on_listed(self, items: Sequence[QueueItem]) -> None:
        self.model.reset(items)
        self.table.setVisible(bool(items))
        self.intake.set_compact(bool(items))
        self._column.setStretchFactor(self.intake, 0 if items else 1)
        self._say()

    def _say(self) -> None:
        """Summary, pace, and which buttons can do something."""
        say, counts, work = self.context.tongue.say, self.work.counts, self.work
        waiting = counts[ItemState.WAITING].items + counts[ItemState.WORKING].items
        attention = self._attention
        sealed = counts[ItemState.SEALED].items
        total = sum(count.items for count in counts.values())
        self.summary.setText(
            say("ui_seal.summary", total=total, sealed=sealed, waiting=waiting, attention=attention)
            if total
            else ""
        )
        self.pace.setText(self._pace() if work.working else "")
        self.pause.setText(say("ui_seal.resume" if self._stopped(waiting) else "ui_seal.pause"))
        for widget in (self.pause, self.cancel, self.retry, self.clear):
            widget.setVisible(total > 0)
        self.pause.setEnabled(work.working or waiting > 0)
        self.cancel.setEnabled(waiting > 0)
        self.retry.setEnabled(counts[ItemState.FAILED].items + counts[ItemState.CANCELED].items > 0)
        self.again.setVisible(counts[ItemState.DUPLICATE].items > 0)
        self.clear.setEnabled(total > waiting)
        for widget in (self.package, self.certificate):
            widget.setEnabled(sealed > 0)

    @property
    def _attention(self) -> int:
        """Items that were not sealed and that nobody dismissed."""
        counts = self.work.counts
        return counts[ItemState.FAILED].items + counts[ItemState.DUPLICATE].items

    def _stopped(self, waiting: int) -> bool:
        return self.work.paused or (not self.work.working and waiting > 0)

    def _pace(self) -> str:
        say, left = self.context.tongue.say, self.work.remaining
        if self.work.paused:
            return say("ui_seal.paused")
        seconds = self.work.pace.left(left)
        if seconds is None:
            return say("ui_seal.pace.unknown", left=file_size(left))
        return say(
            "ui_seal.pace",
            speed=file_size(self.work.pace.speed),
            left=file_size(left),
            time=duration(seconds),
        )

    # --- deeds ---------------------------------------------------------------------------------------------------

    def _on_pause(self) -> None:
        if self.work.working and not self.work.paused:
            self.work.pause()
        else:
            self.work.resume()

    def _on_cancel(self) -> None:
        chosen = self._chosen(_OPEN)
        selection = self.table.selectionModel()
        if selection is not None and selection.hasSelection() and chosen:
            self.work.cancel(chosen)
            return
        count = self.work.counts[ItemState.WAITING].items + self.work.counts[ItemState.WORKING].items
        self.context.messages.confirm(
            "ui_seal.cancel.all", action="ui_seal.cancel.all.do", accepted=self.work.cancel, dangerous=True, count=count
        )  # fmt: skip

    def _on_retry(self) -> None:
        self.work.retry(self._chosen(_AGAIN))

    def _on_again(self) -> None:
        self.work.retry(self._chosen(frozenset({ItemState.DUPLICATE})), allow_duplicates=True)

    def _on_certificate(self) -> None:
        leaves = self._leaves()
        if leaves:
            issue_one(self.context, self, leaves, lambda: self.wanted.emit(PageName.CERTIFY, leaves))

    def _on_package(self) -> None:
        leaves = self._leaves()
        if leaves:
            export_all(self.context, self, leaves)

    def _on_show(self, row: int) -> None:
        leaf = self.model.row(row).leaf_hash
        if leaf is not None:
            self.wanted.emit(PageName.CASES, leaf)

    def _on_enqueued(self, batch: queue.Batch) -> None:
        if batch.repeated:
            self.context.messages.inform("queue.repeated", count=len(batch.repeated))
        if batch.failed:
            self._tell("failed", "triangle-alert", "ui_seal.failed", count=batch.failed)

    def _on_ended(self, outcome: queue.QueueOutcome) -> None:
        sealed = len(outcome.sealed)
        if outcome.stopped is not None:
            self._tell("failed", "hard-drive", "queue.stopped", waiting=outcome.waiting)
            self.context.messages.error(outcome.stopped)
        elif outcome.untimestamped is not None:
            why = self.context.tongue.error(outcome.untimestamped)[0]
            self._tell("warning", "clock", "ui_seal.untimestamped", why=why)
        elif sealed:
            code = "ui_seal.done.stamped" if outcome.timestamped else "ui_seal.done"
            left = self._attention
            if left:
                self._tell("warning", "triangle-alert", f"{code}.some", count=sealed, attention=left)
            else:
                self._tell("passed", "circle-check", code, count=sealed)
        self._read_cases()

    def _tell(self, tone: str, icon: str, code: str, **facts: str | int) -> None:
        self.banner.set(tone, icon, code, **facts)
        self.banner.show()

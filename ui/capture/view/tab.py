"""What the tabs of the view have in common: read beside the window when first shown, faults told in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QPlainTextEdit, QSplitter, QTableView, QVBoxLayout, QWidget

from evidence_desk.core.job import Job
from evidence_desk.errors import CanceledError, EvidenceDeskError
from evidence_desk.services.capture_view import CaptureView
from ui.context import Context
from ui.look import fonts, tokens
from ui.tasks import Lane, Running
from ui.widgets.labels import words
from ui.widgets.table import RowsModel, plain_table

T = TypeVar("T")
R = TypeVar("R")


class ViewTab(QWidget, Generic[T]):
    """One tab. Subclasses say what is read (`read`, in a worker) and show it (`show_found`)."""

    def __init__(self, context: Context, view: CaptureView) -> None:
        super().__init__()
        self._context, self.view = context, view
        self._asked = False
        self._running: list[Running[Any]] = []
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, tokens.M, 0, 0)
        self.column.setSpacing(tokens.S)
        self.told = words(context, "ui_capture.view.reading", role="secondary")
        self.column.addWidget(self.told)

    def read(self, job: Job) -> T:
        """What the tab shows; in a worker."""
        raise NotImplementedError

    def show_found(self, found: T) -> None:
        """Show it."""
        raise NotImplementedError

    def load(self) -> None:
        """Read, the first time."""
        if not self._asked:
            self._asked = True
            self.ask(self.read, self._on_found, self._on_failed)

    def ask(
        self,
        work: Callable[[Job], R],
        done: Callable[[R], None],
        failed: Callable[[EvidenceDeskError], None] | None = None,
    ) -> Running[R]:
        """Read something beside the window."""
        task: Running[R] = self._context.tasks.run(Lane.CPU, work, owner=self, done=done, failed=failed)
        self._running.append(task)
        return task

    def stop(self) -> None:
        """The window closes."""
        for task in self._running:
            task.cancel()

    def _on_found(self, found: T) -> None:
        self.told.hide()
        self.show_found(found)

    def _on_failed(self, error: EvidenceDeskError) -> None:
        if isinstance(error, CanceledError):
            return
        self.told.setProperty("role", "failed")
        self.told.style().unpolish(self.told)
        self.told.style().polish(self.told)
        self._context.tongue.follow(
            self.told, lambda: self.told.setText(" ".join(self._context.tongue.error(error)))
        )


class TextPane(QPlainTextEdit):
    """Foreign text as it is: nothing in it is a link, a picture or a script."""

    def __init__(self, context: Context, name: str) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.setFont(fonts.mono())
        self.setMinimumHeight(80)
        context.tongue.bind(self, self.setAccessibleName, name)


def list_of(
    context: Context, model: RowsModel[Any], name: str, stretch: int, widths: dict[int, int]
) -> QTableView:
    """A table with one column that takes the room."""
    table = plain_table(context, model, name)
    table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
    header = table.horizontalHeader()
    header.setSectionResizeMode(stretch, QHeaderView.ResizeMode.Stretch)
    for column, width in widths.items():
        table.setColumnWidth(column, width)
    return table


def split(
    first: QWidget, second: QWidget, *, upright: bool = True, shares: tuple[int, int] = (1, 1)
) -> QSplitter:
    """Two widgets, one above or beside the other."""
    made = QSplitter(Qt.Orientation.Vertical if upright else Qt.Orientation.Horizontal)
    made.setChildrenCollapsible(False)
    for at, (widget, share) in enumerate(zip((first, second), shares, strict=True)):
        made.addWidget(widget)
        made.setStretchFactor(at, share)
    return made


def on_choice(table: QTableView, chosen: Callable[[int], None]) -> None:
    """Call `chosen` with the row that is chosen."""
    selection = table.selectionModel()
    if selection is not None:
        selection.currentRowChanged.connect(lambda now, _before: chosen(now.row()) if now.isValid() else None)

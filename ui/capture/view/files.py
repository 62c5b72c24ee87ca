"""All files of the capture, each to be saved; and what no capture of this kind shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout

from evidence_desk.core.job import Job
from evidence_desk.services.capture_view import CaptureView
from ui.capture.sayings import say_file
from ui.capture.view.saving import save_file
from ui.capture.view.tab import ViewTab, list_of
from ui.context import Context
from ui.plain import plain
from ui.widgets.buttons import button
from ui.widgets.labels import DigestLabel, words
from ui.widgets.table import Index, RowsModel
from ui.words import file_size


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """A file; `digest` as the manifest lists it, None where it does not."""

    name: str
    size: int
    digest: bytes | None


class FileModel(RowsModel[FileLine]):
    """Files with their sizes and digests."""

    def __init__(self, context: Context) -> None:
        super().__init__(
            context, ["ui_capture.column.file", "ui_capture.column.size", "ui_capture.column.what"]
        )

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Cells."""
        row = self.row(index.row())
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            what = say_file(self._context.tongue, row.name)
            return (plain(row.name), file_size(row.size), what)[index.column()]
        return None


class FilesTab(ViewTab[Sequence[FileLine]]):
    """See the module."""

    def __init__(self, context: Context, view: CaptureView) -> None:
        super().__init__(context, view)
        self.model = FileModel(context)
        self.table = list_of(context, self.model, "ui_capture.view.files", 2, {0: 260, 1: 110})
        self.digest = DigestLabel(context)
        self.save = button(context, "ui_capture.view.save", self._on_save, icon="save")
        self.save.setEnabled(False)
        self.column.addWidget(words(context, "ui_capture.view.files.note", role="secondary"))
        self.column.addWidget(self.table, 1)
        row = QHBoxLayout()
        row.addWidget(self.digest, 1)
        row.addWidget(self.save)
        self.column.addLayout(row)
        selection = self.table.selectionModel()
        if selection is not None:
            selection.selectionChanged.connect(lambda *_: self._on_chosen())
        self.table.doubleClicked.connect(lambda _: self._on_save())

    def read(self, job: Job) -> Sequence[FileLine]:
        """All of them."""
        del job
        digests = {item.name: item.digests.sha256 for item in self.view.manifest.files}
        sizes = {item.name: item.size for item in self.view.manifest.files} | dict(self.view.files)
        return [
            FileLine(name=name, size=size, digest=digests.get(name)) for name, size in sorted(sizes.items())
        ]

    def show_found(self, found: Sequence[FileLine]) -> None:
        """List them."""
        self.model.reset(found)
        if found:
            self.table.selectRow(0)

    @property
    def _line(self) -> FileLine | None:
        at = self.table.currentIndex().row()
        return self.model.row(at) if 0 <= at < self.model.rowCount() else None

    def _on_chosen(self) -> None:
        line = self._line
        self.save.setEnabled(line is not None)
        self.digest.set("" if line is None or line.digest is None else line.digest.hex())

    def _on_save(self) -> None:
        line = self._line
        if line is not None:
            save_file(self._context, self, self.view, line.name)

"""Requests in a list with a filter; of one its heads and its body."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from evidence_desk.core.job import Job
from evidence_desk.services.capture_requests import Answer, Request
from evidence_desk.services.capture_view import CaptureView
from ui.capture.sayings import say_code
from ui.capture.view.bodies import Form, as_hex, as_text, usual_form
from ui.capture.view.pictures import PictureView
from ui.capture.view.saving import save_body
from ui.capture.view.tab import TextPane, ViewTab, list_of, on_choice, split
from ui.context import Context
from ui.look import tokens
from ui.plain import plain, tip
from ui.widgets.buttons import button
from ui.widgets.labels import words
from ui.widgets.table import Index, RowsModel
from ui.words import file_size

_COLUMNS: Final = ("method", "address", "status", "kind", "size", "connection", "outcome")
_FILTER_MS: Final = 200
_ERROR: Final = 400
_SUFFIX: Final = {"text/html": ".html", "text/css": ".css", "text/plain": ".txt", "application/json": ".json", "image/png": ".png", "image/jpeg": ".jpg", "image/svg+xml": ".svg"}  # fmt: skip


class RequestModel(RowsModel[Request]):
    """Requests that pass the filter."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, [f"ui_capture.column.{name}" for name in _COLUMNS])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Cells."""
        row, column = self.row(index.row()), index.column()
        good = row.complete and (row.status or 0) < _ERROR
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._text(row, column)
            case Qt.ItemDataRole.DecorationRole if column == len(_COLUMNS) - 1:
                icon, color = ("circle-check", "passed") if row.complete else ("triangle-alert", "warning")
                return self._context.look.icon(icon, color)
            case Qt.ItemDataRole.ForegroundRole if column == 2 and not good:
                return QColor(self._context.look.colors.warning)
            case Qt.ItemDataRole.ToolTipRole if column == 1:
                return tip(row.url)
        return None

    def _text(self, row: Request, column: int) -> str:
        say = self._context.tongue.say
        match _COLUMNS[column]:
            case "method":
                return plain(row.method, 20)
            case "address":
                return plain(row.url)
            case "status":
                return "—" if row.status is None else str(row.status)
            case "kind":
                return plain(row.kind, 60)
            case "size":
                return "—" if row.size is None else file_size(row.size)
            case "connection":
                return f"{row.connection}" if row.stream is None else f"{row.connection} / {row.stream}"
        return (
            say("ui_capture.view.whole")
            if row.complete
            else say_code(self._context.tongue, row.fault)
            if row.fault
            else say("ui_capture.view.not_whole")
        )


class RequestsTab(ViewTab[tuple[Request, ...]]):
    """See the module."""

    def __init__(self, context: Context, view: CaptureView) -> None:
        super().__init__(context, view)
        self._all: tuple[Request, ...] = ()
        self._answer: Answer | None = None
        self._shown: Request | None = None
        self.model = RequestModel(context)
        self.table = list_of(
            context, self.model, "ui_capture.view.requests", 1, {0: 70, 2: 64, 3: 130, 4: 84, 5: 84, 6: 130}
        )
        self.filter, self.only = QLineEdit(), QCheckBox()
        self.filter.setClearButtonEnabled(True)
        context.tongue.bind(self.filter, self.filter.setPlaceholderText, "ui_capture.view.filter")
        context.tongue.bind(self.filter, self.filter.setAccessibleName, "ui_capture.view.filter")
        context.tongue.bind(self.only, self.only.setText, "ui_capture.view.only")
        self.count = words(context, role="secondary")
        self.count.setWordWrap(False)
        row = QHBoxLayout()
        row.addWidget(self.filter, 1)
        row.addWidget(self.only)
        row.addWidget(self.count)
        self.column.addLayout(row)
        self.column.addWidget(split(self.table, self._detail(), shares=(3, 3)), 1)
        self._timer = QTimer(self, singleShot=True, interval=_FILTER_MS)
        self._timer.timeout.connect(self.apply)
        self.filter.textChanged.connect(self._timer.start)
        self.only.toggled.connect(lambda _: self.apply())
        on_choice(self.table, self._on_chosen)
        context.tongue.follow(self, self._say)

    def _detail(self) -> QTabWidget:
        context = self._context
        self.heads, self.body = (
            TextPane(context, "ui_capture.view.heads"),
            TextPane(context, "ui_capture.view.body"),
        )
        self.picture = PictureView(context)
        self.form = QComboBox()
        context.tongue.bind(self.form, self.form.setAccessibleName, "ui_capture.view.form")
        for form in Form:
            self.form.addItem("", form.value)
        self.note = words(context, role="secondary")
        self.save = button(context, "ui_capture.view.save_body", self._on_save, icon="save")
        self.stack = QStackedWidget()
        self.stack.addWidget(self.body)
        self.stack.addWidget(self.picture)
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, tokens.S, 0, 0)
        column.setSpacing(tokens.S)
        row = QHBoxLayout()
        row.addWidget(self.form)
        row.addWidget(self.note, 1)
        row.addWidget(self.save)
        column.addLayout(row)
        column.addWidget(self.stack, 1)
        self.detail = QTabWidget()
        self.detail.setDocumentMode(True)
        self.detail.tabBar().setDrawBase(False)
        context.tongue.bind(self.detail, self.detail.setAccessibleName, "ui_capture.view.one")
        self.detail.addTab(self.heads, "")
        self.detail.addTab(part, "")
        self.form.activated.connect(lambda _: self._show_body())
        self.save.setEnabled(False)
        return self.detail

    def read(self, job: Job) -> tuple[Request, ...]:
        """All of them."""
        return self.view.requests(job)

    def show_found(self, found: tuple[Request, ...]) -> None:
        """List them."""
        self._all = found
        self.apply()
        if found:
            self.table.selectRow(0)

    def apply(self) -> None:
        """Show those that pass the filter."""
        wanted = self.filter.text().strip().lower().split()
        only = self.only.isChecked()
        rows = [
            row
            for row in self._all
            if (not only or not row.complete or row.status is None or row.status >= _ERROR)
            and all(part in f"{row.method} {row.url} {row.status} {row.kind}".lower() for part in wanted)
        ]
        self.model.reset(rows)
        self._say()

    def _say(self) -> None:
        say = self._context.tongue.say
        self.count.setText(say("ui_capture.view.count", shown=self.model.rowCount(), count=len(self._all)))
        for at, form in enumerate(Form):
            self.form.setItemText(at, say(f"ui_capture.view.form.{form.value}"))
        self.detail.setTabText(0, say("ui_capture.view.heads"))
        self.detail.setTabText(1, say("ui_capture.view.body"))
        self._say_note()

    def _on_chosen(self, at: int) -> None:
        request = self.model.row(at)
        self._shown, self._answer = request, None

        def done(answer: Answer) -> None:
            if self._shown is request:
                self._show(request, answer)

        self.ask(lambda _job: self.view.answer(request.number), done)

    def _show(self, request: Request, answer: Answer) -> None:
        self._answer = answer
        self.heads.setPlainText(_head(answer.request_head) + "\n" + _head(answer.head))
        self.form.setCurrentIndex(self.form.findData(usual_form(answer.content_type, answer.data).value))
        self.save.setEnabled(request.answered is not None)
        self._show_body()
        self._say_note()

    def _show_body(self) -> None:
        answer, form = self._answer, self.form.currentData()
        if answer is None:
            return
        data = answer.data
        self.stack.setCurrentIndex(1 if form == Form.PICTURE else 0)
        if form == Form.PICTURE:
            self.picture.show_pictures(lambda: [data])
        else:
            self.body.setPlainText(as_hex(data) if form == Form.HEX else as_text(data, answer.content_type))

    def _say_note(self) -> None:
        answer, say = self._answer, self._context.tongue.say
        if answer is None:
            self.note.setText("")
            return
        parts = [say("ui_capture.view.decoded", size=file_size(len(answer.data)))]
        if answer.cut:
            parts.append(say("ui_capture.view.cut"))
        if answer.fault:
            parts.append(say_code(self._context.tongue, answer.fault))
        if self._shown is not None and self._shown.asked is None:
            parts = [say("ui_capture.view.left_out")]
        self.note.setText(" ".join(parts))

    def _on_save(self) -> None:
        request = self._shown
        if request is not None:
            name = f"response-{request.number:04}{_SUFFIX.get(request.kind, '.bin')}"
            save_body(self._context, self, self.view, request.number, name)


def _head(head: bytes) -> str:
    """A head as text; what is no UTF-8 byte by byte."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    return "\n".join(plain(line, 16_000) for line in text.replace("\r\n", "\n").split("\n"))

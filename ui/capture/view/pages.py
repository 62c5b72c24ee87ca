"""Pages with their pictures and text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QStackedWidget, QVBoxLayout, QWidget

from evidence_desk.core.capture.manifest import PageResult
from evidence_desk.core.job import Job
from evidence_desk.services.capture_view import CaptureView, Text
from ui.capture.sayings import PAGES, say_reasons
from ui.capture.view.pictures import PictureView
from ui.capture.view.tab import TextPane, ViewTab, list_of, on_choice, split
from ui.capture.view.zoom import ZoomRow
from ui.context import Context
from ui.look import tokens
from ui.plain import plain, tip
from ui.widgets.labels import words
from ui.widgets.table import Index, RowsModel

_LIST: Final = 260
_SHOWN: Final = ("viewport", "full", "text")


class PageModel(RowsModel[PageResult]):
    """Pages of the manifest."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, ("ui_capture.column.state", "ui_capture.column.page"))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Cells."""
        row = self.row(index.row())
        icon, color = PAGES[row.state]
        match role, index.column():
            case ((Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole), 0):
                return self._context.tongue.say(f"ui_capture.page.{row.state.value}")
            case ((Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole), 1):
                return f"{row.number}. {plain(row.title) or plain(row.url)}"
            case Qt.ItemDataRole.DecorationRole, 0:
                return self._context.look.icon(icon, color)
            case Qt.ItemDataRole.ForegroundRole, 0:
                return QColor(getattr(self._context.look.colors, color))
            case Qt.ItemDataRole.ToolTipRole, _:
                return tip(row.url)
        return None


class PagesTab(ViewTab[Sequence[PageResult]]):
    """See the module."""

    def __init__(self, context: Context, view: CaptureView) -> None:
        super().__init__(context, view)
        self.model = PageModel(context)
        self.table = list_of(context, self.model, "ui_capture.pages", 1, {0: 110})
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # addresses of one site begin alike
        self.table.setMinimumWidth(_LIST)
        self.about = words(context)
        self.about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.pictures, self.text = PictureView(context), TextPane(context, "ui_capture.view.text")
        self.which = QComboBox()
        context.tongue.bind(self.which, self.which.setAccessibleName, "ui_capture.view.which")
        for name in _SHOWN:
            self.which.addItem("", name)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.pictures)
        self.stack.addWidget(self.text)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(tokens.M, 0, 0, 0)
        column.setSpacing(tokens.S)
        row = ZoomRow(context, self.pictures)
        row.insertWidget(0, self.which)
        column.addWidget(self.about)
        column.addLayout(row)
        column.addWidget(self.stack, 1)
        self.column.addWidget(split(self.table, side, upright=False, shares=(2, 5)), 1)
        on_choice(self.table, lambda _: self._show())
        self.which.currentIndexChanged.connect(lambda _: self._show())
        self.pictures.drawn.connect(self._on_drawn)
        context.tongue.follow(self, self._say)

    @property
    def page(self) -> PageResult | None:
        """The page chosen."""
        at = self.table.currentIndex().row()
        return self.model.row(at) if 0 <= at < self.model.rowCount() else None

    def read(self, job: Job) -> Sequence[PageResult]:
        """Pages of the manifest."""
        del job
        return self.view.manifest.pages

    def show_found(self, found: Sequence[PageResult]) -> None:
        """List them."""
        self.model.reset(found)
        if found:
            self.table.selectRow(0)
        else:
            self._context.tongue.bind(self.told, self.told.setText, "ui_capture.view.no_pages")
            self.told.show()

    def _show(self) -> None:
        page = self.page
        self._say()
        if page is None:
            return
        what = self.which.currentData()
        names = [name for name in page.names if _is(name, what)]
        self.stack.setCurrentIndex(1 if what == "text" else 0)
        if what == "text":
            self._read_text(names)
        elif names:
            self.pictures.show_pictures(lambda: [self.view.picture(name) for name in names])
        else:
            self.pictures.show_pictures(None)
            self._none()

    def _read_text(self, names: Sequence[str]) -> None:
        if not names:
            self.text.setPlainText(self._context.tongue.say("ui_capture.view.nothing"))
            return

        def done(found: Text) -> None:
            more = self._context.tongue.say("ui_capture.view.cut") if found.cut else ""
            self.text.setPlainText(f"{found.text}\n{more}" if more else found.text)

        self.ask(lambda _job: self.view.text(names[0]), done)

    def _on_drawn(self, readable: bool) -> None:
        self.told.hide()
        if not readable:
            self._context.tongue.bind(self.told, self.told.setText, "malformed.capture_picture")
            self.told.show()

    def _none(self) -> None:
        self._context.tongue.bind(self.told, self.told.setText, "ui_capture.view.nothing")
        self.told.show()

    def _say(self) -> None:
        say, page = self._context.tongue.say, self.page
        for at, name in enumerate(_SHOWN):
            self.which.setItemText(at, say(f"ui_capture.view.{name}"))
        if page is None:
            self.about.setText("")
            return
        lines = [plain(page.url)]
        if page.reached and page.reached != page.url:
            lines.append(say("ui_capture.view.reached", url=plain(page.reached)))
        if page.reasons:
            lines.append(say_reasons(self._context.tongue, page.reasons))
        self.about.setText("\n".join(lines))


def _is(name: str, what: object) -> bool:
    if what == "text":
        return name.endswith(".txt")
    return name.endswith(".png") and (("-full-" in name) == (what == "full"))

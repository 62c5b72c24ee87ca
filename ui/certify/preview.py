"""Preview 预览: the pages of a draft with zoom and page number above them."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.certify.page_view import FIT, ZOOMS, PageView
from ui.context import Context
from ui.look import tokens
from ui.widgets.buttons import icon_button


class Preview(QWidget):
    """One or more drafts, one in front. Signal: `draft_wanted` has the position of the draft to be shown."""

    draft_wanted = Signal(int)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._position, self._count = 0, 1
        self.view = PageView(context)
        self.previous = icon_button(
            context, "ui_certify.previous_draft", "chevron-left", lambda: self._step(-1)
        )
        self.next = icon_button(context, "ui_certify.next_draft", "chevron-right", lambda: self._step(1))
        self.which, self.where = QLabel(), QLabel()
        self.zoom = QComboBox()
        self.zoom.setFixedWidth(112)
        self._lay_out()
        self.zoom.currentIndexChanged.connect(
            lambda _index: self.view.set_zoom(self.zoom.currentData() or FIT)
        )
        self.view.zoom_changed.connect(self._on_zoom)
        self.view.page_changed.connect(lambda *_: self._say())
        context.tongue.bind(self.zoom, self.zoom.setAccessibleName, "ui_certify.zoom")
        context.tongue.follow(self, self._say)

    def show_draft(self, pdf: bytes, position: int, count: int) -> None:
        """Show a draft, the `position`th (from 0) of `count`."""
        self._position, self._count = position, count
        self.view.show_pdf(pdf)
        self._say()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(tokens.XS)
        for widget in (self.previous, self.which, self.next):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.where)
        row.addSpacing(tokens.M)
        smaller = icon_button(
            self._context, "ui_certify.smaller", "zoom-out", lambda: self.view.step_zoom(-1)
        )
        larger = icon_button(self._context, "ui_certify.larger", "zoom-in", lambda: self.view.step_zoom(1))
        for tool in (smaller, self.zoom, larger):
            row.addWidget(tool)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(tokens.S)
        column.addLayout(row)
        column.addWidget(self.view, 1)

    def _step(self, by: int) -> None:
        self.draft_wanted.emit(self._position + by)

    def _on_zoom(self, zoom: int) -> None:
        with QSignalBlocker(self.zoom):
            self.zoom.setCurrentIndex(max(0, self.zoom.findData(zoom)))

    def _say(self) -> None:
        say, view = self._context.tongue.say, self.view
        several = self._count > 1
        for widget in (self.previous, self.which, self.next):
            widget.setVisible(several)
        self.which.setText(say("ui_certify.draft_of", number=self._position + 1, count=self._count))
        self.previous.setEnabled(self._position > 0)
        self.next.setEnabled(self._position < self._count - 1)
        self.where.setText(say("ui_certify.page_of", page=view.page, pages=view.pages) if view.pages else "")
        with QSignalBlocker(self.zoom):
            if not self.zoom.count():
                self.zoom.addItem("", FIT)
                for percent in ZOOMS:
                    self.zoom.addItem(f"{percent}%", percent)
            self.zoom.setItemText(0, say("ui_certify.zoom.fit"))

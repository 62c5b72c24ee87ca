"""Shows a PDF page below page: drawn beside the window, when a page comes into sight, at the screen's own resolution."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from functools import partial
from typing import Final

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea

from ui.context import Context
from ui.look import tokens
from ui.pdf_pages import POINTS, draw_page, page_sizes
from ui.tasks import Lane, Running

FIT: Final = 0
"""Zoom that fits the width."""
ZOOMS: Final = (50, 75, 100, 125, 150, 200)
"""Percent of the size on paper, a logical pixel taken as 1/96 inch."""
_LOGICAL: Final = 96 / POINTS
_KEPT: Final = 10
"""Pages kept drawn."""
_NEAR: Final = 24
"""Logical pixels from the end at which the end has been seen."""

Key = tuple[int, int]
"""Page and its width in device pixels."""


class PageView(QAbstractScrollArea):
    """A document of pages.

    Signals: `page_changed` (page in front from 1, pages), `end_seen` when the end of the last page has been in sight, drawn;
    `zoom_changed` after a key or the wheel changed the zoom.
    """

    page_changed = Signal(int, int)
    end_seen = Signal()
    zoom_changed = Signal(int)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._pdf = b""
        self._sizes: list[tuple[float, float]] = []
        self._places: list[QRect] = []
        """Pages in the document's coordinates, left at 0."""
        self._drawn: OrderedDict[Key, QImage] = OrderedDict()
        self._asked: dict[Key, Running[QImage]] = {}
        self._zoom = FIT
        self._document = 0
        self._page = 0
        self._ended = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAlwaysOn
        )  # else fitting the width could oscillate
        self.setMinimumHeight(160)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.horizontalScrollBar().valueChanged.connect(lambda _value: self.viewport().update())
        context.look.changed.connect(self.viewport().update)
        context.tongue.bind(self, self.setAccessibleName, "ui_certify.pages")
        context.tongue.follow(self, self._describe)

    # --- what is shown ----------------------------------------------------------------------------------------

    @property
    def pages(self) -> int:
        """How many pages."""
        return len(self._sizes)

    @property
    def page(self) -> int:
        """The page in front, from 1; 0 when nothing is shown."""
        return self._page

    @property
    def zoom(self) -> int:
        """Percent, or `FIT`."""
        return self._zoom

    @property
    def ended(self) -> bool:
        """Whether the end of this document has been in sight."""
        return self._ended

    @property
    def settled(self) -> bool:
        """Whether every page in sight is drawn."""
        return bool(self._sizes) and all(self._key(index) in self._drawn for index in self._visible())

    def show_pdf(self, pdf: bytes) -> None:
        """Show a document from its first page; b"" for nothing."""
        self._forget()
        self._document += 1
        self._pdf = pdf
        if not pdf:
            self._on_sizes(self._document, [])
            return
        document = self._document
        self._context.tasks.run(
            Lane.CPU, lambda _job: page_sizes(pdf), owner=self, done=partial(self._on_sizes, document)
        )

    def set_zoom(self, zoom: int) -> None:
        """Show it larger or smaller; the place in the document stays."""
        if zoom == self._zoom:
            return
        bar = self.verticalScrollBar()
        at = bar.value() / max(1, bar.maximum())
        self._zoom = zoom
        self._lay_out()
        bar.setValue(round(at * bar.maximum()))
        self.zoom_changed.emit(zoom)

    def step_zoom(self, steps: int) -> None:
        """One zoom larger or smaller."""
        present = self._percent()
        others = [item for item in ZOOMS if (item > present if steps > 0 else item < present)]
        if others:
            self.set_zoom(others[0] if steps > 0 else others[-1])

    def go_to(self, page: int) -> None:
        """Bring a page (from 1) to the top."""
        if self._sizes:
            place = self._places[min(max(page, 1), self.pages) - 1]
            self.verticalScrollBar().setValue(place.top() - tokens.S)

    # --- geometry ---------------------------------------------------------------------------------------------

    def _percent(self) -> float:
        if self._zoom != FIT:
            return self._zoom
        widest = max((wide for wide, _ in self._sizes), default=595.0)
        room = self.viewport().width() - 2 * tokens.M
        return max(25.0, 100 * room / (widest * _LOGICAL))

    def _rectangle(self, index: int) -> QRect:
        """A page in the viewport's coordinates."""
        place = self._places[index]
        left = self.horizontalScrollBar().value()
        x = max(tokens.M, (self.viewport().width() - place.width()) // 2) - left
        return QRect(QPoint(x, place.top() - self.verticalScrollBar().value()), place.size())

    def _visible(self) -> range:
        """Pages in sight."""
        top = self.verticalScrollBar().value()
        first = bisect_left(self._places, top, key=QRect.bottom)
        last = bisect_right(self._places, top + self.viewport().height(), key=QRect.top)
        return range(first, max(first, last))

    def _key(self, index: int) -> Key:
        return index, round(self._places[index].width() * self.devicePixelRatioF())

    def _lay_out(self) -> None:
        factor = self._percent() / 100 * _LOGICAL
        self._places, top = [], tokens.M
        for wide, high in self._sizes:
            self._places.append(QRect(0, top, round(wide * factor), round(high * factor)))
            top += round(high * factor) + tokens.M
        widest = max((place.width() for place in self._places), default=0) + 2 * tokens.M
        view = self.viewport().size()
        for bar, whole, part in (
            (self.verticalScrollBar(), top, view.height()),
            (self.horizontalScrollBar(), 0 if self._zoom == FIT else widest, view.width()),
        ):
            bar.setRange(0, max(0, whole - part))
            bar.setPageStep(part)
            bar.setSingleStep(tokens.XXL)
        self._look()
        self.viewport().update()

    # --- drawing ----------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        for task in self._asked.values():
            task.cancel()
        self._asked.clear()
        self._drawn.clear()
        self._sizes, self._places = [], []
        self._page, self._ended = 0, False

    def _on_sizes(self, document: int, sizes: list[tuple[float, float]]) -> None:
        if document != self._document:
            return
        self._sizes = sizes
        self._lay_out()
        self.verticalScrollBar().setValue(0)
        self._look()

    def _want(self, index: int) -> None:
        key = self._key(index)
        if key in self._drawn or key in self._asked:
            return
        pdf, scale, document = self._pdf, key[1] / self._sizes[index][0], self._document
        self._asked[key] = self._context.tasks.run(
            Lane.CPU,
            lambda _job: draw_page(pdf, index, scale),
            owner=self,
            done=partial(self._on_drawn, document, key),
            failed=lambda _error: self._undrawn(key),
        )

    def _undrawn(self, key: Key) -> None:
        """Canceled, or not to be drawn: empty paper stays."""
        self._asked.pop(key, None)

    def _on_drawn(self, document: int, key: Key, picture: QImage) -> None:
        if document != self._document:
            return
        self._asked.pop(key, None)
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        self._drawn[key] = picture
        while len(self._drawn) > _KEPT:
            self._drawn.popitem(last=False)
        self.viewport().update()
        self._look()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paper on the ground of the window; a page not drawn yet is empty paper, or its picture at another zoom."""
        del event
        colors = self._context.look.colors
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), QColor(colors.raised))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for index in self._visible():
            place = self._rectangle(index)
            picture = self._picture(index)
            painter.fillRect(place, QColor(Qt.GlobalColor.white))
            if picture is not None:
                self._draw(painter, place, picture)
            painter.setPen(QColor(colors.line))
            painter.drawRect(place.adjusted(-1, -1, 0, 0))
        painter.end()

    @staticmethod
    def _draw(painter: QPainter, place: QRect, picture: QImage) -> None:
        """As it is where it fits to the pixel: scaling by a fraction would blur it."""
        size = picture.deviceIndependentSize()
        if abs(size.width() - place.width()) <= 1 and abs(size.height() - place.height()) <= 1:
            painter.drawImage(place.topLeft(), picture)
        else:
            painter.drawImage(place, picture)

    def _picture(self, index: int) -> QImage | None:
        key = self._key(index)
        if key in self._drawn:
            self._drawn.move_to_end(key)
            return self._drawn[key]
        return next((item for (page, _), item in self._drawn.items() if page == index), None)

    # --- where one is -----------------------------------------------------------------------------------------

    def _on_scrolled(self) -> None:
        self.viewport().update()
        self._look()

    def _look(self) -> None:
        """Ask for what is in sight and what comes next; say which page is in front; note when the end was seen."""
        visible = self._visible()
        for index in visible:
            self._want(index)
        if visible and visible[-1] + 1 < self.pages:
            self._want(visible[-1] + 1)
        page = self._front(visible)
        if page != self._page:
            self._page = page
            self._describe()
            self.page_changed.emit(page, self.pages)
        bar = self.verticalScrollBar()
        if (
            not self._ended
            and visible
            and visible[-1] == self.pages - 1
            and bar.value() >= bar.maximum() - _NEAR
            and self.settled
        ):
            self._ended = True
            self.end_seen.emit()

    def _front(self, visible: range) -> int:
        """The page that takes up the middle of the view."""
        middle = self.viewport().height() // 2
        for index in visible:
            if self._rectangle(index).bottom() >= middle:
                return index + 1
        return visible[-1] + 1 if visible else 0

    def _describe(self) -> None:
        self.setAccessibleDescription(
            self._context.tongue.say("ui_certify.page_of", page=self._page, pages=self.pages)
        )

    # --- events of Qt -----------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the place."""
        super().resizeEvent(event)
        bar = self.verticalScrollBar()
        at = bar.value() / max(1, bar.maximum())
        self._lay_out()
        bar.setValue(round(at * bar.maximum()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Page up and down, home and end; Ctrl with plus, minus and 0 for the zoom."""
        bar = self.verticalScrollBar()
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        match event.key():
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal if control:
                self.step_zoom(1)
            case Qt.Key.Key_Minus if control:
                self.step_zoom(-1)
            case Qt.Key.Key_0 if control:
                self.set_zoom(FIT)
            case Qt.Key.Key_PageDown | Qt.Key.Key_Space:
                bar.setValue(bar.value() + bar.pageStep() - tokens.XXL)
            case Qt.Key.Key_PageUp:
                bar.setValue(bar.value() - bar.pageStep() + tokens.XXL)
            case Qt.Key.Key_Home:
                bar.setValue(0)
            case Qt.Key.Key_End:
                bar.setValue(bar.maximum())
            case _:
                super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ctrl and the wheel change the zoom."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.step_zoom(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            super().wheelEvent(event)

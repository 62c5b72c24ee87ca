"""The main window: rail, pages, status line; files dropped or pasted anywhere reach a page that takes them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QMainWindow, QStackedWidget, QVBoxLayout, QWidget
from shiboken6 import isValid

from ui.capture.hand import capture_in_hand
from ui.context import Context
from ui.help import install_shortcuts
from ui.look import tokens
from ui.page import NEEDS_DESK, Page, PageName, fitting
from ui.rail import Rail
from ui.start.gate import Gate
from ui.statusline import StatusLine
from ui.widgets.panels import paths_of

_NARROW_BELOW: Final = 820
_SIZE: Final = (1180, 760)
_TOAST_MS: Final = 6000
_TOAST_WIDTH: Final = 720
_CLASSES: Final = {name: f"{name.value.capitalize()}Page" for name in PageName}


class Window(QMainWindow):
    """See the module. Pages are made when they are first shown."""

    def __init__(self, context: Context, first: PageName = PageName.SEAL) -> None:
        super().__init__()
        self.context = context
        self.setAcceptDrops(True)
        self.setMinimumSize(640, 480)
        context.tongue.bind(self, self.setWindowTitle, "ui.title")
        self.pages: dict[PageName, Page] = {}
        self.stack = QStackedWidget()
        self.gate = Gate(context)
        self.stack.addWidget(self.gate)
        self.rail = Rail(context)
        self.line = StatusLine(context)
        self.toast = QLabel(self)
        self.toast.setProperty("toast", True)
        self.toast.setTextFormat(Qt.TextFormat.PlainText)
        self.toast.setWordWrap(True)
        self.toast.hide()
        self._toast_timer = QTimer(self, singleShot=True, interval=_TOAST_MS)
        self._toast_timer.timeout.connect(self.toast.hide)
        self._name = first
        self._closing = self._leaving = False
        self._lay_out()
        self._connect()
        self.show_page(first)

    # --- pages ------------------------------------------------------------------------------------------------

    def show_page(self, name: PageName, item: object = None) -> Page | None:
        """Bring a page to the front; the gate instead when it needs a vault and none is open."""
        self._name = name
        self.rail.show_chosen(name)
        if name in NEEDS_DESK and self.context.desk.session is None:
            self.stack.setCurrentWidget(self.gate)
            return None
        page = self.pages.get(name) or self._make(name)
        self.stack.setCurrentWidget(page)
        page.shown()
        if item is not None:
            page.show_item(item)
        return page

    @property
    def name(self) -> PageName:
        """The page chosen, even while the gate stands in its place."""
        return self._name

    @property
    def page(self) -> Page | None:
        """The page in front."""
        current = self.stack.currentWidget()
        return current if isinstance(current, Page) else None

    def take_paths(self, paths: Sequence[Path]) -> None:
        """Give files to the page in front, or to the first that takes them."""
        if not paths:
            return
        current = self.page
        if current is not None and current.accept_paths(paths):
            return
        name = PageName.VERIFY if self.context.desk.session is None else PageName.SEAL
        page = self.show_page(name)
        if page is not None:
            page.accept_paths(paths)

    def _make(self, name: PageName) -> Page:
        kind = getattr(import_module(f"ui.{name.value}.page"), _CLASSES[name])
        page: Page = kind(self.context)
        page.wanted.connect(self.show_page)
        self.pages[name] = page
        self.stack.addWidget(page)
        return page

    # --- frame ------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.stack, 1)
        column.addWidget(self.line)
        row.addLayout(column, 1)
        self.setCentralWidget(middle)
        self.resize(fitting(self, *_SIZE))
        saved = self.context.preferences.value.geometry
        if saved:
            self.restoreGeometry(QByteArray.fromBase64(saved.encode()))

    def _connect(self) -> None:
        self.rail.chosen.connect(self.show_page)
        self.rail.lock_asked.connect(self.lock)
        self.line.status_asked.connect(lambda: self.show_page(PageName.STATUS))
        self.context.desk.opened.connect(lambda: self.show_page(self._name))
        self.context.desk.locked.connect(self._on_locked)
        install_shortcuts(self)

    def lock(self) -> None:
        """Lock the vault; a capture in hand is ended before, if the person wants that."""
        work = capture_in_hand(self.context)
        if work is None:
            self.context.desk.lock()
            return

        def end() -> None:
            work.end()
            self.context.desk.lock()

        self.context.messages.confirm("ui_capture.lock.ask", action="ui_capture.lock.do", accepted=end)

    def say(self, text: str) -> None:
        """Show a short message above everything for some seconds."""
        self.toast.setText(text)
        self._place_toast()
        self.toast.raise_()
        self.toast.show()
        self._toast_timer.start()

    def _place_toast(self) -> None:
        """On one line where there is room for it: left to itself, a label that wraps makes itself narrow."""
        self.toast.ensurePolished()
        self.toast.setWordWrap(False)
        wide, room = self.toast.sizeHint().width(), min(_TOAST_WIDTH, self.width() - 2 * tokens.XXL)
        self.toast.setWordWrap(True)
        width = min(wide, room)
        size = QSize(width, self.toast.heightForWidth(width))
        self.toast.resize(size)
        self.toast.move((self.width() - size.width()) // 2, self.height() - size.height() - 2 * tokens.XXL)

    def _on_locked(self) -> None:
        self.toast.hide()
        self.toast.clear()
        for page in list(self.pages.values()):
            if page.name in NEEDS_DESK:  # nothing of the vault stays on the screen or in its widgets
                page.leave()
                self.stack.removeWidget(page)
                page.deleteLater()
                del self.pages[page.name]
        self.show_page(self._name)

    # --- events of Qt -----------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Words in the rail only where there is room for them."""
        super().resizeEvent(event)
        self.rail.set_narrow(self.width() < _NARROW_BELOW)
        self._place_toast()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere."""
        if paths_of(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Files may be dropped anywhere."""
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.take_paths(paths_of(event.mimeData()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Cancel the work, wait for it beside the window, close the vault, then go."""
        if self._closing:
            event.accept()
            return
        event.ignore()
        if self._leaving:  # asked already, or on the way
            return
        self._leaving = True
        named = [task for task in self.context.tasks.running if task.title]
        if named:
            captures = capture_in_hand(self.context) is not None
            self.context.messages.confirm(
                "ui_capture.close.ask" if captures else "ui.close.busy",
                action="ui_capture.close.do" if captures else "ui.close.do",
                accepted=self._close, refused=self._stay, dangerous=True, count=len(named),
            )  # fmt: skip
        else:
            self._close()

    def _stay(self) -> None:
        self._leaving = False

    def _close(self) -> None:
        for dialog in self.findChildren(QDialog):
            if dialog.isVisible():  # one that stays would keep the program running without a window
                QDialog.reject(dialog)
        for page in self.pages.values():
            page.leave()
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        self.context.preferences.change(geometry=geometry)
        self.setEnabled(False)
        self.context.desk.hang_up()
        self.context.tasks.close(lambda: self.context.demo.stop(self._closed))

    def _closed(self) -> None:
        self.context.desk.close()
        if isValid(self):
            self._closing = True
            self.close()
